"""The process that Spark's Python workers are forked from: it has imported what they need, so that each starts at once.

Run by Spark (`spark.python.daemon.module`) in place of `pyspark.daemon`, which imports nothing.
"""

from __future__ import annotations

import gc

from pyspark.daemon import manager

import spark_jobs.batches.parse  # noqa: F401

if __name__ == "__main__":
    # Workers collect garbage after each task, and need not look at what was imported.
    gc.freeze()
    manager()
