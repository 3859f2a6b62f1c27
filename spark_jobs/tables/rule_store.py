"""Reads and fills the rule tables in the metastore."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from spark_jobs.rules.inserts import Insert, insert_statements, literal
from spark_jobs.rules.layout import TABLES
from spark_jobs.rules.model import Feed
from spark_jobs.rules.revisions import RuleSet, in_force
from spark_jobs.tables.access import Access
from spark_jobs.tables.held import held_tables

# `feed` is read before its children, so that every feed row finds them.
READ_ORDER = ("feed", "feed_member", "feed_column", "feed_check", "target_table", "report")

RESUMED = "resumed"


def read_rows(access: Access) -> dict[str, list[dict[str, Any]]]:
    """All rows of the rule tables."""
    return {table: _rows(access, table) for table in READ_ORDER}


def read_rules(access: Access) -> RuleSet:
    """What is in force now."""
    return in_force(read_rows(access), held_tables(access))


def insert_rows(access: Access, inserts: Sequence[Insert]) -> None:
    """Appends the rows of several rules, one write a table: children first, then what gives them force.

    Crash-only: a kill in between leaves children without their `feed` row, which are never used; planning the same
    insert again leaves out what is there.
    """
    for statement in insert_statements(inserts):
        access.ask(statement)


def insert_stop(access: Access, feed: Feed, rule: str, zip_id: str, batch: str, reason: str) -> None:
    """Notes that `feed`'s revision in force is stopped; a resumption or a higher revision sets it going again."""
    _insert_into_feed_stop(access, (feed.feed, feed.revision, rule, zip_id, batch, reason))


def insert_resumption(access: Access, feed: str, revision: int) -> None:
    """Notes that a stopped revision runs again."""
    _insert_into_feed_stop(access, (feed, revision, RESUMED, "", "", "someone resumed it"))


def stopped_feeds(access: Access) -> dict[tuple[str, int], str]:
    """(feed, revision) of revisions that a check, or failing batches, have stopped, and the rule that did."""
    rows = access.records(
        "SELECT feed, revision, max_by(rule, stopped_at) AS rule FROM ops.feed_stop GROUP BY feed, revision"
    )
    return {(row["feed"], row["revision"]): row["rule"] for row in rows if row["rule"] != RESUMED}


def _insert_into_feed_stop(access: Access, values: tuple[object, ...]) -> None:
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    access.ask(f"INSERT INTO ops.feed_stop VALUES ({', '.join(map(literal, (*values, now)))})")


def _rows(access: Access, table: str) -> list[dict[str, Any]]:
    """Rows of a rule table. Arrays and maps travel as JSON: over JDBC they have no shape of their own."""
    nested = [column.name for column in TABLES[table] if column.type.startswith(("array", "map"))]
    wanted = [
        f"to_json(`{column.name}`) AS `{column.name}`" if column.name in nested else f"`{column.name}`"
        for column in TABLES[table]
    ]
    rows = access.records(f"SELECT {', '.join(wanted)} FROM rules.{table}")
    for row in rows:
        row.update({name: json.loads(row[name]) for name in nested if row[name] is not None})
    return rows
