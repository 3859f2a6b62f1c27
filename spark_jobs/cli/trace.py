"""`lake trace`: the whole way of a zip."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape

from spark_jobs.cli.output import HOME, HomeOption, JsonOption, Output, site
from spark_jobs.jobs.trace import OUTCOMES, trace
from spark_jobs.tables.access import open_access

EXAMPLES = """Examples:

lake trace 3f0c9a1b

lake trace /srv/archive/ENC_NE0001_20260301.zip --names

lake trace ENC_NE0001_20260301.zip --json"""


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command("trace", epilog=EXAMPLES)(trace_zip)


def trace_zip(
    zip_: Annotated[
        str,
        typer.Argument(metavar="ZIP", help="Id of a zip or its beginning (8 characters or more), its name, or a file."),
    ],
    names: Annotated[bool, typer.Option("--names", help="Show given names; they may identify a patient.")] = False,
    home: HomeOption = HOME,
    json: JsonOption = False,
) -> None:
    """Shows the whole way of a zip: delivered, claimed, loaded, kept, and which of its rows are the newest today."""
    output = Output(json)
    with open_access(site(home), "lake trace") as access:
        found = trace(access, zip_, names)
    for one in found:
        show_trace(output, one)
    output.result({"zips": found})


def show_trace(output: Output, one: dict[str, Any]) -> None:
    """One zip, for people."""
    output.say(f"[bold]{one['zip_id']}[/]")
    output.table("", ["", ""], [[what, escape(str(value))] for what, value in _lines(one) if value not in (None, "")])
    if "tables" not in one:
        return
    members, rows = one["members"], one["rows"]
    counts = [["members", members["all"], *(members[outcome] for outcome in OUTCOMES)]]
    counts += [["rows", sum(rows.values()), *(rows.get(outcome, 0) for outcome in OUTCOMES)]]
    output.table("By outcome", ["", "all", *OUTCOMES], counts)
    if one["tables"]:
        output.table(
            "Target tables: rows loaded, and what they are today", list(one["tables"][0]), _cells(one["tables"])
        )
    if one["quarantine"]:
        output.table("Quarantine", list(one["quarantine"][0]), _cells(one["quarantine"]))


def _lines(one: dict[str, Any]) -> list[tuple[str, object]]:
    places = [(f"bytes in {place['kind']}", _place(place)) for place in one["places"]]
    return [
        ("delivered to", f"landing/{one['folder']}/, {one['landed_at']}"),
        ("name", one.get("name")),
        ("bytes", f"{one['bytes']:,}"),
        ("SHA-256", one["sha256"]),
        *places,
        ("feed", f"{one['feed']}, revision {one['revision']}" if one["feed"] else "none takes it"),
        ("batch", one["batch"]),
        ("state", one["state"] + (f" ({one['rule']})" if one.get("rule") else "")),
        ("accounted for", one.get("committed_at")),
        ("warnings", one.get("warnings")),
        ("duplicate of", one.get("duplicate_of")),
        ("its duplicates", ", ".join(one.get("duplicates", ()))),
        ("replays", _replays(one)),
    ]


def _place(place: dict[str, Any]) -> str:
    if place["kind"] == "vault":
        return f"{place['path']}, {place['length']:,} bytes from {place['offset']:,}"
    return str(place["path"])


def _replays(one: dict[str, Any]) -> str:
    done, waits = one.get("replays", 0), one["replay_waits"]
    return ", ".join([*([str(done)] if done else []), *(["one waits or is under way"] if waits else [])])


def _cells(records: list[dict[str, Any]]) -> list[list[object]]:
    return [[*record.values()] for record in records]
