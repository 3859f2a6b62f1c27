"""`lake land`, `lake ingest`, `lake compact`, `lake status`: the way of zips into tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from spark_jobs.cli.output import HOME, HomeOption, JsonOption, Output, site
from spark_jobs.errors import LakeError
from spark_jobs.jobs.compact import compact_all
from spark_jobs.jobs.ingest import IngestReport, ingest_once
from spark_jobs.jobs.status import feed_status
from spark_jobs.landing.agent import land as land_zip
from spark_jobs.landing.agent import land_folder
from spark_jobs.tables.access import open_access
from spark_jobs.tables.lake import Lake, open_lake


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command(epilog="Example: lake land --keep /srv/drop")(land)
    app.command(epilog="Example: lake ingest --once --json")(ingest)
    app.command(epilog="Example: lake compact --schedule")(compact)
    app.command(epilog="Example: lake status")(status)


def land(
    drop: Annotated[Path, typer.Argument(help="Folder with <landing folder>/<zip> in it, or one zip.", exists=True)],
    folder: Annotated[str | None, typer.Option(help="Landing folder, if DROP is one zip.")] = None,
    keep: Annotated[bool, typer.Option(help="Leave the delivered zips where they are.")] = False,
    home: HomeOption = HOME,
    json: JsonOption = False,
) -> None:
    """Lands delivered zips: each appears in landing/ whole, under an opaque id. Works while an ingest runs."""
    output, landing = Output(json), site(home).landing
    site(home).make_folders()
    if drop.is_dir():
        notes = list(land_folder(landing, drop, keep=keep))
    elif folder is None:
        raise LakeError("lake land", "one zip was given, without its landing folder", "Add --folder NAME.")
    else:
        notes = [land_zip(landing, folder, drop, keep=keep)]
    output.say(f"{len(notes)} zips landed in {landing}.")
    output.result({"landed": len(notes), "bytes": sum(note.bytes for note in notes)})


def ingest(
    once: Annotated[bool, typer.Option("--once", help="Take in what has landed, then end.")] = False,
    home: HomeOption = HOME,
    json: JsonOption = False,
) -> None:
    """Takes landed zips into the target tables, by the rules in force."""
    if not once:
        raise LakeError("lake ingest", "how long to run was not said", "Use: lake ingest --once")
    output = Output(json)
    with open_lake(site(home), "lake ingest") as lake:
        report = run_ingest(lake, output)
    show_report(output, report)
    output.result(as_json(report))
    if report.failed:
        raise typer.Exit(1)


def run_ingest(lake: Lake, output: Output) -> IngestReport:
    """One ingest run with a progress line: zips, members, rows, quarantined, backlog."""
    with output.progress("ingesting") as progress:
        task = progress.task_ids[0]

        def show(report: IngestReport) -> None:
            done = sum(report.zips.values())
            elapsed = progress.tasks[0].elapsed or 1
            note = (
                f"{sum(report.members.values()):,} members ({sum(report.members.values()) / elapsed:,.0f}/s), "
                f"{report.rows['loaded']:,} rows, {report.rows['quarantined']:,} quarantined"
            )
            progress.update(task, completed=done, total=max(done, report.backlog), note=note)

        return ingest_once(lake, show)


def show_report(output: Output, report: IngestReport) -> None:
    """What a run came to, for people."""
    outcomes = ("loaded", "duplicate", "ignored", "quarantined")
    counts = {"zips": report.zips, "members": report.members, "rows": report.rows}
    rows = [[what, *(f"{by.get(outcome, 0):,}" for outcome in outcomes)] for what, by in counts.items()]
    output.table("Taken in", ["", *outcomes], rows)
    for finding in report.findings:
        output.say(f"[yellow]rules[/] {finding.where}: {finding.problem} {finding.hint}")
    for feed, check in report.stopped.items():
        output.say(f"[bold red]stopped[/] feed {feed} by {check}: its zips wait in landing. See: lake feed show {feed}")
    for batch, reason in report.failed.items():
        output.say(f"[bold red]failed[/] batch {batch} ({reason}): it stays claimed and is tried again by the next run")


def as_json(report: IngestReport) -> dict[str, Any]:
    """What a run came to, for machines."""
    findings = [f"{finding.where}: {finding.problem}" for finding in report.findings]
    return {**vars(report), "findings": findings}


def compact(
    schedule: Annotated[bool, typer.Option(help="Plan a compaction of all log files first.")] = False,
    home: HomeOption = HOME,
    json: JsonOption = False,
) -> None:
    """Carries out the compactions that the ingest job has planned."""
    output = Output(json)
    with open_lake(site(home), "lake compact") as lake:
        done = compact_all(lake, schedule=schedule)
    output.table("Compactions", ["table", "carried out"], done.items())
    output.result({"compactions": done})


def status(home: HomeOption = HOME, json: JsonOption = False) -> None:
    """Says for each feed what has landed, what became of it, and how long the oldest zip has waited."""
    output = Output(json)
    with open_access(site(home), "lake status") as access:
        feeds = feed_status(access)
    header = [
        "feed",
        "landed",
        "loaded",
        "duplicate",
        "ignored",
        "quarantined",
        "rows",
        "rows quarantined",
        "oldest waits",
        "last commit",
    ]
    output.table("Feeds", header, [[*row.values()] for row in feeds])
    output.result({"feeds": feeds})
