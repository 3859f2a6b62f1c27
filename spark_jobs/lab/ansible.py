"""The playbooks' own environment, apart from the lake's, and running a playbook in it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from spark_jobs.errors import LakeError
from spark_jobs.site import ENVIRONMENT, REPOSITORY
from spark_jobs.venvs import make_venv

ANSIBLE = REPOSITORY / "ansible"
LOCK = ANSIBLE / "requirements.lock"
VENV = ENVIRONMENT / "ansible"


def ensure_ansible() -> None:
    """Makes the environment if it is not there, or was made from another lock file."""
    make_venv(VENV, LOCK)


def run_playbook(inventory: Path, playbook: str, more: Sequence[str] = (), out: int | None = None) -> None:
    """Runs `ansible/<playbook>` on the hosts of an inventory; what it prints goes to `out`, or stdout.

    Raises LakeError if a host failed or was not reached.
    """
    command = [str(VENV / "bin" / "ansible-playbook"), "--inventory", str(inventory), playbook, *more]
    done = subprocess.run(command, cwd=ANSIBLE, env=environment(), stdout=out, check=False)  # noqa: S603
    if done.returncode:
        raise LakeError(f"ansible-playbook {playbook}", "a host failed, or was not reached; its last task says why")


def environment() -> dict[str, str]:
    """What the tools of the environment need to find each other and their settings, wherever they are started."""
    path = f"{VENV / 'bin'}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "ANSIBLE_CONFIG": str(ANSIBLE / "ansible.cfg"), "LC_ALL": "C.UTF-8"}
