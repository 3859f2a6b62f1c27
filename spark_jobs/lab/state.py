"""Which lab is up on this machine, and how the machine was before: one file, written first and removed last."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from spark_jobs.errors import LakeError
from spark_jobs.lab.inventory import LABS, Lab, read_lab
from spark_jobs.landing.files import write_json

STATE = LABS / "up.json"
BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class State:
    """The lab that is up, and what it changed of the machine outside its own links: the uplink's forwarding."""

    inventory: str
    uplink: str
    forwarded: bool
    boot: str

    @property
    def lab(self) -> Lab:
        """The lab, as its inventory describes it."""
        return read_lab(Path(self.inventory))

    @property
    def of_this_boot(self) -> bool:
        """False if the machine was restarted since: then it forgot the links by itself."""
        return self.boot == BOOT.read_text().strip()


def read_state() -> State | None:
    """The state, or None if no lab is up."""
    return State(**json.loads(STATE.read_text())) if STATE.exists() else None


def lab_that_is_up() -> Lab:
    """The lab that is up; LakeError if there is none."""
    state = read_state()
    if state is None:
        raise LakeError("lake lab", "no lab is up", "Use: lake lab up")
    return state.lab


def note_state(lab: Lab, uplink: str, forwarded: bool) -> State:
    """Remembers how the machine is before the lab changes it; what is remembered already stays."""
    state = read_state()
    if state and state.of_this_boot:
        return state
    state = State(str(lab.inventory), uplink, forwarded, BOOT.read_text().strip())
    write_json(STATE, asdict(state))
    return state


def forget_state() -> None:
    """The lab is gone."""
    STATE.unlink(missing_ok=True)


@contextmanager
def only_one() -> Iterator[None]:
    """Keeps a second command from changing hosts at the same time; it waits."""
    LABS.mkdir(parents=True, exist_ok=True)
    with (LABS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
