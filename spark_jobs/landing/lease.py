"""The lake's lease: one process at a time, and a new number (epoch) for each ingest run.

The embedded metastore serves one process. A lock file tells whether another one runs; because a killed process leaves
its JVM behind for a moment, the lease is given only after that JVM is confirmed ended. A lease is no fence by itself.
Those of a cluster are in `cluster_lease`.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

from spark_jobs.errors import LakeError, LakeInUseError
from spark_jobs.landing import cluster_lease
from spark_jobs.landing.files import write_json
from spark_jobs.site import Site

# A JVM whose driver was killed ends by itself within a second or two; half a minute is ample on a busy machine.
JVM_END_SECONDS = 30.0


@contextmanager
def hold_lease(site: Site, what: str, has_endpoint: bool = False) -> Iterator[None]:
    """Holds the lake of `site` for this process, saying `what` it does and whether it will serve questions meanwhile.

    Raises LakeInUseError when another process has it, LakeError when an ended process is not ended for certain.
    """
    with cluster_lease.hold_lease(site, what) if site.cluster else _hold_local(site.local, what, has_endpoint):
        yield


@contextmanager
def compacting(site: Site, what: str, patience: float = cluster_lease.TAKE_OVER_SECONDS) -> Iterator[None]:
    """Is, for the block, the one process that carries out compactions. Raises LakeInUseError where another one is.

    In a cluster that is a lease of its own, so that plans are carried out beside the ingest that made them; whoever compacts
    an embedded lake has the lake.
    """
    with cluster_lease.hold_lease(site, what, cluster_lease.COMPACTION, patience) if site.cluster else nullcontext():
        yield


@contextmanager
def planning(site: Site, what: str) -> Iterator[bool]:
    """Tells whether compactions may be planned in the block: only while nobody writes, because a plan misses open commits."""
    with ExitStack() as stack:
        may = True
        if site.cluster:
            may = holder(site) is None
            if may:
                try:
                    stack.enter_context(cluster_lease.hold_lease(site, what))
                except LakeInUseError:  # an ingest was faster
                    may = False
        yield may


@contextmanager
def one_at_a_time(site: Site, what: str) -> Iterator[None]:
    """Does the block when no other process of this lake does one of the same name."""
    if site.cluster:
        with cluster_lease.one_at_a_time(site, what):
            yield
        return
    with (site.local / f".{what}").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _hold_local(home: Path, what: str, has_endpoint: bool) -> Iterator[None]:
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (home / ".lease").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _in_use(home) from None
        _await_end_of_last_jvm(home)
        write_json(home / ".holder", asdict(Holder(f"process {os.getpid()}", what, has_endpoint)))
        yield


def remember_jvm(site: Site, pid: int) -> None:
    """Notes the JVM that writes for this process, so that the next holder can make sure that it has ended."""
    write_json(site.local / ".jvm", {"pid": pid, "started": _start_time(pid)})


def next_epoch(site: Site) -> int:
    """The number of this ingest run: one more than the last one's, also if that one was killed."""
    path = site.home / ".epoch"
    epoch = (json.loads(path.read_bytes()) if path.exists() else 0) + 1
    write_json(path, epoch)
    return epoch


@dataclass(frozen=True)
class Holder:
    """Who has a lake, like `process 4711`; what it does, and whether it serves questions meanwhile."""

    who: str
    what: str
    has_endpoint: bool = False


def holder(site: Site) -> Holder | None:
    """Who has the lake now, or None."""
    if site.cluster:
        who, _, what = (cluster_lease.holder(site) or "").partition(" ")
        return Holder(who, what) if who else None
    home = site.local
    path = home / ".lease"
    if not path.exists():
        return None
    with path.open("r") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _noted(home)
    return None


def _noted(home: Path) -> Holder:
    try:
        return Holder(**json.loads((home / ".holder").read_bytes()))
    except FileNotFoundError:  # it has just begun
        return Holder("another process", "it has just begun")


def _in_use(home: Path) -> LakeInUseError:
    by = _noted(home)
    problem = f"in use by {by.who} ({by.what})"
    return LakeInUseError(str(home), problem, "Wait until it ends, or stop it.", by.has_endpoint)


def _await_end_of_last_jvm(home: Path) -> None:
    path = home / ".jvm"
    if not path.exists():
        return
    jvm = json.loads(path.read_bytes())
    deadline = time.monotonic() + JVM_END_SECONDS
    while _start_time(jvm["pid"]) == jvm["started"] is not None:
        if time.monotonic() > deadline:
            raise LakeError(str(home), f"process {jvm['pid']} of an ended run still works on it", "End that process.")
        time.sleep(0.05)


def _start_time(pid: int) -> str | None:
    """The process's start time in clock ticks, which tells it from a later process of the same number."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (FileNotFoundError, ProcessLookupError):
        return None
