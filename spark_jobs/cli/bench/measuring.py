"""What benchmarks share: where they work, other processes and their memory, figures of repeated runs."""

from __future__ import annotations

import fcntl
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

from spark_jobs.errors import LakeError
from spark_jobs.site import ENVIRONMENT, Site
from spark_jobs.tables.endpoint import read_address

FOLDER = ENVIRONMENT / "bench"
LAKE = (sys.executable, "-m", "spark_jobs.cli")
LOOK_SECONDS = 0.25
START_SECONDS = 180


@dataclass
class Memory:
    """Peak memory, in MB, of the process `pid` and all below it.

    `largest` holds the highest resident size of any one process by its name; `together` is the highest sum over all of
    them at one moment, without mapped files. Pages that a fork shares with its parent count for both: to count them once
    takes the kernel 25 ms a look at a large JVM, which would slow down what is measured.
    """

    pid: int
    together: float = 0.0
    largest: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def watched(self) -> Iterator[Memory]:
        """Looks four times a second while the block runs, and once at its end: it may be shorter than that."""
        done = Event()

        def look() -> None:
            while not done.wait(LOOK_SECONDS):
                self._look()

        watcher = Thread(target=look, daemon=True)
        watcher.start()
        try:
            yield self
        finally:
            done.set()
            watcher.join()
            self._look()

    def _look(self) -> None:
        total = 0.0
        statuses = {str(pid): _status(pid) for pid in [self.pid, *processes_below(self.pid)]}
        for status in statuses.values():
            if "VmHWM" in status and not _is_about_to_start(status, statuses):
                name = status["Name"]
                self.largest[name] = max(self.largest.get(name, 0.0), _megabytes(status["VmHWM"]))
                total += _megabytes(status["RssAnon"]) + _megabytes(status["RssShmem"])
        self.together = max(self.together, total)


@contextmanager
def own_folder(folder: Path) -> Iterator[None]:
    """Keeps `folder` for this process while the block runs; raises LakeError where another benchmark works in it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LakeError(str(folder), "another benchmark works in it", "Wait until it ends.") from None
        yield


def run_lake(*arguments: str | Path) -> None:
    """Runs a command of the lake in a process of its own; raises LakeError if it fails."""
    done = subprocess.run([*LAKE, *arguments], stdout=subprocess.DEVNULL, check=False)  # noqa: S603
    if done.returncode:
        raise LakeError("lake bench", f"lake {arguments[0]} ended with exit code {done.returncode}")


@contextmanager
def continuous_ingest(site: Site) -> Iterator[int]:
    """A `lake ingest --continuous` in a process of its own while the block runs, from when it answers; gives its id."""
    command = [*LAKE, "ingest", "--home", site.home, "--continuous"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # noqa: S603
        try:
            _await_endpoint(site, process)
            yield process.pid
        finally:
            process.terminate()
            process.wait()


def _await_endpoint(site: Site, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while read_address(site) is None:
        if process.poll() is not None or time.monotonic() > deadline:
            raise LakeError("lake bench", "the ingest did not start", f"See {site.logs}.")
        time.sleep(0.2)


def processes_below(pid: int) -> list[int]:
    """The processes that `pid` started, those that they started, and so on."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [found for child in children for found in (child, *processes_below(child))]


def cpu_seconds(pid: int) -> float:
    """CPU time of `pid` and all below it, those that have ended and were waited for included."""
    ticks = 0
    for one in [pid, *processes_below(pid)]:
        try:
            after_name = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        ticks += sum(int(field) for field in after_name[11:15])  # own and children's, user and system
    return ticks / os.sysconf("SC_CLK_TCK")


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values are; of no values it is an error."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def spread(values: Sequence[float]) -> dict[str, float]:
    """Least, median and most of what repeated runs gave."""
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}


def _status(pid: int) -> dict[str, str]:
    """The lines `Name: value` of a process's status; none if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return {}
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def _is_about_to_start(status: dict[str, str], others: dict[str, dict[str, str]]) -> bool:
    """Whether it is a JVM's child that has not become another program yet: it still shows all the JVM's memory as its own."""
    parent = others.get(status["PPid"], {})
    return status["Name"] == parent.get("Name") == "java"


def _megabytes(text: str) -> float:
    return int(text.split(maxsplit=1)[0]) / 1024


def machine() -> dict[str, Any]:
    """What the figures were taken on, and how busy it was with other things."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(memory / (1 << 30)),
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", platform.system()),
        "date": datetime.now(UTC).date().isoformat(),
        "load_before": round(os.getloadavg()[0], 1),
    }
