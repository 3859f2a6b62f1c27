"""`lake demo`: a lake from nothing, filled with simulated deliveries, held against the truth, and asked questions."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from spark_jobs.cli.feed import RULE_FILES, apply_rules
from spark_jobs.cli.ingest import run_ingest
from spark_jobs.cli.output import JsonOption, Output
from spark_jobs.errors import LakeError
from spark_jobs.jobs.compact import compact_all
from spark_jobs.jobs.progress import IngestReport
from spark_jobs.jobs.report import run_report
from spark_jobs.landing.agent import land_folder
from spark_jobs.reports.wording import show
from spark_jobs.site import ENVIRONMENT, Site
from spark_jobs.tables.access import access_of
from spark_jobs.tables.lake import Lake, open_lake
from tests import reconcile, simulator

INSIGHTS = ("bed_availability", "admissions")
INSIGHT_DAY = date(2026, 2, 11)  # the last day of the simulation
INSIGHT_ROWS = 12
QUESTION = "SELECT * FROM lake.encounter LIMIT 5"


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command(epilog="Example: lake demo\n\nExample: lake demo --zips 1000 --json")(demo)


@dataclass
class Course:
    """How the demo goes: seconds by step, and what was taken in."""

    output: Output
    last: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)
    reports: list[IngestReport] = field(default_factory=list)

    @contextmanager
    def step(self, name: str, what: str) -> Iterator[None]:
        """Says `what` is done, and counts its time under `name`."""
        self.say(what)
        start = time.monotonic()
        yield
        self.last = time.monotonic() - start
        self.seconds[name] = self.seconds.get(name, 0.0) + self.last

    def say(self, text: str) -> None:
        """A line for people."""
        self.output.say(f"[bold]{text}[/]" if not text.startswith(" ") else text)

    def total(self, counts: str) -> dict[str, int]:
        """`zips`, `members` or `rows` by outcome, over all waves."""
        parts = [getattr(report, counts) for report in self.reports]
        return {outcome: sum(part[outcome] for part in parts) for outcome in parts[0]}


def demo(
    zips: Annotated[int, typer.Option(help="Zips that the facilities deliver.", min=25)] = 120,
    facilities: Annotated[int, typer.Option(help="Care facilities.", min=1)] = 20,
    seed: Annotated[int, typer.Option(help="The same seed gives the same deliveries.")] = 1,
    edge_mb: Annotated[int, typer.Option(help="Size of the one very large zip in MB; 0 leaves it out.")] = 40,
    home: Annotated[Path, typer.Option(help="Folder of the demo's lake; made anew.")] = ENVIRONMENT / "demo",
    json: JsonOption = False,
) -> None:
    """Makes a lake, takes in simulated deliveries in three waves, holds every row against the truth, compacts, and again."""
    course = Course(Output(json))
    drop = _fresh(home)
    with course.step("simulate", f"{facilities} care facilities pack {zips} zips"):
        simulator.simulate(drop, facilities, zips, seed, edge_mb=edge_mb)
    course.say("A lake is made: metastore, rule tables, ledger, quarantine")
    with open_lake(Site(home), "lake demo") as lake:
        with course.step("rules", "Five feeds are applied from metadata_tables/"):
            apply_rules(access_of(lake), RULE_FILES)
        _take_in(lake, course, drop / "drop")
        same = _reconcile(lake, course, drop / "truth")
        _show_insights(lake, course.output)
        result = _result(lake, course, same)
    _show_result(course.output, result, home)
    course.output.result(result)
    if not result["reconciled"]:
        raise typer.Exit(1)


def _fresh(home: Path) -> Path:
    """Empties the demo's folder; refuses one that is no demo's. Returns where the deliveries go."""
    mark = home / ".demo"
    if home.exists() and any(home.iterdir()) and not mark.exists():
        raise LakeError(str(home), "holds something that is not a demo's lake", "Give --home another folder.")
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True, mode=0o700)
    mark.touch()
    return home / "deliveries"


def _take_in(lake: Lake, course: Course, drop: Path) -> None:
    waves = sorted(drop.iterdir())
    for number, wave in enumerate(waves, 1):
        landed = list(land_folder(lake.site.landing, wave, keep=True))
        with course.step("ingest", f"Wave {number} of {len(waves)}: {len(landed)} zips landed, and are taken in"):
            report = run_ingest(lake, course.output)
        course.reports.append(report)
        course.say(f"  {sum(report.members.values()):,} members, {report.rows['loaded']:,} rows in {course.last:.1f} s")


def _reconcile(lake: Lake, course: Course, truth: Path) -> dict[str, list[str]]:
    """Differences from the truth before and after a compaction."""
    with course.step("reconcile", "Every zip, member and row is held against the truth"):
        before = reconcile.differences(lake.session, truth)
    with course.step("compact", "All tables are compacted"):
        compact_all(lake)
    with course.step("reconcile", "Every row is held against the truth again"):
        after = reconcile.table_differences(lake.session, truth)
    return {"before_compaction": before, "after_compaction": after}


def _show_insights(lake: Lake, output: Output) -> None:
    for name in INSIGHTS:
        edition = run_report(access_of(lake), name, INSIGHT_DAY).edition
        rows = [[show(value) for value in row] for row in edition.rows[:INSIGHT_ROWS]]
        output.table(f"\n{edition.report.title}, {edition.long_day}", [c.heading for c in edition.columns], rows)


def _result(lake: Lake, course: Course, same: dict[str, list[str]]) -> dict[str, Any]:
    members = course.total("members")
    tables = [row.viewName for row in lake.session.sql("SHOW VIEWS IN lake").collect()]
    return {
        "reconciled": not any(same.values()) and not any(report.failed for report in course.reports),
        "differences": same,
        "zips": course.total("zips"),
        "members": members,
        "rows": course.total("rows"),
        "tables": {name: lake.session.table(f"lake.{name}").count() for name in sorted(tables)},
        "files_per_s": round(sum(members.values()) / course.seconds["ingest"], 1),
        "seconds": {name: round(seconds, 1) for name, seconds in course.seconds.items()},
    }


def _show_result(output: Output, result: dict[str, Any], home: Path) -> None:
    outcomes = ("loaded", "duplicate", "ignored", "quarantined")
    counted = [[what, *(f"{result[what].get(o, 0):,}" for o in outcomes)] for what in ("zips", "members", "rows")]
    output.table("\nTaken in", ["", *outcomes], counted)
    output.table(
        "Tables", ["table", "rows"], [[f"lake.{name}", f"{rows:,}"] for name, rows in result["tables"].items()]
    )
    output.say(f"{result['files_per_s']:,.0f} files a second, from landing to committed tables, a cold start included.")
    for when, lines in result["differences"].items():
        for line in lines:
            output.say(f"[bold red]{when.replace('_', ' ')}[/] {line}")
    if result["reconciled"]:
        output.say("[bold green]Every zip, member and row is as the truth says, before and after compaction.[/]")
    output.say(f"Ask it yourself: ./lake sql --home {home} '{QUESTION}'")
