"""The files of an edition: written one by one under their names, whole or not at all, and last the note that says which."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from spark_jobs.landing.files import write_json, write_whole
from spark_jobs.reports.edition import Edition


def write_edition(edition: Edition, folder: Path) -> dict[str, Path]:
    """Writes the files that the report asks for into `folder` and returns them by kind.

    Making the same edition again replaces each file by an equal one. A note from an earlier revision may name files that
    this one has not: they go. Killed anywhere, the next run does it all over.
    """
    # What draws and writes takes a second to load, and every command imports this module.
    from spark_jobs.reports.writers import WRITERS, draw_all  # noqa: PLC0415

    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    drawings = draw_all(edition)
    kinds = [kind for kind in edition.report.outputs if kind in WRITERS]
    contents = {kind: WRITERS[kind](edition, drawings) for kind in kinds}
    for kind, content in contents.items():
        write_whole(folder / f"{edition.name}.{kind}", content)
    for kind in WRITERS.keys() - contents.keys():
        (folder / f"{edition.name}.{kind}").unlink(missing_ok=True)
    write_json(folder / f"{edition.name}.json", _note(edition, contents))
    return {kind: folder / f"{edition.name}.{kind}" for kind in kinds}


def read_note(folder: Path, name: str) -> dict[str, Any] | None:
    """What is noted of the edition `name` that was written to `folder`; None if it was not, or not to its end."""
    try:
        note: dict[str, Any] = json.loads((folder / f"{name}.json").read_bytes())
    except FileNotFoundError:
        return None
    return note


def _note(edition: Edition, contents: dict[str, bytes]) -> dict[str, Any]:
    return {
        "report": edition.report.report,
        "revision": edition.report.revision,
        "date": edition.day.isoformat(),
        "rows": len(edition.rows),
        "checks": list(edition.checks),
        "feeds": {one.feed: one.landed_at.isoformat() if one.landed_at else None for one in edition.delivered},
        "late": [one.feed for one in edition.delivered if one.is_late],
        "sha256": {kind: hashlib.sha256(content).hexdigest() for kind, content in contents.items()},
    }
