"""The command line: one module a command group, put together here."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

import typer

from spark_jobs.cli.output import error_as_dict, fail, leave_result
from spark_jobs.cli.remote import run_there, site_of
from spark_jobs.errors import LakeError

# Groups of commands, each a module of its name in this package; and the modules beside it that add commands to the group.
GROUPS = {
    "feed": "Feeds: what is in force, what is wrong, and how to add one.",
    "quarantine": "What was refused, and taking it in again.",
    "report": "Reports: which there are, and making their editions.",
    "tables": "Tables: how they lie on disk, and compacting them.",
    "vault": "The vault: whether the raw zips are still what they were.",
    "airflow": "Airflow: what its DAGs are made of, and running it on this machine.",
    "bench": "Measurements that anyone can repeat.",
    "lab": "Real Debian hosts on one machine, and the playbooks on them.",
}
BESIDE = {"feed": ("feed_history", "feed_revisions", "feed_dry_run", "feed_infer")}
# Modules of this package with commands that belong to no group.
COMMANDS = {
    "demo": ("demo",),
    "simulate": ("simulate",),
    "ingest": ("land", "ingest", "status"),
    "backup": ("backup", "backups", "restore"),
    "trace": ("trace",),
    "query": ("sql",),
    "size": ("size",),
    "testing": ("test",),
}
WORDS = {*GROUPS, *(command for commands in COMMANDS.values() for command in commands)}


def command_line(word: str = "") -> typer.Typer:
    """The command line; where `word` is a group or a command, with that alone.

    To import every module takes over a second of a core, which each command would pay.
    """
    app = typer.Typer(
        help="Carelake: zips of medical records in, queryable tables out, by rules kept in tables.",
        epilog="With --site INVENTORY, or CARELAKE_INVENTORY set, a command is run in that cluster: lake status --site inventory/lab",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    app.callback()(lambda: None)  # a command that is alone is still said by its name
    chosen = {word} if word in WORDS else WORDS
    for name, purpose in GROUPS.items():
        if name in chosen:
            group = _module(name).app
            for module in BESIDE.get(name, ()):
                _module(module).register(group)
            app.add_typer(group, name=name, help=purpose)
    for module, commands in COMMANDS.items():
        if chosen.intersection(commands):
            _module(module).register(app)
    return app


def main() -> None:
    """Runs the command line; an error made for people is shown as such, without a stack trace."""
    os.umask(0o077)  # whatever a lake writes is for its owner alone
    try:
        inventory, arguments = site_of(sys.argv[1:])
        if inventory:
            run_there(inventory, arguments)
        command_line(next(iter(arguments), ""))(arguments, prog_name="./lake")
    except LakeError as error:
        fail(error, as_json="--json" in sys.argv)
        leave_result(error_as_dict(error))
        sys.exit(1)


def _module(name: str) -> Any:
    return import_module(f"spark_jobs.cli.{name}")
