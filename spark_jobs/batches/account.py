"""Accounting: how many members and rows of each zip of a batch ended how. Sizes here are a batch's, never the lake's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_jobs.batches.judge import Judged
from spark_jobs.landing.claim import ClaimedZip


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


def account_parsed(
    zips: Sequence[ClaimedZip], parsed: DataFrame, judged: Sequence[Judged]
) -> tuple[list[ZipAccount], list[tuple[str, str]]]:
    """Accounts for zips that were opened, from their `parsed` events and `judged` rows; one Spark job.

    Returned beside them: (check, zip id) of expectations that stop the feed and were not met, one zip a check.
    """
    told: dict[str, Mapping[str, Any]] = {}
    counts: dict[str, Mapping[str, int]] = {}
    for row in _count(parsed, judged).collect():
        of_rows = row["members_loaded"] is not None
        (counts if of_rows else told)[row["_zip_id"]] = row.asDict()
    names = _names(judged)
    accounts = [_opened(z, told[z.note.zip_id], counts.get(z.note.zip_id, {}), names) for z in zips]
    stopping = [
        (check, min(zip_id for zip_id, row in counts.items() if row[column]))
        for column, check in names.items()
        if column.startswith("stopped_") and any(row[column] for row in counts.values())
    ]
    return accounts, stopping


def account_duplicate(z: ClaimedZip, original: Mapping[str, Any]) -> ZipAccount:
    """Accounts for a zip whose bytes were loaded before, from the ledger row of that earlier delivery."""
    members = original["members"]
    rows = original["rows_loaded"] + original["rows_quarantined"]
    return ZipAccount(z, "duplicate", members=members, members_duplicate=members, rows_duplicate=rows)


def account_refused(z: ClaimedZip) -> ZipAccount:
    """Accounts for a zip that is refused without being opened."""
    return ZipAccount(z, "quarantined", rule=(z.refusal or "").partition(":")[0])


def _count(parsed: DataFrame, judged: Sequence[Judged]) -> DataFrame:
    """Two rows a zip: what the reader told of it (`members_loaded` is null), and its members by what became of their rows.

    Rows loaded into a table are in a column `in_<table>`, those that break a check in the columns of `_names`. `touch` has
    every derived value computed: an expression that fails on some value then fails its batch here, before anything is written.
    """
    sums = [*(f"in_{name}" for name in _targets(judged)), *_names(judged)]
    touch = F.bit_xor("touch").alias("touch")
    by_member = (
        _flags(parsed, judged)
        .groupBy("_zip_id", "_member_index")
        .agg(*(F.sum(count).alias(count) for count in ("ok", "bad", *sums)), touch)
    )
    by_zip = by_member.groupBy("_zip_id").agg(
        F.count_if(F.col("ok") > 0).alias("members_loaded"),
        F.count_if(F.col("ok") == 0).alias("members_quarantined"),
        F.sum("ok").alias("rows_loaded"),
        F.sum("bad").alias("rows_quarantined"),
        *(F.sum(name).alias(name) for name in sums),
        touch,
    )
    zips = parsed.where("_kind = '_zip'").select("_zip_id", "_members", "_ignored", "_failures", "_warnings")
    return zips.unionByName(by_zip, allowMissingColumns=True)


def _flags(parsed: DataFrame, judged: Sequence[Judged]) -> DataFrame:
    ok = F.col("_failures").isNull().cast("bigint").alias("ok")
    bad = F.col("_failures").isNotNull().cast("bigint").alias("bad")
    zero = F.lit(0).cast("bigint")
    tables, checks = _targets(judged), _names(judged)

    def by_table(j: Judged) -> list[SparkColumn]:
        return [(ok if name == j.target.target else zero).alias(f"in_{name}") for name in tables]

    def by_check(j: Judged) -> list[SparkColumn]:
        return [_breaks(j, check, column.startswith("stopped_")).alias(column) for column, check in checks.items()]

    rows = [j.rows.select("_zip_id", "_member_index", ok, bad, *by_table(j), *by_check(j), _touch(j)) for j in judged]
    refused = parsed.where("_kind = '_member' AND _failures IS NOT NULL")
    nothing = [zero.alias(name) for name in ("ok", "bad", *(f"in_{name}" for name in tables), *checks, "touch")]
    events = refused.select("_zip_id", "_member_index", *nothing)
    return reduce(DataFrame.unionAll, [*rows, events])


def _breaks(j: Judged, check: str, stops: bool) -> SparkColumn:
    """1 where a row breaks a check that stops the feed, or, if it is loaded all the same, one that warns; else 0."""
    if check not in (j.stops if stops else j.warns):
        return F.lit(0).cast("bigint")
    if stops:
        return F.array_contains("_stops", check).cast("bigint")
    return (F.col("_failures").isNull() & F.array_contains("_warnings", check)).cast("bigint")


def _touch(j: Judged) -> SparkColumn:
    derived = [column.name for column in j.member.columns if column.expression is not None]
    return F.xxhash64(*derived, "_order", "_deleted").alias("touch")


def _targets(judged: Sequence[Judged]) -> list[str]:
    return sorted({j.target.target for j in judged})


def _names(judged: Sequence[Judged]) -> dict[str, str]:
    """Column of a count -> the check whose breaches it counts: those that warn, then those that stop the feed."""
    warns = sorted({name for j in judged for name in j.warns})
    stops = sorted({name for j in judged for name in j.stops})
    return {
        **{f"warned_{number}": name for number, name in enumerate(warns)},
        **{f"stopped_{number}": name for number, name in enumerate(stops)},
    }


def _opened(z: ClaimedZip, told: Mapping[str, Any], counts: Mapping[str, int], names: Mapping[str, str]) -> ZipAccount:
    """From what the reader told of a zip, and from the counts of its rows, empty if it has none."""
    failure, members = told["_failures"], told["_members"] or 0
    loaded, quarantined = counts.get("members_loaded", 0), counts.get("members_quarantined", 0)
    if failure:
        quarantined = members
    state = "loaded" if loaded else "quarantined" if quarantined or failure else "ignored"
    broken = {name: counts.get(column, 0) for column, name in names.items() if column.startswith("warned_")}
    return ZipAccount(
        z,
        state,
        rule=failure.partition(":")[0] if failure else None,
        members=members,
        members_loaded=loaded,
        members_ignored=told["_ignored"] or 0,
        members_quarantined=quarantined,
        rows_loaded=counts.get("rows_loaded", 0),
        rows_quarantined=counts.get("rows_quarantined", 0),
        warnings=_listed({**named_counts(told["_warnings"]), **broken}),
        rows_by_table=_listed({name[3:]: count for name, count in counts.items() if name.startswith("in_")}),
    )


def named_counts(listed: Iterable[str] | None) -> dict[str, int]:
    """name -> count, from texts `name=count` as the reader tells what it noticed."""
    pairs = (pair.rpartition("=") for pair in listed or ())
    return {name: int(count) for name, _, count in pairs}


def _listed(counts: Mapping[str, int]) -> str:
    return ",".join(f"{name}={count}" for name, count in sorted(counts.items()) if count)
