"""An edition: the answer to a report's question for one day, with what a reader must know to trust it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from spark_jobs.rules.model import Report

Value = str | bool | int | float | Decimal | date | datetime | None
NUMERIC = ("tinyint", "smallint", "int", "bigint", "float", "double", "decimal")
# What the end of a column's name says of its unit.
UNITS = {"percent": "%", "hours": "h", "minutes": "min", "seconds": "s", "days": "days", "bytes": "bytes", "usd": "USD"}


@dataclass(frozen=True)
class Column:
    """A column of an edition: `type` is Spark's, `heading` what people read."""

    name: str
    type: str
    heading: str

    @property
    def is_numeric(self) -> bool:
        """Whether its values are numbers, which are set to the right and may be summed up."""
        return self.type.split("(")[0] in NUMERIC


@dataclass(frozen=True)
class Delivered:
    """A feed that fills tables of the report: when the zip landed that was loaded last, and how many landed on the day.

    `landed_at` is None if it loaded none in the month before; `is_late` if that is less fresh than the report asks for.
    """

    feed: str
    landed_at: datetime | None
    zips: int
    is_late: bool = False


@dataclass(frozen=True)
class Edition:
    """The rows that a report has for `day`, in order, each a value a column. Moments are in UTC."""

    report: Report
    day: date
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    delivered: tuple[Delivered, ...]
    checks: tuple[str, ...]

    @property
    def name(self) -> str:
        """How its files are called, without an ending."""
        return f"{self.report.report}-{self.day.isoformat()}"

    @property
    def long_day(self) -> str:
        """The day in words."""
        return f"{self.day:%A}, {self.day.day} {self.day:%B} {self.day.year}"

    @property
    def totals(self) -> tuple[Value, ...] | None:
        """A last row with the sums that the report asks for, None if it asks for none; it says so in its first free cell."""
        if not self.report.totals:
            return None
        sums: list[Value] = [self._sum(n) if c.name in self.report.totals else None for n, c in enumerate(self.columns)]
        free = next((n for n, c in enumerate(self.columns) if c.name not in self.report.totals), None)
        if free is not None:
            sums[free] = "Total"
        return tuple(sums)

    def values(self, column: str) -> list[Value]:
        """The values of a column."""
        place = self.place(column)
        return [row[place] for row in self.rows]

    def place(self, column: str) -> int:
        """Where a column stands."""
        return next(n for n, c in enumerate(self.columns) if c.name == column)

    def _sum(self, place: int) -> Value:
        found = [row[place] for row in self.rows if row[place] is not None]
        return sum(found) if found else None  # type: ignore[arg-type]


def columns_of(report: Report, described: Sequence[tuple[str, str]]) -> tuple[Column, ...]:
    """The columns of an edition, from the names and Spark types that its SQL has."""
    return tuple(Column(name, kind, report.headings.get(name) or heading_of(name)) for name, kind in described)


def heading_of(name: str) -> str:
    """A heading made of a column's name: `stay_hours` is `Stay, h`."""
    words, _, last = name.rpartition("_")
    text, unit = (words, f", {UNITS[last]}") if words and last in UNITS else (name, "")
    text = text.replace("_", " ")
    return text[:1].upper() + text[1:] + unit
