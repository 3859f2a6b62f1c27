"""Backups of one lake in a folder: `points/` has a list of files for each of them. How the files are kept is for the kinds of store.

A point is written last, so it is whole or absent.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from spark_jobs.errors import LakeError
from spark_jobs.landing.files import AnyPath, Entry, names, write_json

NAME = "%Y%m%dT%H%M%S.%fZ"


@dataclass(frozen=True)
class Kept:
    """A file of a backup: the SHA-256 of its content (hex), its size in bytes, and when it was changed (ns)."""

    sha256: str
    bytes: int
    mtime_ns: int

    def is_of(self, entry: Entry) -> bool:
        """Whether the file is, by its size and time, the one that was kept."""
        return (self.bytes, self.mtime_ns) == (entry.bytes, entry.changed_ns)


@dataclass(frozen=True)
class Point:
    """One backup: files and folders by their paths in what was backed up, and what else there is to know of it."""

    name: str
    files: Mapping[str, Kept]
    folders: tuple[str, ...] = ()
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def made_at(self) -> datetime:
        """When the backup was begun."""
        return datetime.strptime(self.name, NAME).replace(tzinfo=UTC)

    @property
    def bytes(self) -> int:
        """What a restore writes."""
        return sum(kept.bytes for kept in self.files.values())

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Point:
        """From what `asdict` made of one, by way of JSON."""
        files = {path: Kept(**kept) for path, kept in told["files"].items()}
        return cls(told["name"], files, tuple(told["folders"]), told["about"])

    def below(self, part: str) -> dict[str, Kept]:
        """The files in the folder `part`, by their paths from there; all of them where it is empty."""
        prefix = f"{part}/" if part else ""
        return {path.removeprefix(prefix): kept for path, kept in self.files.items() if path.startswith(prefix)}


class Store(ABC):
    """The backups in `folder`; one process at a time writes to it."""

    def __init__(self, folder: AnyPath) -> None:
        self.folder = folder
        self._points = folder / "points"

    def names(self) -> list[str]:
        """The points there are, the newest last."""
        return sorted(n.removesuffix(".json") for n in names(self._points) if n.endswith(".json") and n[0] != ".")

    def read(self, name: str) -> Point:
        """A point by its name."""
        return Point.of(json.loads((self._points / f"{name}.json").read_bytes()))

    def point(self, at: datetime | None = None) -> Point:
        """The newest point, or the newest that was made up to `at`. Raises LakeError if there is none."""
        fitting = [name for name in self.names() if at is None or name <= name_of(at)]
        if not fitting:
            raise LakeError(str(self.folder), "there is no such backup", "See: lake backups --from FOLDER")
        return self.read(fitting[-1])

    def add(self, point: Point) -> None:
        """Writes a point, whose files have all been kept."""
        write_json(self._points / f"{point.name}.json", asdict(point))

    def forget(self, keep: int) -> int:
        """Removes all but the `keep` newest points, then whatever no point needs; returns of how many contents or snapshots."""
        for name in self.names()[:-keep]:
            (self._points / f"{name}.json").unlink()
        return self.sweep()

    @abstractmethod
    def alone(self) -> AbstractContextManager[None]:
        """Makes the folders, and holds the store for this process, which others wait for or are refused by a LakeError."""

    @abstractmethod
    def keep(self, name: str, root: AnyPath, files: Mapping[str, Entry], known: Mapping[str, Kept]) -> dict[str, Kept]:
        """Takes the `files` of `root` for the point `name`. One that is as long and as old as `known` says is not read again.

        Killed at any line, it leaves what the next one finds, or removes. Raises LakeError where the copies are not whole.
        """

    @abstractmethod
    def bring(self, point: Point, part: str, target: AnyPath) -> None:
        """Makes `target` what the folder `part` was, or all of what was backed up where `part` is empty; each content is checked.

        Killed at any line it can be done again. Raises LakeError if a content is gone or has changed.
        """

    @abstractmethod
    def damaged(self, point: Point) -> list[str]:
        """Files of a point whose content is gone or has changed; every content is read once."""

    @abstractmethod
    def sweep(self) -> int:
        """Removes what no point needs; returns how many contents or snapshots that were."""


def name_of(moment: datetime) -> str:
    """The name of a point that is begun at `moment`."""
    return moment.astimezone(UTC).strftime(NAME)


def is_name(text: str) -> bool:
    """Whether it is a name that a point may have."""
    try:
        return bool(datetime.strptime(text, NAME))
    except ValueError:
        return False
