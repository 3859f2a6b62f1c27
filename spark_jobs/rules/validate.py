"""Whether a feed, target table or report can be used, in words a data engineer can act on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from spark_jobs.rules.model import Feed, Finding, Report, TargetTable


def check_feed(feed: Feed, targets: Mapping[str, TargetTable], others: Iterable[Feed] = ()) -> list[Finding]:
    """What is wrong with a feed, given the target tables and the other feeds in force."""
    return []


def check_target(target: TargetTable) -> list[Finding]:
    """What is wrong with a target table by itself."""
    return []


def check_report(report: Report) -> list[Finding]:
    """What is wrong with a report."""
    return []


def check_pair(feed: Feed, other: Feed) -> list[Finding]:
    """Where two feeds cannot both be in force."""
    return []
