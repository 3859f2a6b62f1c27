"""`lake test`: the project's own tests, by tier."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Annotated

import typer

from spark_jobs.cli.airflow import VENV, airflow_environment, ensure_airflow
from spark_jobs.cli.output import JsonOption, Output
from spark_jobs.lab import ansible
from spark_jobs.site import REPOSITORY, Site
from spark_jobs.tables.session import BRIEF

TYPED = tuple(f"spark_jobs.{package}" for package in ("rules", "formats", "archives", "inference", "lab", "reports"))
PYTHON_FOLDERS = ("spark_jobs", "tests", "ansible", "airflow")
# What of the tier lab is run after each change: real hosts from nothing, rows in every reader, and the machine as it was.
CONFORMANCE = (
    "tests/lab/test_conformance.py",
    "tests/lab/test_zz_down.py::test_down_leaves_the_machine_as_it_was",
)
# Much of a lake's start is done by one core, and a commit is mostly waiting: with one part at a time the cores idle.
PARTS_AT_ONCE = 2
ALONE = ("bench", "conformance", "lab")  # they judge what a machine to themselves does

# A part of a tier: it writes what it says to a file, and returns its exit code.
Part = Callable[[IO[str]], int]


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command(epilog="Example: lake test\n\nExample: lake test unit\n\nExample: lake test drills --kills 10")(test)


def test(
    tiers: Annotated[
        list[str] | None,
        typer.Argument(
            help="lint, unit, spark, dags, drills, docs, playbooks, bench, conformance, lab; the first three if not given."
        ),
    ] = None,
    kills: Annotated[int, typer.Option(help="Kill the ingest job at so many random moments.", min=1)] = 3,
    lab: Annotated[bool, typer.Option("--lab", help="Run the tier lab alone.")] = False,
    json: JsonOption = False,
) -> None:
    """Runs the tests: lint and types, unit (no Spark, seconds), spark (one shared session, and an ingest that runs for good).

    The tier dags runs those of the DAGs in an Airflow of their own; the tier drills kills the ingest at random moments, loses
    a lake and restores it, and has dead compactors and tasks beside a writer. The tier docs runs the commands of the
    documentation, each in a process of its own; the tier bench runs each benchmark in a small way, and judges what it loads and
    says, not its speed; the tier playbooks holds playbooks and roles against ansible-lint.
    The tier lab makes three real Debian hosts on this machine, deploys them, and ends them; it needs root. The tier
    conformance is the part of it in which every reader's rows are held against the truth.
    Two parts run side by side; each is heard when it has ended, or at once if it is the only one.
    """
    # Nearly every JVM of the tests ends after seconds; those of lab hosts are not of them.
    os.environ.setdefault("JDK_JAVA_OPTIONS", BRIEF)
    tiers = ["lab"] if lab else tiers or ["lint", "unit", "spark"]
    parts = {name: part for tier in tiers for name, part in _parts(tier, kills).items()}
    at_once = 1 if set(tiers).intersection(ALONE) else PARTS_AT_ONCE
    output = Output(json)
    results = _run_all(parts, at_once, sys.stderr if json else sys.stdout)
    output.result({"passed": not any(results.values()), "exit_codes": results})
    raise typer.Exit(max(results.values(), default=0))


def _parts(tier: str, kills: int) -> dict[str, Part]:
    """The parts of a tier by their names: what shares a lake or a session is one part."""
    match tier:
        case "spark" | "drills":
            chosen = "drill" if tier == "drills" else "not drill"
            return {
                f"{tier}: one session": _pytest("tests/spark", "-m", f"{chosen} and not processes", f"--kills={kills}"),
                f"{tier}: processes": _pytest("tests/spark", "-m", f"{chosen} and processes", f"--kills={kills}"),
            }
        case "docs":
            pages = sorted((REPOSITORY / "tests" / "docs").glob("test_*.py"))
            return {f"docs: {page.stem.removeprefix('test_')}": _pytest(str(page)) for page in pages}
    whole = {
        "lint": _lint,
        "playbooks": _lint_playbooks,
        "dags": _test_dags,
        "conformance": _pytest(*CONFORMANCE),
    }
    return {tier: whole.get(tier) or _pytest(f"tests/{tier}")}


def _run_all(parts: dict[str, Part], at_once: int, out: IO[str]) -> dict[str, int]:
    """Runs the parts; those that can last longest begin first, so that none of them is left alone at the end."""
    if len(parts) == 1:
        return {name: part(out) for name, part in parts.items()}
    with ThreadPoolExecutor(at_once) as pool:
        order = sorted(parts, key=lambda name: not name.startswith(("spark", "drills")))
        futures = {name: pool.submit(_heard_at_its_end, name, parts[name], out) for name in order}
        return {name: futures[name].result() for name in parts}


def _heard_at_its_end(name: str, part: Part, out: IO[str]) -> int:
    began = time.monotonic()
    out.write(f"--- {name}: begun\n")
    out.flush()
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        code = part(said)
        said.seek(0)
        out.write(
            f"--- {name}: {'passed' if code == 0 else 'FAILED'} in {time.monotonic() - began:.0f} s\n{said.read()}\n"
        )
        out.flush()
    return code


def _lint(out: IO[str]) -> int:
    checks = [
        _run(out, "ruff", "check", *PYTHON_FOLDERS),
        _run(out, "ruff", "format", "--check", *PYTHON_FOLDERS),
        _run(out, "mypy", *(word for package in TYPED for word in ("-p", package))),
    ]
    return max(checks)


def _lint_playbooks(out: IO[str]) -> int:
    """Holds the playbooks and roles against ansible-lint's strictest profile."""
    ansible.ensure_ansible()
    command = [str(ansible.VENV / "bin" / "ansible-lint"), "--nocolor", "-q"]
    return _heard(out, command, ansible.ANSIBLE, ansible.environment())


def _test_dags(out: IO[str]) -> int:
    """Runs the tests of the DAGs in Airflow's own Python environment, with a lake and a database that are made for them."""
    ensure_airflow()
    with tempfile.TemporaryDirectory(prefix="carelake-dags-") as folder:
        environment = airflow_environment(Site(Path(folder) / "lake"))
        command = [str(VENV / "bin" / "python"), "-m", "pytest", "-p", "no:cacheprovider", "tests/dags"]
        return _heard(out, command, environment=environment)


def _pytest(*arguments: str) -> Part:
    return lambda out: _run(out, "pytest", *arguments)


def _run(out: IO[str], module: str, *arguments: str) -> int:
    return _heard(out, [sys.executable, "-m", module, *arguments])


def _heard(
    out: IO[str], command: list[str], folder: Path = REPOSITORY, environment: dict[str, str] | None = None
) -> int:
    """Runs a command in a folder; what it says goes to `out`. Returns its exit code."""
    return subprocess.run(  # noqa: S603
        command, cwd=folder, stdout=out, stderr=subprocess.STDOUT, env=environment, check=False
    ).returncode
