"""The landing agent: puts a delivered zip into `landing/<folder>/`, whole or not at all.

A zip lands as `<zip id>.zip` beside a delivery note `<zip id>.json`. The note holds the given name, which may identify a
patient and therefore becomes no file name, and is there before the zip is.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from spark_jobs.landing.files import write_json, write_whole


@dataclass(frozen=True)
class DeliveryNote:
    """What the agent knows of a zip: its id, given name, landing folder, SHA-256 (hex), size in bytes, time landed.

    `replay` is 0 for a delivery. A zip that is landed again to be replayed counts its replays from 1, and is taken in
    although the ledger has its id.
    """

    zip_id: str
    name: str
    folder: str
    sha256: str
    bytes: int
    landed_at: str
    replay: int = 0


def land(landing: Path, folder: str, source: Path, name: str | None = None, keep: bool = False) -> DeliveryNote:
    """Lands the zip `source` under the given `name` (the source's own if None); removes the source unless `keep`.

    Crash-only: the id is derived from the delivery itself (folder, name, content, the source's modification time), so a
    retry writes the same note and the same zip. The zip gets its name last, by a rename.
    """
    inbox = landing / folder
    inbox.mkdir(parents=True, exist_ok=True, mode=0o700)
    note = _note(source, folder, name or source.name)
    target = inbox / f"{note.zip_id}.zip"
    if not target.exists():
        write_json(inbox / f"{note.zip_id}.json", asdict(note))
        _copy_whole(source, target)
    if not keep:
        source.unlink()
    return note


def land_again(landing: Path, note: DeliveryNote, content: bytes) -> None:
    """Lands the kept `content` of a zip once more under the id it has, with a `note` that says it is a replay.

    Crash-only: like any zip it gets its name last, and landing it over writes the same. A note without its zip is nothing
    to the ingest job. The caller makes sure that the zip is neither in landing nor claimed.
    """
    inbox = landing / note.folder
    inbox.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_json(inbox / f"{note.zip_id}.json", asdict(note))
    write_whole(inbox / f"{note.zip_id}.zip", content)


def land_folder(landing: Path, drop: Path, keep: bool = False) -> Iterator[DeliveryNote]:
    """Lands every `<folder>/*` below `drop`, the oldest delivery first, so that of two equal zips the first is the original."""
    deliveries = [path for path in drop.glob("*/*") if path.is_file() and not path.name.startswith(".")]
    for source in _oldest_first(deliveries):
        yield land(landing, source.parent.name, source, keep=keep)


def adopt(landing: Path, quiet_seconds: float = 0.0) -> int:
    """Gives a note and an id to zips that someone renamed into a landing folder by hand; returns how many.

    Those changed within the last `quiet_seconds` are left for later: someone may copy them where a rename is asked for.
    To be called by the holder of the lake's lease alone: two that adopt one zip would trip over each other.
    """
    latest = time.time() - quiet_seconds
    strays = [path for path in landing.glob("*/*") if _is_stray(path) and path.stat().st_mtime <= latest]
    for path in _oldest_first(strays):
        land(landing, path.parent.name, path)
    return len(strays)


def _oldest_first(paths: Iterable[Path]) -> list[Path]:
    return sorted(paths, key=lambda path: (path.stat().st_mtime_ns, path.name))


def _is_stray(path: Path) -> bool:
    if path.name.startswith(".") or path.suffix in {".json", ".tmp", ".part"}:
        return False
    return not (path.suffix == ".zip" and path.with_suffix(".json").exists())


def _note(source: Path, folder: str, name: str) -> DeliveryNote:
    with source.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    status = source.stat()
    identity = f"{folder}\0{name}\0{sha256}\0{status.st_mtime_ns}"
    return DeliveryNote(
        zip_id=hashlib.sha256(identity.encode("utf-8", "surrogateescape")).hexdigest()[:32],
        name=name.encode("utf-8", "replace").decode(),
        folder=folder,
        sha256=sha256,
        bytes=status.st_size,
        landed_at=datetime.now(UTC).isoformat(timespec="microseconds"),
    )


def _copy_whole(source: Path, target: Path) -> None:
    temporary = target.with_name(f".{target.name}.tmp")
    shutil.copyfile(source, temporary)
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.rename(target)
