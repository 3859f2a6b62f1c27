"""`lake bench latency`: from the landing of a zip to its rows in SQL, at the load of a peak hour."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from spark_jobs.cli.bench.latency_check import Account, accounts_of, table_differences, zip_differences
from spark_jobs.cli.bench.latency_load import BROKEN_FEED, Arrival, Landed, Lander, Load
from spark_jobs.cli.bench.latency_watch import Backlog, Reader, Sample, Watcher, watched
from spark_jobs.cli.bench.measuring import FOLDER, Memory, continuous_ingest, cpu_seconds, percentile
from spark_jobs.cli.bench.visit_rules import visit_rules
from spark_jobs.cli.feed import RULE_FILES, apply_rules
from spark_jobs.cli.output import JsonOption, Output
from spark_jobs.errors import LakeError
from spark_jobs.rules.rows import rows_of
from spark_jobs.site import Site
from spark_jobs.tables.access import Access, open_access
from spark_jobs.tables.rule_store import insert_rows
from tests.bench.large_zip import write_large_zip

LARGE_FEED = "claims"
LARGE_NAME = "CLM_CA0001_20260301100000_1.zip"
LONGEST_DRAIN_SECONDS = 3600


def register(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command(epilog="Example: lake bench latency --json\n\nExample: lake bench latency --minutes 2 --feeds 20")(
        latency
    )


def latency(
    minutes: Annotated[float, typer.Option(help="How long zips arrive.", min=0.2)] = 15,
    feeds: Annotated[int, typer.Option(help="Feeds, each with a target table of its own.", min=1)] = 100,
    zips_per_hour: Annotated[float, typer.Option(help="Mean rate at which zips arrive.", min=1)] = 3500,
    disturb: Annotated[
        float, typer.Option(help="How many minutes they arrive again beside two bad feeds; 0: not.", min=0)
    ] = 5,
    megabytes: Annotated[int, typer.Option(help="Size of the member that a bad feed sends.", min=50)] = 1500,
    home: Annotated[Path, typer.Option(help="Folder of the benchmark's lake; made anew.")] = FOLDER / "latency",
    json: JsonOption = False,
) -> None:
    """How long a zip waits, from its landing to its rows in SQL, while zips of many feeds arrive beside a reader.

    A continuous ingest runs in a process of its own. A wait ends when the zip's batch has committed all its tables, by the
    time in the ledger; a sample of the zips is followed by SQL, through the endpoint, and holds those times to account.
    Then the same again, while one feed sends a very large member and another only broken zips. In the end every zip and
    every table is reconciled.
    """
    output = Output(json)
    shutil.rmtree(home, ignore_errors=True)
    site = Site(home.expanduser().absolute())
    output.say("Zips are made.")
    load = Load.of(site.home / "deliveries", feeds)
    phases = {"warm": load.one_each(), "calm": load.at_rate(zips_per_hour, minutes)}
    if disturb:
        bad = [_large_zip(site.home / "deliveries", megabytes), *load.broken(disturb)]
        phases["disturbed"] = [*load.at_rate(zips_per_hour, disturb), *bad]
    with continuous_ingest(site) as pid, Memory(pid).watched() as memory, open_access(site, "lake bench") as access:
        _apply_rules(access, load)
        run = _Run(site, output, pid)
        run.phase("warm", phases["warm"], readers=())
        for phase in [*phases][1:]:
            run.phase(phase, phases[phase], [Reader(site, [*load.feeds]), Sample(site, run.lander.landed)])
        output.say("Every zip and every table is reconciled.")
        accounts = accounts_of(access)
        differences = [*zip_differences(run.lander.landed, accounts), *table_differences(access, load)]
    result = {
        "minutes": minutes,
        "feeds": feeds,
        **run.figures("calm", accounts),
        **(_disturbed_figures(run, accounts) if disturb else {}),
        "warm_up_s": round(run.seconds["warm"], 1),
        "late_landing_s": round(run.lander.late, 2),
        "memory_mb": round(memory.together),
        "reconciled": not differences,
        "differences": differences,
    }
    output.table("From landing to SQL", ["figure", "value"], list(result.items()))
    output.result({**result, "backlog": {phase: backlog.series for phase, backlog in run.backlogs.items()}})
    if differences:
        raise LakeError("lake bench latency", "; ".join(differences))


@dataclass
class _Run:
    """What landed in each phase, how long it took until all was taken in, and what the watchers saw; `ingest` is a process id."""

    site: Site
    output: Output
    ingest: int
    lander: Lander = field(init=False)
    landed: dict[str, list[Landed]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    core_seconds: dict[str, float] = field(default_factory=dict)
    backlogs: dict[str, Backlog] = field(default_factory=dict)
    watchers: dict[str, Sequence[Watcher]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lander = Lander(self.site.landing)

    def phase(self, name: str, arrivals: Sequence[Arrival], readers: Sequence[Watcher]) -> None:
        """Lands zips when they are due, and waits until all are taken in."""
        self.output.say(f"{len(arrivals)} zips land ({name}).")
        self.backlogs[name], self.watchers[name] = Backlog(self.site), readers
        began, cpu = time.monotonic(), cpu_seconds(self.ingest)
        with watched(self.backlogs[name], *readers):
            self.landed[name] = self.lander.land_all(arrivals)
            self.backlogs[name].note_last_landing()
            self._await_empty()
        self.seconds[name] = time.monotonic() - began
        self.core_seconds[name] = cpu_seconds(self.ingest) - cpu

    def _await_empty(self) -> None:
        deadline = time.monotonic() + LONGEST_DRAIN_SECONDS
        backlog = Backlog(self.site)
        while any(backlog.now()):
            if time.monotonic() > deadline or not Path(f"/proc/{self.ingest}").exists():
                raise LakeError("lake bench latency", "zips wait that are not taken in", f"See {self.site.logs}.")
            time.sleep(1)

    def figures(self, phase: str, accounts: dict[str, Account]) -> dict[str, Any]:
        """A phase in numbers: waits of its good zips, the backlog, and what its readers saw."""
        waits = self._waits(phase, accounts)
        reader, sample = self.watchers[phase]
        assert isinstance(reader, Reader)
        assert isinstance(sample, Sample)
        return {
            "zips": len(waits),
            **_percentiles("", waits),
            "max_s": round(max(waits), 1),
            "batches": len({accounts[one.zip_id].batch for one in self.landed[phase]}),
            "cores_used": round(self.core_seconds[phase] / self.seconds[phase], 2),
            **self.backlogs[phase].figures(),
            **sample.figures({zip_id: account.committed for zip_id, account in accounts.items()}),
            "reader_questions": len(reader.seconds),
            **_percentiles("reader_", reader.seconds),
        }

    def _waits(self, phase: str, accounts: dict[str, Account]) -> list[float]:
        """Waits of the good zips; in the phase with the bad feeds, of those that landed while the large zip was there."""
        good = [one for one in self.landed[phase] if one.feed not in {LARGE_FEED, BROKEN_FEED}]
        large = [accounts[one.zip_id].committed for one in self.landed[phase] if one.feed == LARGE_FEED]
        last = min(large, default=float("inf"))
        return [accounts[one.zip_id].committed - one.at for one in good if one.at < last]


def _disturbed_figures(run: _Run, accounts: dict[str, Account]) -> dict[str, Any]:
    figures = run.figures("disturbed", accounts)
    large = next(one for one in run.landed["disturbed"] if one.feed == LARGE_FEED)
    return {
        "p95_rise_s": round(figures["p95_s"] - run.figures("calm", accounts)["p95_s"], 1),
        "large_s": round(accounts[large.zip_id].committed - large.at, 1),
        **{f"disturbed_{name}": value for name, value in figures.items()},
    }


def _percentiles(prefix: str, seconds: Sequence[float]) -> dict[str, float]:
    shares = {"p50_s": 0.5, "p95_s": 0.95, "p99_s": 0.99}
    return {f"{prefix}{name}": round(percentile(seconds, share), 1) for name, share in shares.items()}


def _large_zip(folder: Path, megabytes: int) -> Arrival:
    """The zip of one very large CSV, which lands a few seconds after the others begin to."""
    packed = FOLDER / f"claims-{megabytes}.zip"
    rows = write_large_zip(packed, megabytes)
    path = folder / "large" / LARGE_NAME
    path.parent.mkdir(parents=True)
    shutil.copyfile(packed, path)
    return Arrival(5.0, LARGE_FEED, path, rows)


def _apply_rules(access: Access, load: Load) -> None:
    """Inserts the rules of all feeds as rows of the rule tables, by SQL."""
    kinds = {**{name: feed.format for name, feed in load.feeds.items()}, BROKEN_FEED: "csv"}
    rules = [rule for name, kind in kinds.items() for rule in visit_rules(name, kind)]
    apply_rules(access, RULE_FILES)
    insert_rows(access, [rows_of(rule) for rule in rules])
