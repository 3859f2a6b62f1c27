"""The command line: one module a command group, put together here."""

from __future__ import annotations

import os
import sys

import typer

from spark_jobs.cli import (
    airflow,
    backup,
    bench,
    demo,
    feed,
    feed_dry_run,
    feed_history,
    feed_infer,
    feed_revisions,
    ingest,
    lab,
    quarantine,
    query,
    report,
    simulate,
    size,
    tables,
    testing,
    trace,
    vault,
)
from spark_jobs.cli.output import error_as_dict, fail, leave_result
from spark_jobs.cli.remote import run_there, site_of
from spark_jobs.errors import LakeError

app = typer.Typer(
    help="Carelake: zips of medical records in, queryable tables out, by rules kept in tables.",
    epilog="With --site INVENTORY, or CARELAKE_INVENTORY set, a command is run in that cluster: lake status --site inventory/lab",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
feed_history.register(feed.app)
feed_revisions.register(feed.app)
feed_dry_run.register(feed.app)
feed_infer.register(feed.app)
app.add_typer(feed.app, name="feed", help="Feeds: what is in force, what is wrong, and how to add one.")
app.add_typer(quarantine.app, name="quarantine", help="What was refused, and taking it in again.")
app.add_typer(report.app, name="report", help="Reports: which there are, and making their editions.")
app.add_typer(tables.app, name="tables", help="Tables: how they lie on disk, and compacting them.")
app.add_typer(vault.app, name="vault", help="The vault: whether the raw zips are still what they were.")
app.add_typer(airflow.app, name="airflow", help="Airflow: what its DAGs are made of, and running it on this machine.")
app.add_typer(bench.app, name="bench", help="Measurements that anyone can repeat.")
app.add_typer(lab.app, name="lab", help="Real Debian hosts on one machine, and the playbooks on them.")
for module in (demo, simulate, ingest, backup, trace, query, size, testing):
    module.register(app)


def main() -> None:
    """Runs the command line; an error made for people is shown as such, without a stack trace."""
    os.umask(0o077)  # whatever a lake writes is for its owner alone
    try:
        inventory, arguments = site_of(sys.argv[1:])
        if inventory:
            run_there(inventory, arguments)
        app(arguments, prog_name="./lake")
    except LakeError as error:
        fail(error, as_json="--json" in sys.argv)
        leave_result(error_as_dict(error))
        sys.exit(1)
