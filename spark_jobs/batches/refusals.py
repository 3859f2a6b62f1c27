"""What a batch refused, and what a replay no longer refuses, as rows of the quarantine.

Crash-only: rows are keyed by zip, member, target and row, and a batch that runs again writes the same ones. Its own
earlier attempt is no earlier refusal: entries that it resolved are resolved, and are let be.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from spark_jobs.batches.account import ZipAccount
from spark_jobs.batches.batch import Batch
from spark_jobs.batches.judge import Judged
from spark_jobs.tables.frames import frame_of
from spark_jobs.tables.lake import Lake
from spark_jobs.tables.ledger import day_of
from spark_jobs.tables.quarantine import IS_OPEN, KEY, QUARANTINE

ENTRY = {name: QUARANTINE[name] for name in (*KEY, "member", "reason")}


def record_refusals(
    lake: Lake, batch: Batch, parsed: DataFrame | None, judged: Sequence[Judged], accounts: Sequence[ZipAccount]
) -> None:
    """Writes what the batch refused, and resolves the open entries of replayed zips that it did not refuse again."""
    entries = _entries(lake, batch, parsed, judged, accounts)
    if entries is None and not batch.replayed:
        return
    now = _now()
    if entries is None:
        entries = frame_of(lake.session, [], ENTRY)
    rows = _rows(entries, batch, now)
    if batch.replayed:
        days = {day_of(note) for note in batch.notes}
        earlier = lake.session.table("ops.quarantine").where(F.col("landed_on").isin(*days))
        earlier = earlier.where(F.col("zip_id").isin(*batch.replayed))
        earlier = earlier.select(*rows.columns)
        resolved = _resolved(earlier, rows, batch, now)
        rows = _with_first_refusal(rows, earlier).unionByName(resolved)
    lake.quarantine_commits.commit(rows)


def _now() -> Column:
    """This moment. A constant time would be a part of the code that Spark compiles, anew for each batch."""
    text = F.concat(F.lit(datetime.now(UTC).isoformat()), F.substring("zip_id", 0, 0))
    return text.cast("timestamp")


def _entries(
    lake: Lake, batch: Batch, parsed: DataFrame | None, judged: Sequence[Judged], accounts: Sequence[ZipAccount]
) -> DataFrame | None:
    """A row each refused zip, member and row, of the columns ENTRY; None if nothing was refused."""
    entries = []
    if batch.refused:
        whole = {"member_index": -1, "target": "", "row": 0}
        rows = [{"zip_id": z.note.zip_id, **whole, "reason": z.refusal} for z in batch.refused]
        entries.append(frame_of(lake.session, rows, ENTRY))
    if parsed is not None and any(a.members_quarantined or a.rows_quarantined or a.rule for a in accounts):
        entries.append(_refused(parsed, judged))
    return reduce(DataFrame.unionByName, entries) if entries else None


def _refused(parsed: DataFrame, judged: Sequence[Judged]) -> DataFrame:
    """Everything with failures: zips and members as the reader told, rows as they were judged."""
    whole = parsed.where("_kind IN ('_zip', '_member')").withColumn("target", F.lit(""))
    sources = [whole, *(j.rows.withColumn("target", F.lit(j.target.target)) for j in judged)]
    columns = [
        F.col("_zip_id").alias("zip_id"),
        F.coalesce("_member_index", F.lit(-1)).alias("member_index"),
        F.col("target"),
        F.coalesce("_row", F.lit(0)).alias("row"),
        F.col("_member").alias("member"),
        F.col("_failures").alias("reason"),
    ]
    return reduce(DataFrame.unionAll, [s.where("_failures IS NOT NULL").select(*columns) for s in sources])


def _rows(entries: DataFrame, batch: Batch, now: Column) -> DataFrame:
    return entries.select(
        *KEY,
        "member",
        F.lit(batch.manifest.feed or "").alias("feed"),
        F.substring_index("reason", ":", 1).alias("rule"),
        "reason",
        F.lit(batch.name).alias("batch"),
        F.lit(batch.manifest.revision).alias("revision"),
        F.lit(batch.order).alias("_order"),
        F.lit("open").alias("state"),
        now.alias("first_refused_at"),
        now.alias("refused_at"),
        F.lit(None).cast("string").alias("resolved_by"),
        F.lit(None).cast("timestamp").alias("resolved_at"),
        _landed_on(batch),
    )


def _landed_on(batch: Batch) -> Column:
    """The day on which the zip of an entry landed; mostly all zips of a batch landed on one."""
    ids_of: dict[str, list[str]] = defaultdict(list)
    for note in batch.notes:
        ids_of[day_of(note)].append(note.zip_id)
    usual, *others = sorted(ids_of, key=lambda day: -len(ids_of[day]))
    day = F.lit(usual)
    for other in others:
        day = F.when(F.col("zip_id").isin(*ids_of[other]), other).otherwise(day)
    return day.alias("landed_on")


def _with_first_refusal(rows: DataFrame, earlier: DataFrame) -> DataFrame:
    """`rows` with the time of the first refusal that the quarantine has; it is unknown (null) in entries of before."""
    known = earlier.select(*KEY, F.lit(True).alias("_known"), F.col("first_refused_at").alias("_first"))
    first = F.when(F.col("_known"), F.col("_first")).otherwise(F.col("first_refused_at"))
    return rows.join(known, list(KEY), "left").withColumn("first_refused_at", first).select(*rows.columns)


def _resolved(earlier: DataFrame, rows: DataFrame, batch: Batch, now: Column) -> DataFrame:
    """Entries that were open and are not repeated by `rows`, as resolved ones."""
    gone = earlier.where(IS_OPEN).join(rows.select(*KEY), list(KEY), "left_anti")
    return gone.withColumns(
        {
            "state": F.lit("resolved"),
            "resolved_by": F.lit(batch.name),
            "resolved_at": now,
            "_order": F.lit(batch.order),
        }
    ).select(*rows.columns)
