"""What applying rule files would insert: only new revisions, and only if every one of them comes into force."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from spark_jobs.rules.held import Held
from spark_jobs.rules.model import Feed, Finding, Report, TargetTable
from spark_jobs.rules.revisions import RuleSet, in_force, next_revision
from spark_jobs.rules.rows import rows_of

Rule = Feed | TargetTable | Report
Rows = Mapping[str, Sequence[Mapping[str, Any]]]

KINDS = {Feed: ("feed", "feed"), TargetTable: ("target", "target_table"), Report: ("report", "report")}


@dataclass(frozen=True)
class Plan:
    """The `new` revisions and their `rows` in the order to insert them; `unchanged` ones are in the tables already.

    With a fatal finding nothing is to be inserted, unless it is one of those that are `standing`: found before, and
    not made worse. A row that can't be used stays in its table for ever, and must not keep others out.
    """

    new: tuple[Rule, ...]
    unchanged: tuple[Rule, ...]
    rows: tuple[dict[str, list[dict[str, Any]]], ...]
    findings: tuple[Finding, ...]
    standing: frozenset[Finding] = frozenset()

    @property
    def refused(self) -> bool:
        """Whether anything speaks against inserting the rows."""
        return any(finding.fatal and finding not in self.standing for finding in self.findings)


def plan_apply(
    rows: Rows, rules: Iterable[Rule], applied_at: str, applied_by: str, held: Held = MappingProxyType({})
) -> Plan:
    """What to insert so that `rules` come into force, given all `rows` of the rule tables and what tables hold."""
    rules = tuple(rules)
    unchanged = tuple(rule for rule in rules if _is_there(rows, rule))
    new = tuple(rule for rule in rules if rule not in unchanged)
    inserts = tuple(_missing(rows, rows_of(rule, applied_at, applied_by)) for rule in new)
    after = in_force(_with(rows, inserts), held)
    mine = tuple(finding for rule in new for finding in _not_in_force(rows, after, rule))
    behind = tuple(finding for rule in unchanged for finding in _behind(rows, after, rule))
    standing = frozenset(in_force(rows, held).findings) - {*mine}
    return Plan(new, unchanged, inserts, (*mine, *behind, *after.findings), standing)


def try_out(rows: Rows, rules: Iterable[Rule], held: Held = MappingProxyType({})) -> RuleSet:
    """What would be in force if `rules` were applied, under higher revisions where theirs are taken."""
    new = [rule for rule in rules if not _is_there(rows, rule)]
    kinds = [(rule, KINDS[type(rule)][0]) for rule in new]
    raised = [
        replace(rule, enabled=True, revision=max(rule.revision, next_revision(rows, kind, getattr(rule, kind))))
        for rule, kind in kinds
    ]
    return in_force(_with(rows, [rows_of(rule) for rule in raised]), held)


def name_of(rule: Rule) -> str:
    """`feed encounters` or the like, for people."""
    kind, _ = KINDS[type(rule)]
    return f"{kind} {getattr(rule, kind)}"


def _with(rows: Rows, inserts: Iterable[Rows]) -> dict[str, list[Mapping[str, Any]]]:
    """All `rows` and those of `inserts`."""
    merged = {table: [*rows.get(table, ())] for table in rows}
    for insert in inserts:
        for table, more in insert.items():
            merged.setdefault(table, []).extend(more)
    return merged


def _is_there(rows: Rows, rule: Rule) -> bool:
    """Whether the tables hold this very revision, cell by cell; who inserted it and when does not count."""
    return not any(_missing(rows, rows_of(rule)).values())


def _missing(rows: Rows, wanted: Rows) -> dict[str, list[dict[str, Any]]]:
    """Those of the `wanted` rows that are not in `rows`."""
    there = {table: [_bare(row) for row in rows.get(table, ())] for table in wanted}
    return {table: [dict(row) for row in own if _bare(row) not in there[table]] for table, own in wanted.items()}


def _bare(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in {"applied_at", "applied_by"}}


def _not_in_force(rows: Rows, after: RuleSet, rule: Rule) -> list[Finding]:
    if not rule.enabled or _held(after, rule) == rule:
        return []
    kind, table = KINDS[type(rule)]
    name = getattr(rule, kind)
    own = [row for row in rows.get(table, ()) if row[kind] == name and row["revision"] is not None]
    highest = max((row["revision"] for row in own), default=0)
    if highest < rule.revision:
        problem = f"revision {rule.revision} would not come into force"
        return [Finding(name_of(rule), problem, "See what is found wrong.")]
    if any(row["revision"] == rule.revision for row in own):
        problem = f"revision {rule.revision} is there already, and differs"
    else:
        problem = f"the tables hold revision {highest}, so revision {rule.revision} would never be used"
    hint = f"Revisions are never changed: make it revision {next_revision(rows, kind, name)}. {_ways(rule)}"
    return [Finding(name_of(rule), problem, hint)]


def _behind(rows: Rows, after: RuleSet, rule: Rule) -> list[Finding]:
    """Where the tables went on from a file: by `lake feed disable`, `enable` or `rollback`, or by an INSERT."""
    now = _held(after, rule)
    if not rule.enabled or now is None or now.revision <= rule.revision:
        return []
    kind, table = KINDS[type(rule)]
    row = next(row for row in rows[table] if row[kind] == getattr(rule, kind) and row["revision"] == now.revision)
    said = " by ".join(str(row[name]) for name in ("applied_at", "applied_by") if row.get(name))
    paused = ", which is paused" if isinstance(now, Feed) and now.paused else ""
    problem = f"the file is behind: it has revision {rule.revision}, in force is {now.revision}{paused}"
    applied = f" Revision {now.revision} was applied {said}." if said else ""
    return [Finding(name_of(rule), problem, f"{_ways(rule)}{applied}".strip(), fatal=False)]


def _ways(rule: Rule) -> str:
    """How a file and the tables are brought together again."""
    if not isinstance(rule, Feed):
        return ""
    name = rule.feed
    return f"See: lake feed history {name}. What is in force, as files: lake feed export {name} --out FOLDER"


def _held(after: RuleSet, rule: Rule) -> Rule | None:
    kind, _ = KINDS[type(rule)]
    held: Mapping[str, Rule] = {"feed": after.feeds, "target": after.targets, "report": after.reports}[kind]  # type: ignore[assignment]
    return held.get(getattr(rule, kind))
