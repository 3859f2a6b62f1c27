"""`lake report`: which reports there are, making their editions, and what is wrong with one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from spark_jobs.cli.feed import apply_rules, show_findings
from spark_jobs.cli.output import HOME, HomeOption, JsonOption, Output, site
from spark_jobs.errors import LakeError
from spark_jobs.jobs.report import (
    LateError,
    days_made,
    describe,
    due,
    folder_of,
    make_edition,
    report_of,
    run_report,
)
from spark_jobs.reports.edition import Edition
from spark_jobs.reports.wording import freshness
from spark_jobs.reports.wording import show as shown
from spark_jobs.rules.model import Finding, Report
from spark_jobs.rules.report_checks import feeds_of, sql_for
from spark_jobs.tables.access import Access, open_access
from spark_jobs.tables.rule_store import read_rules

app = typer.Typer(no_args_is_help=True)
DAY = "%Y-%m-%d"
MOST_DAYS = 400  # of one back-fill

NameArgument = Annotated[str, typer.Argument(help="Name of the report.")]

RUN_EXAMPLES = """Examples:

lake report run bed_availability

lake report run bed_availability --date 2026-02-11

lake report run admissions --date 2026-02-01 --to 2026-02-11

lake report run bed_availability --dry-run

lake report run --due"""


@app.command("list", epilog="Example: lake report list")
def list_reports(home: HomeOption = HOME, json: JsonOption = False) -> None:
    """Lists the reports in force: when each is made, what it gives, and the day of its last edition."""
    output = Output(json)
    with open_access(site(home), "lake report list") as access:
        rules = read_rules(access)
        waiting = {report.report: day for report, day in due(access, rules, datetime.now(UTC))}
        reports = [_summary(access, report, waiting.get(report.report)) for report in rules.reports.values()]
    header = ["report", "revision", "title", "schedule", "outputs", "last edition", "due", "owner"]
    output.table("Reports", header, [row.values() for row in reports])
    show_findings(output, _of_reports(rules.findings))
    output.result({"reports": reports})


@app.command(epilog="Example: lake report show bed_availability")
def show(report: NameArgument, home: HomeOption = HOME, json: JsonOption = False) -> None:
    """Shows the revision of a report that is in force: its SQL, what it waits for, its checks and its editions."""
    output = Output(json)
    with open_access(site(home), "lake report show") as access:
        rules = read_rules(access)
        found = report_of(rules, report)
        days, folder = days_made(access, found), folder_of(access, found, date.min).parent
    feeds = feeds_of(found, rules.feeds)
    output.say(
        f"[bold]{escape(found.title)}[/] (report {found.report}, revision {found.revision}, {found.owner or 'no owner'})"
    )
    output.say(escape(found.description.strip()))
    facts = {
        "schedule": found.schedule,
        "waits for": f"{', '.join(feeds) or 'no feed'}, {found.fresh_hours} hours before the end of the day or later",
        "columns": ", ".join(found.columns) or "as the SQL gives them",
        "rows": f"{found.min_rows:,} to {found.max_rows:,}",
        "outputs": ", ".join(found.outputs),
        "charts": "; ".join(found.charts),
        "parameters": ", ".join(f"{name} = {value}" for name, value in found.parameters.items()),
        "shows patients": "yes" if found.shows_patients else "no, aggregates only",
        "files in": folder,
        "editions": ", ".join(map(str, days[:7])) + (f" and {len(days) - 7} more" if len(days) > 7 else ""),
    }
    output.table("", ["", ""], [[what, escape(str(text))] for what, text in facts.items() if text != ""])
    output.say(escape(found.sql))
    output.result({"report": asdict(found), "feeds": feeds, "editions": [str(day) for day in days], "folder": folder})


@app.command(epilog="Example: lake report check\n\nExample: lake report check my_report.yaml")
def check(
    path: Annotated[Path | None, typer.Argument(help="Check these rule files against the lake instead.")] = None,
    home: HomeOption = HOME,
    json: JsonOption = False,
) -> None:
    """Says what is wrong with the reports in the tables, or with rule files; has Spark read the SQL without running it."""
    output = Output(json)
    with open_access(site(home), "lake report check") as access:
        if path is None:
            rules = read_rules(access)
            reports, findings = list(rules.reports.values()), list(rules.findings)
        else:
            plan = apply_rules(access, path, dry_run=True)
            reports, findings = (
                [rule for rule in (*plan.new, *plan.unchanged) if isinstance(rule, Report)],
                list(plan.findings),
            )
        known = {finding.where for finding in findings if finding.fatal}
        found = [*_of_reports(findings), *(f for report in reports for f in _refused_by_spark(access, report, known))]
    show_findings(output, found)
    fatal = sum(finding.fatal for finding in found)
    output.say(
        f"{fatal} errors, {len(found) - fatal} warnings." if found else f"Nothing is wrong with {len(reports)} reports."
    )
    output.result({"reports": [report.report for report in reports], "findings": [vars(finding) for finding in found]})
    if fatal:
        raise typer.Exit(1)


@app.command(epilog=RUN_EXAMPLES)
def run(
    report: Annotated[str | None, typer.Argument(help="Name of the report.")] = None,
    day: Annotated[
        datetime | None,
        typer.Option("--date", formats=[DAY], help="Day of the edition, in UTC.", show_default="yesterday"),
    ] = None,
    to: Annotated[
        datetime | None,
        typer.Option("--to", formats=[DAY], help="Make the editions of all days from --date to this one."),
    ] = None,
    due_now: Annotated[
        bool, typer.Option("--due", help="Make what the schedules ask for by now and was not made yet.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Ask, check and show the first rows; write nothing.")
    ] = False,
    late_too: Annotated[
        bool, typer.Option("--late-too", help="Make it although feeds are late, and say so in it.")
    ] = False,
    wait: Annotated[int, typer.Option(help="Wait so many minutes for late feeds, while an ingest runs.", min=0)] = 0,
    home: HomeOption = HOME,
    json: JsonOption = False,
) -> None:
    """Makes editions of reports: asks, checks, and writes files and a partition. Made again, an edition replaces itself."""
    output = Output(json)
    if (report is None) != due_now or (due_now and (day or to)):
        raise LakeError("lake report run", "which report was not said", "Use: lake report run NAME, or --due")
    with open_access(site(home), "lake report run") as access:
        if due_now:
            wanted = [(found.report, one) for found, one in due(access, read_rules(access), datetime.now(UTC))]
        else:
            wanted = [(report or "", one) for one in _days(day, to)]
        results = [_run_one(output, access, name, one, dry_run, late_too, wait * 60) for name, one in wanted]
    failed = [result for result in results if "error" in result]
    if not results:
        output.say("No report is due.")
    output.result({"editions": results})
    if failed:
        raise typer.Exit(1)


def _run_one(
    output: Output, access: Access, name: str, day: date, dry_run: bool, late_too: bool, wait_seconds: float
) -> dict[str, Any]:
    """Makes one edition and says so; an error made for people is told, and does not keep others from being made."""
    try:
        if dry_run:
            rules = read_rules(access)
            edition = make_edition(access, rules, report_of(rules, name), day, late_too)
            _show_edition(output, edition)
            return _edition_result(edition)
        made = run_report(access, name, day, wait_seconds, late_too)
    except LakeError as error:
        output.say(f"[bold red]{'late' if isinstance(error, LateError) else 'error'}[/] {escape(str(error))}")
        late = list(error.feeds) if isinstance(error, LateError) else []
        return {"report": name, "date": str(day), "error": error.problem, "late": late}
    output.say(f"[bold green]made[/] {name}, {day}: {len(made.edition.rows):,} rows")
    for what in (made.table, *made.files.values()):
        if what:
            output.say(f"  {what}")
    return {**_edition_result(made.edition), "table": made.table, "files": dict(made.files)}


def _show_edition(output: Output, edition: Edition, most: int = 20) -> None:
    rows = [[shown(value) for value in row] for row in edition.rows[:most]]
    output.table(f"{edition.report.title}, {edition.long_day}", [column.heading for column in edition.columns], rows)
    if len(edition.rows) > most:
        output.say(f"The first {most} of {len(edition.rows):,} rows.")
    for one in edition.delivered:
        output.say(f"{one.feed}: {freshness(one)}")
    for check in edition.checks:
        output.say(check)
    output.say("Nothing was written.")


def _edition_result(edition: Edition) -> dict[str, Any]:
    late = [one.feed for one in edition.delivered if one.is_late]
    return {"report": edition.report.report, "date": str(edition.day), "rows": len(edition.rows), "late": late}


def _days(first: datetime | None, last: datetime | None) -> Iterator[date]:
    begin = first.date() if first else (datetime.now(UTC) - timedelta(days=1)).date()
    end = last.date() if last else begin
    if not 0 <= (end - begin).days < MOST_DAYS:
        raise LakeError(
            "lake report run", f"from {begin} to {end} is not 1 to {MOST_DAYS} days", "Give --date and --to."
        )
    yield from (begin + timedelta(days=n) for n in range((end - begin).days + 1))


def _summary(access: Access, report: Report, due_day: date | None) -> dict[str, Any]:
    days = days_made(access, report)
    return {
        "report": report.report,
        "revision": report.revision,
        "title": report.title,
        "schedule": report.schedule,
        "outputs": ", ".join(report.outputs),
        "last_edition": str(days[0]) if days else None,
        "due": str(due_day) if due_day else None,
        "owner": report.owner,
    }


def _of_reports(findings: Iterator[Finding] | list[Finding] | tuple[Finding, ...]) -> list[Finding]:
    return [finding for finding in findings if finding.where.startswith(("report ", "rules.report"))]


def _refused_by_spark(access: Access, report: Report, known: set[str]) -> Iterator[Finding]:
    where = f"report {report.report}, revision {report.revision}"
    if where in known:
        return  # what was found before needs mending first
    try:
        describe(access, report, sql_for(report, datetime.now(UTC).date()), where)
    except LakeError as error:
        yield Finding(error.where, error.problem, error.hint)
