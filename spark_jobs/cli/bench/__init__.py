"""`lake bench`: measurements that anyone can repeat, a module each; ratios within one run, seconds of this machine."""

from __future__ import annotations

import typer

from spark_jobs.cli.bench import growth, ingest, large, latency, refresh

app = typer.Typer(no_args_is_help=True)


@app.callback()
def bench() -> None:
    """Measurements that anyone can repeat."""


for module in (growth, ingest, large, latency, refresh):
    module.register(app)
