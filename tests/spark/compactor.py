"""A process that carries out the planned compactions of a table, again and again, until it is ended.

python -m tests.spark.compactor <folder for scratch> <path of the table, as a writer has made it>
"""

import sys
import time
from pathlib import Path

from spark_jobs.tables.hudi import TableWriter
from spark_jobs.tables.session import open_scratch_session
from tests.spark.test_compaction_beside import the_table

if __name__ == "__main__":
    session, table = open_scratch_session(Path(sys.argv[1])), the_table(Path(sys.argv[2]))
    while True:
        if TableWriter().compact(session, table):
            print("compacted", flush=True)
        time.sleep(0.05)
