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

    By Mitogen, which keeps a Python on each host instead of starting one for each task: the playbooks need it not, but the hosts of
    a lab share a few cores (docs/decisions/0025-mitogen-for-the-lab.md). Raises LakeError if a host failed or was not reached.
    """
    # What is sent is mostly jars, which don't get smaller.
    mitogen = ("--extra-vars", '{"mitogen_ssh_compression": false}')
    command = [str(VENV / "bin" / "ansible-playbook"), "--inventory", str(inventory), playbook, *mitogen, *more]
    done = subprocess.run(command, cwd=ANSIBLE, env=environment() | _by_mitogen(), stdout=out, check=False)  # noqa: S603
    if done.returncode:
        raise LakeError(f"ansible-playbook {playbook}", "a host failed, or was not reached; its last task says why")


def environment() -> dict[str, str]:
    """What the tools of the environment need to find each other and their settings, wherever they are started."""
    path = f"{VENV / 'bin'}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "ANSIBLE_CONFIG": str(ANSIBLE / "ansible.cfg"), "LC_ALL": "C.UTF-8"}


def _by_mitogen() -> dict[str, str]:
    (plugins,) = (VENV / "lib").glob("python3*/site-packages/ansible_mitogen/plugins/strategy")
    # Ansible warns of strategies that are not its own: that it may end them is known.
    warnings = {"ANSIBLE_DEPRECATION_WARNINGS": "False"}
    return {"ANSIBLE_STRATEGY": "mitogen_linear", "ANSIBLE_STRATEGY_PLUGINS": str(plugins), **warnings}
