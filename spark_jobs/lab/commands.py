"""Running the machine's own tools, and what of the machine is needed for it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from spark_jobs.errors import LakeError

# The tool, and the Debian package it comes in.
TOOLS = {
    "debootstrap": "debootstrap",
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "iptables": "iptables",
    "ssh-keygen": "openssh-client",
    "mvn": "maven",
}
OUTPUT_SHOWN = 2000


def run(*command: str | Path, log: Path | None = None) -> str:
    """Runs a command and returns its stdout; `log` takes all it says instead, where that is much.

    Raises LakeError with the end of what it said. New files get the machine's usual rights, not those of a lake's.
    """
    words = [str(word) for word in command]
    if log is None:
        done = subprocess.run(words, capture_output=True, text=True, check=False, umask=0o022)  # noqa: S603
        said = done.stderr or done.stdout
    else:
        with log.open("a") as out:
            done = subprocess.run(words, stdout=out, stderr=out, text=True, check=False, umask=0o022)  # noqa: S603
        said = log.read_text(errors="replace")
    if done.returncode:
        raise LakeError(" ".join(words[:4]), f"ended with {done.returncode}: {said[-OUTPUT_SHOWN:].strip()}")
    return done.stdout or ""


def succeeds(*command: str | Path) -> bool:
    """Whether a command ends with 0; what it says is dropped."""
    words = [str(word) for word in command]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0  # noqa: S603


def require_root(what: str) -> None:
    """Refuses anyone but root: hosts, mounts and links are made."""
    if os.geteuid() != 0:
        raise LakeError(what, "hosts, mounts and network links can be made by root alone", f"Use: sudo ./{what}")


def missing_packages(tools: Mapping[str, str] = TOOLS) -> list[str]:
    """Debian packages of the tools that this machine lacks."""
    return sorted(package for tool, package in tools.items() if shutil.which(tool) is None)


def install_packages(packages: list[str], log: Path) -> None:
    """Installs Debian packages from the sources this machine has."""
    run("apt-get", "-q", "update", log=log)
    run(
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "-qy",
        "--no-install-recommends",
        "install",
        *packages,
        log=log,
    )
