"""`lake airflow`: what Airflow's DAGs are made of, and an Airflow of one's own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Annotated

import typer

from spark_jobs.cli.output import HOME, HomeOption, JsonOption, Output, site
from spark_jobs.errors import LakeError
from spark_jobs.jobs.dag_snapshot import newest_commits, write_dag_snapshot
from spark_jobs.site import ENVIRONMENT, REPOSITORY, Site
from spark_jobs.tables.access import open_access
from spark_jobs.tables.rule_store import read_rules
from spark_jobs.venvs import make_venv

app = typer.Typer(no_args_is_help=True)
AIRFLOW = REPOSITORY / "airflow"
# The second one adds what the tests of the DAGs need.
LOCKS = (AIRFLOW / "requirements.lock", REPOSITORY / "tests" / "dags" / "requirements.lock")
VENV = ENVIRONMENT / "airflow"


@app.callback()
def airflow_group() -> None:
    """Airflow: the DAGs of a lake, made of what its rule tables say."""


@app.command(epilog="Example: lake airflow snapshot --out /srv/airflow/dags.json")
def snapshot(
    out: Annotated[Path | None, typer.Option(help="The file.", show_default="airflow/dags.json in the lake")] = None,
    home: HomeOption = HOME,
    json: JsonOption = False,
) -> None:
    """Writes what the DAGs are made of: the reports and target tables in force. Airflow reads nothing else while it parses."""
    output, path = Output(json), out or snapshot_of(site(home))
    with open_access(site(home), "lake airflow snapshot") as access:
        written = write_dag_snapshot(read_rules(access), path.expanduser().absolute())
    counts = {what: len(written[what]) for what in ("reports", "tables")}
    output.say(f"{counts['reports']} reports and {counts['tables']} tables are in {path}.")
    output.result({**counts, "snapshot": path})


@app.command(epilog="Example: lake airflow changes --json")
def changes(home: HomeOption = HOME, json: JsonOption = False) -> None:
    """Says the newest commit of each target table. Reads timelines alone: it works beside an ingest, which knows nothing of it."""
    output = Output(json)
    found = newest_commits(site(home))
    output.table("Newest commits", ["table", "instant"], found.items())
    output.result({"commits": found})


@app.command(epilog="Example: lake airflow standalone --port 8080")
def standalone(
    port: Annotated[int, typer.Option(help="Port of the pages, on this machine alone.")] = 8080,
    home: HomeOption = HOME,
    json: JsonOption = False,
) -> None:
    """Runs an Airflow for this lake until it is stopped: scheduler, pages, database, in the lake's folder `airflow/`.

    The first time, Airflow is installed in .lake/airflow. Name and password for the pages are in
    `airflow/simple_auth_manager_passwords.json.generated` of the lake's folder.
    """
    output, lake = Output(json), site(home)
    ensure_airflow()
    # Tasks report to the server by its address.
    address = f"http://127.0.0.1:{port}"
    environment = {**airflow_environment(lake), "AIRFLOW__API__PORT": str(port), "AIRFLOW__API__BASE_URL": address}
    tool = str(VENV / "bin" / "airflow")
    for first in (("db", "migrate"), ("pools", "import", str(AIRFLOW / "pools.json"))):
        done = subprocess.run([tool, *first], env=environment, capture_output=True, check=False)  # noqa: S603
        if done.returncode:
            raise LakeError(f"airflow {' '.join(first)}", f"ended with {done.returncode}")
    output.say(f"Pages: {address}")
    output.result({"port": port, "airflow_home": environment["AIRFLOW_HOME"]})
    os.execve(tool, [tool, "standalone"], environment)  # noqa: S606


def ensure_airflow() -> None:
    """Makes Airflow's Python environment if it is not there, or was made from other lock files."""
    make_venv(VENV, *LOCKS)


def snapshot_of(lake: Site) -> Path:
    """The file that an embedded lake's DAGs are made of."""
    return lake.home / "airflow" / "dags.json"


def airflow_environment(lake: Site) -> dict[str, str]:
    """The environment of every process of an embedded lake's Airflow, which keeps all it has in the lake's folder."""
    folder = lake.home / "airflow"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings = {
        "AIRFLOW__CORE__DAGS_FOLDER": str(AIRFLOW / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__WORKERS": "1",
        # A report that was inserted is to be a DAG within minutes.
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "30",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    return {
        **{name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")},
        **settings,
        "AIRFLOW_HOME": str(folder),
        "PATH": f"{VENV / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(AIRFLOW),
        "CARELAKE_COMMAND": str(REPOSITORY / "lake"),
        "CARELAKE_HOME": str(lake.home),
        "CARELAKE_DAGS": str(snapshot_of(lake)),
    }
