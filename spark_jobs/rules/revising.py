"""New revisions made of earlier ones: pausing, going on, going back. Nothing that is there is ever changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from spark_jobs.errors import RuleError
from spark_jobs.rules.history import Revision
from spark_jobs.rules.model import Feed
from spark_jobs.rules.revisions import RuleSet, next_revision
from spark_jobs.rules.rows import Rows


def feed_in_force(rules: RuleSet, name: str) -> Feed:
    """The revision of a feed that is in force. Raises RuleError if there is none."""
    if name not in rules.feeds:
        known = ", ".join(sorted(rules.feeds)) or "none"
        raise RuleError(f"feed {name}", "no revision of such a feed is in force", f"In force: {known}.")
    return rules.feeds[name]


def with_paused(rows: Rows, feed: Feed, paused: bool, stopped: Collection[tuple[str, int]] = ()) -> Feed | None:
    """The next revision of a feed with the same rules, paused or not; None if it is so already.

    A feed that a check stopped is set going by any higher revision, so one that is to go on gets one.
    """
    is_stopped = (feed.feed, feed.revision) in stopped
    if feed.paused == paused and (paused or not is_stopped):
        return None
    return replace(feed, revision=next_revision(rows, "feed", feed.feed), paused=paused)


def gone_back(rows: Rows, revisions: Sequence[Revision], to: int | None = None) -> Feed:
    """The next revision of a feed with the rules of an earlier one.

    `revisions` is the feed's history. `to` is the revision to go back to, by default the last that was in force before
    the one that is. Raises RuleError if there is none, or it was never in force.
    """
    name = revisions[0].name
    now = next((one.revision for one in revisions if one.was_used), None)
    before = [one for one in revisions if one.was_used and one.revision != now]
    if to is None and not before:
        raise RuleError(f"feed {name}", "no revision was in force before this one", f"See: lake feed history {name}")
    wanted = before[0].revision if to is None else to
    found = next((one for one in revisions if one.revision == wanted), None)
    if found is None or not found.was_used or not isinstance(found.rule, Feed):
        state = f"is {found.state}" if found else "is not there"
        good = ", ".join(str(one.revision) for one in before) or "none"
        raise RuleError(f"feed {name}", f"revision {wanted} {state}", f"Earlier ones that were in force: {good}.")
    return replace(found.rule, revision=next_revision(rows, "feed", name))
