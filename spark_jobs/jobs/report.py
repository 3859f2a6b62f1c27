"""Reports: the edition of a day is asked for, checked, and written as files and as a partition of a table.

Made again for the same day, an edition replaces itself. Nothing is written unless every check holds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from spark_jobs.errors import LakeError
from spark_jobs.landing.lease import one_at_a_time
from spark_jobs.reports.edition import Column, Delivered, Edition, Value, columns_of
from spark_jobs.reports.files import read_note, write_edition
from spark_jobs.reports.wording import show
from spark_jobs.rules.charts import parse_chart
from spark_jobs.rules.inserts import literal
from spark_jobs.rules.model import Report
from spark_jobs.rules.report_checks import feeds_of, sql_for
from spark_jobs.rules.revisions import RuleSet
from spark_jobs.rules.schedules import last_moment, parse_schedule
from spark_jobs.tables.access import Access, QueryError
from spark_jobs.tables.report_table import arrow_type, write_partition
from spark_jobs.tables.rule_store import read_rules

DAYS_LOOKED_BACK = 31  # for the last zip of a feed: the ledger is read by day
SECONDS_BETWEEN_LOOKS = 15.0


class LateError(LakeError):
    """Feeds that have not delivered yet what an edition needs; `feeds` names them."""

    def __init__(self, where: str, problem: str, hint: str, feeds: Sequence[str]) -> None:
        super().__init__(where, problem, hint)
        self.feeds = tuple(feeds)


@dataclass(frozen=True)
class Made:
    """An edition that was written: its files by kind, and the table that has it as a partition, if any."""

    edition: Edition
    files: Mapping[str, Path]
    table: str | None


def run_report(access: Access, name: str, day: date, wait_seconds: float = 0, late_too: bool = False) -> Made:
    """Makes the edition of `day` (a day in UTC) of the report `name`, and writes it.

    Raises LateError if a feed that it needs is late, after waiting so long for it, unless `late_too`; LakeError if
    there is no such report, its SQL fails, or its answer is not as the report says.
    """
    rules = read_rules(access)
    report = report_of(rules, name)
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            return write(access, make_edition(access, rules, report, day, late_too))
        except LateError:
            # Nothing lands in the ledger while this process has the lake.
            if access.lake is not None or time.monotonic() >= deadline:
                raise
        time.sleep(min(SECONDS_BETWEEN_LOOKS, max(deadline - time.monotonic(), 0)))


def report_of(rules: RuleSet, name: str) -> Report:
    """The report of that name that is in force. Raises LakeError."""
    if name not in rules.reports:
        known = ", ".join(sorted(rules.reports)) or "none"
        hint = f"In force: {known}. What is wrong with others: lake report check"
        raise LakeError(f"report {name}", "no revision of it is in force", hint)
    return rules.reports[name]


def make_edition(access: Access, rules: RuleSet, report: Report, day: date, late_too: bool = False) -> Edition:
    """The edition of `day`, checked, without writing it. Raises LateError, or LakeError if a check does not hold."""
    where = f"report {report.report}, {day}"
    delivered = deliveries(access, report, feeds_of(report, rules.feeds), day)
    late = [one for one in delivered if one.is_late]
    if late and not late_too:
        raise _late(where, report, day, late)
    sql = sql_for(report, day)
    columns = describe(access, report, sql, where)
    rows = _rows(access, columns, sql, report.max_rows + 1, where)
    checks = [*_check_rows(report, len(rows), where), *_told(report, late, bool(delivered))]
    return Edition(report, day, columns, rows, tuple(delivered), tuple(checks))


def write(access: Access, edition: Edition) -> Made:
    """Writes an edition: first the partition of its table, then its files, then the note that it is whole.

    One of a report at a time: two that wrote one partition at once could leave the rows of both in it.
    """
    with one_at_a_time(access.site, f"report.{edition.report.report}"):
        table = write_partition(access, edition) if "table" in edition.report.outputs else None
        return Made(edition, write_edition(edition, folder_of(access, edition.report, edition.day)), table)


def folder_of(access: Access, report: Report, day: date) -> Path:
    """Where the files of an edition are."""
    return access.site.reports / (report.folder or report.report) / day.isoformat()


def days_made(access: Access, report: Report) -> list[date]:
    """The days of which there is an edition, the newest first."""
    notes = (access.site.reports / (report.folder or report.report)).glob(f"*/{report.report}-????-??-??.json")
    return sorted((date.fromisoformat(path.stem[-10:]) for path in notes), reverse=True)


def due(access: Access, rules: RuleSet, now: datetime) -> Iterator[tuple[Report, date]]:
    """The reports whose schedule has come and whose edition is not made by their revision in force, with the day of it.

    A moment asks for the day that ended before it; a change of a table for the day itself, over and over.
    """
    for name in sorted(rules.reports):
        report = rules.reports[name]
        schedule = parse_schedule(report.schedule)
        moment = last_moment(schedule.cron, now) if schedule.cron else now + timedelta(days=1)
        assert moment is not None  # a schedule that never comes is not valid
        day = moment.date() - timedelta(days=1)
        note = read_note(folder_of(access, report, day), f"{report.report}-{day}")
        if (
            note is None
            or note["revision"] != report.revision
            or (schedule.tables and _changed(access, rules, report, day, note))
        ):
            yield report, day


def deliveries(access: Access, report: Report, feeds: Sequence[str], day: date) -> list[Delivered]:
    """How fresh each of the feeds is, by the ledger, held against what the report asks for on `day`."""
    if not feeds:
        return []
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
    needed = begin + timedelta(days=1) - timedelta(hours=report.fresh_hours)
    since = min(day, needed.date()) - timedelta(days=DAYS_LOOKED_BACK)
    found = access.records(
        "SELECT feed, unix_micros(max(landed_at)) AS landed, "
        f"count_if(landed_on = {literal(day.isoformat())}) AS zips FROM ops.ledger WHERE state = 'loaded' "
        f"AND landed_on >= {literal(since.isoformat())} AND feed IN ({', '.join(map(literal, feeds))}) GROUP BY feed"
    )
    by_feed = {row["feed"]: row for row in found}
    return [_delivered(feed, by_feed.get(feed), needed) for feed in feeds]


def describe(access: Access, report: Report, sql: str, where: str) -> tuple[Column, ...]:
    """The columns that the SQL gives. Raises LakeError if it can't be run, or gives others than the report says."""
    try:
        described = access.records(f"DESCRIBE QUERY {sql}")
    except QueryError as error:
        raise LakeError(where, f"its SQL is refused: {error.problem}", "Try it with: lake sql") from None
    found = [(row["col_name"], row["data_type"]) for row in described]
    names = [name for name, _ in found]
    if report.columns and names != list(report.columns):
        raise LakeError(
            where, f"its SQL gives the columns {', '.join(names)}, and not {', '.join(report.columns)}",
            "Mend the SQL or the columns of the report by a higher revision.",
        )  # fmt: skip
    for name, kind in found:
        if arrow_type(kind) is None:
            raise LakeError(where, f"column {name} is {kind}", "Give numbers, texts, booleans, dates and timestamps.")
    columns = columns_of(report, found)
    _check_uses(report, columns, where)
    return columns


def _check_uses(report: Report, columns: Sequence[Column], where: str) -> None:
    charts = [parse_chart(text) for text in report.charts]
    kinds = {column.name: column for column in columns}
    numbers = {*report.totals, *(name for chart in charts for name in chart.values)}
    for name in sorted({*numbers, *(chart.by for chart in charts)}):
        if name not in kinds:
            raise LakeError(where, f"a total or chart names column {name}, which its SQL does not give")
    for name in sorted(numbers):
        if not kinds[name].is_numeric:
            raise LakeError(where, f"a total or chart adds up column {name}, which is {kinds[name].type}")


def _rows(access: Access, columns: Sequence[Column], sql: str, most: int, where: str) -> tuple[tuple[Value, ...], ...]:
    if any(column.type == "timestamp" for column in columns):
        # As numbers: as moments they come in the time zone of whoever asks.
        wanted = (f"unix_micros(`{c.name}`)" if c.type == "timestamp" else f"`{c.name}`" for c in columns)
        sql = f"SELECT {', '.join(wanted)} FROM ({sql})"
    try:
        answer = access.ask(sql, most)
    except QueryError:
        # Spark's text may quote the value that it stumbled over.
        raise LakeError(where, "its SQL fails on the data", "See what Spark says with: lake sql") from None
    return tuple(tuple(_value(c.type, cell) for c, cell in zip(columns, row, strict=True)) for row in answer.rows)


def _value(kind: str, cell: Any) -> Value:
    """A cell in the type of its column, whether it came from a session or over JDBC."""
    if cell is None:
        return None
    convert: Callable[[Any], Value] | None = {
        "date": lambda text: date.fromisoformat(str(text)),
        "timestamp": _moment,
    }.get(kind)
    if kind.startswith("decimal"):
        return Decimal(str(cell))
    return convert(cell) if convert else cell


def _moment(micros: int) -> datetime:
    """A moment from the microseconds since 1970."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)


def _check_rows(report: Report, rows: int, where: str) -> Iterator[str]:
    bounds = f"{report.min_rows:,} to {report.max_rows:,}"
    if rows < report.min_rows:
        raise LakeError(where, f"its SQL gives {rows:,} rows, expected are {bounds}", "Are the data of the day there?")
    if rows > report.max_rows:
        raise LakeError(where, f"its SQL gives more than {report.max_rows:,} rows", "Aggregate, or raise max_rows.")
    yield f"{rows:,} rows, expected are {bounds}."
    if report.columns:
        yield f"The {len(report.columns)} columns are those expected."


def _told(report: Report, late: Sequence[Delivered], has_feeds: bool) -> Iterator[str]:
    if late:
        names = ", ".join(one.feed for one in late)
        yield f"Made although late: {names}. What is missing will be in an edition made later."
    elif has_feeds:
        yield f"Every feed has loaded a zip that {_since(report)}."


def _since(report: Report) -> str:
    hours = report.fresh_hours
    if hours == 24:
        return "landed on the day or later"
    return (
        f"landed at most {hours:,} hours before the end of the day"
        if hours > 0
        else f"landed {-hours:,} hours after the day or later"
    )


def _late(where: str, report: Report, day: date, late: Sequence[Delivered]) -> LateError:
    told = "; ".join(
        f"{one.feed}, last zip landed {show(one.landed_at)}"
        if one.landed_at
        else f"{one.feed}, no zip in the month before"
        for one in late
    )
    hint = (
        f"Each must have loaded a zip that {_since(report)}. Wait for it beside a running ingest with --wait MINUTES, "
        "see where it hangs with: lake status; or make the edition without it: --late-too"
    )
    return LateError(where, f"late: {told}", hint, [one.feed for one in late])


def _delivered(feed: str, row: Mapping[str, Any] | None, needed: datetime) -> Delivered:
    if row is None:
        return Delivered(feed, None, 0, is_late=True)
    landed = _moment(row["landed"])
    return Delivered(feed, landed, row["zips"], is_late=landed < needed)


def _changed(access: Access, rules: RuleSet, report: Report, day: date, note: Mapping[str, Any]) -> bool:
    """Whether a feed that fills the report's tables has loaded a zip since the edition was made."""
    now = {one.feed: one.landed_at for one in deliveries(access, report, feeds_of(report, rules.feeds), day)}
    return any(landed and landed.isoformat() != note["feeds"].get(feed) for feed, landed in now.items())
