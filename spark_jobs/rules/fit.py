"""Whether a member rule fits its target table, and whether two of them fit each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from sqlglot import exp

from spark_jobs.rules import expressions
from spark_jobs.rules.model import Column, Feed, Finding, Member, TargetTable
from spark_jobs.rules.names import findings

ORDERED = ("timestamp", "date", "long")
MARKERS = ("string", "int", "long", "boolean")
WAYS_OUT = "Derive it from columns of the record key, add what it depends on to the record key, or say index: global."

Filler = tuple[Feed, Member]  # a member rule that fills a table, and its feed


def check_fit(feed: Feed, target: TargetTable) -> Iterator[Finding]:
    """Findings on the member rules of a feed that fill a target table."""
    fillers = [(feed, member) for member in feed.readers if member.target == target.target]
    for filler in fillers:
        columns = {column.name: column for column in filler[1].columns}
        yield from findings(place_of(filler), _check_key(columns, target))
        yield from findings(place_of(filler), _check_order_by(columns, target))
        yield from findings(place_of(filler), _check_delete(columns, target))
        yield from _check_partition(columns, target, place_of(filler))
    yield from check_agreement(list(combinations(fillers, 2)), target)


def check_agreement(pairs: Sequence[tuple[Filler, Filler]], target: TargetTable) -> Iterator[Finding]:
    """Where two member rules that fill one table would write it differently."""
    for filler, other in pairs:
        theirs = {column.name: column.type for column in other[1].columns}
        for column in filler[1].columns:
            kind = theirs.get(column.name, column.type)
            if kind != column.type:
                where = f"{place_of(filler)}, column {column.name}"
                problem = f"it is {column.type}, but {kind} in {place_of(other)}, which fills {target.target} too"
                yield Finding(where, problem, "Give both the same type, or one of the columns another name.")
        if _derivation(filler[1], target) != _derivation(other[1], target):
            problem = f"it derives {target.partition_by} otherwise than {place_of(other)}, so one record key could be"
            yield Finding(
                place_of(filler), f"{problem} in two partitions", "Use the same expression, or index: global."
            )


def place_of(filler: Filler) -> str:
    """Feed, revision and member rule, for findings."""
    feed, member = filler
    return f"feed {feed.feed}, revision {feed.revision}, member {member.member}"


def _check_key(columns: dict[str, Column], target: TargetTable) -> Iterator[str]:
    for name in target.record_key:
        yield from _check_required(columns, name, "record_key", target)


def _check_required(columns: dict[str, Column], name: str, role: str, target: TargetTable) -> Iterator[str]:
    if name not in columns:
        yield f"{role} of target table {target.target} is {name}, and no column has that name"
    elif not columns[name].required:
        yield f"column {name} must be required: it is {role} of target table {target.target}"


def _check_order_by(columns: dict[str, Column], target: TargetTable) -> Iterator[str]:
    name = target.order_by
    if name is None:
        return
    yield from _check_required(columns, name, "order_by", target)
    if name in columns and columns[name].type not in ORDERED:
        yield f"column {name} orders versions, so it must be {' or '.join(ORDERED)}, not {columns[name].type}"


def _check_delete(columns: dict[str, Column], target: TargetTable) -> Iterator[str]:
    name = target.delete_column
    if name is None:
        return
    if name not in columns:
        yield f"delete_column of target table {target.target} is {name}, and no column has that name"
    elif columns[name].type not in MARKERS:
        yield f"column {name} marks deletes, so it must be {' or '.join(MARKERS)}, not {columns[name].type}"


def _check_partition(columns: dict[str, Column], target: TargetTable, where: str) -> Iterator[Finding]:
    name = target.partition_by
    if name is None:
        return
    yield from findings(where, _check_required(columns, name, "partition_by", target))
    column = columns.get(name)
    if column is None:
        return
    if column.type != "string":
        yield Finding(where, f"column {name} names partitions, so it must be string, not {column.type}")
    if column.phi != "none":
        problem = f"column {name} names partitions, and its values (phi: {column.phi}) would become names of folders"
        yield Finding(where, problem, "Partition by a column that says nothing about a patient.")
    strays = sorted(_strays(name, columns, target, set()))
    if strays and target.index != "global":
        problem = f"{name} names partitions but depends on {', '.join(strays)}, which may change while the record key"
        yield Finding(where, f"{problem} stays: an older version of a row would stay behind", WAYS_OUT)


def _strays(name: str, columns: dict[str, Column], target: TargetTable, seen: set[str]) -> set[str]:
    """The columns outside the record key that a column depends on in the end."""
    column = columns.get(name)
    if name in target.record_key or name in seen or column is None:
        return set()
    if column.expression is not None:
        needs = expressions.references(column.expression)
        return {stray for need in needs for stray in _strays(need, columns, target, seen | {name})}
    return {name} if column.source is not None else set()


def _derivation(member: Member, target: TargetTable) -> str | None:
    """How the partition follows from the record key, spelt out; None where it need not be the same everywhere."""
    columns = {column.name: column for column in member.columns}
    name = target.partition_by
    if name is None or target.index == "global" or _strays(name, columns, target, set()):
        return None
    return _spelt_out(name, columns, target, set()).sql(dialect="spark", normalize=True)


def _spelt_out(name: str, columns: dict[str, Column], target: TargetTable, seen: set[str]) -> exp.Expr:
    column = columns.get(name)
    if name in target.record_key or name in seen or column is None:
        return exp.column(name)
    if column.expression is None:
        return exp.Literal.string(column.default or "")
    if not expressions.is_accepted(column.expression):
        return exp.column(name)

    def spell(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Column):
            return _spelt_out(node.name.lower(), columns, target, seen | {name})
        return node

    return exp.paren(expressions.parse(column.expression).transform(spell))
