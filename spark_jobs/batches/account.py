"""Accounting: how many members and rows of each zip of a batch ended how. Sizes here are a batch's, never the lake's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_jobs.batches.judge import Judged
from spark_jobs.landing.claim import ClaimedZip

# What the reader tells of a zip as a whole.
TOLD = {"_members": "int", "_ignored": "int", "_failures": "string"}


@dataclass(frozen=True)
class ZipAccount:
    """What became of one zip: its state, and members and rows by outcome."""

    zip: ClaimedZip
    state: str
    rule: str | None = None
    members: int = 0
    members_loaded: int = 0
    members_duplicate: int = 0
    members_ignored: int = 0
    members_quarantined: int = 0
    rows_loaded: int = 0
    rows_duplicate: int = 0
    rows_quarantined: int = 0
    warnings: str = ""
    rows_by_table: str = ""


def account_parsed(zips: Sequence[ClaimedZip], parsed: DataFrame, judged: Sequence[Judged]) -> list[ZipAccount]:
    """Accounts for zips that were opened, from their `parsed` events and `judged` rows; one Spark job, two if any warned."""
    counts = {row["_zip_id"]: row.asDict() for row in _count(parsed, judged).collect()}
    warnings = _warnings(parsed, judged) if any(row["warned"] for row in counts.values()) else {}
    return [_opened(z, counts[z.note.zip_id], warnings.get(z.note.zip_id, {})) for z in zips]


def account_duplicate(z: ClaimedZip, original: Mapping[str, Any]) -> ZipAccount:
    """Accounts for a zip whose bytes were loaded before, from the ledger row of that earlier delivery."""
    members = original["members"]
    rows = original["rows_loaded"] + original["rows_quarantined"]
    return ZipAccount(z, "duplicate", members=members, members_duplicate=members, rows_duplicate=rows)


def account_refused(z: ClaimedZip) -> ZipAccount:
    """Accounts for a zip that is refused without being opened."""
    return ZipAccount(z, "quarantined", rule=(z.refusal or "").partition(":")[0])


def stopping_checks(judged: Sequence[Judged]) -> list[tuple[str, str]]:
    """(check, zip id) of expectations that stop the feed and were not met; at most one a check."""
    rows = [j.rows.select(F.explode("_stops").alias("check"), "_zip_id") for j in judged]
    broken = reduce(DataFrame.unionAll, rows).groupBy("check").agg(F.min("_zip_id").alias("zip_id"))
    return [(row.check, row.zip_id) for row in broken.collect()]


def _count(parsed: DataFrame, judged: Sequence[Judged]) -> DataFrame:
    """A row a zip: its members and ignored ones as the reader told, the others by what became of their rows.

    Rows loaded into a table are in a column `in_<table>`. `touch` has every derived value computed: an expression that
    fails on some value then fails its batch here, before anything is written.
    """
    tables = [f"in_{name}" for name in _targets(judged)]
    told = [F.max(name).alias(name) for name in TOLD]
    touch = F.bit_xor("touch").alias("touch")
    sums = [F.sum(count).alias(count) for count in ("ok", "bad", "warned", *tables)]
    by_member = _flags(parsed, judged).groupBy("_zip_id", "_member_index").agg(*told, *sums, touch)
    is_member = F.col("_member_index").isNotNull()
    by_zip = by_member.groupBy("_zip_id").agg(
        *told,
        F.count_if(is_member & (F.col("ok") > 0)).alias("members_loaded"),
        F.count_if(is_member & (F.col("ok") == 0)).alias("members_quarantined"),
        F.sum("ok").alias("rows_loaded"),
        F.sum("bad").alias("rows_quarantined"),
        *(F.sum(name).alias(name) for name in ("warned", *tables)),
        touch,
    )
    return by_zip.na.fill(0)


def _flags(parsed: DataFrame, judged: Sequence[Judged]) -> DataFrame:
    """A row each judged row, and each event of a zip or member, with what it counts for.

    Events count for a member only where they refuse it: one that was warned about has rows as well, or is ignored.
    """
    tables = _targets(judged)
    zero = F.lit(0).cast("bigint")

    def flags(source: DataFrame, member: SparkColumn, told: Sequence[SparkColumn], **counts: SparkColumn) -> DataFrame:
        names = ("ok", "bad", "warned", *(f"in_{name}" for name in tables), "touch")
        columns = [counts.get(name, zero).cast("bigint").alias(name) for name in names]
        return source.select("_zip_id", member.alias("_member_index"), *told, *columns)

    member, failures = F.col("_member_index"), F.col("_failures")
    ok = failures.isNull()
    warned = F.when(ok & F.col("_warnings").isNotNull(), F.size("_warnings")).otherwise(zero)
    nothing = [F.lit(None).cast(kind).alias(name) for name, kind in TOLD.items()]
    rows = [
        flags(j.rows, member, nothing, ok=ok, bad=~ok, warned=warned, touch=_touch(j), **{f"in_{j.target.target}": ok})
        for j in judged
    ]
    is_zip = F.col("_kind") == "_zip"
    of_zip = [F.when(is_zip, F.col(name)).alias(name) for name in TOLD]
    events = flags(parsed.where("_kind IN ('_zip', '_member')"), F.when(~is_zip & ~ok, member), of_zip, warned=warned)
    return reduce(DataFrame.unionAll, [*rows, events])


def _touch(j: Judged) -> SparkColumn:
    derived = [column.name for column in j.member.columns if column.expression is not None]
    return F.xxhash64(*derived, "_order", "_deleted")


def _targets(judged: Sequence[Judged]) -> list[str]:
    return sorted({j.target.target for j in judged})


def _warnings(parsed: DataFrame, judged: Sequence[Judged]) -> dict[str, dict[str, int]]:
    """zip id -> warning -> how often."""
    sources = [parsed.where("_kind = '_member'"), *(j.rows.where("_failures IS NULL") for j in judged)]
    rows = [source.select("_zip_id", F.explode("_warnings").alias("warning")) for source in sources]
    counted = reduce(DataFrame.unionAll, rows).groupBy("_zip_id", "warning").count().collect()
    warnings: dict[str, dict[str, int]] = defaultdict(dict)
    for row in counted:
        warnings[row["_zip_id"]][row["warning"]] = row["count"]
    return warnings


def _opened(z: ClaimedZip, counts: Mapping[str, Any], warnings: Mapping[str, int]) -> ZipAccount:
    failure = counts["_failures"]
    loaded, quarantined = counts["members_loaded"], counts["members_quarantined"]
    if failure:
        quarantined = counts["_members"]
    state = "loaded" if loaded else "quarantined" if quarantined or failure else "ignored"
    return ZipAccount(
        z,
        state,
        rule=failure.partition(":")[0] if failure else None,
        members=counts["_members"],
        members_loaded=loaded,
        members_ignored=counts["_ignored"],
        members_quarantined=quarantined,
        rows_loaded=counts["rows_loaded"],
        rows_quarantined=counts["rows_quarantined"],
        warnings=_listed(warnings),
        rows_by_table=_listed({name[3:]: n for name, n in counts.items() if name.startswith("in_") and n}),
    )


def _listed(counts: Mapping[str, int]) -> str:
    return ",".join(f"{name}={count}" for name, count in sorted(counts.items()))
