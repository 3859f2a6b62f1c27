"""`lake land`, `lake ingest`, `lake status`: the way of zips into tables."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from spark_jobs.batches.run import BatchResult
from spark_jobs.cli.cluster import is_to_be_submitted, run_in_yarn, start_in_yarn
from spark_jobs.cli.output import HOME, HomeOption, JsonOption, Output, site
from spark_jobs.errors import LakeError
from spark_jobs.jobs.ingest import IngestRun, ingest_once
from spark_jobs.jobs.progress import IngestReport, Listener
from spark_jobs.jobs.resume import resume_feed
from spark_jobs.jobs.status import feed_status
from spark_jobs.landing.agent import land as land_zip
from spark_jobs.landing.agent import land_folder
from spark_jobs.landing.files import AnyPath
from spark_jobs.landing.lease import holder
from spark_jobs.landing.stopping import ask_until_released, stop_when_asked
from spark_jobs.site import Site
from spark_jobs.tables.access import open_access
from spark_jobs.tables.endpoint import open_endpoint
from spark_jobs.tables.lake import Lake, open_lake

ingest_app = typer.Typer(no_args_is_help=False)
# How often a drop is looked at, and how long a file in it may pause before it counts as whole.
FOLLOW_SECONDS, WHOLE_SECONDS = 2.0, 15.0


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command(epilog="Example: lake land --keep /srv/drop\n\nExample: lake land --follow /srv/drop/*/incoming")(land)
    app.add_typer(ingest_app, name="ingest")
    app.command(epilog="Example: lake status")(status)


def land(
    drops: Annotated[
        list[Path], typer.Argument(help="Folders with <landing folder>/<zip> in them, or one zip.", exists=True)
    ],
    folder: Annotated[str | None, typer.Option(help="Landing folder, if DROPS is one zip.")] = None,
    keep: Annotated[bool, typer.Option(help="Leave the delivered zips where they are.")] = False,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on with what is delivered later, once it is whole, until ended.")
    ] = False,
    home: HomeOption = HOME,
    json: JsonOption = False,
) -> None:
    """Lands delivered zips: each appears in landing/ whole, under an opaque id. Works while an ingest runs."""
    output, landing = Output(json), site(home).landing
    site(home).make_folders()
    if follow:
        _follow(landing, drops, keep, output)
    if drops[0].is_dir():
        notes = [note for drop in drops for note in land_folder(landing, drop, keep=keep)]
    elif folder is None or len(drops) > 1:
        raise LakeError("lake land", "one zip was given, without its landing folder", "Add --folder NAME.")
    else:
        notes = [land_zip(landing, folder, drops[0], keep=keep)]
    output.say(f"{len(notes)} zips landed in {landing}.")
    output.result({"landed": len(notes), "bytes": sum(note.bytes for note in notes)})


def _follow(landing: AnyPath, drops: Sequence[Path], keep: bool, output: Output) -> None:
    """Lands what is delivered, for ever. A delivery is whole when it has not changed for a while."""
    if keep:
        raise LakeError("lake land --follow", "with --keep it would land everything again and again", "Leave one out.")
    while True:
        notes = [note for drop in drops for note in land_folder(landing, drop, quiet_seconds=WHOLE_SECONDS)]
        if notes:
            output.say(f"{len(notes)} zips landed in {landing}.")
        time.sleep(FOLLOW_SECONDS)


EXAMPLES = """Examples:

lake ingest --once

lake ingest --continuous --port 10000

lake ingest stop

lake ingest resume claims"""


@ingest_app.callback(invoke_without_command=True, epilog=EXAMPLES)
def ingest(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Take in what has landed, then end.")] = False,
    continuous: Annotated[
        bool, typer.Option("--continuous", help="Take in whatever lands until stopped, and answer SQL meanwhile.")
    ] = False,
    port: Annotated[int, typer.Option(help="Port of the Hive JDBC endpoint; 0 takes a free one.", min=0)] = 0,
    home: HomeOption = HOME,
    json: JsonOption = False,
) -> None:
    """Takes landed zips into the target tables, by the rules in force."""
    if context.invoked_subcommand:
        return
    if once == continuous:
        raise LakeError("lake ingest", "how long to run was not said", "Use: lake ingest --once, or --continuous")
    output, here = Output(json), site(home)
    if is_to_be_submitted(here):
        _submit(here, output, continuous)
        return
    if once:
        with open_lake(here, "lake ingest") as lake:
            report = run_ingest(lake, output)
    else:
        report = _run_continuously(here, port, output)
    show_report(output, report)
    output.result(as_json(report))
    if report.failed or report.isolated:
        raise typer.Exit(1)


@ingest_app.command(epilog="Example: lake ingest stop")
def stop(
    timeout: Annotated[int, typer.Option(help="Wait at most so many seconds for it to end.", min=0)] = 600,
    home: HomeOption = HOME,
    json: JsonOption = False,
) -> None:
    """Tells the running ingest to claim nothing more, and waits until what it claimed is taken in."""
    output = Output(json)
    running = holder(site(home))
    if running is None:
        output.say("No process has the lake.")
    else:
        output.say(f"{running.who.capitalize()} ({running.what}) ends what it has begun.")
        if not ask_until_released(site(home), timeout):
            raise LakeError("lake ingest stop", f"{running.who} has not ended after {timeout} s", "It goes on ending.")
        output.say("It has ended.")
    output.result({"stopped": running.who if running else None})


@ingest_app.command(epilog="Example: lake ingest resume claims")
def resume(
    feed: Annotated[str, typer.Argument(help="Feed that is stopped or isolated.")],
    home: HomeOption = HOME,
    json: JsonOption = False,
) -> None:
    """Sets a feed going again that a check has stopped or failing batches have isolated, with the rules it has."""
    output = Output(json)
    with open_access(site(home), "lake ingest resume") as access:
        revision = resume_feed(access, feed)
    output.say(f"Feed {feed}, revision {revision}, takes in its zips again.")
    output.result({"feed": feed, "revision": revision})


def _submit(site: Site, output: Output, continuous: bool) -> None:
    """Has YARN run it: to its end, or, if it is continuous, until it has the lake."""
    if continuous:
        by = start_in_yarn(site, "ingest", "--continuous")
        output.say(f"{by.who} takes in whatever lands. End it with: lake ingest stop")
        output.result({"application": by.who})
        return
    told = run_in_yarn(site, "ingest", "--once")
    report = IngestReport(**{**told, "findings": ()})
    show_report(output, report)
    for finding in told["findings"]:
        output.say(f"[yellow]rules[/] {finding}")
    output.result(told)
    if report.failed or report.isolated:
        raise typer.Exit(1)


def _run_continuously(site: Site, port: int, output: Output) -> IngestReport:
    """Runs until SIGTERM, SIGINT or `lake ingest stop`; a second signal ends it at once.

    Of an embedded lake the endpoint is open meanwhile; a cluster has Thrift Servers.
    """
    told = threading.Event()
    with open_lake(site, "lake ingest --continuous", has_endpoint=not site.cluster) as lake, ExitStack() as stack:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: _stop(told, output))
        if not site.cluster:
            address = stack.enter_context(open_endpoint(site, lake.session, port))
            output.say(f"SQL is answered at {address.url}, user {address.user}, password in {site.endpoint}.")
        stack.enter_context(stop_when_asked(site, told))
        output.say("Whatever lands is taken in. End it with: lake ingest stop")
        return IngestRun(lake, _teller(output)).until_stopped(told)


def _stop(told: threading.Event, output: Output) -> None:
    if told.is_set():
        raise KeyboardInterrupt
    output.say("Ending what was begun; once more to end at once.")
    told.set()


def _teller(output: Output) -> Listener:
    """Tells of each batch and each alarm with a line."""

    def finished(result: BatchResult, seconds: float) -> None:
        zips = Counter(account.state for account in result.accounts)
        members = sum(account.members_loaded for account in result.accounts)
        rows = sum(account.rows_loaded for account in result.accounts)
        states = ", ".join(f"{count} zips {state}" for state, count in sorted(zips.items())) or "given back"
        now = datetime.now(UTC).strftime("%H:%M:%S")
        output.say(f"{now} {result.batch}: {states}; {members:,} members, {rows:,} rows loaded in {seconds:.1f} s")

    return Listener(finished=finished, alarm=lambda text: output.say(f"[bold red]alarm[/] {text}"))


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

        return ingest_once(lake, Listener(progress=show))


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
    for feed, reason in report.isolated.items():
        output.say(f"[bold red]isolated[/] feed {feed} ({reason}): its batches fail. Then: lake ingest resume {feed}")
    for batch, reason in report.failed.items():
        output.say(f"[bold red]failed[/] batch {batch} ({reason}): it stays claimed and is tried again by the next run")


def as_json(report: IngestReport) -> dict[str, Any]:
    """What a run came to, for machines."""
    findings = [f"{finding.where}: {finding.problem}" for finding in report.findings]
    return {**vars(report), "findings": findings}


def status(home: HomeOption = HOME, json: JsonOption = False) -> None:
    """Says for each feed what has landed, what became of it, and how long the oldest zip has waited."""
    output = Output(json)
    with open_access(site(home), "lake status") as access:
        feeds = feed_status(access)
    header = [
        "feed",
        "state",
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
