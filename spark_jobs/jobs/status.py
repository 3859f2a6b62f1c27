"""How each feed stands: what waits, what became of the rest."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from spark_jobs.landing.agent import DeliveryNote
from spark_jobs.landing.claim import feed_of, landed_zips
from spark_jobs.rules.model import Feed
from spark_jobs.tables.access import Access
from spark_jobs.tables.rule_store import read_rules, stopped_feeds

BY_FEED = """
    SELECT feed,
           count_if(state = 'loaded') AS loaded, count_if(state = 'duplicate') AS duplicate,
           count_if(state = 'ignored') AS ignored, count_if(state = 'quarantined') AS quarantined,
           sum(rows_loaded) AS rows, sum(rows_quarantined) AS rows_quarantined, max(committed_at) AS last_commit
    FROM ops.ledger GROUP BY feed"""
COUNTS = ("loaded", "duplicate", "ignored", "quarantined", "rows", "rows_quarantined")


def feed_status(access: Access) -> list[dict[str, Any]]:
    """A dict a feed: its state, zips landed (waiting), zips by state, rows, age of the backlog in seconds, last commit."""
    feeds = read_rules(access).feeds
    stopped = stopped_feeds(access)
    counts = {row["feed"]: row for row in access.records(BY_FEED)}
    waiting: dict[str, list[DeliveryNote]] = {}
    for note in landed_zips(access.site.landing):
        found = feed_of(note, feeds.values())
        waiting.setdefault(found[0].feed if found else "", []).append(note)
    names = sorted({*feeds, *counts, *waiting})
    return [
        _row(name, state_of(feeds.get(name), stopped), waiting.get(name, []), counts.get(name, {})) for name in names
    ]


def state_of(feed: Feed | None, stopped: Mapping[tuple[str, int], str]) -> str:
    """How a feed stands: in force, paused, stopped, isolated, or none in force."""
    if feed is None:
        return "none in force"
    rule = stopped.get((feed.feed, feed.revision))
    if rule is not None:
        return "isolated" if rule == "batch.failed" else f"stopped by {rule}"
    return "paused" if feed.paused else "in force"


def _row(name: str, state: str, waiting: list[DeliveryNote], counts: dict[str, Any]) -> dict[str, Any]:
    last_commit = counts.get("last_commit")
    return {
        "feed": name or "(no feed)",
        "state": state,
        "landed": len(waiting),
        **{what: counts.get(what) or 0 for what in COUNTS},
        "backlog_age_s": _age(waiting),
        "last_commit": last_commit.isoformat(timespec="seconds") if last_commit else None,
    }


def _age(waiting: list[DeliveryNote]) -> int | None:
    if not waiting:
        return None
    oldest = min(datetime.fromisoformat(note.landed_at) for note in waiting)
    return round((datetime.now(UTC) - oldest).total_seconds())
