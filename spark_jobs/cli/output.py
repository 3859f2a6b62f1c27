"""What commands say: tables and progress for people, one JSON object as the last line of stdout for machines."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from spark_jobs.errors import LakeError
from spark_jobs.hdfs import HdfsPath
from spark_jobs.landing.files import write_whole
from spark_jobs.site import SITE_FILE, Site, default_home, read_site

HomeOption = Annotated[
    Path,
    typer.Option(
        "--home", help="Folder of the lake.", envvar="CARELAKE_HOME", show_default=".lake/site in the checkout"
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line of stdout.")]
HOME = default_home()
# Names the file that the result of an application of YARN is left in.
RESULT = "CARELAKE_RESULT"
WIDTH_OF_FILES = 160


class Output:
    """Says things to a person on stdout, or on stderr where stdout belongs to a machine or (`aside`) to a tool."""

    def __init__(self, as_json: bool = False, aside: bool = False) -> None:
        self.as_json = as_json
        self.console = Console(stderr=as_json or aside, highlight=False)
        if not self.console.is_terminal:
            self.console.width = WIDTH_OF_FILES

    def say(self, text: str) -> None:
        """A line for people."""
        self.console.print(text)

    def table(self, title: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """A table for people; numbers are set to the right."""
        rows = [list(row) for row in rows]
        table = Table(title=title, title_justify="left", header_style="bold")
        for n, name in enumerate(header):
            numeric = bool(rows) and all(isinstance(row[n], int | float | Decimal) or row[n] is None for row in rows)
            table.add_column(name, justify="right" if numeric else "left")
        for row in rows:
            table.add_row(*("" if cell is None else str(cell) for cell in row))
        self.console.print(table)

    def result(self, value: dict[str, Any]) -> None:
        """The command's result for machines, and for whoever had YARN run it."""
        if self.as_json:
            print(json.dumps(value, default=_plain), flush=True)
        leave_result(value)

    @contextmanager
    def progress(self, what: str) -> Iterator[Progress]:
        """A bar with room for a text, that disappears when it is done; without a terminal it stays silent."""
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(20), MofNCompleteColumn())
        more = (TextColumn("{task.fields[note]}"), TimeElapsedColumn())
        with Progress(*columns, *more, console=self.console, transient=True) as progress:
            progress.add_task(what, total=None, note="")
            yield progress


def site(home: Path) -> Site:
    """The lake of the cluster that this host belongs to, or else the embedded one in `home`."""
    if SITE_FILE in os.environ:
        return read_site(Path(os.environ[SITE_FILE]))
    return Site(home.expanduser().absolute())


def fail(error: LakeError, as_json: bool) -> None:
    """Shows an error made for people, and for machines if they asked."""
    Console(stderr=True, highlight=False).print(f"[bold red]error[/] {escape(str(error))}")
    if as_json:
        print(json.dumps(error_as_dict(error)))


def error_as_dict(error: LakeError) -> dict[str, Any]:
    """An error for machines."""
    return {"error": {"where": error.where, "problem": error.problem, "hint": error.hint}}


def leave_result(value: dict[str, Any]) -> None:
    """Leaves the result of an application of YARN in the lake's `runs/`, if whoever started it has said under what name."""
    if name := os.environ.get(RESULT):
        write_whole(
            read_site(Path(os.environ[SITE_FILE])).home / "runs" / name, json.dumps(value, default=_plain).encode()
        )


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal | Path | HdfsPath):
        return str(value)
    raise TypeError(f"{type(value).__name__} can't be written as JSON")
