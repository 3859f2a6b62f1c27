"""Model objects to rows of the rule tables and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from spark_jobs.errors import RuleError
from spark_jobs.rules.cells import Row, read_cell, read_cells, write_cells
from spark_jobs.rules.layout import TABLES
from spark_jobs.rules.model import Check, Column, Feed, Limits, Member, Report, TargetTable

Rows = Mapping[str, Sequence[Row]]
NewRows = dict[str, list[dict[str, Any]]]

CHILD_TABLES = {"columns": "feed_column", "checks": "feed_check", "members": "feed_member"}


def rows_of(item: Feed | TargetTable | Report, applied_at: str | None = None, applied_by: str | None = None) -> NewRows:
    """The rows of one revision by table, in the order to insert them; the last one puts it in force."""
    audit = {"applied_at": applied_at, "applied_by": applied_by}
    if isinstance(item, Feed):
        rows = feed_rows(item)
        rows["feed"][0].update(audit)
        return rows
    rows = target_rows(item) if isinstance(item, TargetTable) else report_rows(item)
    next(iter(rows.values()))[0].update(audit)
    return rows


def feed_rows(feed: Feed) -> NewRows:
    """The rows of one revision of a feed by table, children first."""
    own = {"feed": feed.feed, "revision": feed.revision}
    children: NewRows = {
        "feed_column": [
            {**own, "member": member.member, "position": position, **write_cells("feed_column", column)}
            for member in feed.members
            for position, column in enumerate(member.columns, 1)
        ],
        "feed_check": [
            {**own, "position": position, **write_cells("feed_check", check)}
            for position, check in enumerate(feed.checks, 1)
        ],
        "feed_member": [{**own, **write_cells("feed_member", member)} for member in feed.members],
    }
    counts = {count: len(children[table]) for count, table in CHILD_TABLES.items()}
    row = {**write_cells("feed", feed), **write_cells("feed", feed.limits), **counts}
    return {**children, "feed": [{column.name: row.get(column.name) for column in TABLES["feed"]}]}


def target_rows(target: TargetTable) -> NewRows:
    """The row of one revision of a target table, under its rule table."""
    return {"target_table": [{**write_cells("target_table", target), "applied_at": None, "applied_by": None}]}


def report_rows(report: Report) -> NewRows:
    """The row of one revision of a report, under its rule table."""
    return {"report": [{**write_cells("report", report), "applied_at": None, "applied_by": None}]}


def feed_from_rows(
    feed_row: Row, member_rows: Iterable[Row], column_rows: Iterable[Row], check_rows: Iterable[Row]
) -> Feed:
    """The revision that these rows make; raises `RuleError` if they are not whole or a cell cannot be used."""
    where = _where("feed", feed_row)
    children: Rows = {"feed_member": [*member_rows], "feed_column": [*column_rows], "feed_check": [*check_rows]}
    cells = read_cells("feed", feed_row, where)
    _refuse_partial(feed_row, children, where)
    columns = _columns_by_member(children["feed_column"], where)
    members = [
        Member(**row, columns=tuple(columns.pop(row["member"], ())))
        for row in _in_order("feed_member", children["feed_member"], where)
    ]
    if columns:
        raise RuleError(f"rules.feed_column, {where}", f"no member rule is named {', '.join(sorted(columns))}")
    checks = tuple(Check(**row) for row in _in_order("feed_check", children["feed_check"], where))
    limits = Limits(**{name: cells.pop(name) for name in Limits.__dataclass_fields__})
    return Feed(**cells, members=tuple(members), checks=checks, limits=limits)


def target_from_row(row: Row) -> TargetTable:
    """The target table that this row describes; raises `RuleError` if a cell cannot be used."""
    return TargetTable(**read_cells("target_table", row, _where("target", row)))


def report_from_row(row: Row) -> Report:
    """The report that this row describes; raises `RuleError` if a cell cannot be used."""
    return Report(**read_cells("report", row, _where("report", row)))


def _where(kind: str, row: Row) -> str:
    return f"{kind} {row.get(kind)}, revision {row.get('revision')}"


def _refuse_partial(feed_row: Row, children: Rows, where: str) -> None:
    for count, table in CHILD_TABLES.items():
        if feed_row[count] != len(children[table]):
            raise RuleError(
                f"rules.feed, {where}",
                f"states {feed_row[count]} {count}, but rules.{table} holds {len(children[table])}",
                "Rows are never changed: insert the whole set again as a higher revision, its feed row last.",
            )


def _columns_by_member(rows: Sequence[Row], where: str) -> dict[str, list[Column]]:
    """Columns in order of position, which counts within a member rule."""
    by_member: dict[str, list[Row]] = {}
    for row in rows:
        by_member.setdefault(row.get("member") or "", []).append(row)
    return {
        member: [Column(**row) for row in _in_order("feed_column", own, f"{where}, member {member}")]
        for member, own in by_member.items()
    }


def _in_order(table: str, rows: Sequence[Row], where: str) -> list[dict[str, Any]]:
    """The model's values of rows, by position; two rows on one position would be in no order."""
    column = next(column for column in TABLES[table] if column.name == "position")
    placed = sorted(((read_cell(table, column, row, where), row) for row in rows), key=lambda pair: pair[0])
    for (place, _), (following, _) in pairwise(placed):
        if place == following:
            raise RuleError(f"rules.{table}, {where}", f"more than one row has position {place}", "Number them afresh.")
    return [read_cells(table, row, where) for _, row in placed]
