"""Whether rules can be used on the tables that exist: what a table holds is added to, never reshaped."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from spark_jobs.rules.fit import Filler, place_of
from spark_jobs.rules.model import Column, Feed, Finding, HeldTable, TargetTable
from spark_jobs.rules.names import findings

Held = Mapping[str, HeldTable]  # by name of the target table

FIXED = ("record_key", "partition_by", "index", "buckets")
NEW_TABLE = "give the new shape another target table and replay the vault into it."


def check_held_target(target: TargetTable, held: Held) -> list[Finding]:
    """What a revision of a target table changes of a table that exists and cannot take it."""
    table = held.get(target.target)
    if table is None:
        return []
    where = f"target {target.target}, revision {target.revision}"
    changed = [name for name in FIXED if not _is_kept(name, target, table)]
    problems = (
        f"{name} is {_said(getattr(target, name))}, but the table exists with {_said(getattr(table, name))}: it is"
        " fixed once the table is there"
        for name in changed
    )
    return [*findings(where, problems, f"Leave it as the table has it, or {NEW_TABLE}")]


def check_held_columns(feed: Feed, held: Held) -> list[Finding]:
    """What a revision of a feed changes of the columns of tables that exist.

    Another type is fatal. A new column is welcome; where it is required, the rows from before may still lack it.
    """
    fillers = [((feed, member), held[member.target or ""]) for member in feed.readers if member.target in held]
    return [
        finding
        for filler, table in fillers
        for column in filler[1].columns
        for finding in _check_column(filler, column, table.columns)
    ]


def check_dropped(feed: Feed, earlier: Feed, others: Collection[Feed], held: Held) -> list[Finding]:
    """Which columns of tables that exist a feed filled in its `earlier` revision, and no feed fills any more."""
    found: list[Finding] = []
    for name in sorted(set(earlier.targets) & set(held)):
        filled = {column for one in (feed, *others) for column in _filled(one, name)}
        dropped = (column for column in _filled(earlier, name) if column not in filled and column in held[name].columns)
        problems = (
            f"column {column} of target table {name}, which revision {earlier.revision} fills, is dropped: new rows"
            " have null there"
            for column in dropped
        )
        hint = "The rows from before keep what they have. If it is not meant, add the column again."
        found += findings(f"feed {feed.feed}, revision {feed.revision}", problems, hint, fatal=False)
    return found


def _is_kept(name: str, target: TargetTable, table: HeldTable) -> bool:
    if name == "buckets" and "global" in (target.index, table.index):
        return True  # such a table has none
    return bool(getattr(target, name) == getattr(table, name))


def _said(value: object) -> str:
    if value is None:
        return "none"
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _check_column(filler: Filler, column: Column, there: Mapping[str, str]) -> Iterator[Finding]:
    where = f"{place_of(filler)}, column {column.name}"
    target = filler[1].target
    kind = there.get(column.name)
    if kind is None:
        if column.required:
            problem = f"it is new in target table {target} and required, but rows loaded before have null there"
            yield Finding(where, problem, "Reports must expect that, or replay the vault.", fatal=False)
    elif kind.replace(" ", "") != column.type:
        problem = f"it is {column.type}, but target table {target} holds {kind}"
        yield Finding(where, problem, f"Give the column another name, or {NEW_TABLE}")


def _filled(feed: Feed, target: str) -> dict[str, None]:
    """The columns of a target table that a feed fills, each once."""
    return {column.name: None for member in feed.readers if member.target == target for column in member.columns}
