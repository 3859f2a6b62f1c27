"""The landing agent: puts a delivered zip into `landing/<folder>/`, whole or not at all.

A zip lands as `<zip id>.zip` beside a delivery note `<zip id>.json`. The note holds the given name, which may identify a
patient and therefore becomes no file name, and is there before the zip is.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from spark_jobs.landing.files import COPIED_AT_ONCE, AnyPath, Entry, folders, sync, write_json, write_whole


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


def land(landing: AnyPath, folder: str, source: AnyPath, name: str | None = None, keep: bool = False) -> DeliveryNote:
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


def land_again(landing: AnyPath, note: DeliveryNote, content: bytes) -> None:
    """Lands the kept `content` of a zip once more under the id it has, with a `note` that says it is a replay.

    Crash-only: like any zip it gets its name last, and landing it over writes the same. A note without its zip is nothing
    to the ingest job. The caller makes sure that the zip is neither in landing nor claimed.
    """
    inbox = landing / note.folder
    inbox.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_json(inbox / f"{note.zip_id}.json", asdict(note))
    write_whole(inbox / f"{note.zip_id}.zip", content)


def land_folder(landing: AnyPath, drop: Path, keep: bool = False, quiet_seconds: float = 0.0) -> Iterator[DeliveryNote]:
    """Lands every `<folder>/*` below `drop`, the oldest delivery first, so that of two equal zips the first is the original.

    Files that are being sent, by their names or because they changed within `quiet_seconds`, are left for later.
    """
    latest = time.time_ns() - int(quiet_seconds * 1e9)
    deliveries = [
        (entry.changed_ns, entry.name, folder)
        for folder, found in folders(drop)
        for entry in found
        if not entry.is_dir and not _is_being_sent(entry.name) and (quiet_seconds == 0 or entry.changed_ns <= latest)
    ]
    for _, name, folder in sorted(deliveries, key=lambda delivery: delivery[:2]):
        yield land(landing, folder.name, folder / name, keep=keep)


def adopt(landing: AnyPath, quiet_seconds: float = 0.0) -> int:
    """Gives a note and an id to zips that someone renamed into a landing folder by hand; returns how many.

    Those changed within the last `quiet_seconds` are left for later: someone may copy them where a rename is asked for.
    To be called by the holder of the lake's lease alone: two that adopt one zip would trip over each other.
    """
    latest = time.time_ns() - int(quiet_seconds * 1e9)
    strays = [
        (entry.changed_ns, entry.name, folder)
        for folder, found in folders(landing)
        for entry in _strays(folder, found)
        if entry.changed_ns <= latest
    ]
    for _, name, folder in sorted(strays, key=lambda stray: stray[:2]):
        land(landing, folder.name, folder / name)
    return len(strays)


def _strays(folder: AnyPath, found: Iterable[Entry]) -> Iterator[Entry]:
    """Deliveries without a note. A folder may be listed while a zip lands in it, and then lack the note that was there first."""
    noted = {entry.name.removesuffix(".json") for entry in found if entry.name.endswith(".json")}
    for entry in found:
        name, _, ending = entry.name.rpartition(".")
        if entry.is_dir or ending == "json" or _is_being_sent(entry.name):
            continue
        if not (ending == "zip" and (name in noted or (folder / f"{name}.json").exists())):
            yield entry


def _is_being_sent(name: str) -> bool:
    return name.startswith(".") or name.endswith((".tmp", ".part", ".filepart"))


def _note(source: AnyPath, folder: str, name: str) -> DeliveryNote:
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


def _copy_whole(source: AnyPath, target: AnyPath) -> None:
    temporary = target.with_name(f".{target.name}.tmp")
    with source.open("rb") as file, temporary.open("wb") as written:
        shutil.copyfileobj(file, written, COPIED_AT_ONCE)
        sync(written)
    temporary.replace(target)  # type: ignore[arg-type]
