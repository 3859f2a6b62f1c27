"""`--site INVENTORY`: the command is run on a host of the cluster that the inventory describes, which has `lake` from its playbooks."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from hashlib import sha256
from operator import itemgetter
from pathlib import Path
from typing import Any

from spark_jobs.errors import LakeError
from spark_jobs.landing.files import write_json
from spark_jobs.site import ENVIRONMENT

OPTION = "--site"
DEFAULT = "CARELAKE_INVENTORY"
# These run on the control node: what they make or reach is not inside the cluster.
AT_HOME = {"lab", "test", "bench", "demo", "size"}
# Hosts that run jobs are asked in the order of the inventory; two dead ones are enough.
HOSTS = "nodemanagers[0:2]"
WAY_IN = (
    "{{ dict(place=groups.nodemanagers.index(inventory_hostname), name=inventory_hostname, host=ansible_host, user=ansible_user,"
    " key=ansible_ssh_private_key_file | default(''), more=ansible_ssh_common_args | default('')) }}"
)
CONNECT_SECONDS = 5


def site_of(arguments: Sequence[str]) -> tuple[Path | None, list[str]]:
    """The inventory that a command is for, if any, and its arguments without it. Raises LakeError where none is named."""
    rest = list(arguments)
    if AT_HOME.intersection(rest[:1]):
        return None, rest
    given = os.environ.get(DEFAULT)
    for place, word in enumerate(rest):
        if word == OPTION or word.startswith(f"{OPTION}="):
            _, _, given = word.partition("=")
            if not given:
                given = rest.pop(place + 1) if place + 1 < len(rest) else ""
            del rest[place]
            break
    if given is None:
        return None, rest
    inventory = Path(given).expanduser().absolute()
    if not (inventory / "hosts.yml").is_file():
        raise LakeError(given or OPTION, "there is no inventory (no hosts.yml)", "Use: --site inventory/lab")
    return inventory, rest


def run_there(inventory: Path, arguments: Sequence[str]) -> None:
    """Becomes the same command on the first host that runs jobs and answers. Files that it names are those of that host."""
    way = first_that_answers(_ways_in(inventory))
    terminal = ["-t"] if sys.stdin.isatty() and sys.stdout.isatty() else []
    there = shlex.join(["sudo", "lake", *arguments] if way["user"] != "root" else ["lake", *arguments])
    os.execvp("ssh", [*_ssh(way, *terminal), there])  # noqa: S606, S607


def first_that_answers(ways: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The first of these ways into hosts by which ssh comes in; the last one untried: what is wrong with it, ssh says best."""
    for way in ways[:-1]:
        words = [*_ssh(way, "-o", f"ConnectTimeout={CONNECT_SECONDS}"), "true"]
        if subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0:  # noqa: S603
            return way
        print(f"{way['name']} does not answer by ssh: the next host is asked", file=sys.stderr)
    return ways[-1]


def _ssh(way: Mapping[str, Any], *more: str) -> list[str]:
    key = ["-i", way["key"]] if way["key"] else []
    return ["ssh", *more, *key, *shlex.split(way["more"]), "-o", "LogLevel=ERROR", f"{way['user']}@{way['host']}"]


def _ways_in(inventory: Path) -> list[dict[str, Any]]:
    """Address, user and ssh options of the hosts, as Ansible understands the inventory; kept until its files change."""
    state = [WAY_IN, *((str(path), path.stat().st_mtime_ns) for path in sorted(inventory.rglob("*.yml")))]
    kept = ENVIRONMENT / "sites" / f"{sha256(json.dumps(state).encode()).hexdigest()[:16]}.json"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_json(kept, _ask_ansible(inventory))
    return list(json.loads(kept.read_bytes()))


def _ask_ansible(inventory: Path) -> list[dict[str, Any]]:
    from spark_jobs.lab import ansible  # noqa: PLC0415  # of no use where a command runs at home

    ansible.ensure_ansible()
    words = (
        HOSTS,
        "--inventory",
        inventory,
        "--one-line",
        "--module-name",
        "debug",
        "--args",
        f"msg={WAY_IN}",
    )
    settings = {**ansible.environment(), "ANSIBLE_NOCOLOR": "1"}
    command = [ansible.VENV / "bin" / "ansible", *words]
    done = subprocess.run(command, env=settings, cwd=ansible.ANSIBLE, capture_output=True, text=True, check=False)  # noqa: S603
    try:
        ways = [json.loads(line.partition("=>")[2])["msg"] for line in done.stdout.splitlines() or [""]]
        return sorted(ways, key=itemgetter("place"))
    except (ValueError, LookupError, TypeError):  # words instead of a way, or nothing
        hint = "\n  ".join((done.stderr or done.stdout).splitlines()[-3:])
        raise LakeError(str(inventory), "Ansible can't tell how to reach its first nodemanagers", hint) from None
