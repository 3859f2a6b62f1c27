"""Claiming landed zips: which go together in a batch, and the manifest that a batch obeys from then on.

What counts is that a zip is there, never its time stamp: nothing late or old is skipped. A claim may be killed at any
line: a batch folder without a manifest goes back to landing, one with a manifest is run again.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from typing import Any

from spark_jobs.landing.agent import DeliveryNote
from spark_jobs.landing.files import AnyPath, Entry, folders, move, write_json
from spark_jobs.rules.model import Feed

MANIFEST = "manifest.json"
NOTES_REMEMBERED = 50_000


@dataclass(frozen=True)
class ClaimedZip:
    """One zip of a batch. `duplicate_of` is the zip id of an earlier delivery of the same bytes that was loaded.

    `refusal`, a line `<rule>: <reason>`, says why it is refused without being opened.
    """

    note: DeliveryNote
    parts: dict[str, str] = field(default_factory=dict)
    duplicate_of: str | None = None
    refusal: str | None = None


@dataclass(frozen=True)
class Manifest:
    """What a batch was when it started. A re-run obeys it, whatever the rules say by then.

    `feed` is None for zips that no feed takes. `rules` holds the rule rows of the feed's revision and of its targets.
    """

    batch: str
    epoch: int
    feed: str | None
    revision: int
    rules: dict[str, Any]
    zips: tuple[ClaimedZip, ...]

    @classmethod
    def read(cls, folder: AnyPath) -> Manifest:
        """The manifest of the batch in `folder`."""
        raw = json.loads((folder / MANIFEST).read_bytes())
        zips = tuple(ClaimedZip(**{**z, "note": DeliveryNote(**z["note"])}) for z in raw.pop("zips"))
        return cls(**raw, zips=zips)


def landed_zips(landing: AnyPath) -> list[DeliveryNote]:
    """Every zip that waits in landing, the one landed first in front."""
    notes = [note for folder, found in folders(landing) for note in _notes(folder, found)]
    return sorted(notes, key=lambda note: (note.landed_at, note.zip_id))


def feed_of(note: DeliveryNote, feeds: Iterable[Feed]) -> tuple[Feed, dict[str, str]] | None:
    """The feed that takes a zip, with the named parts of the zip's name; the most urgent one if several would."""
    for feed in sorted(feeds, key=lambda feed: (feed.priority, feed.feed)):
        if feed.landing_folder == note.folder and (match := re.fullmatch(feed.name_pattern, note.name)):
            return feed, {part: text for part, text in match.groupdict().items() if text is not None}
    return None


def group_by_feed(
    notes: Iterable[DeliveryNote],
    feeds: Collection[Feed],
    waiting: Collection[str] = (),
    unsettled: Collection[str] = (),
    busy: Collection[tuple[str | None, str]] = (),
) -> dict[str | None, list[ClaimedZip]]:
    """The zips that can be claimed now, by feed; None holds those that no feed takes.

    Zips of feeds that are paused, or named in `waiting`, stay where they are; so do zips that no feed takes in `unsettled`
    folders, those of feeds of which no revision is valid. Of zips with the same bytes one is taken at a time: whether the
    next is a duplicate is known once that one is loaded. `busy` names (feed, sha256) of zips in running batches.
    """
    groups: dict[str | None, list[ClaimedZip]] = defaultdict(list)
    taken = set(busy)
    for note in notes:
        feed, parts = feed_of(note, feeds) or (None, {})
        if feed is None:
            if note.folder not in unsettled:
                groups[None].append(ClaimedZip(note))
        elif not feed.paused and feed.feed not in waiting and (feed.feed, note.sha256) not in taken:
            taken.add((feed.feed, note.sha256))
            groups[feed.feed].append(ClaimedZip(note, parts))
    return dict(groups)


def mark_duplicates(feed: str, zips: Iterable[ClaimedZip], loaded: Mapping[tuple[str, str], str]) -> list[ClaimedZip]:
    """Tells for each zip whether its feed has loaded its bytes before; `loaded` maps (feed, sha256) to a zip id."""
    return [replace(z, duplicate_of=loaded.get((feed, z.note.sha256))) for z in zips]


def cut_batches(zips: Iterable[ClaimedZip], most_zips: int, most_bytes: int) -> Iterator[list[ClaimedZip]]:
    """Zips in the order given, cut into batches of at most that many zips and bytes (a single larger zip goes alone)."""
    batch: list[ClaimedZip] = []
    size = 0
    for z in zips:
        if batch and (len(batch) >= most_zips or size + z.note.bytes > most_bytes):
            yield batch
            batch, size = [], 0
        batch.append(z)
        size += z.note.bytes
    if batch:
        yield batch


def claim(landing: AnyPath, claimed: AnyPath, manifest: Manifest) -> AnyPath:
    """Moves the manifest's zips out of landing and then writes the manifest; returns the batch's folder.

    A note follows its zip, so a kill in between leaves the zip in the batch and its note in landing: `release` looks there.
    """
    folder = batch_folder(claimed, manifest)
    _make_folder(folder)
    for z in manifest.zips:
        inbox = landing / z.note.folder
        for suffix in (".zip", ".json"):
            move(inbox / f"{z.note.zip_id}{suffix}", folder / f"{z.note.zip_id}{suffix}")
    write_json(folder / MANIFEST, asdict(manifest))
    return folder


def release(landing: AnyPath, folder: AnyPath) -> int:
    """Gives the zips of a batch back to landing, each after its note; returns how many. The batch's folder goes.

    The manifest goes first: killed on the way, the folder is found without one and is released by the next run.
    """
    (folder / MANIFEST).unlink(missing_ok=True)
    zips = list(folder.glob("*.zip"))
    for path in zips:
        note_path = path.with_suffix(".json")
        if note_path.exists():
            move(note_path, landing / _read_note(note_path).folder / note_path.name)
        inbox = next(landing.glob(f"*/{note_path.name}")).parent
        move(path, inbox / path.name)
    remove_batch(folder)
    return len(zips)


def discard(landing: AnyPath, note: DeliveryNote) -> None:
    """Removes a landed zip that the ledger has under the same id: its bytes are in the vault or in quarantine."""
    for suffix in (".zip", ".json"):
        (landing / note.folder / f"{note.zip_id}{suffix}").unlink(missing_ok=True)


def unfinished_batches(claimed: AnyPath, landing: AnyPath) -> list[AnyPath]:
    """Batches of an attempt that has ended: those with a manifest are to be run again, the others are released here.

    To be called by the holder of the lake's lease only, after the previous holder is known to have ended.
    """
    batches = sorted(run / entry.name for run, found in folders(claimed) for entry in found if entry.is_dir)
    for folder in batches:
        if not (folder / MANIFEST).exists():
            release(landing, folder)
    return [folder for folder in batches if (folder / MANIFEST).exists()]


def batch_folder(claimed: AnyPath, manifest: Manifest) -> AnyPath:
    """Where a batch's zips are while it is worked on."""
    return claimed / f"{manifest.epoch:08d}" / manifest.batch


def remove_batch(folder: AnyPath) -> None:
    """Removes a batch's folder once its zips have left it; raises FileExistsError while it holds one."""
    paths = list(folder.iterdir())
    if any(path.suffix == ".zip" for path in paths):
        raise FileExistsError(f"{folder.name} still holds a zip")
    for path in paths:
        path.unlink()
    folder.rmdir()
    # The run's folder goes with its last batch; another batch may come or go at the same moment.
    with suppress(OSError):
        folder.parent.rmdir()


def _make_folder(folder: AnyPath) -> None:
    """Makes a batch's folder, also where that of its run is removed at the same moment."""
    while not folder.exists():
        with suppress(FileNotFoundError):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def _notes(folder: AnyPath, found: Iterable[Entry]) -> Iterator[DeliveryNote]:
    """The notes of the zips among what was found in a landing folder; a zip that has none yet is no delivery yet."""
    by_name = {entry.name: entry for entry in found}
    for name, entry in by_name.items():
        if name.endswith(".zip") and not name.startswith("."):
            note = name.removesuffix(".zip") + ".json"
            if note in by_name or (folder / note).exists():
                yield _note_in(folder / note, by_name.get(note, entry).version)


def _read_note(path: AnyPath) -> DeliveryNote:
    return DeliveryNote(**json.loads(path.read_bytes()))


@lru_cache(NOTES_REMEMBERED)
def _note_in(path: AnyPath, version: Hashable) -> DeliveryNote:
    """The note in a file of that version: a backlog is looked through again and again."""
    return _read_note(path)
