"""A store of contents: `objects/` holds each once under its SHA-256. It is in a folder of this machine; what it keeps may be anywhere.

A backup or a removal that is killed leaves at most objects that no point names, which the next removal takes away.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from spark_jobs.backups.points import Kept, Point, Store
from spark_jobs.errors import LakeError
from spark_jobs.landing.files import AnyPath, Entry, copy, hash_of, sync


class Contents(Store):
    """Backups as contents, each of which is kept once."""

    folder: Path

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Raises LakeError where another process has the store."""
        for part in (self.folder, self.folder / "points", self.folder / "objects"):
            part.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LakeError(str(self.folder), "another backup is being made there", "Wait until it ends.") from None
            yield

    def keep(self, name: str, root: AnyPath, files: Mapping[str, Entry], known: Mapping[str, Kept]) -> dict[str, Kept]:
        """Copies the contents that are not here yet."""
        return {path: self._keep(root / path, entry, known.get(path)) for path, entry in files.items()}

    def bring(self, point: Point, part: str, target: AnyPath) -> None:
        """Copies the contents back; those that are in place already are read, and left."""
        prefix = f"{part}/" if part else ""
        target.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in sorted(folder for folder in point.folders if folder.startswith(prefix)):
            (target / folder.removeprefix(prefix)).mkdir(parents=True, exist_ok=True, mode=0o700)
        for path, kept in sorted(point.below(part).items()):
            self.put(kept, target / path)

    def put(self, kept: Kept, target: AnyPath) -> None:
        """Writes the content of a kept file to `target`, whole, as it is in the store; done already, nothing is written.

        Raises LakeError if the content in the store is gone or has changed: then nothing is written.
        """
        if target.exists() and target.stat().st_size == kept.bytes and hash_of(target) == kept.sha256:
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
        if isinstance(temporary, Path):
            os.utime(temporary, ns=(kept.mtime_ns, kept.mtime_ns))
        temporary.replace(target)  # type: ignore[arg-type]

    def damaged(self, point: Point) -> list[str]:
        """Reads every object that the point names."""
        wrong = {sha256 for sha256 in {kept.sha256 for kept in point.files.values()} if not self._is_whole(sha256)}
        return sorted(path for path, kept in point.files.items() if kept.sha256 in wrong)

    def sweep(self) -> int:
        """Removes the objects that no point names."""
        needed = {kept.sha256 for name in self.names() for kept in self.read(name).files.values()}
        unneeded = [path for path in (self.folder / "objects").glob("*/*") if path.name not in needed]
        for path in unneeded:
            path.unlink()
        return len(unneeded)

    def _keep(self, path: AnyPath, entry: Entry, known: Kept | None) -> Kept:
        if known and known.is_of(entry) and self._object(known.sha256).exists():
            return known
        temporary = self.folder / ".incoming"
        sha256 = _copy(path, temporary)
        target = self._object(sha256)
        target.parent.mkdir(exist_ok=True, mode=0o700)
        temporary.rename(target)
        return Kept(sha256, target.stat().st_size, entry.changed_ns)

    def _is_whole(self, sha256: str) -> bool:
        path = self._object(sha256)
        return path.exists() and hash_of(path) == sha256

    def _object(self, sha256: str) -> Path:
        return self.folder / "objects" / sha256[:2] / sha256


def _copy(source: AnyPath, target: AnyPath) -> str:
    """Copies a file, has it written to disk, and returns the SHA-256 of what was read."""
    with target.open("wb") as out:
        sha256, _ = copy(source, out)
        sync(out)
    return sha256
