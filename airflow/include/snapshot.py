"""The last good snapshot of the rules: all that DAGs are made of. Nothing else is asked while they are parsed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from include.places import DAGS

FORMAT = 1


@dataclass(frozen=True)
class ReportRow:
    """A report in force. One of `cron` (in UTC) and `tables` (those whose change it follows) is empty."""

    report: str
    revision: int
    title: str
    description: str
    owner: str
    cron: str
    tables: tuple[str, ...]
    feeds: tuple[str, ...]
    outputs: tuple[str, ...]
    folder: str


@dataclass(frozen=True)
class Snapshot:
    """The reports in force and the target tables, as `lake.<target>`."""

    reports: tuple[ReportRow, ...] = ()
    tables: tuple[str, ...] = ()


def read_snapshot(path: Path = DAGS) -> Snapshot:
    """The snapshot in `path`; an empty one where none was ever written. Raises ValueError if it is not what it should be."""
    try:
        told = json.loads(path.read_bytes())
    except FileNotFoundError:
        return Snapshot()
    if told.get("format") != FORMAT:
        raise ValueError(f"{path.name} is not of format {FORMAT}")
    reports = (ReportRow(**{key: _frozen(value) for key, value in row.items()}) for row in told["reports"])
    return Snapshot(tuple(reports), tuple(told["tables"]))


def adopt(candidate: Path, use: Callable[[Snapshot], object], path: Path = DAGS) -> Snapshot:
    """Puts `candidate` in the place of the snapshot, if `use` can make something of it; else the last good one stays."""
    snapshot = read_snapshot(candidate)
    use(snapshot)
    candidate.replace(path)
    return snapshot


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
