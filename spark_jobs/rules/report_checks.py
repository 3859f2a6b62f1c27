"""Whether a report can be used."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from types import MappingProxyType

from spark_jobs.errors import RuleError
from spark_jobs.rules.charts import parse_chart
from spark_jobs.rules.model import Feed, Finding, Report
from spark_jobs.rules.names import check_name, findings, repeated
from spark_jobs.rules.report_sql import IDENTIFYING, IDENTIFYING_LAKE, bind, check_privacy, check_sql, tables_read
from spark_jobs.rules.schedules import parse_schedule

OUTPUTS = ("table", "csv", "xlsx", "html", "pdf")
FOLDER = re.compile(r"[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)*")
MOST_ROWS = 100_000  # an edition is made in the memory of one process, and read by people
SHOWS_PATIENTS = "Aggregate, or say shows_patients: true if its readers may see that."


def check_report(report: Report, feeds: Mapping[str, Feed] = MappingProxyType({})) -> list[Finding]:
    """What is wrong with a report; `feeds` are those in force, which say what identifies patients."""
    where = f"report {report.report}, revision {report.revision}"
    found = [
        *findings(where, _check_report(report)),
        *findings(where, check_sql(report.sql, values_for(report, date.min))),
    ]
    if not found:
        found += findings(where, _check_schedule(report))
    if not found and not report.shows_patients:
        identifying = _identifying(tables_of(report), feeds)
        found += findings(where, check_privacy(sql_for(report, date.min), identifying), SHOWS_PATIENTS)
    return found


def values_for(report: Report, day: date) -> dict[str, str]:
    """The values of the markers in a report's SQL for the edition of a day."""
    return {**report.parameters, "date": day.isoformat()}


def sql_for(report: Report, day: date) -> str:
    """The SQL that gives the rows of the edition of a day."""
    return bind(report.sql, values_for(report, day))


def tables_of(report: Report) -> tuple[str, ...]:
    """The tables that a valid report reads, as `schema.name`."""
    return tables_read(sql_for(report, date.min))


def feeds_of(report: Report, feeds: Mapping[str, Feed]) -> list[str]:
    """The feeds in force that fill the tables that a valid report reads."""
    tables = tables_of(report)
    return sorted(f.feed for f in feeds.values() if any(f"lake.{target}" in tables for target in f.targets))


def _identifying(tables: tuple[str, ...], feeds: Mapping[str, Feed]) -> frozenset[str]:
    """Names of columns of these tables that may identify a patient."""
    filled = (member for feed in feeds.values() for member in feed.readers if f"lake.{member.target}" in tables)
    columns = {column.name for member in filled for column in member.columns if column.phi == "identifier"}
    own = {name for table in tables for name in IDENTIFYING.get(table, ())}
    of_lake = IDENTIFYING_LAKE if any(table.startswith("lake.") for table in tables) else set()
    return frozenset(columns | own | of_lake)


def _check_report(report: Report) -> Iterator[str]:
    yield from check_name(report.report)
    if report.revision < 1:
        yield f"revision is {report.revision}, it must be 1 or more"
    if not report.title.strip():
        yield "it has no title"
    yield from _understood(report.schedule, parse_schedule)
    for output in report.outputs:
        if output not in OUTPUTS:
            yield f"the output {output} is not known: known are {', '.join(OUTPUTS)}"
    if not report.outputs:
        yield f"it has no outputs: name some of {', '.join(OUTPUTS)}"
    if report.folder and not FOLDER.fullmatch(report.folder):
        yield f"the folder {report.folder!r} is not of lower case letters, digits, _ and -, with / between folders"
    if not 0 <= report.min_rows <= report.max_rows <= MOST_ROWS:
        yield f"expected 0 <= min_rows <= max_rows <= {MOST_ROWS}, found {report.min_rows} and {report.max_rows}"
    if "date" in report.parameters:
        yield "the parameter date is the day of the edition: name yours otherwise"
    for name in report.parameters:
        yield from check_name(name)
    yield from _check_columns(report)


def _check_schedule(report: Report) -> Iterator[str]:
    """What a report waits for must be among what it reads: only that tells whether an edition is out of date."""
    for table in parse_schedule(report.schedule).tables:
        if not table.startswith("lake.") or table not in tables_of(report):
            yield f"its schedule waits for {table}, which is not one of the lake tables that its sql reads"


def _check_columns(report: Report) -> Iterator[str]:
    """Columns named twice, and headings, totals and charts of columns that the answer does not have."""
    yield from (f"column {name} is named twice" for name in repeated(report.columns))
    named = {**dict.fromkeys(report.headings, "a heading"), **dict.fromkeys(report.totals, "a total")}
    for text in report.charts:
        problems = list(_understood(text, parse_chart))
        yield from problems
        if not problems:
            chart = parse_chart(text)
            named |= dict.fromkeys((*chart.values, chart.by), f"the chart {text!r}")
    for name, what in named.items():
        if report.columns and name not in report.columns:
            yield f"{what} names column {name}, which is not among its columns"


def _understood(text: str, parse: Callable[[str], object]) -> Iterator[str]:
    try:
        parse(text)
    except RuleError as error:
        yield f"{error.problem}. {error.hint}".strip()
