"""Reads and fills the rule tables in the metastore."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import SparkSession

from spark_jobs.rules.model import Feed
from spark_jobs.rules.revisions import RuleSet, in_force

TABLES = ("feed", "feed_member", "feed_column", "feed_check", "target_table", "report")


def read_rows(session: SparkSession) -> dict[str, list[dict[str, Any]]]:
    """All rows of the rule tables; `feed` is read before its children, so that every feed row finds them."""
    return {table: [row.asDict() for row in session.table(f"rules.{table}").collect()] for table in TABLES}


def read_rules(session: SparkSession) -> RuleSet:
    """What is in force now."""
    return in_force(read_rows(session))


def insert_rows(session: SparkSession, inserts: Sequence[Mapping[str, Sequence[Mapping[str, Any]]]]) -> None:
    """Appends the rows of several rules, one write a table: children first, then what gives them force.

    Crash-only: a kill in between leaves children without their `feed` row, which are never used; planning the same
    insert again leaves out what is there.
    """
    tables = ("feed_column", "feed_check", "feed_member", "target_table", "report", "feed")
    for table in tables:
        rows = [row for insert in inserts for row in insert.get(table, ())]
        if rows:
            schema = session.table(f"rules.{table}").schema
            values = [[row.get(name) for name in schema.names] for row in rows]
            session.createDataFrame(values, schema).coalesce(1).write.insertInto(f"rules.{table}")


def insert_stop(session: SparkSession, feed: Feed, rule: str, zip_id: str, batch: str) -> None:
    """Notes that `feed`'s revision in force is stopped; a higher revision sets it going again."""
    schema = session.table("ops.feed_stop").schema
    row = {
        "feed": feed.feed,
        "revision": feed.revision,
        "rule": rule,
        "zip_id": zip_id,
        "batch": batch,
        "reason": "an expectation with action stop was not met",
        "stopped_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    session.createDataFrame([[row[name] for name in schema.names]], schema).write.insertInto("ops.feed_stop")


def stopped_feeds(session: SparkSession) -> set[tuple[str, int]]:
    """(feed, revision) of revisions that a check has stopped."""
    return {(row.feed, row.revision) for row in session.table("ops.feed_stop").select("feed", "revision").collect()}
