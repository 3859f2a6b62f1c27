"""The contenders of `lake bench ingest`: what each is told, its process, and a round in which it takes in its waves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spark_jobs.cli.bench.delivered import Delivered
from spark_jobs.cli.bench.measuring import Memory, cpu_seconds
from spark_jobs.cli.bench.peer import make_peer
from spark_jobs.errors import LakeError
from spark_jobs.site import REPOSITORY, Site
from spark_jobs.tables.hudi import sync_options, write_options
from spark_jobs.tables.lake import Lake
from spark_jobs.tables.session import java_home, settings

HEAP = "3g"
CORES = os.cpu_count() or 1
MEASURED, WARM_UP = "measured", "warm_up"
PLAIN_SESSION = {
    "spark.driver.memory": HEAP,
    "spark.driver.extraJavaOptions": "-XX:+UseParallelGC -Duser.timezone=UTC",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.session.timeZone": "UTC",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


@dataclass(frozen=True)
class Contender:
    """A way to take zips in: the module of tests/bench/contenders that does it, and what it is called in tables."""

    key: str
    module: str
    name: str


CARELAKE = Contender("a", "carelake", "Carelake, to Hudi")
ARCHIVES = Contender("b", "spark_archives", "Spark 4.3 archive reader, to Parquet")
USUAL = Contender("c", "usual_way", "Spark 3.5, zipfile, ElementTree, to Hudi")
FLOOR = Contender("d", "floor", "inflate and parse only")
TEXT = Contender("s", "spark_text", "Spark 4.3 on unzipped files, to Parquet")


@dataclass
class Turn:
    """What one contender did in one round: seconds and CPU seconds by wave, peak memory in MB, and what was found then."""

    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    peak_mb: float = 0.0
    jvm_mb: float = 0.0
    found: dict[str, Any] = field(default_factory=dict)


def take_turn(contender: Contender, delivered: Delivered, folder: Path, continuous: bool = False) -> Turn:
    """Starts the contender, warms it up, gives it the measured waves one after the other, and asks what it holds."""
    with _started(contender, delivered, folder, continuous) as running:
        for wave in delivered.warm_up.waves:
            running.order("prepare", drop=str(wave), table=WARM_UP)
            running.order("run", drop=str(wave), table=WARM_UP)
        turn = Turn()
        with running.memory.watched():
            for wave in delivered.measured.waves:
                running.order("prepare", drop=str(wave), table=MEASURED)
                cpu, began = cpu_seconds(running.memory.pid), time.monotonic()
                running.order("run", drop=str(wave), table=MEASURED)
                turn.seconds.append(time.monotonic() - began)
                turn.cpu_seconds.append(cpu_seconds(running.memory.pid) - cpu)
        turn.peak_mb, turn.jvm_mb = running.memory.together, running.memory.largest.get("java", 0.0)
        turn.found = running.order("check", table=MEASURED, truth=str(delivered.measured.truth))
    return turn


@dataclass
class _Running:
    contender: Contender
    process: subprocess.Popen[str]
    memory: Memory
    log: Path

    def order(self, do: str, **arguments: str) -> Any:
        """Gives an order and waits until it is carried out; returns the answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self.process.stdin.flush()
        return self.answer("done")

    def answer(self, key: str) -> Any:
        """The next answer; raises LakeError if the process has ended instead."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise LakeError("lake bench", f"contender {self.contender.module} has ended", f"See {self.log}.")
        return json.loads(line)[key]


@contextmanager
def _started(contender: Contender, delivered: Delivered, folder: Path, continuous: bool) -> Iterator[_Running]:
    folder.mkdir(parents=True, exist_ok=True)
    python, environment = _environment(contender)
    told, log = folder / f"{contender.module}.json", folder / f"{contender.module}.log"
    told.write_text(json.dumps(_settings(contender, delivered, folder / contender.module, continuous), indent=1))
    command = [python, "-m", f"tests.bench.contenders.{contender.module}", told]
    pipe = subprocess.PIPE
    with (
        log.open("w") as stderr,
        subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=stderr, env=environment, text=True) as process,  # noqa: S603
    ):
        try:
            running = _Running(contender, process, Memory(process.pid), log)
            running.answer("ready")
            yield running
        except BaseException:
            process.kill()
            raise
        else:
            assert process.stdin is not None
            process.stdin.close()
            process.wait()


def _environment(contender: Contender) -> tuple[Path, Mapping[str, str]]:
    python, java = Path(sys.executable), java_home()
    if contender in (ARCHIVES, TEXT):
        peer = make_peer()
        python, java = peer.python, peer.java_home
    own = {"PYTHONPATH": str(REPOSITORY), "PYSPARK_PYTHON": str(python), "JAVA_HOME": str(java)}
    kept = {name: value for name, value in os.environ.items() if name != "SPARK_HOME"}
    return python, {**kept, **own, "SPARK_LOCAL_IP": "127.0.0.1"}


def _settings(contender: Contender, delivered: Delivered, home: Path, continuous: bool) -> dict[str, Any]:
    site = Site(home, driver_memory=HEAP)
    common = {"home": str(home), "cores": CORES, "master": f"local[{CORES}]", "format": delivered.format}
    if contender == CARELAKE:
        return {**common, "memory": HEAP, "rules": str(delivered.rules), "continuous": continuous}
    if contender == USUAL:
        return {**common, "session": settings(site), "hudi": _hudi_options(delivered, site)}
    return {**common, "session": {**PLAIN_SESSION, "spark.local.dir": str(home / "scratch")}}


def _hudi_options(delivered: Delivered, site: Site) -> dict[str, dict[str, str]]:
    """The options of Carelake's own tables. Only: Hudi settles what a batch holds twice, and syncs the metastore itself."""
    lake = Lake(site, session=None)
    tables = {MEASURED: lake.table(delivered.target), WARM_UP: lake.table(delivered.warm_up_target)}
    own = {
        "hoodie.combine.before.upsert": "true",
        "hoodie.datasource.hive_sync.enable": "true",
        "hoodie.datasource.meta.sync.enable": "true",
    }
    return {name: {**write_options(table), **sync_options(table), **own} for name, table in tables.items()}


def contenders_of(format_: str) -> Sequence[Contender]:
    """Who takes in zips of a format."""
    return (CARELAKE, ARCHIVES, USUAL, FLOOR) if format_ == "xml" else (CARELAKE, TEXT)
