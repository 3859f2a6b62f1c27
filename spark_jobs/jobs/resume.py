"""Sets a stopped or isolated feed going again."""

from __future__ import annotations

from spark_jobs.errors import LakeError
from spark_jobs.tables.access import Access
from spark_jobs.tables.rule_store import insert_resumption, read_rules, stopped_feeds


def resume_feed(access: Access, feed: str) -> int:
    """Notes that the revision of `feed` in force is to run again; returns it.

    Raises LakeError if no revision is in force or it is not stopped. Doing it twice is refused, and harmless.
    """
    rules = read_rules(access)
    if feed not in rules.feeds:
        raise LakeError(feed, "no revision of such a feed is in force", f"In force: {', '.join(sorted(rules.feeds))}.")
    revision = rules.feeds[feed].revision
    if (feed, revision) not in stopped_feeds(access):
        raise LakeError(feed, f"its revision {revision} is not stopped", "See: lake feed list")
    insert_resumption(access, feed, revision)
    return revision
