"""The ledger: a row a zip, saying what became of it and of its members and rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.landing.agent import DeliveryNote
from spark_jobs.tables.frames import frame_of
from spark_jobs.tables.hudi import HudiTable, TableWriter
from spark_jobs.tables.known import KnownZip, KnownZips

Row = Mapping[str, Any]

# name -> (Spark type, comment)
LEDGER = {
    "zip_id": ("string", "Opaque id, given when the zip landed"),
    "feed": ("string", "Feed that took it; empty if none does"),
    "folder": ("string", "Landing folder"),
    "name": ("string", "Name as delivered; may identify a patient"),
    "sha256": ("string", "SHA-256 of its bytes, hex"),
    "bytes": ("bigint", "Size in bytes"),
    "landed_at": ("timestamp", "When it landed"),
    "state": ("string", "loaded, duplicate, ignored or quarantined"),
    "rule": ("string", "Why the whole zip was quarantined, or null"),
    "duplicate_of": ("string", "Zip id of the delivery that was loaded, if this is a duplicate"),
    "members": ("bigint", "Members in it"),
    "members_loaded": ("bigint", "Members of which at least one row was loaded"),
    "members_duplicate": ("bigint", "Members of a duplicate zip"),
    "members_ignored": ("bigint", "Members that a rule ignores"),
    "members_quarantined": ("bigint", "Members of which no row was loaded"),
    "rows_loaded": ("bigint", "Rows in a committed upsert"),
    "rows_duplicate": ("bigint", "Rows of a duplicate zip"),
    "rows_quarantined": ("bigint", "Rows refused"),
    "warnings": ("string", "What was noticed and loaded all the same: name=count, ..."),
    "batch": ("string", "Batch that took it in"),
    "revision": ("int", "Revision of the feed's rules that was in force"),
    "commits": ("string", "Commits that hold its rows: table=instant, ..."),
    "committed_at": ("timestamp", "When its batch had committed its tables"),
    "_order": ("string", "Ordering field: the later run of the job wins, in it the later batch"),
    # Added later, and therefore last: null in rows of before.
    "rows_by_table": ("string", "Rows loaded by target table: table=count, ..."),
    "replay": ("int", "Number of the replay that this row tells of; 0 for the delivery itself"),
    "landed_on": ("string", "Day that it landed, UTC: the table's partition"),
    "facility": ("string", "Facility that delivered it, by the part `facility` of its name; null if that has none"),
}


@dataclass(frozen=True)
class Seen:
    """What the ledger knows of zips in landing: ids that are accounted for, and (feed, SHA-256) -> id of loaded zips."""

    zip_ids: frozenset[str]
    loaded: Mapping[tuple[str, str], str]


def seen_before(known: KnownZips, hashes: Collection[str]) -> Seen:
    """What the ledger knows of zips with one of the SHA-256 `hashes`; a zip of the same id has the same one."""
    zips = sorted(known.with_bytes(hashes), key=lambda z: z.zip_id, reverse=True)
    loaded = {(z.feed, z.sha256): z.zip_id for z in zips if z.state == "loaded"}
    return Seen(frozenset(z.zip_id for z in zips), loaded)


def record(
    writer: TableWriter, session: SparkSession, table: HudiTable, known: KnownZips, groups: Sequence[Sequence[Row]]
) -> None:
    """Commits the rows of several batches, those of a batch never parted, and enters them into the index."""
    by_id = {row["zip_id"]: row for group in groups for row in group}
    rows = list(by_id.values())
    instant = writer.upsert(frame_of(session, rows, LEDGER).coalesce(1), table, settled=True)
    known.add(map(KnownZip.of, rows), instant)


def day_of(note: DeliveryNote) -> str:
    """The partition of a zip's row: the day that it landed."""
    return note.landed_at[:10]


def rows_of_zips(session: SparkSession, notes: Collection[DeliveryNote]) -> dict[str, Row]:
    """The ledger rows of the zips that were delivered with `notes`, by id; reads the days on which they landed."""
    if not notes:
        return {}
    rows = _on_days(session, notes).where(F.col("zip_id").isin(*(note.zip_id for note in notes))).collect()
    return {row.zip_id: row.asDict() for row in rows}


def is_accounted(session: SparkSession, batch: str, notes: Collection[DeliveryNote]) -> bool:
    """Whether the batch of the zips with `notes` got as far as the ledger, which is written after all its tables."""
    return bool(_on_days(session, notes).where(F.col("batch") == batch).limit(1).count())


def _on_days(session: SparkSession, notes: Collection[DeliveryNote]) -> DataFrame:
    return session.table("ops.ledger").where(F.col("landed_on").isin(*{day_of(note) for note in notes}))


def commits_of(row: Mapping[str, Any]) -> dict[str, str]:
    """Target table -> instant of the commit that holds a zip's rows, from its ledger row."""
    return _pairs(row["commits"])


def rows_of(row: Mapping[str, Any]) -> dict[str, int]:
    """Target table -> rows of a zip that were loaded, from its ledger row; empty where an older version wrote it."""
    return {table: int(count) for table, count in _pairs(row["rows_by_table"]).items()}


def _pairs(listed: str | None) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in (listed or "").split(",") if pair)
    return {name: value for name, _, value in pairs}
