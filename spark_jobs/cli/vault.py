"""`lake vault`: whether the raw zips are still what they were."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Annotated

import typer

from spark_jobs.cli.output import HOME, HomeOption, JsonOption, Output, site
from spark_jobs.errors import LakeError
from spark_jobs.landing.vault_check import check_vault

app = typer.Typer(no_args_is_help=True)


@app.callback()
def vault_group() -> None:
    """The vault: every raw zip that went through, packed into bundles."""


@app.command(epilog="Example: lake vault verify\n\nExample: lake vault verify --part 25/30")
def verify(
    part: Annotated[
        str, typer.Option(help="N/M: read the Nth of M equal parts of the bundles; a part a day reads all in M days.")
    ] = "1/1",
    home: HomeOption = HOME,
    json: JsonOption = False,
) -> None:
    """Reads bundles and hashes every zip in them; exit code 1 if one is not what was packed. Works beside an ingest."""
    output = Output(json)
    checked = check_vault(site(home).vault, *_part(part))
    output.say(f"{checked.bundles:,} bundles with {checked.zips:,} zips, {checked.bytes / 1e6:,.1f} MB, were read.")
    for defect in checked.defects:
        what = f"zip {defect.zip_id} in bundle {defect.bundle}" if defect.zip_id else f"bundle {defect.bundle}"
        output.say(f"[bold red]wrong[/] {what}: {defect.problem}")
    output.result({**asdict(checked), "wrong": len(checked.defects)})
    if checked.defects:
        raise typer.Exit(1)


def _part(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,4})/(\d{1,4})", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise LakeError("lake vault verify", f"{text} is not a part", "Say N/M with 1 <= N <= M, such as 3/30.")
    return int(match[1]), int(match[2])
