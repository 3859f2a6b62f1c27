"""Values and facts in the words and number formats of a report."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from spark_jobs.reports.edition import Column, Delivered, Edition, Value

NOTHING = "\u2013"
# More rows are not read on a page; they are in the files for machines.
MOST_SHOWN = 1_000


def show(value: Value) -> str:
    """A value for people: numbers with separators, moments to the minute."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | Decimal):
        return f"{value:,}".replace("-", "\u2212")
    if isinstance(value, float):
        return f"{value:,.1f}".replace("-", "\u2212")
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    return value.isoformat() if isinstance(value, date) else value


def shown_rows(edition: Edition) -> list[list[str]]:
    """The rows that a page shows, as texts."""
    return [[show(value) for value in row] for row in edition.rows[:MOST_SHOWN]]


def cut_note(edition: Edition) -> str:
    """Says where the rows are that a page leaves out; empty if it shows all of them."""
    if len(edition.rows) <= MOST_SHOWN:
        return ""
    others = " and ".join(kind.upper() for kind in edition.report.outputs if kind in ("csv", "xlsx"))
    where = f"; all are in the {others} beside this page" if others else ""
    return f"The first {MOST_SHOWN:,} of {len(edition.rows):,} rows{where}."


def freshness(delivered: Delivered) -> str:
    """How fresh a feed is, in a sentence."""
    if delivered.landed_at is None:
        return "no zip loaded in the 31 days before"
    zips = f"{delivered.zips:,} zip{'' if delivered.zips == 1 else 's'}"
    late = ", which is late" if delivered.is_late else ""
    return f"last zip landed {show(delivered.landed_at)}{late}; {zips} loaded of those that landed on the day"


def sheet_format(column: Column) -> str:
    """The number format of a spreadsheet for a column."""
    if column.type.startswith("decimal("):
        places = int(column.type.rstrip(")").split(",")[1])
        return "#,##0" + ("." + "0" * places if places else "")
    if column.type in ("float", "double"):
        return "#,##0.0"
    return {"date": "yyyy-mm-dd", "timestamp": "yyyy-mm-dd hh:mm"}.get(column.type, "#,##0")
