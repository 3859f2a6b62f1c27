"""`lake bench refresh` and `lake bench plot`: the figures and plots of docs/reference/benchmarks.md, made anew."""

from __future__ import annotations

import json as json_
import subprocess
from pathlib import Path
from typing import Annotated, Any

import typer

from spark_jobs.cli.bench.measuring import LAKE, machine
from spark_jobs.cli.bench.pages import figures_page
from spark_jobs.cli.bench.plots import plots_of
from spark_jobs.cli.output import JsonOption, Output
from spark_jobs.errors import LakeError
from spark_jobs.site import REPOSITORY

RESULTS = REPOSITORY / "docs" / "reference" / "benchmarks"
# What is run for each page of figures.
COMMANDS = {
    "ingest": "ingest --zips 1000 --warm-up-zips 240 --rounds 3",
    "text": "ingest --format text --zips 200 --rounds 3",
    "day": "ingest --day",
    "latency": "latency",
    "growth": "growth",
    "large": "large",
}


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command(epilog="Example: lake bench refresh\n\nExample: lake bench refresh ingest day")(refresh)
    app.command(epilog="Example: lake bench plot")(plot)


def refresh(
    names: Annotated[list[str] | None, typer.Argument(help=f"{', '.join(COMMANDS)}; all if not given.")] = None,
    results: Annotated[Path, typer.Option(help="Folder that figures and plots are written to.")] = RESULTS,
    json: JsonOption = False,
) -> None:
    """Runs the benchmarks one after the other, keeps what they say beside the documentation, and plots it.

    For hours; wants a machine that does nothing else.
    """
    output = Output(json)
    names = names or list(COMMANDS)
    if unknown := set(names) - set(COMMANDS):
        raise LakeError(
            "lake bench refresh", f"no benchmark {', '.join(sorted(unknown))}", f"One of {', '.join(COMMANDS)}."
        )
    for name in names:
        output.say(f"lake bench {COMMANDS[name]}")
        kept = {"command": f"lake bench {COMMANDS[name]}", "commit": _commit(), "machine": machine()}
        kept["result"] = _run(name)
        _write(results / f"{name}.json", json_.dumps(kept, indent=1) + "\n")
    output.result({"refreshed": names, "plots": _plot_all(results)})


def plot(
    results: Annotated[Path, typer.Option(help="Folder of the figures; the plots go there too.")] = RESULTS,
    json: JsonOption = False,
) -> None:
    """Plots the figures that `lake bench refresh` has kept."""
    output = Output(json)
    plots = _plot_all(results)
    output.say(f"{len(plots)} plots are in {results}.")
    output.result({"plots": plots})


def _run(name: str) -> dict[str, Any]:
    command = [*LAKE, "bench", *COMMANDS[name].split(), "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise LakeError("lake bench refresh", f"{name} ended with exit code {done.returncode}")
    return json_.loads(done.stdout.splitlines()[-1])


def _plot_all(results: Path) -> list[str]:
    """Writes the plots of all kept results, and the page that shows them; returns the names of the plots."""
    files = {name: results / f"{name}.json" for name in COMMANDS}
    kept = {name: json_.loads(path.read_text()) for name, path in files.items() if path.exists()}
    plots = {name: plots_of(name, one["result"]) for name, one in kept.items()}
    for some in plots.values():
        for file, svg in some.items():
            _write(results / file, svg)
    _write(results / "figures.md", figures_page(kept, {name: list(some) for name, some in plots.items()}))
    return [file for some in plots.values() for file in some]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o644)  # documentation, not data


def _commit() -> str:
    command = ["git", "-C", str(REPOSITORY), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603
