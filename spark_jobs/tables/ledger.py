"""The ledger: a row a zip, saying what became of it and of its members and rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from spark_jobs.tables.comments import column_list

# name -> (Spark type, comment)
_LEDGER = {
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
    "committed_at": ("timestamp", "When its batch was accounted for"),
    "_order": ("string", "Ordering field: the later run of the job wins, in it the later batch"),
    # Added later, and therefore last: null in rows of before.
    "rows_by_table": ("string", "Rows loaded by target table: table=count, ..."),
    "replay": ("int", "Number of the replay that this row tells of; 0 for the delivery itself"),
}
LEDGER_COLUMNS = column_list(_LEDGER)


@dataclass(frozen=True)
class Seen:
    """What the ledger knows of zips in landing: ids that are accounted for, and (feed, SHA-256) -> id of loaded zips."""

    zip_ids: frozenset[str]
    loaded: Mapping[tuple[str, str], str]


def seen_before(session: SparkSession, hashes: Collection[str]) -> Seen:
    """What the ledger knows of zips with one of the SHA-256 `hashes`; a zip of the same id has the same one."""
    found = session.table("ops.ledger").where(F.col("sha256").isin(*hashes))
    rows = found.select("zip_id", "feed", "sha256", "state").orderBy("zip_id", ascending=False).collect()
    loaded = {(row.feed, row.sha256): row.zip_id for row in rows if row.state == "loaded"}
    return Seen(frozenset(row.zip_id for row in rows), loaded)


def counts_of(session: SparkSession, zip_ids: Collection[str]) -> dict[str, Mapping[str, Any]]:
    """The ledger rows of `zip_ids`, by id."""
    if not zip_ids:
        return {}
    rows = session.table("ops.ledger").where(F.col("zip_id").isin(*zip_ids)).collect()
    return {row.zip_id: row.asDict() for row in rows}


def is_accounted(session: SparkSession, batch: str) -> bool:
    """Whether the batch got as far as the ledger, which is written after all its tables."""
    return bool(session.table("ops.ledger").where(F.col("batch") == batch).limit(1).count())


def commits_of(row: Mapping[str, Any]) -> dict[str, str]:
    """Target table -> instant of the commit that holds a zip's rows, from its ledger row."""
    return _pairs(row["commits"])


def rows_of(row: Mapping[str, Any]) -> dict[str, int]:
    """Target table -> rows of a zip that were loaded, from its ledger row; empty where an older version wrote it."""
    return {table: int(count) for table, count in _pairs(row["rows_by_table"]).items()}


def _pairs(listed: str | None) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in (listed or "").split(",") if pair)
    return {name: value for name, _, value in pairs}
