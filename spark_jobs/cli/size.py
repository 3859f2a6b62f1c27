"""`lake size`: what a load needs, from what the benchmarks measured."""

from __future__ import annotations

import json as json_
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from spark_jobs.cli.bench.refresh import RESULTS
from spark_jobs.cli.output import JsonOption, Output
from spark_jobs.errors import LakeError
from spark_jobs.sizing import Assumptions, Load, costs_of, grown, size_of
from spark_jobs.sizing.costs import told

BRIEF = Load()


def register(app: typer.Typer) -> None:
    """Adds the command of this module."""
    app.command(epilog="Example: lake size\n\nExample: lake size --zips-per-day 200000 --growth 0.15 --years 3 --json")(
        size
    )


def size(
    zips_per_day: Annotated[float, typer.Option(help="Zips that arrive a day.", min=1)] = BRIEF.zips_per_day,
    files_per_zip: Annotated[float, typer.Option(help="Files in a zip, on average.", min=1)] = round(
        BRIEF.files_per_zip
    ),
    peak_zips_per_hour: Annotated[
        float | None, typer.Option(help="Zips in the peak hour; by the brief's share of a day if not given.", min=1)
    ] = None,
    tables: Annotated[int, typer.Option(help="Target tables that they fill.", min=1)] = BRIEF.tables,
    growth: Annotated[float, typer.Option(help="Growth a year.", min=0)] = 0.2,
    years: Annotated[int, typer.Option(help="Years of growth.", min=0)] = 5,
    results: Annotated[Path, typer.Option(help="Folder of the benchmarks' kept figures.")] = RESULTS,
    json: JsonOption = False,
) -> None:
    """Cores, memory, disks, NameNode heap and file groups for a load, for its growth, and for a hundred times it.

    Everything that was delivered is kept. Costs are those that the benchmarks measured; what was not measured is assumed,
    and listed with its reason.
    """
    output = Output(json)
    share = peak_zips_per_hour / zips_per_day if peak_zips_per_hour else BRIEF.peak_hour_share
    load = Load(zips_per_day, files_per_zip, share, tables)
    costs, assumed = costs_of(_result(results, "day"), _result(results, "growth")), Assumptions()
    sizes = {
        name: {**_rounded(asdict(one)), **_rounded(asdict(size_of(one, costs, assumed)))}
        for name, one in grown(load, growth, years)
    }
    figures = list(next(iter(sizes.values())))
    output.table(
        f"For {zips_per_day:,.0f} zips a day, growing by {growth:.0%} a year",
        ["figure", *sizes],
        [[figure.replace("_", " "), *(one[figure] for one in sizes.values())] for figure in figures],
    )
    output.table("Measured", ["cost", "value", "what", "where"], [[*one.values()] for one in _ordered(told(costs))])
    output.table("Assumed", ["what", "value", "why"], [[*one.values()] for one in assumed.told()])
    output.result({"sizes": sizes, "measured": told(costs), "assumed": assumed.told()})


def _result(results: Path, name: str) -> dict[str, Any]:
    path = results / f"{name}.json"
    if not path.exists():
        raise LakeError("lake size", f"{path.name} is not there", f"Measure first: lake bench refresh {name}")
    return json_.loads(path.read_text())["result"]


def _ordered(costs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: one[key] for key in ("name", "value", "what", "where")} for one in costs]


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {
        name: float(f"{value:.3g}") if isinstance(value, float) and value < 1000 else round(value)
        for name, value in values.items()
    }
