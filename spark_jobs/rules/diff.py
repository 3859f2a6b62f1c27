"""What differs between two revisions of a feed, target table or report, field by field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from spark_jobs.rules.layout import default_of
from spark_jobs.rules.model import Feed, Member, Report, TargetTable

Rule = Feed | TargetTable | Report
Kind = Literal["added", "removed", "changed"]

# What is compared as parts of its own, or is no part of what a rule says.
APART = {"revision", "members", "columns", "checks", "limits"}
NAMED_BY = {"member": "member", "column": "name", "check": "check"}


@dataclass(frozen=True)
class FieldChange:
    """A field with its value before and after, as the model has it; None where the part was not there."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Change:
    """A part (feed, target, report, member, column or check) that was added, removed or changed, and in which fields.

    `where` is empty for the rule itself, and else such as `member encounter, column sex`. An added part lists the
    fields that are not at their default, a removed one none.
    """

    part: str
    where: str
    kind: Kind
    fields: tuple[FieldChange, ...] = ()

    def __str__(self) -> str:
        """One line for people: `member bed, column acuity: type string -> int`."""
        place = self.where or self.part
        if self.kind == "removed":
            return f"{place}: removed"
        if self.kind == "added":
            return f"{place}: added" + "".join(f", {field.name} {_said(field.after)}" for field in self.fields)
        return f"{place}: " + ", ".join(f"{f.name} {_said(f.before)} -> {_said(f.after)}" for f in self.fields)


def diff(before: Rule | None, after: Rule) -> list[Change]:
    """What changed from `before` (None: there was none) to `after`, of the same kind; revision numbers don't count."""
    part = type(after).__name__.removesuffix("Table").lower()
    if isinstance(after, Feed):
        return [*_item(part, "", before, after), *_feed(before if isinstance(before, Feed) else None, after)]
    return list(_item(part, "", before, after))


def count_changes(changes: Iterable[Change]) -> dict[str, dict[str, int]]:
    """part -> added, removed, changed -> how many, of the parts of which any did."""
    counted = Counter((change.part, change.kind) for change in changes)
    parts = dict.fromkeys(part for part, _ in counted)
    return {part: {kind: n for (own, kind), n in counted.items() if own == part} for part in parts}


def _feed(before: Feed | None, after: Feed) -> Iterator[Change]:
    earlier = _named(before.members if before else (), "member")
    later = _named(after.members, "member")
    for name in _both(earlier, later):
        where = f"member {name}"
        yield from _item("member", where, earlier.get(name), later.get(name), _column_order(earlier, later, name))
        old, new = (_named(side[name].columns if name in side else (), "name") for side in (earlier, later))
        for column in _both(old, new):
            yield from _item("column", f"{where}, column {column}", old.get(column), new.get(column))
    old_checks, new_checks = (_named(side.checks if side else (), "check") for side in (before, after))
    for name in _both(old_checks, new_checks):
        yield from _item("check", f"check {name}", old_checks.get(name), new_checks.get(name))


def _item(part: str, where: str, before: Any, after: Any, more: Sequence[FieldChange] = ()) -> Iterator[Change]:
    if after is None:
        yield Change(part, where, "removed")
    elif before is None:
        yield Change(part, where, "added", tuple(_set_fields(part, after)))
    elif changed := (*_changed_fields(before, after), *more):
        yield Change(part, where, "changed", changed)


def _changed_fields(before: Any, after: Any) -> Iterator[FieldChange]:
    old, new = _values(before), _values(after)
    return (FieldChange(name, old[name], new[name]) for name in new if old[name] != new[name])


def _set_fields(part: str, after: Any) -> Iterator[FieldChange]:
    """The fields that say something, but for the one that names the part."""
    defaults = {field.name: default_of(field) for field in fields(after)}
    for name, value in _values(after).items():
        if name != NAMED_BY.get(part) and (name not in defaults or defaults[name] != value):
            yield FieldChange(name, None, value)


def _values(item: Any) -> dict[str, Any]:
    values = {field.name: getattr(item, field.name) for field in fields(item) if field.name not in APART}
    return {**values, **(vars(item.limits) if isinstance(item, Feed) else {})}


def _column_order(earlier: Mapping[str, Member], later: Mapping[str, Member], name: str) -> list[FieldChange]:
    """Whether columns that stay changed places: derived ones see those before them."""
    if name not in earlier or name not in later:
        return []
    old, new = ([column.name for column in side[name].columns] for side in (earlier, later))
    kept_old, kept_new = [c for c in old if c in new], [c for c in new if c in old]
    return [] if kept_old == kept_new else [FieldChange("order of columns", tuple(kept_old), tuple(kept_new))]


def _named(items: Iterable[Any], attribute: str) -> dict[str, Any]:
    return {getattr(item, attribute): item for item in items}


def _both(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    """Names on either side, those that are still there first."""
    return [*after, *(name for name in before if name not in after)]


def _said(value: object) -> str:
    if value is None or value in ("", (), {}):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{key}={text}" for key, text in value.items())
    return str(value)
