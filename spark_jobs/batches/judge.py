"""From typed rows to rows fit to be written: derived columns, checks, ordering and delete marker.

Runs in the JVM, as Spark expressions over the parsed rows; nothing here depends on when or where it runs, so a re-run
of a batch judges every row the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_jobs.rules.model import Column, Feed, Member, TargetTable

SPARK_TYPES = {"long": "bigint"}

# Microseconds from 0001-01-01 to 1970-01-01: added to a time stamp it leaves no negative number to sort as text.
BIAS_MICROS = 62_135_596_800_000_000
BIAS_LONG = 9_223_372_036_854_775_808
DAY_MICROS = 86_400_000_000

# A partition's value becomes a folder's name.
PARTITION_VALUE = "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"


@dataclass(frozen=True)
class Judged:
    """The rows that one member rule reads, each with `_failures` (null: fit to be written), `_warnings` and `_stops`.

    `warns` and `stops` are all the names that those may hold.
    """

    member: Member
    target: TargetTable
    rows: DataFrame
    warns: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()


def judge(parsed: DataFrame, feed: Feed, member: Member, target: TargetTable) -> Judged:
    """The rows of `member` in `parsed` (see `parse`), completed and checked."""
    provenance = ["_zip_id", "_member_index", "_member", "_row", "_failures", "_zip_order"]
    rows = parsed.where(F.col("_kind") == member.member).select(*provenance, f"`{member.member}`.*")
    for column in member.columns:
        if column.expression is not None:
            rows = rows.withColumn(column.name, _derived(column))
    return Judged(
        member,
        target,
        rows.withColumns(
            {
                "_failures": _failures(feed, member, target),
                "_warnings": _broken_checks(feed, member, "warn"),
                "_stops": _broken_checks(feed, member, "stop"),
                "_order": _order(member, target),
                "_deleted": _deleted(target),
            }
        ),
        warns=tuple(_names(feed, member, "warn")),
        stops=tuple(_names(feed, member, "stop")),
    )


def fit_rows(judged: Judged, batch: str) -> DataFrame:
    """What is written to the target table: business columns in the rules' order, then where each row came from."""
    columns = [column.name for column in judged.member.columns]
    provenance = ["_zip_id", "_member", "_member_index", "_row"]
    fit = judged.rows.where(F.col("_failures").isNull())
    return fit.select(*columns, *provenance, F.lit(batch).alias("_batch"), "_order", "_deleted")


def _derived(column: Column) -> SparkColumn:
    value = F.expr(column.expression or "").cast(spark_type(column))
    if column.default is None:
        return value
    return F.coalesce(value, F.lit(column.default).cast(spark_type(column)))


def spark_type(column: Column) -> str:
    """Spark's name of the column's type."""
    return SPARK_TYPES.get(column.type, column.type)


def _failures(feed: Feed, member: Member, target: TargetTable) -> SparkColumn:
    """All that is wrong with a row, a line each, `<rule>: <reason>`; null if nothing is."""
    lines = [
        F.when(F.col(c.name).isNull(), f"required.{c.name}: the derived column is null")
        for c in member.columns
        if c.required and c.expression is not None
    ]
    if target.partition_by:
        unfit = ~F.col(target.partition_by).rlike(PARTITION_VALUE)
        lines.append(F.when(unfit, f"partition.{target.partition_by}: the value can be no folder's name"))
    lines += [
        F.when(_is_false(check.expression), f"check.{check.check}: {check.description or check.expression}")
        for check in feed.checks
        if check.member == member.member and check.action != "warn"
    ]
    joined = F.concat_ws("\n", F.col("_failures"), *lines)
    return F.when(joined != "", joined)


def _broken_checks(feed: Feed, member: Member, action: str) -> SparkColumn:
    names = [
        F.when(_is_false(check.expression), f"check.{check.check}")
        for check in feed.checks
        if check.member == member.member and check.action == action
    ]
    return F.array_compact(F.array(*names)) if names else F.lit(None).cast("array<string>")


def _names(feed: Feed, member: Member, action: str) -> list[str]:
    return [f"check.{c.check}" for c in feed.checks if c.member == member.member and c.action == action]


def _is_false(expression: str) -> SparkColumn:
    """An expectation that is null is not false."""
    return ~F.coalesce(F.expr(f"({expression})"), F.lit(True))


def _order(member: Member, target: TargetTable) -> SparkColumn:
    """One fixed-width text: source time, the zip's own (extract time, revision, hash), member, row."""
    return F.concat(
        _source_order(member, target),
        F.col("_zip_order"),
        F.lpad(F.col("_member_index").cast("string"), 8, "0"),
        F.lpad(F.col("_row").cast("string"), 12, "0"),
    )


def _source_order(member: Member, target: TargetTable) -> SparkColumn:
    if target.order_by is None:
        return F.lit("0" * 20)
    value = F.col(target.order_by)
    kind = next(column.type for column in member.columns if column.name == target.order_by)
    if kind == "timestamp":
        number = F.unix_micros(value) + F.lit(BIAS_MICROS)
    elif kind == "date":
        number = F.unix_date(value).cast("bigint") * DAY_MICROS + F.lit(BIAS_MICROS)
    else:
        number = value.cast("decimal(20,0)") + F.lit(BIAS_LONG).cast("decimal(20,0)")
    return F.lpad(number.cast("string"), 20, "0")


def _deleted(target: TargetTable) -> SparkColumn:
    if target.delete_column is None:
        return F.lit(False)
    return F.coalesce(F.col(target.delete_column).isin(*target.delete_values), F.lit(False))
