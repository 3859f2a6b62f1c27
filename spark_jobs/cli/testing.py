"""`lake test`: the project's own tests, by tier."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from spark_jobs.cli.airflow import VENV, airflow_environment, ensure_airflow
from spark_jobs.cli.output import JsonOption, Output
from spark_jobs.site import REPOSITORY, Site

TYPED = tuple(f"spark_jobs.{package}" for package in ("rules", "formats", "archives", "inference", "lab", "reports"))
PYTHON_FOLDERS = ("spark_jobs", "tests", "ansible", "airflow")
# What of the tier lab is run after each change: real hosts from nothing, rows in every reader, and the machine as it was.
CONFORMANCE = (
    "tests/lab/test_conformance.py",
    "tests/lab/test_zz_down.py::test_down_leaves_the_machine_as_it_was",
)


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command(epilog="Example: lake test\n\nExample: lake test unit\n\nExample: lake test --kills 10")(test)


def test(
    tiers: Annotated[
        list[str] | None,
        typer.Argument(help="lint, unit, spark, dags, docs, bench, conformance, lab; the first four if not given."),
    ] = None,
    kills: Annotated[int, typer.Option(help="Kill the ingest job at so many random moments.", min=1)] = 3,
    lab: Annotated[bool, typer.Option("--lab", help="Run the tier lab alone.")] = False,
    json: JsonOption = False,
) -> None:
    """Runs the tests: lint and types, unit (no Spark, seconds), spark (one shared session, real kills), dags (in Airflow).

    The tier docs runs the commands of the documentation, each in a process of its own; the tier bench runs each benchmark
    in a small way, and judges what it loads and says, not its speed.
    The tier lab makes three real Debian hosts on this machine, deploys them, and ends them; it needs root. The tier
    conformance is the part of it in which every reader's rows are held against the truth.
    """
    tiers = ["lab"] if lab else tiers or ["lint", "unit", "spark", "dags"]
    results = {"lint": _lint()} if "lint" in tiers else {}
    folders = [f"tests/{tier}" for tier in tiers if tier not in ("lint", "dags", "conformance")]
    if "conformance" in tiers:
        folders += CONFORMANCE
    if folders:
        results["pytest"] = _run("pytest", *folders, f"--kills={kills}")
    if "dags" in tiers:
        results["dags"] = _test_dags()
    Output(json).result({"passed": not any(results.values()), "exit_codes": results})
    raise typer.Exit(max(results.values(), default=0))


def _lint() -> int:
    checks = [
        _run("ruff", "check", *PYTHON_FOLDERS),
        _run("ruff", "format", "--check", *PYTHON_FOLDERS),
        _run("mypy", *(part for package in TYPED for part in ("-p", package))),
    ]
    return max(checks)


def _test_dags() -> int:
    """Runs the tests of the DAGs in Airflow's own Python environment, with a lake and a database that are made for them."""
    ensure_airflow()
    with tempfile.TemporaryDirectory(prefix="carelake-dags-") as folder:
        environment = airflow_environment(Site(Path(folder) / "lake"))
        command = [VENV / "bin" / "python", "-m", "pytest", "-p", "no:cacheprovider", "tests/dags"]
        out = sys.stderr if "--json" in sys.argv else None
        return subprocess.run(command, cwd=REPOSITORY, stdout=out, env=environment, check=False).returncode  # noqa: S603


def _run(module: str, *arguments: str) -> int:
    """Runs a tool; what it prints goes to stderr where stdout belongs to a machine, to stdout otherwise."""
    command = [sys.executable, "-m", module, *arguments]
    out = sys.stderr if "--json" in sys.argv else None
    return subprocess.run(command, cwd=REPOSITORY, stdout=out, env=os.environ, check=False).returncode  # noqa: S603
