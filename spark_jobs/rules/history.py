"""Every revision of a feed or target table: what became of it, and what it changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from spark_jobs.errors import RuleError
from spark_jobs.rules.candidates import feed_builder
from spark_jobs.rules.cells import Row
from spark_jobs.rules.diff import Change, Rule, diff
from spark_jobs.rules.held import Held
from spark_jobs.rules.model import Finding
from spark_jobs.rules.revisions import TABLE_OF, RuleSet, in_force
from spark_jobs.rules.rows import Rows, report_from_row, target_from_row

ALWAYS = "~"  # sorts after every instant


@dataclass(frozen=True)
class Revision:
    """One revision of a feed, target table or report.

    `state`: in force, paused, stopped (both in force, but taking no zips in), superseded (was in force), draft, or
    invalid, for `reasons`. `rule` is None where its rows make none. `changes` are those `against` the last revision
    before it that came into force, all there is if that is None.
    """

    kind: str
    name: str
    revision: int
    state: str
    reasons: tuple[str, ...]
    applied_at: str | None
    applied_by: str | None
    rule: Rule | None
    against: int | None
    changes: tuple[Change, ...]

    @property
    def was_used(self) -> bool:
        """Whether it is or was in force."""
        return self.state not in ("draft", "invalid")


def history(
    rows: Rows, kind: str, name: str, held: Held = MappingProxyType({}), stopped: Collection[tuple[str, int]] = ()
) -> list[Revision]:
    """All revisions of a `feed`, `target` or `report`, the highest first; none if there is no such name.

    `stopped` holds the (feed, revision) pairs that a check stopped. Whether an older revision was in force is told by
    going back to the rows of its time, as far as those say when they were applied.
    """
    current = in_force(rows, held)
    build = _builder(rows, kind)
    found: list[Revision] = []
    used: tuple[int, Rule] | None = None
    for number in numbers(rows, kind, name):
        own = _rows_of(rows, kind, name, number)
        rule, refusal = _made(build, own)
        state, reasons = _state(rows, current, kind, name, number)
        if state == "in force" and kind == "feed":
            state = _activity(rule, (name, number) in stopped)
        changes = diff(used[1] if used else None, rule) if rule else []
        against = used[0] if used else None
        first = own[0]
        audit = first.get("applied_at"), first.get("applied_by")
        said = reasons or refusal
        found.append(Revision(kind, name, number, state, said, *audit, rule, against, tuple(changes)))
        if found[-1].was_used and rule:
            used = number, rule
    return found[::-1]


def numbers(rows: Rows, kind: str, name: str) -> list[int]:
    """The revisions of a feed, target table or report that have a row, drafts included, the lowest first."""
    table = rows.get(TABLE_OF[kind], ())
    return sorted({row["revision"] for row in table if row.get(kind) == name and isinstance(row["revision"], int)})


def rule_of(rows: Rows, kind: str, name: str, revision: int) -> Rule:
    """One revision, whether it is valid or not. Raises RuleError if it is not there or its rows make no rule."""
    there = numbers(rows, kind, name)
    if revision not in there:
        said = ", ".join(map(str, there)) or "none"
        raise RuleError(f"{kind} {name}", f"there is no revision {revision}", f"There are: {said}.")
    own = _rows_of(rows, kind, name, revision)
    if len(own) > 1:
        raise RuleError(f"{kind} {name}, revision {revision}", f"{len(own)} rows have this revision")
    rule: Rule = _builder(rows, kind)(own[0])
    return rule


def _builder(rows: Rows, kind: str) -> Callable[[Row], Any]:
    return {"feed": feed_builder(rows), "target": target_from_row, "report": report_from_row}[kind]


def _made(build: Callable[[Row], Any], own: list[Row]) -> tuple[Rule | None, tuple[str, ...]]:
    """The rule of a revision's rows, or why there is none."""
    if len(own) > 1:
        return None, (f"{len(own)} rows have this revision, so neither can be told to be meant",)
    try:
        return build(own[0]), ()
    except RuleError as error:
        return None, (error.problem,)


def _state(rows: Rows, current: RuleSet, kind: str, name: str, number: int) -> tuple[str, tuple[str, ...]]:
    own = _rows_of(rows, kind, name, number)
    if all(row.get("enabled") is False for row in own):
        return "draft", ()
    top = _chosen(current, kind, name)
    if top == number:
        return "in force", ()
    if top is not None and number < top:
        seen = [_at_the_time(rows, kind, name, number, moment) for moment in _moments(rows, kind, name, number)]
        if any(_chosen(rules, kind, name) == number for rules in seen):
            return "superseded", ()
        return "invalid", _reasons((f for rules in seen for f in rules.findings), kind, name, number)
    return "invalid", _reasons(current.findings, kind, name, number)


def _activity(rule: Rule | None, is_stopped: bool) -> str:
    return "stopped" if is_stopped else "paused" if getattr(rule, "paused", False) else "in force"


def _moments(rows: Rows, kind: str, name: str, number: int) -> set[str]:
    """When a revision was applied, and when the next one was: in between it was in force, if ever."""
    following = [other for other in numbers(rows, kind, name) if other > number]
    return {_rows_of(rows, kind, name, one)[0].get("applied_at") or ALWAYS for one in (number, *following[:1])}


def _at_the_time(rows: Rows, kind: str, name: str, number: int, moment: str) -> RuleSet:
    """What was in force when `number` was the highest revision, as far as its neighbours bear on it."""
    near = _neighbours(rows, kind, name)

    def was_there(row: Row, of: str) -> bool:
        if of == kind and row.get(kind) == name:
            return bool((row.get("revision") or 0) <= number)
        return row.get(of) in near[of] and (row.get("applied_at") or "") <= moment

    tops: dict[str, Any] = {
        TABLE_OF[of]: [row for row in rows.get(TABLE_OF[of], ()) if was_there(row, of)] for of in near
    }
    children = ("feed_member", "feed_column", "feed_check")
    own = {table: [row for row in rows.get(table, ()) if row.get("feed") in near["feed"]] for table in children}
    return in_force({**tops, **own})


def _neighbours(rows: Rows, kind: str, name: str) -> dict[str, set[object]]:
    """The feeds and target tables that bear on whether a revision is valid: those that fill the same tables."""
    if kind == "report":
        return {"feed": set(), "target": set(), "report": {name}}
    filled = {(row.get("feed"), row.get("target")) for row in rows.get("feed_member", ()) if row.get("target")}
    targets = {name} if kind == "target" else {target for feed, target in filled if feed == name}
    feeds = {feed for feed, target in filled if target in targets} | ({name} if kind == "feed" else set())
    return {"feed": feeds, "target": {target for feed, target in filled if feed in feeds} | targets, "report": set()}


def _rows_of(rows: Rows, kind: str, name: str, revision: int) -> list[Row]:
    table = rows.get(TABLE_OF[kind], ())
    return [row for row in table if row.get(kind) == name and row.get("revision") == revision]


def _chosen(rules: RuleSet, kind: str, name: str) -> int | None:
    held: Any = {"feed": rules.feeds, "target": rules.targets, "report": rules.reports}[kind]
    return held[name].revision if name in held else None


def _reasons(findings: Iterable[Finding], kind: str, name: str, number: int) -> tuple[str, ...]:
    place = re.compile(rf"{kind} {re.escape(name)}, revision {number}\b")
    found = (f for f in findings if f.fatal and place.search(f.where))
    return tuple(dict.fromkeys(f"{_inside(place, f.where)}{f.problem}" for f in found))


def _inside(place: re.Pattern[str], where: str) -> str:
    """What of a finding's place the reader does not know yet, such as `member bed, column acuity: `."""
    rest = place.split(where)[-1].strip(", ")
    return f"{rest}: " if rest else ""
