"""Holds a lake against the simulator's truth: every zip, every refusal, every table row by row and column by column.

Differences are counted and named, never quoted: the rows are patients' records.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.site import Site
from spark_jobs.tables.lake import open_lake
from spark_jobs.tables.quarantine import IS_OPEN

COUNTS = "members members_loaded members_duplicate members_ignored members_quarantined".split()
ROW_COUNTS = "rows_loaded rows_duplicate rows_quarantined".split()
BALANCE = "members <> members_loaded + members_duplicate + members_ignored + members_quarantined"


def differences(session: SparkSession, truth: Path, ignored_folder: str = "") -> list[str]:
    """What differs between the lake and the truth in folder `truth`, a line each; nothing if they are equal.

    What was delivered to the landing folder `ignored_folder` is unknown to the truth; it fills tables of its own.
    """
    return [*ledger_differences(session, truth, ignored_folder), *table_differences(session, truth)]


def ledger_differences(session: SparkSession, truth: Path, ignored_folder: str = "") -> list[str]:
    """Differences in what became of zips, members and rows."""
    ledger = session.table("ops.ledger").where(F.col("folder") != ignored_folder)
    unbalanced = ledger.where(BALANCE).count()
    found = [f"ops.ledger: {unbalanced} zips whose members do not add up"] if unbalanced else []
    columns = ["folder", "name", "sha256", "state", "rule", "warnings", *COUNTS, *ROW_COUNTS]
    expected = session.read.parquet(str(truth / "zips.parquet"))
    found += _compare("ops.ledger", ledger.select(*columns), expected.select(*columns))
    return [
        *found,
        *_compare("ops.quarantine", _quarantined(session, ignored_folder), _expected_quarantine(session, truth)),
    ]


def table_differences(session: SparkSession, truth: Path) -> list[str]:
    """Differences in the rows of target tables, those that readers see and those that are marked as deleted."""
    found = []
    names = session.table("ops.ledger").select(F.col("zip_id").alias("_zip_id"), F.col("name").alias("_zip_name"))
    for path in sorted((truth / "tables").glob("*.parquet")):
        expected = session.read.parquet(str(path))
        actual = session.table(f"lake.{path.stem}").join(F.broadcast(names), "_zip_id", "left")
        found += _compare(f"lake.{path.stem}", actual.select(*expected.columns), expected)
        found += _compare_types(path.stem, actual, expected)
    for path in sorted((truth / "deleted").glob("*.parquet")):
        expected = session.read.parquet(str(path))
        actual = session.table(f"raw.{path.stem}").where("_deleted").select(*expected.columns)
        found += _compare(f"raw.{path.stem}, deleted rows", actual, expected)
    return found


def _quarantined(session: SparkSession, ignored_folder: str) -> DataFrame:
    names = session.table("ops.ledger").select("zip_id", "folder", F.col("name").alias("zip_name"))
    entries = session.table("ops.quarantine").where(IS_OPEN).join(F.broadcast(names), "zip_id", "left")
    entries = entries.where(~F.col("folder").eqNullSafe(ignored_folder))
    return entries.select("folder", "zip_name", "member_index", "member", "row", "target", "rule")


def _expected_quarantine(session: SparkSession, truth: Path) -> DataFrame:
    expected = session.read.parquet(str(truth / "quarantine.parquet"))
    return expected.select(
        "folder",
        F.col("name").alias("zip_name"),
        F.coalesce("member_index", F.lit(-1)).cast("int").alias("member_index"),
        "member",
        F.coalesce("row", F.lit(0)).cast("bigint").alias("row"),
        F.coalesce("target", F.lit("")).alias("target"),
        "rule",
    )


def _compare(what: str, actual: DataFrame, expected: DataFrame) -> Iterator[str]:
    """Rows that one side has and the other has not, as often as it has them."""
    both = actual.withColumn("_side", F.lit(1)).unionByName(expected.withColumn("_side", F.lit(-1)))
    by_row = both.groupBy(*actual.columns).agg(F.sum("_side").alias("surplus")).where("surplus <> 0")
    sums = by_row.agg(
        F.sum(F.greatest("surplus", F.lit(0))).alias("extra"),
        F.sum(F.greatest(-F.col("surplus"), F.lit(0))).alias("missing"),
    ).first()
    assert sums is not None
    if sums.extra or sums.missing:
        yield f"{what}: {sums.missing} rows of the truth are missing, {sums.extra} are there that should not be"


def _compare_types(name: str, actual: DataFrame, expected: DataFrame) -> Iterator[str]:
    types = dict(actual.dtypes)
    wrong = [f"{column} is {types[column]}, not {kind}" for column, kind in expected.dtypes if types[column] != kind]
    if wrong:
        yield f"lake.{name}: {', '.join(wrong)}"


def main() -> None:
    """`python -m tests.reconcile HOME TRUTH`: prints what differs between a lake and the truth; fails if anything does."""
    home, truth = (Path(argument) for argument in sys.argv[1:])
    with open_lake(Site(home), "tests.reconcile") as lake:
        found = differences(lake.session, truth)
    print("\n".join(found) or "equal")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
