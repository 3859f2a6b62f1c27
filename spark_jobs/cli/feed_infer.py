"""`lake feed infer`: rules proposed from sample zips, as YAML to edit."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from spark_jobs.cli.feed import show_findings
from spark_jobs.cli.output import JsonOption, Output
from spark_jobs.errors import LakeError
from spark_jobs.inference import Proposal, feed_yaml, propose, target_yaml

EXAMPLES = """Examples:

lake feed infer samples/*.zip --feed visits --out my_rules

lake feed infer sample.zip"""


def register(app: typer.Typer) -> None:
    """Adds the command of this module to `lake feed`."""
    app.command(epilog=EXAMPLES)(infer)


def infer(
    zips: Annotated[
        list[Path], typer.Argument(help="Sample zips of one feed, under the names they are delivered with.")
    ],
    feed: Annotated[
        str | None, typer.Option(help="Name of the feed.", show_default="the folder that the samples are in")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write feeds/ and targets/ into.", show_default="to stdout")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")] = False,
    json: JsonOption = False,
) -> None:
    """Proposes rules from sample zips as YAML to edit: members, columns, types, keys. Never holds a value of the data.

    Of large samples the first members and rows are looked at; the file says so. Needs no lake.
    """
    output = Output(json, aside=out is None)
    started = time.monotonic()
    proposal = propose(zips, feed)
    files = _files(proposal)
    if out is None and not json:
        print("---\n".join(f"# {path}\n{text}" for path, text in files.items()), end="")
    if out is not None:
        _write(out, files, force)
    _say(output, proposal, out, time.monotonic() - started)
    output.result(
        {
            "feed": proposal.feed.feed,
            "targets": list(proposal.targets),
            "files": {str(path): text for path, text in files.items()},
            "rows": proposal.rows,
            "refused": proposal.refused,
            "notes": proposal.notes,
            "findings": [vars(finding) for finding in proposal.findings],
        }
    )


def _files(proposal: Proposal) -> dict[Path, str]:
    targets = {Path("targets") / f"{name}.yaml": target_yaml(proposal, name) for name in proposal.targets}
    return {Path("feeds") / f"{proposal.feed.feed}.yaml": feed_yaml(proposal), **targets}


def _write(out: Path, files: dict[Path, str], force: bool) -> None:
    taken = [str(out / path) for path in files if (out / path).exists()]
    if taken and not force:
        raise LakeError(", ".join(taken), "there already", "Give another folder, or overwrite with --force.")
    for path, text in files.items():
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_text(text, encoding="utf-8")


def _say(output: Output, proposal: Proposal, out: Path | None, seconds: float) -> None:
    """What was proposed, in short, and what to do next."""
    for member in proposal.feed.readers:
        rows, refused = proposal.rows.get(member.member, 0), proposal.refused.get(member.member, 0)
        key = ", ".join(proposal.targets[member.target or ""].record_key)
        output.say(f"{member.member}: {len(member.columns)} columns, {rows} rows read, {refused} refused; key {key}")
    for note in proposal.notes:
        output.say(f"[yellow]note[/] {note}")
    show_findings(output, proposal.findings)
    where = f"Written to {out}" if out else "Nothing was written; --out FOLDER does"
    output.say(
        f"{where} ({seconds:.1f} s). Go through every TODO, then: lake feed dry-run {out or 'FOLDER'} SAMPLE.zip"
    )
