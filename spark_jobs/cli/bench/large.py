"""`lake bench large`: the memory that a very large member takes, and small zips beside it."""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from spark_jobs.cli.bench.measuring import FOLDER, Memory, continuous_ingest, percentile, run_lake
from spark_jobs.cli.output import JsonOption, Output
from spark_jobs.errors import LakeError
from spark_jobs.landing.agent import land
from spark_jobs.site import Site
from spark_jobs.tables.access import Access, open_access
from tests import simulator
from tests.bench.large_zip import write_large_zip

WARM_UP = 15
LONGEST_SECONDS = 3600


def register(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command(epilog="Example: lake bench large --json\n\nExample: lake bench large --megabytes 300 --pace 1")(large)


def large(
    megabytes: Annotated[int, typer.Option(help="Size of the CSV in the large zip.", min=50)] = 1500,
    alone: Annotated[int, typer.Option(help="Small zips that are timed without the large one.", min=5)] = 20,
    pace: Annotated[float, typer.Option(help="Seconds between two small zips.", min=0.1)] = 3.0,
    home: Annotated[Path, typer.Option(help="Folder of the benchmark's lake; made anew.")] = FOLDER / "large",
    json: JsonOption = False,
) -> None:
    """How much memory a very large member takes, and how long small zips of other feeds wait beside it.

    A continuous ingest runs in a process of its own. Small zips land one by one, first alone, then while the large zip is
    taken in. A zip's wait is from landing to its ledger entry, which comes after its rows can be read.
    """
    output = Output(json)
    packed = FOLDER / f"claims-{megabytes}.zip"
    output.say(f"A CSV of {megabytes} MB is packed, if that was not done before.")
    rows = write_large_zip(packed, megabytes)
    small = _small_zips(home, alone)
    site = Site(home)
    run_lake("feed", "apply", "--home", home)
    with (
        continuous_ingest(site) as pid,
        Memory(pid).watched() as memory,
        open_access(site, "lake bench") as access,
    ):
        bench_run = _Run(site, access, small, pace)
        output.say("The ingest is warmed up.")
        bench_run.land_small("warm", WARM_UP)
        bench_run.await_all()
        output.say(f"{alone} small zips land alone.")
        bench_run.land_small("alone", alone)
        bench_run.await_all()
        output.say("The large zip lands, and small ones beside it.")
        large_id = bench_run.land_large(packed)
        bench_run.land_small("beside", None, until=large_id)
        bench_run.await_all()
        result = {
            "packed_mb": round(packed.stat().st_size / (1 << 20), 1),
            "inflated_mb": megabytes,
            "rows": rows,
            **bench_run.figures(large_id, rows),
            **_memory_figures(memory),
        }
    output.table("A large zip beside small ones", ["figure", "value"], list(result.items()))
    output.result(result)
    if result["large_rows_loaded"] != rows:
        raise LakeError("lake bench large", f"{rows} rows were packed, and not as many loaded")


@dataclass
class _Run:
    """Small zips in the order in which they land, and what landed so far by phase."""

    site: Site
    access: Access
    small: Iterator[tuple[str, Path]]
    pace: float
    landed: dict[str, list[str]] = field(default_factory=dict)
    large: str = ""

    def land_small(self, phase: str, count: int | None, until: str = "") -> None:
        """Lands small zips at the run's pace: `count` of them, or until the zip `until` is in the ledger."""
        ids = self.landed.setdefault(phase, [])
        deadline = time.monotonic() + LONGEST_SECONDS
        while len(ids) < count if count is not None else not self._in_ledger([until]):
            if time.monotonic() > deadline:
                raise LakeError("lake bench large", f"not done after {LONGEST_SECONDS} s", f"See {self.site.logs}.")
            folder, path = next(self.small)
            ids.append(land(self.site.landing, folder, path).zip_id)
            time.sleep(self.pace)

    def land_large(self, path: Path) -> str:
        """Lands the large zip; returns its id."""
        note = land(self.site.landing, "claims", path, name="CLM_CA0001_20260301100000_1.zip", keep=True)
        return note.zip_id

    def await_all(self) -> None:
        """Waits until the ledger has every small zip that landed."""
        ids = [zip_id for some in self.landed.values() for zip_id in some]
        deadline = time.monotonic() + LONGEST_SECONDS
        while self._in_ledger(ids) < len(ids):
            if time.monotonic() > deadline:
                raise LakeError("lake bench large", f"not done after {LONGEST_SECONDS} s", f"See {self.site.logs}.")
            time.sleep(1)

    def figures(self, large_id: str, rows: int) -> dict[str, Any]:
        """Waits in seconds: of small zips alone and beside the large one, and of the large one."""
        waits = {row["zip_id"]: (row["wait"], row["rows_loaded"]) for row in self.access.records(WAITS)}
        alone, beside = (sorted(waits[zip_id][0] for zip_id in self.landed[phase]) for phase in ("alone", "beside"))
        large, loaded = waits[large_id]
        return {
            "large_rows_loaded": loaded,
            "large_s": round(large, 1),
            "large_rows_per_s": round(rows / large),
            "small_alone": len(alone),
            "small_alone_p50_s": round(statistics.median(alone), 1),
            "small_alone_p95_s": round(percentile(alone, 0.95), 1),
            "small_beside": len(beside),
            "small_beside_p50_s": round(statistics.median(beside), 1),
            "small_beside_p95_s": round(percentile(beside, 0.95), 1),
            "ratio_beside_alone_p50": round(statistics.median(beside) / statistics.median(alone), 2),
        }

    def _in_ledger(self, ids: Sequence[str]) -> int:
        known = {row["zip_id"] for row in self.access.records("SELECT zip_id FROM ops.ledger")}
        return len(known.intersection(ids))


def _memory_figures(memory: Memory) -> dict[str, float]:
    """Peaks of the JVM and of the largest Python worker."""
    workers = [peak for name, peak in memory.largest.items() if name.startswith("python")]
    return {"python_worker_peak_mb": round(max(workers)), "jvm_peak_mb": round(memory.largest["java"])}


WAITS = """
    SELECT zip_id, rows_loaded, (unix_micros(committed_at) - unix_micros(landed_at)) / 1e6 AS wait FROM ops.ledger"""


def _small_zips(home: Path, alone: int) -> Iterator[tuple[str, Path]]:
    """Simulated zips of all feeds but that of the large one, landing folder and path each; they never end too soon."""
    shutil.rmtree(home, ignore_errors=True)
    drop = home / "deliveries"
    simulator.simulate(drop, 20, (WARM_UP + alone) * 8, seed=7, edge_mb=0)
    paths = sorted((drop / "drop").glob("*/*/*"), key=lambda path: path.stat().st_mtime_ns)
    return iter([(path.parent.name, path) for path in paths if path.parent.name != "claims"])
