"""Contender a: Carelake's own ingest job, from zips in the landing folder to committed upserts, ledger and vault."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spark_jobs.cli.feed import apply_rules
from spark_jobs.jobs.compact import compact_pending
from spark_jobs.jobs.ingest import IngestRun, ingest_once
from spark_jobs.jobs.progress import IngestReport, Listener
from spark_jobs.landing.agent import land
from spark_jobs.site import Site
from spark_jobs.tables.access import access_of
from spark_jobs.tables.lake import Lake, open_lake
from tests import reconcile
from tests.bench.contenders.serving import serve


@dataclass
class Carelake:
    """A lake of its own; `continuous` ones carry out compactions beside the ingest, and end with those that are left."""

    lake: Lake
    continuous: bool
    landed: int = 0

    def prepare(self, drop: str, table: str) -> None:
        """Lands the zips, as the landing agent would; the warm-up has a landing folder of its own."""
        for path in sorted(Path(drop).glob("*/*.zip"), key=lambda path: path.stat().st_mtime_ns):
            folder = table if table == "warm_up" else path.parent.name
            land(self.lake.site.landing, folder, path, keep=True)
            self.landed += 1

    def run(self, drop: str, table: str) -> None:
        """Runs the ingest job until landing is empty."""
        if self.continuous:
            self._run_with_compactions()
        else:
            ingest_once(self.lake)
        self.landed = 0

    def check(self, table: str, truth: str) -> dict[str, Any]:
        """Holds ledger, quarantine and table against the truth, row by row; says how many bytes stand where."""
        found = reconcile.differences(self.lake.session, Path(truth), ignored_folder="warm_up")
        filled = next((Path(truth) / "tables").glob("*.parquet")).stem
        site = self.lake.site
        table = site.warehouse / "raw" / filled
        standing = {"table": table, "ledger": site.warehouse / "ops" / "ledger", "vault": site.vault}
        return {
            "differences": found,
            "bytes": {name: _bytes_below(folder) for name, folder in standing.items()},
            "compactions": sum(1 for _ in (table / ".hoodie").glob("*.commit")),
        }

    def _run_with_compactions(self) -> None:
        told = threading.Event()

        def stop_when_done(report: IngestReport) -> None:
            if sum(report.zips.values()) >= self.landed:
                told.set()

        IngestRun(self.lake, Listener(progress=stop_when_done)).until_stopped(told)
        compact_pending(self.lake)


def _bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@contextmanager
def open_contender(settings: dict[str, Any]) -> Iterator[Carelake]:
    """A new lake with the benchmark's rules."""
    home = Path(settings["home"])
    shutil.rmtree(home, ignore_errors=True)
    with open_lake(Site(home, driver_memory=settings["memory"]), "lake bench") as lake:
        apply_rules(access_of(lake), Path(settings["rules"]))
        yield Carelake(lake, settings["continuous"])


if __name__ == "__main__":
    serve(open_contender)
