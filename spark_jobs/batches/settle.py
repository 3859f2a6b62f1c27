"""Rows of one batch that have the same key: settled before the upsert, so that Hudi need not combine them.

Hudi's own combining writes every row out and reads it back; here only keys and order go through a shuffle.
"""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from spark_jobs.tables.hudi import ORDER, HudiTable, key_of

# For fewer rows a job of its own takes longer than Hudi takes to combine them.
SETTLED_FROM = 20_000
# Held by the driver and by each task; in a batch of more, Hudi combines.
MOST_OUTDONE = 200_000
PLACE = ("_zip_id", "_member_index", "_row")  # what tells apart all rows of a batch that one member rule reads


def settle(rows: DataFrame, table: HudiTable) -> DataFrame | None:
    """`rows` of one member rule without those that a newer row of the same key outdoes; None if that is left to Hudi.

    Under a global index Hudi combines rows with those of other partitions as well.
    """
    if table.global_index:
        return None
    newest_first = Window.partitionBy(*key_of(table)).orderBy(F.desc(ORDER))
    placed = rows.select(*PLACE, F.row_number().over(newest_first).alias("_turn"))
    outdone = placed.where("_turn > 1").select(*PLACE).limit(MOST_OUTDONE + 1)
    found = outdone.collect()
    if len(found) > MOST_OUTDONE:
        return None
    if not found:
        return rows
    losers = F.broadcast(rows.sparkSession.createDataFrame(found, outdone.schema))
    return rows.join(losers, [*PLACE], "left_anti").select(*rows.columns)
