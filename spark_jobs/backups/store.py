"""A folder of backups: `objects/` holds each content once under its SHA-256, `points/` a list of files for each backup.

A point is written last, so it is whole or absent; a backup or a removal that is killed leaves at most objects that no point
names, which the next removal takes away.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from spark_jobs.errors import LakeError
from spark_jobs.landing.files import copy, sync, write_json

NAME = "%Y%m%dT%H%M%S.%fZ"


@dataclass(frozen=True)
class Kept:
    """A file of a backup: the SHA-256 of its content (hex), its size in bytes, and when it was changed (ns)."""

    sha256: str
    bytes: int
    mtime_ns: int


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


class Store:
    """Backups of one lake in `folder`; one process at a time writes to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._points = folder / "points"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Makes the folders, and holds the store for this process. Raises LakeError where another one has it."""
        for part in (self.folder, self._points, self.folder / "objects"):
            part.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LakeError(str(self.folder), "another backup is being made there", "Wait until it ends.") from None
            yield

    def names(self) -> list[str]:
        """The points there are, the newest last."""
        return sorted(path.stem for path in self._points.glob("*.json") if path.name[0] != ".")

    def read(self, name: str) -> Point:
        """A point by its name."""
        told = json.loads((self._points / f"{name}.json").read_bytes())
        files = {path: Kept(**kept) for path, kept in told["files"].items()}
        return Point(told["name"], files, tuple(told["folders"]), told["about"])

    def point(self, at: datetime | None = None) -> Point:
        """The newest point, or the newest that was made up to `at`. Raises LakeError if there is none."""
        fitting = [name for name in self.names() if at is None or name <= at.astimezone(UTC).strftime(NAME)]
        if not fitting:
            raise LakeError(str(self.folder), "there is no such backup", "See: lake backups --from FOLDER")
        return self.read(fitting[-1])

    def keep_tree(self, root: Path, files: Iterator[Path], known: Mapping[str, Kept]) -> dict[str, Kept]:
        """Takes files below `root` into the store, and returns them by path.

        One that is as long and as old as `known` says is not read again.
        """
        return {(name := str(path.relative_to(root))): self._keep(path, known.get(name)) for path in files}

    def add(self, point: Point) -> None:
        """Writes a point, whose files have all been kept."""
        write_json(self._points / f"{point.name}.json", asdict(point))

    def forget(self, keep: int) -> int:
        """Removes all but the `keep` newest points, then every object that no point names; returns how many objects."""
        for name in self.names()[:-keep]:
            (self._points / f"{name}.json").unlink()
        needed = {kept.sha256 for name in self.names() for kept in self.read(name).files.values()}
        unneeded = [path for path in (self.folder / "objects").glob("*/*") if path.name not in needed]
        for path in unneeded:
            path.unlink()
        return len(unneeded)

    def put(self, kept: Kept, target: Path) -> None:
        """Writes the content of a kept file to `target`, whole, as it is in the store; done already, nothing is written.

        Raises LakeError if the content in the store is gone or has changed: then nothing is written.
        """
        if target.is_file() and target.stat().st_size == kept.bytes and _hash(target) == kept.sha256:
            return
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = target.with_name(f".{target.name}.restoring")
        try:
            found = _copy(self._object(kept.sha256), temporary)
        except FileNotFoundError:
            found = "gone"
        if found != kept.sha256:
            temporary.unlink(missing_ok=True)
            problem = f"the content {kept.sha256[:16]}… is {'gone' if found == 'gone' else 'not what was kept'}"
            raise LakeError(str(self.folder), problem, "Restore another point, or take the content from another copy.")
        os.utime(temporary, ns=(kept.mtime_ns, kept.mtime_ns))
        temporary.rename(target)

    def damaged(self, point: Point) -> list[str]:
        """Files of a point whose content is gone or has changed; every content is read once."""
        wrong = {sha256 for sha256 in {kept.sha256 for kept in point.files.values()} if not self._is_whole(sha256)}
        return sorted(path for path, kept in point.files.items() if kept.sha256 in wrong)

    def _keep(self, path: Path, known: Kept | None) -> Kept:
        status = path.stat()
        is_known = known and (known.bytes, known.mtime_ns) == (status.st_size, status.st_mtime_ns)
        if known and is_known and self._object(known.sha256).exists():
            return known
        temporary = self.folder / ".incoming"
        sha256 = _copy(path, temporary)
        target = self._object(sha256)
        target.parent.mkdir(exist_ok=True, mode=0o700)
        temporary.rename(target)
        return Kept(sha256, target.stat().st_size, status.st_mtime_ns)

    def _is_whole(self, sha256: str) -> bool:
        path = self._object(sha256)
        return path.exists() and _hash(path) == sha256

    def _object(self, sha256: str) -> Path:
        return self.folder / "objects" / sha256[:2] / sha256


def name_of(moment: datetime) -> str:
    """The name of a point that is begun at `moment`."""
    return moment.astimezone(UTC).strftime(NAME)


def _copy(source: Path, target: Path) -> str:
    """Copies a file, has it written to disk, and returns the SHA-256 of what was read."""
    with target.open("wb") as out:
        sha256, _ = copy(source, out)
        sync(out)
    return sha256


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
