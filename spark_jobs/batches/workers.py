"""The process that Spark's Python workers are forked from: it has imported what they need, so that each starts at once.

Run by Spark (`spark.python.daemon.module`) in place of `pyspark.daemon`, which imports nothing.
"""

from __future__ import annotations

import gc
import os

from pyspark.daemon import manager

from spark_jobs.batches.parse import NICENESS

if __name__ == "__main__":
    os.nice(int(os.environ.get(NICENESS, "0")))
    # Workers collect garbage after each task, and need not look at what was imported.
    gc.freeze()
    manager()
