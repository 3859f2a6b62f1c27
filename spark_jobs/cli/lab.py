"""`lake lab`: real Debian hosts on one machine, and the playbooks on them."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from spark_jobs.cli.output import JsonOption, Output
from spark_jobs.errors import LakeError
from spark_jobs.lab import ansible, lab, network, processes
from spark_jobs.lab.commands import require_root
from spark_jobs.lab.inventory import DEFAULT, read_lab
from spark_jobs.lab.state import lab_that_is_up, only_one, read_state

app = typer.Typer(no_args_is_help=True)
SiteOption = Annotated[
    Path | None,
    typer.Option("--site", help="Folder of an inventory.", show_default="the lab that is up, else inventory/lab"),
]
HostArgument = Annotated[str, typer.Argument(help="Name of a host.")]


@app.callback()
def lab_group() -> None:
    """Real Debian hosts on one machine (systemd-nspawn), deployed by the playbooks that deploy a cluster."""
    require_root("lake lab")


@app.command(epilog="Example: lake lab fetch")
def fetch(site: SiteOption = None, json: JsonOption = False) -> None:
    """Fetches what a lab keeps, and no host need be up: the base image, Ansible in .lake/ansible, the artifacts in .lake/artifacts.

    `up` and `deploy` fetch what they lack themselves, and take minutes less if it is there.
    """
    with only_one():
        _prepare_machine(Output(json))
        lab.make_base_image()
    _run_playbook(site, "playbooks/fetch.yml", json)


@app.command(epilog="Example: lake lab up\n\nExample: lake lab up --site inventory/lab-small")
def up(site: SiteOption = None, json: JsonOption = False) -> None:
    """Boots the hosts of an inventory; those that run are left alone. The first time, a base image is made (minutes)."""
    output = Output(json)
    with only_one():
        _prepare_machine(output)
        lab.up(read_lab(_site(site)))
    _show(output)


@app.command(epilog="Example: lake lab down")
def down(json: JsonOption = False) -> None:
    """Ends the hosts, removes their disks, and leaves the machine as it was. Keeps the base image and the artifacts."""
    with only_one():
        state = read_state()
        if state:
            lab.down(state.lab)
    Output(json).result({"was_up": state is not None})


@app.command(epilog="Example: lake lab status --json")
def status(json: JsonOption = False) -> None:
    """Shows the hosts of the lab that is up."""
    _show(Output(json))


@app.command(epilog="Example: lake lab kill n2")
def kill(host: HostArgument, json: JsonOption = False) -> None:
    """Ends a host as a power cut does. Its disk stays."""
    with only_one():
        processes.kill_host(lab_that_is_up().host(host))
    _show(Output(json))


@app.command(epilog="Example: lake lab start n2")
def start(host: HostArgument, json: JsonOption = False) -> None:
    """Boots a host that was killed, with the disk it had."""
    with only_one():
        here = lab_that_is_up()
        lab.start(here, (here.host(host),))
    _show(Output(json))


@app.command(epilog="Example: lake lab cut n2")
def cut(host: HostArgument, json: JsonOption = False) -> None:
    """Pulls a host's network cable. It runs on, alone."""
    _plug(host, False, json)


@app.command(epilog="Example: lake lab join n2")
def join(host: HostArgument, json: JsonOption = False) -> None:
    """Puts a host's network cable back."""
    _plug(host, True, json)


@app.command(epilog="Example: lake lab ssh n1\n\nExample: lake lab ssh n1 -- systemctl --failed")
def ssh(
    host: HostArgument,
    command: Annotated[list[str] | None, typer.Argument(help="What to run there; a shell if not given.")] = None,
    json: JsonOption = False,
) -> None:
    """Opens a shell on a host, or runs a command there. The exit code is the command's, so there is no JSON of it."""
    here = lab_that_is_up()
    options = ["-i", str(here.key), "-o", f"UserKnownHostsFile={here.known_hosts}", "-o", "LogLevel=ERROR"]
    os.execvp("ssh", ["ssh", *options, f"root@{here.host(host).address}", *(command or [])])  # noqa: S606, S607


@app.command(epilog="Example: lake lab deploy\n\nExample: lake lab deploy --site inventory/lab-small --check")
def deploy(
    site: SiteOption = None,
    playbook: Annotated[str, typer.Option(help="One component's playbook instead of all.")] = "site",
    check: Annotated[bool, typer.Option("--check", help="Change nothing; say what would be changed.")] = False,
    json: JsonOption = False,
) -> None:
    """Runs the playbook of the whole lake on the hosts. The first time, Ansible is installed in .lake/ansible."""
    path = "site.yml" if playbook == "site" else f"playbooks/{playbook}.yml"
    _run_playbook(site, path, json, *(["--check"] if check else []))


@app.command(epilog="Example: lake lab verify")
def verify(site: SiteOption = None, json: JsonOption = False) -> None:
    """Asks every service of every host to prove that it works: files are written and read, jobs run, standbys are named."""
    _run_playbook(site, "playbooks/verify.yml", json)


def _prepare_machine(output: Output) -> None:
    packages = lab.prepare_machine()
    if packages:
        output.say(f"Installed on this machine: {', '.join(packages)}")


def _run_playbook(site: Path | None, playbook: str, as_json: bool, *more: str) -> None:
    output, inventory = Output(as_json), _site(site)
    if not (ansible.ANSIBLE / playbook).is_file():
        names = ", ".join(sorted(path.stem for path in (ansible.ANSIBLE / "playbooks").glob("*.yml")))
        raise LakeError(playbook, "there is no such playbook", f"There are: site, {names}.")
    with only_one():
        _prepare_machine(output)
        ansible.ensure_ansible()
    ansible.run_playbook(inventory, playbook, more, out=sys.stderr.fileno() if as_json else None)
    output.result({"site": inventory.name, "playbook": playbook})


def _plug(host: str, plugged: bool, as_json: bool) -> None:
    with only_one():
        here = lab_that_is_up().host(host)
        if processes.first_process(here) is None:
            raise LakeError(
                f"host {host}", "it is off, and a host that is off has no cable", f"Use: lake lab start {host}"
            )
        network.plug(here, plugged)
    _show(Output(as_json))


def _show(output: Output) -> None:
    here = lab_that_is_up()
    hosts = lab.status(here)
    rows = ([host.name, host.address, host.state, "plugged" if host.plugged else "cut"] for host in hosts)
    output.table(f"Lab {here.name}", ["host", "address", "state", "cable"], rows)
    output.result({"lab": here.name, "hosts": [asdict(host) for host in hosts]})


def _site(given: Path | None) -> Path:
    state = read_state()
    return (given or (Path(state.inventory) if state else DEFAULT)).expanduser().absolute()
