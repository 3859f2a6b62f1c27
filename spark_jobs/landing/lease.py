"""The embedded lake's lease: one process at a time, and a new number (epoch) for each ingest run.

The embedded metastore serves one process. A lock file tells whether another one runs; because a killed process leaves
its JVM behind for a moment, the lease is given only after that JVM is confirmed ended. A lease is no fence by itself.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from spark_jobs.errors import LakeError, LakeInUseError
from spark_jobs.landing.files import write_json

# A JVM whose driver was killed ends by itself within a second or two; half a minute is ample on a busy machine.
JVM_END_SECONDS = 30.0


@contextmanager
def hold_lease(home: Path, what: str, has_endpoint: bool = False) -> Iterator[None]:
    """Holds the lake in `home` for this process, saying `what` it does and whether it will serve questions meanwhile.

    Raises LakeInUseError when another process has it, LakeError when the JVM of an ended process does not end.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (home / ".lease").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _in_use(home) from None
        _await_end_of_last_jvm(home)
        write_json(home / ".holder", asdict(Holder(os.getpid(), what, has_endpoint)))
        yield


def remember_jvm(home: Path, pid: int) -> None:
    """Notes the JVM that writes for this process, so that the next holder can make sure that it has ended."""
    write_json(home / ".jvm", {"pid": pid, "started": _start_time(pid)})


def next_epoch(home: Path) -> int:
    """The number of this ingest run: one more than the last one's, also if that one was killed."""
    path = home / ".epoch"
    epoch = (json.loads(path.read_bytes()) if path.exists() else 0) + 1
    write_json(path, epoch)
    return epoch


@dataclass(frozen=True)
class Holder:
    """The process that has a lake: its id, what it does, and whether it serves questions meanwhile."""

    pid: int
    what: str
    has_endpoint: bool = False


def holder(home: Path) -> Holder | None:
    """Who has the lake now, or None."""
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
        return Holder(0, "another process")


def _in_use(home: Path) -> LakeInUseError:
    by = _noted(home)
    problem = f"in use by process {by.pid} ({by.what})"
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
