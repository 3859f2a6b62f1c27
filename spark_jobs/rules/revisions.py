"""Which revisions are in force, given all rows of the rule tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations, islice
from types import MappingProxyType

from spark_jobs.rules.candidates import Candidate, Item, Ladder, feed_builder, ladders
from spark_jobs.rules.fit import check_fit
from spark_jobs.rules.held import Held, check_dropped, check_held_columns, check_held_target
from spark_jobs.rules.model import Feed, Finding, Report, TargetTable
from spark_jobs.rules.report_checks import check_report
from spark_jobs.rules.rows import CHILD_TABLES, Rows, report_from_row, target_from_row
from spark_jobs.rules.validate import check_change, check_feed, check_pair, check_target

TABLE_OF = {"feed": "feed", "target": "target_table", "report": "report"}


@dataclass(frozen=True)
class RuleSet:
    """What is in force, by name, and what was found wrong with revisions above it (and with it, if not fatal)."""

    feeds: Mapping[str, Feed] = field(default_factory=dict)
    targets: Mapping[str, TargetTable] = field(default_factory=dict)
    reports: Mapping[str, Report] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def in_force(rows: Rows, held: Held = MappingProxyType({})) -> RuleSet:
    """The rules in force, from all rows of each rule table under its name (`feed`, `feed_member`, ...).

    Of each feed, target table and report it is the highest enabled revision that is whole and valid. Whatever is wrong
    with a higher one is a fatal finding, and the last good one stays in force. `held` says what the tables that exist
    hold, by target: a revision that would reshape one is refused.
    """
    targets, lost_targets = ladders(rows, "target_table", "target", target_from_row)
    build_feed = feed_builder(rows)
    feeds, lost_feeds = ladders(rows, "feed", "feed", build_feed)
    reports, lost_reports = ladders(rows, "report", "report", report_from_row)
    for ladder in targets.values():
        ladder.checked_by(partial(_check_target, held=held))
    candidates, _ = ladders(rows, "feed", "feed", build_feed)
    for candidate in candidates.values():
        candidate.checked_by(partial(check_held_columns, held=held))
    _refuse_breaking_targets(targets, candidates)
    _note_changes(targets, held)
    chosen = _in_force(targets)
    for feed_ladder in feeds.values():
        feed_ladder.checked_by(partial(_check_feed, targets=chosen, held=held))
    _settle(feeds, chosen)
    _note_dropped(feeds, held)
    feeds_chosen = _in_force(feeds)
    for report_ladder in reports.values():
        report_ladder.checked_by(partial(check_report, feeds=feeds_chosen))
    everything: list[Ladder[TargetTable] | Ladder[Feed] | Ladder[Report]]
    everything = [*targets.values(), *feeds.values(), *reports.values()]
    findings = [finding for one in everything for finding in one.findings()]
    return RuleSet(
        feeds=feeds_chosen,
        targets=chosen,
        reports=_in_force(reports),
        findings=(*lost_targets, *lost_feeds, *lost_reports, *findings),
    )


def next_revision(rows: Rows, kind: str, name: str) -> int:
    """The revision to insert next for a `feed`, `target` or `report`.

    It counts drafts and children whose feed row never came: adding to those would mix two sets.
    """
    tables = [TABLE_OF[kind], *(CHILD_TABLES.values() if kind == "feed" else ())]
    taken = [row.get("revision") or 0 for table in tables for row in rows.get(table, ()) if row.get(kind) == name]
    return max(taken, default=0) + 1


def _check_target(target: TargetTable, held: Held) -> list[Finding]:
    return [*check_target(target), *check_held_target(target, held)]


def _check_feed(feed: Feed, targets: Mapping[str, TargetTable], held: Held) -> list[Finding]:
    return [*check_feed(feed, targets), *check_held_columns(feed, held)]


def _in_force(of: Mapping[str, Ladder[Item]]) -> dict[str, Item]:
    tops = ((name, next(ladder.usable(), None)) for name, ladder in of.items())
    return {name: top.item for name, top in tops if top and top.item}


def _refuse_breaking_targets(targets: Mapping[str, Ladder[TargetTable]], feeds: Mapping[str, Ladder[Feed]]) -> None:
    """Refuse a revision of a target table that leaves a feed, which fits the one before, without any that fits."""
    for ladder in targets.values():
        while len(usable := list(islice(ladder.usable(), 2))) == 2:
            high, low = usable
            assert high.item and low.item
            broken = [name for name, feed in feeds.items() if _fits(feed, low.item) and not _fits(feed, high.item)]
            if not broken:
                break
            problem = f"no revision of {', '.join(broken)} fits it, though one fits {low.where}"
            high.findings.append(Finding(high.where, problem, "Mend the target table, or apply the feed first."))


def _fits(feed: Ladder[Feed], target: TargetTable) -> bool:
    """Whether a revision of a feed fills a target table and fits it."""
    filling = (c.item for c in feed.usable() if c.item and target.target in c.item.targets)
    return any(not any(finding.fatal for finding in check_fit(item, target)) for item in filling)


def _note_changes(targets: Mapping[str, Ladder[TargetTable]], held: Held) -> None:
    """Warn of changes to tables of which it is not known whether they exist."""
    for ladder in targets.values():
        if ladder.name in held:
            continue
        match list(islice(ladder.usable(), 2)):
            case [Candidate(item=TargetTable() as new, findings=found), Candidate(item=TargetTable() as old)]:
                found += check_change(new, old)


def _note_dropped(feeds: Mapping[str, Ladder[Feed]], held: Held) -> None:
    """Warn where the revision in force fills columns no more that the one before it fills."""
    chosen = _in_force(feeds) if held else {}
    for name, feed in chosen.items():
        others = [other for other in chosen.values() if other.feed != name]
        match list(islice(feeds[name].usable(), 2)):
            case [Candidate(findings=found), Candidate(item=Feed() as earlier)]:
                found += check_dropped(feed, earlier, others, held)


def _settle(feeds: Mapping[str, Ladder[Feed]], targets: Mapping[str, TargetTable]) -> None:
    """Refuse revisions until the feeds in force agree with each other, keeping as many feeds in force as can be."""
    while clashes := _clashes(_in_force(feeds), targets):
        involved = {name for pair in clashes for name in pair}
        loser = max(involved, key=lambda name: _case_against(feeds[name], feeds, targets))
        top = next(feeds[loser].usable())
        top.findings += [finding for pair, found in clashes.items() if loser in pair for finding in found]


def _clashes(chosen: Mapping[str, Feed], targets: Mapping[str, TargetTable]) -> dict[tuple[str, str], list[Finding]]:
    pairs = (((a.feed, b.feed), check_pair(a, b, targets)) for a, b in combinations(chosen.values(), 2))
    return {pair: found for pair, found in pairs if found}


def _case_against(
    ladder: Ladder[Feed], feeds: Mapping[str, Ladder[Feed]], targets: Mapping[str, TargetTable]
) -> tuple[bool, bool, str, str]:
    """How right it is to fall back to this feed's next lower revision, or to none: the greatest does.

    First if that ends its clashes and leaves it in force, then if it ends them at all, else the one applied last.
    """
    top, *lower = islice(ladder.usable(), 2)
    rest = {name: feed for name, feed in _in_force(feeds).items() if name != ladder.name}
    item = lower[0].item if lower else None
    ends = item is None or not any(check_pair(item, other, targets) for other in rest.values())
    return ends and item is not None, ends, top.applied_at or "unknown", ladder.name
