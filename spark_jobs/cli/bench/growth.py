"""`lake bench growth`: what a commit costs in larger and larger tables and over hundreds of commits, and how many files stay."""

from __future__ import annotations

import os
import shutil
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from spark_jobs.cli.bench.growth_files import TIMELINE, day_of_the_brief, log_files, objects_by_layer, objects_in
from spark_jobs.cli.bench.growth_table import BUCKETS, ROWS_OF_GROUP, ROWS_OF_PARTITION, GrowthTable
from spark_jobs.cli.bench.measuring import FOLDER, cpu_seconds
from spark_jobs.cli.feed import RULE_FILES, apply_rules
from spark_jobs.cli.output import JsonOption, Output
from spark_jobs.errors import LakeError
from spark_jobs.jobs.ingest import ingest_once
from spark_jobs.landing.agent import land_folder
from spark_jobs.site import Site
from spark_jobs.tables.access import access_of
from spark_jobs.tables.lake import Lake, open_lake
from tests import simulator

WARM_UP = 12
ENDS = 50  # commits at either end of the series that are compared
GOAL = 1.2


def register(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command(
        epilog="Example: lake bench growth --json\n\nExample: lake bench growth --rows 200000 --rows 2000000 --series 100"
    )(growth)


def growth(
    rows: Annotated[list[int] | None, typer.Option(help="Rows of a table; one option a table.", min=1)] = None,
    batch_rows: Annotated[int, typer.Option(help="Rows of each upsert.", min=100)] = 6_000,
    groups: Annotated[int, typer.Option(help="File groups that each upsert touches.", min=2)] = 8,
    commits: Annotated[int, typer.Option(help="Upserts that are timed in each table.", min=1)] = 20,
    series: Annotated[int, typer.Option(help="Upserts in a row.", min=2)] = 500,
    zips: Annotated[int, typer.Option(help="Simulated zips that are taken in to count files.", min=5)] = 60,
    home: Annotated[Path, typer.Option(help="Folder of the benchmark's lake; made anew.")] = FOLDER / "growth",
    json: JsonOption = False,
) -> None:
    """What an upsert costs in small and large tables, and the first and the last of many in a row; files by layer.

    All upserts have as many rows and touch as many file groups, with the options of a target table; tables take turns. In
    the end every table is read whole and held against what was written.
    """
    output = Output(json)
    sizes = sorted(rows or (200_000, 2_000_000, 20_000_000))
    least = groups // BUCKETS * ROWS_OF_PARTITION
    if groups % BUCKETS or sizes[0] < least:
        raise LakeError(
            "lake bench growth", f"{groups} file groups are at least {least} rows", "Change --rows, --groups."
        )
    shutil.rmtree(home, ignore_errors=True)
    with open_lake(Site(home.expanduser().absolute()), "lake bench growth") as lake:

        def table(size: int, name: str) -> GrowthTable:
            made = GrowthTable(lake, size, groups // BUCKETS, batch_rows, name)
            output.say(f"A table of {size:,} rows is made.")
            made.make()
            return made

        tables = {size: table(size, f"growth_{size}") for size in sizes}
        long = table(sizes[0], "growth_series")
        result = {
            "batch_rows": batch_rows,
            "groups_touched": groups,
            "rows_of_group": ROWS_OF_GROUP,
            **_sizes(tables, commits, output),
            **_series(long, series, output),
            **_files(lake, long, zips, output),
        }
        output.say("Every table is held against what was written.")
        wrong = [one.name for one in [*tables.values(), long] if not one.is_as_written()]
    result["reconciled"] = not wrong
    _show(output, result)
    output.result(result)
    if wrong:
        raise LakeError("lake bench growth", f"rows of {', '.join(wrong)} are not those that were written")


@dataclass
class Cost:
    """Seconds, and core-seconds of this process and all below it, of what was done again and again."""

    seconds: list[float] = field(default_factory=list)
    core_seconds: list[float] = field(default_factory=list)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Adds what the block takes."""
        began, used = time.monotonic(), cpu_seconds(os.getpid())
        yield
        self.seconds.append(time.monotonic() - began)
        self.core_seconds.append(cpu_seconds(os.getpid()) - used)

    def figures(self, begin: int = 0, end: int | None = None) -> dict[str, float]:
        """Medians of the takes from `begin` to `end`."""
        return {
            "s": round(statistics.median(self.seconds[begin:end]), 3),
            "core_s": round(statistics.median(self.core_seconds[begin:end]), 3),
        }


def _sizes(tables: dict[int, GrowthTable], commits: int, output: Output) -> dict[str, Any]:
    """Upserts into tables of several sizes in turns; then reads, before and after a compaction."""
    costs = {size: Cost() for size in tables}
    output.say(f"Upserts into all tables in turns: {WARM_UP} to warm up, {commits} that are timed.")
    for number in range(WARM_UP + commits):
        for size, table in tables.items():
            with (costs[size] if number >= WARM_UP else Cost()).taken():
                table.upsert()
            if number % table.table.compact_after == table.table.compact_after - 1:
                table.compact()
    figures = {size: cost.figures() for size, cost in costs.items()}
    least = figures[min(figures)]
    reads = {str(size): _reads(table) for size, table in tables.items()}
    return {
        "upsert": {str(size): found for size, found in figures.items()},
        "ratio_s": {str(size): _ratio(found["s"], least["s"]) for size, found in figures.items()},
        "ratio_core_s": {str(size): _ratio(found["core_s"], least["core_s"]) for size, found in figures.items()},
        "read": reads,
    }


def _reads(table: GrowthTable) -> dict[str, float]:
    """Seconds to read the touched partitions, merged, with log files and compacted; and to compact them."""

    def seconds(read: Callable[[], object]) -> float:
        began = time.monotonic()
        read()
        return round(time.monotonic() - began, 3)

    table.upsert()
    table.read()
    found = {"unmerged_s": seconds(table.read), "log_files_of_group": log_files(table.table.path)}
    found["compaction_s"] = seconds(lambda: table.compact(schedule=True))
    table.read()
    return {**found, "compacted_s": seconds(table.read)}


def _series(table: GrowthTable, commits: int, output: Output) -> dict[str, Any]:
    """Many upserts in a row, compactions as they are planned: cost of the first and the last, and what stays of files."""
    upserts, compactions = Cost(), Cost()
    most = {"timeline": 0, "data_files_of_group": 0.0, "log_files_of_group": 0}
    for number in range(1, commits + 1):
        with upserts.taken():
            table.upsert()
        if table.table.pending_compactions:
            with compactions.taken():
                table.compact()
        if number % 10 == 0 or number == commits:
            for name, count in _files_of(table).items():
                most[name] = max(most[name], count)
        if number % 100 == 0:
            output.say(f"{number} upserts in a row.")
    ends = min(ENDS, commits // 2)
    first, last = upserts.figures(0, ends), upserts.figures(commits - ends)
    return {
        "series": {
            "commits": commits,
            "first": first,
            "last": last,
            "ratio_s": _ratio(last["s"], first["s"]),
            "ratio_core_s": _ratio(last["core_s"], first["core_s"]),
            "compactions": len(compactions.seconds),
            "compaction": compactions.figures() if compactions.seconds else None,
            "most_timeline_files": most["timeline"],
            "most_files_of_group": round(most["data_files_of_group"], 1),
            "most_log_files_of_group": most["log_files_of_group"],
        }
    }


def _files_of(table: GrowthTable) -> dict[str, float]:
    path = table.table.path
    timeline = objects_in(path / TIMELINE)
    touched = [folder for folder in sorted(path.iterdir()) if folder.is_dir() and folder.name != TIMELINE]
    files = sum(objects_in(folder).files - 1 for folder in touched[-table.partitions :])  # without the partition's mark
    return {
        "timeline": timeline.files,
        "data_files_of_group": files / table.groups,
        "log_files_of_group": log_files(path),
    }


def _files(lake: Lake, table: GrowthTable, zips: int, output: Output) -> dict[str, Any]:
    """Takes simulated zips in and counts what each layer holds; then a day of the brief from what was measured."""
    output.say(f"{zips} simulated zips are taken in, and files counted.")
    drop = lake.site.home / "deliveries"
    simulator.simulate(drop, 10, zips, seed=5, waves=1, edge_mb=0)
    apply_rules(access_of(lake), RULE_FILES)
    sizes = [note.bytes for note in land_folder(lake.site.landing, drop / "drop" / "1")]
    landed = objects_by_layer(lake.site)["landing"]
    report = ingest_once(lake)
    if report.failed or sum(report.zips.values()) != len(sizes):
        raise LakeError("lake bench growth", f"of {len(sizes)} zips {sum(report.zips.values())} were taken in")
    timeline = objects_in(table.table.path / TIMELINE).as_json()["objects"]
    files = _files_of(table)["data_files_of_group"] * 2  # none is larger than a block
    return {
        "zips": len(sizes),
        "batches": report.batches,
        "layers": {**objects_by_layer(lake.site), "landing_before": landed},
        "day_of_the_brief": day_of_the_brief(statistics.mean(sizes), files, timeline),
    }


def _ratio(value: float, least: float) -> float:
    return round(value / least, 2)


def _show(output: Output, result: dict[str, Any]) -> None:
    header = ["rows", "s", "core-s", "of the smallest", "read unmerged s", "compacted s", "compaction s"]
    lines: list[Sequence[object]] = [
        [f"{int(size):,}", cost["s"], cost["core_s"], result["ratio_s"][size], *_read_columns(result["read"][size])]
        for size, cost in result["upsert"].items()
    ]
    output.table(f"An upsert of {result['batch_rows']:,} rows, {result['groups_touched']} file groups", header, lines)
    output.table("Many upserts in a row", ["figure", "value"], [[k, str(v)] for k, v in result["series"].items()])
    day = [[layer, found["added"], found["standing"]] for layer, found in result["day_of_the_brief"].items()]
    output.table("NameNode objects, a day of the brief", ["layer", "added for good", "standing at the peak"], day)


def _read_columns(read: dict[str, float]) -> list[float]:
    return [read["unmerged_s"], read["compacted_s"], read["compaction_s"]]
