"""A table of any size whose rows can be told beforehand: made in bulk, then changed by upserts, and reconciled."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from spark_jobs.tables.hudi import HudiTable, write_options
from spark_jobs.tables.lake import Lake

ROWS_OF_GROUP = 25_000
BUCKETS = 2
ROWS_OF_PARTITION = ROWS_OF_GROUP * BUCKETS
# Of a commit's rows so many are new, so many arrive late and lose, and the others are newer versions of rows that are there.
NEW_SHARE, LATE_SHARE = 0.1, 0.1
FIRST_VERSION = 1_000_000
BULK_ROWS = 4_000_000


@dataclass
class GrowthTable:
    """`rows` rows in file groups of ROWS_OF_GROUP; every commit touches the newest `partitions` partitions."""

    lake: Lake
    rows: int
    partitions: int
    batch_rows: int
    name: str
    commits: int = 0
    changed: list[DataFrame] = field(default_factory=list)

    @property
    def table(self) -> HudiTable:
        """Its place and options: those of a target table."""
        path = self.lake.site.warehouse / "raw" / self.name
        return HudiTable("raw", self.name, path, ("visit_id", "day"), partition_by="day", buckets=BUCKETS)

    @property
    def groups(self) -> int:
        """File groups that a commit touches."""
        return self.partitions * BUCKETS

    def make(self) -> None:
        """Writes the first version of all rows, in bulk, with the options of an upsert otherwise."""
        options = {
            **write_options(self.table),
            "hoodie.datasource.write.operation": "bulk_insert",
            "hoodie.bulkinsert.shuffle.parallelism": "4",
        }
        for first in range(0, self.rows, BULK_ROWS):
            ids = self.lake.session.range(first, min(self.rows, first + BULK_ROWS))
            rows = self._rows(ids.withColumn("version", F.lit(FIRST_VERSION)))
            rows.write.format("hudi").options(**options).mode("append").save(str(self.table.path))

    def upsert(self) -> None:
        """One commit: newer versions of rows that are there, new rows, and late ones that lose."""
        self.commits += 1
        version = FIRST_VERSION + self.commits
        ids = self._ids()
        late = F.col("n") < round(self.batch_rows * LATE_SHARE)
        # Cut off from how it was made, as rows that were read are.
        changed = ids.withColumn("version", F.when(late, self.commits).otherwise(version)).drop("n").localCheckpoint()
        self.changed.append(changed)
        self.lake.writer.upsert(self._rows(changed), self.table)

    def compact(self, schedule: bool = False) -> int:
        """Carries out compactions that are planned; with `schedule` one of all log files."""
        if schedule:
            self.lake.writer.plan_compaction(self.lake.session, self.table)
        return self.lake.writer.compact(self.lake.session, self.table)

    def read(self, touched: bool = True) -> tuple[int, int]:
        """Reads the merged rows, of the touched partitions or of all: their number and a sum over all their columns."""
        stored = self.lake.session.read.format("hudi").load(str(self.table.path))
        rows = stored.where(F.col("day") >= self._day(self._first_touched)) if touched else stored
        return _sum(rows.select(*_COLUMNS))

    def is_as_written(self) -> bool:
        """Whether all rows of the table are those that were written last for their keys."""
        return self.read(touched=False) == self._expected()

    def _expected(self) -> tuple[int, int]:
        ids = self.lake.session.range(self.rows).withColumn("version", F.lit(FIRST_VERSION))
        changes = reduce(DataFrame.unionByName, self.changed) if self.changed else ids.limit(0)
        newest = changes.groupBy("id").agg(F.max("version").alias("changed"))
        latest = F.greatest("version", "changed").alias("version")
        return _sum(self._rows(ids.join(newest, "id", "full").select("id", latest)).select(*_COLUMNS))

    @property
    def _first_touched(self) -> int:
        return self.rows // ROWS_OF_PARTITION - self.partitions

    def _ids(self) -> DataFrame:
        """The rows of this commit by number: no row twice, and another choice each time."""
        new = round(self.batch_rows * NEW_SHARE)
        there = self.batch_rows - new
        first, span = self._first_touched * ROWS_OF_PARTITION, self.partitions * ROWS_OF_PARTITION
        # The step is prime to the span, so that the numbers differ; the offset moves on with each commit.
        chosen = F.lit(first) + (F.col("n") * 7_919 + self.commits * 104_729) % span
        old = self.lake.session.range(there).select(F.col("id").alias("n")).withColumn("id", chosen)
        begin = self.rows + (self.commits - 1) * new
        fresh = self.lake.session.range(begin, begin + new).select(F.lit(there).alias("n"), "id")
        return old.unionByName(fresh).coalesce(1)

    def _rows(self, versions: DataFrame) -> DataFrame:
        """Rows as the ingest writes them, from `id` and `version`: about 300 bytes each."""
        number, version = F.col("id"), F.col("version")
        by_place = F.floor(number / ROWS_OF_PARTITION)
        by_turn = F.lit(self._first_touched) + number % self.partitions
        place = F.when(number < self.rows, by_place).otherwise(by_turn)
        return versions.select(
            F.format_string("V%012d", number).alias("visit_id"),
            self._day(place).alias("day"),
            F.concat(F.lit("ward "), number % 40).alias("ward"),
            F.concat(F.lit("seen for reason "), (number * 31 + version) % 9_973, F.lit(" by unit "), version % 97).alias("note"),
            F.timestamp_seconds(F.lit(1_767_225_600) + number % 10_000_000).alias("seen_at"),
            ((number * 7 + version) % 1_000_000 / 100).cast("decimal(12,2)").alias("amount"),
            ((number + version) % 1_000).alias("units"),
            F.md5(F.floor(number / 200).cast("string")).alias("_zip_id"),
            F.lit("visits.csv").alias("_member"),
            F.lit(0).alias("_member_index"),
            (number % 200).alias("_row"),
            F.concat(F.lit("bench-"), version).alias("_batch"),
            F.format_string("%020d%020d%08d%016d%08d%012d", version, version, F.lit(1), number, F.lit(0), number % 200).alias(
                "_order"
            ),
            F.lit(False).alias("_deleted"),
        )  # fmt: skip

    @staticmethod
    def _day(number: Column | int) -> Column:
        return F.format_string("d%06d", F.lit(number) if isinstance(number, int) else number)


_COLUMNS = "visit_id day ward note seen_at amount units _zip_id _row _batch _order _deleted".split()


def _sum(rows: DataFrame) -> tuple[int, int]:
    """Number of rows, and a sum that no order changes and any other value does."""
    total = F.sum(F.xxhash64(*_COLUMNS).cast("decimal(38,0)"))
    found = rows.agg(F.count(F.lit(1)).alias("rows"), total.alias("total")).first()
    assert found is not None
    return found["rows"], int(found["total"] or 0)
