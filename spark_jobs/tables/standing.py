"""The rules in force and the feeds that are stopped, as a process that has the lake open asks for them again and again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from spark_jobs.rules.revisions import RuleSet, in_force
from spark_jobs.tables.access import access_of
from spark_jobs.tables.lake import Lake
from spark_jobs.tables.remembering import files_of
from spark_jobs.tables.rule_store import READ_ORDER, read_rows, stopped_feeds


@dataclass(frozen=True)
class Standing:
    """The rules in force, and the landing folders of feeds of which no revision is valid."""

    rules: RuleSet
    unsettled: frozenset[str]


def standing(lake: Lake) -> Standing:
    """How feeds stand now; worked out anew where a file of the rule tables has come, or a target table has changed."""
    access = access_of(lake)
    files = tuple(files_of(lake.site.warehouse, f"rules.{table}") for table in READ_ORDER)

    def work_out() -> Standing:
        rows = lake.remembered.get("rows", files, lambda: read_rows(access))
        rules = in_force(rows, lake.held.all(access))
        return Standing(rules, frozenset(r["landing_folder"] for r in rows["feed"] if r["feed"] not in rules.feeds))

    return lake.remembered.get("standing", (files, lake.held.changes), work_out)


def stopped(lake: Lake) -> Mapping[tuple[str, int], str]:
    """(feed, revision) of revisions that are stopped, and the rule that stopped them."""
    files = files_of(lake.site.warehouse, "ops.feed_stop")
    return lake.remembered.get("stopped", files, lambda: stopped_feeds(access_of(lake)))
