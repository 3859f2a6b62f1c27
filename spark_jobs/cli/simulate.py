"""`lake simulate`: deliveries of care facilities that never were, and the truth about them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spark_jobs.cli.output import JsonOption, Output
from tests import simulator


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command(epilog="Example: lake simulate --facilities 20 --zips 100 --seed 7 --out /tmp/deliveries")(simulate)


def simulate(
    out: Annotated[Path, typer.Option(help="Folder to write to; must not exist or be empty.")],
    facilities: Annotated[int, typer.Option(help="Care facilities that deliver.", min=1)] = 20,
    zips: Annotated[int, typer.Option(help="Zips delivered, over all waves.", min=25)] = 100,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
    waves: Annotated[int, typer.Option(help="Deliveries come in so many waves.", min=2)] = 3,
    edge_mb: Annotated[int, typer.Option(help="Size of the one very large zip in MB; 0 leaves it out.")] = 40,
    population: Annotated[
        int | None, typer.Option(help="Make so many new patients with Synthea first (takes minutes).")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Writes simulated deliveries to OUT/drop/<wave>/<landing folder>/ and what must become of them to OUT/truth/."""
    output = Output(json)
    with output.progress("simulating") as progress:
        synthea = simulator.population(population, out / "synthea") if population else None
        summary = simulator.simulate(
            out,
            facilities,
            zips,
            seed,
            waves=waves,
            edge_mb=edge_mb,
            synthea=synthea,
            progress=lambda text: progress.update(progress.task_ids[0], note=str(text)),
        )
    output.say(f"Deliveries are in {out / 'drop'}, the truth about them in {out / 'truth'}.")
    output.result({"out": str(out), **summary})
