"""Proves that a job runs in YARN: Python workers, with the project's packages, read a file that was written to HDFS."""

import pyarrow as pa
from pyspark.sql import SparkSession

ROWS = 1000
FOLDER = "verify"


def sums(batches):
    """The number of rows of each Arrow batch."""
    for batch in batches:
        yield pa.RecordBatch.from_pydict({"rows": [batch.num_rows]})


spark = SparkSession.builder.getOrCreate()
spark.range(ROWS).write.mode("overwrite").parquet(FOLDER)
counted = spark.read.parquet(FOLDER).mapInArrow(sums, "rows long").groupBy().sum().first()[0]
path = spark._jvm.org.apache.hadoop.fs.Path(FOLDER)
path.getFileSystem(spark._jsc.hadoopConfiguration()).delete(path, True)
print("counted", counted)
spark.stop()
