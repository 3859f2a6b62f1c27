"""Running hosts, told from the process table: nothing is remembered that a crash could make untrue."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from spark_jobs.errors import LakeError
from spark_jobs.lab.inventory import Host, Lab
from spark_jobs.lab.network import link_exists

PROC = Path("/proc")
STOP_SECONDS = 30
BOOT_SECONDS = 60
# nspawn ends with 133 when the host asked for a reboot.
KEEPER = 'while "$@"; test $? = 133; do :; done'


def start_host(lab: Lab, host: Host) -> None:
    """Boots a host that does not run; ends as soon as its processes are there."""
    if nspawn_of(host):
        return
    # The old end of the cable goes a moment after its host; a new one can't be made before.
    wait_until(lambda: not link_exists(host.link), STOP_SECONDS, f"host {host.name}", "its old network link stays")
    nspawn = [
        *("systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot", "--console=read-only"),
        *(f"--directory={host.root}", f"--machine={host.name}", f"--network-bridge={lab.bridge}"),
        *("--resolv-conf=off", "--link-journal=no"),
    ]
    with host.console.open("ab") as console:
        subprocess.Popen(  # noqa: S603
            ["/bin/sh", "-c", KEEPER, "keeper", *nspawn],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            start_new_session=True,
            umask=0o022,
        )
    wait_until(lambda: first_process(host) is not None, BOOT_SECONDS, f"host {host.name}", "it did not start")


def await_ssh(host: Host) -> None:
    """Waits until the host's ssh answers."""
    wait_until(lambda: _greets(host.address), BOOT_SECONDS, f"host {host.name}", "its ssh does not answer")


def kill_host(host: Host) -> None:
    """Ends a host as a power cut does: SIGKILL to its first process, and with that to all of them."""
    leader = first_process(host)
    if leader is None:
        return
    os.kill(leader, signal.SIGKILL)
    _await_end(host)


def first_process(host: Host) -> int | None:
    """The number that the host's process 1 has on this machine."""
    nspawn = nspawn_of(host)
    if nspawn is None:
        return None
    try:
        children = (PROC / str(nspawn) / "task" / str(nspawn) / "children").read_text().split()
    except OSError:
        return None
    return int(children[0]) if children else None


def nspawn_of(host: Host) -> int | None:
    """The nspawn process that keeps the host, if it runs."""
    argument = f"--directory={host.root}"
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            words = _command(entry)
            if words[:1] == ["systemd-nspawn"] and argument in words:
                return int(entry.name)
    return None


def wait_until(holds: Callable[[], bool], seconds: float, where: str, problem: str) -> None:
    """Waits until `holds`; raises LakeError after so many seconds."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise LakeError(where, f"{problem} after {seconds:.0f} s", "Its console is kept in .lake/lab/.")
        time.sleep(0.1)


def _await_end(host: Host) -> None:
    ended = lambda: nspawn_of(host) is None  # noqa: E731
    wait_until(ended, STOP_SECONDS, f"host {host.name}", "it did not end")


def _command(process: Path) -> list[str]:
    try:
        return (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:  # it has ended meanwhile
        return []


def _greets(address: str) -> bool:
    try:
        with socket.create_connection((address, 22), timeout=1) as connection:
            connection.settimeout(1)
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False
