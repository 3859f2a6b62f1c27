"""`python -m tests.spark.ended_session HOME`: serves SQL; told to by a line, it ends its session under a running job, and lives on.

A process that ends is like this for a moment.
"""

import sys
import time
from pathlib import Path

from spark_jobs.site import Site
from spark_jobs.tables.endpoint import open_endpoint
from spark_jobs.tables.lake import open_lake

if __name__ == "__main__":
    site = Site(Path(sys.argv[1]))
    with open_lake(site, "ended session", has_endpoint=True, brief=True) as lake, open_endpoint(site, lake.session):
        print("open", flush=True)
        sys.stdin.readline()
        while not lake.session.sparkContext.statusTracker().getActiveJobsIds():
            time.sleep(0.05)
        lake.session.stop()
        print("ended", flush=True)
        sys.stdin.readline()
