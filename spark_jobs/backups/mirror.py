"""A mirror in HDFS: distcp makes a second folder what the first was in a snapshot, and a snapshot of the second is the backup.

Between two snapshots only what has changed is copied, by as many tasks of YARN as there is work for. A copy that is killed leaves the
mark `.copying`, and with it a mirror that is no snapshot's image: the next one compares all files, and copies those that differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from spark_jobs.backups.points import Kept, Point, Store, is_name
from spark_jobs.errors import LakeError
from spark_jobs.hdfs import HdfsPath
from spark_jobs.landing.files import AnyPath, Entry, hash_of, walk
from spark_jobs.programs import run_program

# Files that are read at once to be hashed.
READERS = 8
# Blocks as long as they were, so that checksums can be compared; rights, and times, by which a file is known again.
PRESERVED = "-pbpt"
UNREADABLE = "gone or unreadable"


@dataclass(frozen=True)
class Distcp:
    """The words that start distcp on this host, with the settings of its job."""

    command: tuple[str, ...]

    def full(self, source: HdfsPath, target: HdfsPath) -> None:
        """Makes `target` equal to `source`: files that differ by size or checksum are copied, others removed. Raises LakeError."""
        self._run("-delete", str(source), str(target))

    def changes(self, folder: HdfsPath, target: HdfsPath, before: str, now: str) -> None:
        """Brings `target`, which is as `folder` was in the snapshot `before`, to the snapshot `now`. Raises LakeError."""
        self._run("-diff", before, now, str(folder), str(target))

    def _run(self, *arguments: str) -> None:
        if failure := run_program([*self.command, "-update", PRESERVED, *arguments]):
            raise LakeError("distcp", f"ended with {failure.code}", failure.last_lines)


class Mirror(Store):
    """Backups as snapshots of a folder in HDFS, `lake/`. `hold` lets one process at a time write there."""

    folder: HdfsPath

    def __init__(self, folder: HdfsPath, distcp: Distcp, hold: Callable[[], AbstractContextManager[None]]) -> None:
        super().__init__(folder)
        self.copied = folder / "lake"
        self._mark = folder / ".copying"
        self._distcp = distcp
        self._hold = hold

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Waits for another process that writes here."""
        with self._hold():
            self._points.mkdir(mode=0o700, exist_ok=True)
            yield

    def keep(self, name: str, root: AnyPath, files: Mapping[str, Entry], known: Mapping[str, Kept]) -> dict[str, Kept]:
        """`root` is a snapshot of that name. The copies are held against its files by their sizes, and then hashed."""
        assert isinstance(root, HdfsPath)
        self._copy(root, name)
        copies = self.copied.snapshot(name)
        there = {path: entry.bytes for path, entry in walk(copies, "")}
        same = {path: known[path] for path, entry in files.items() if path in known and known[path].is_of(entry)}
        new = [path for path in files if path not in same]
        hashes = dict(zip(new, _hashes(copies, new), strict=True))
        if wrong := [p for p, entry in files.items() if there.get(p) != entry.bytes or hashes.get(p) == UNREADABLE]:
            problem = f"{len(wrong)} copies can't be read, or are not as long as what they are of, {wrong[0]} for one"
            raise LakeError(str(copies), problem, "Make the backup again.")
        return same | {path: Kept(hashes[path], files[path].bytes, files[path].changed_ns) for path in new}

    def bring(self, point: Point, part: str, target: AnyPath) -> None:
        """Copies the folder back, and hashes every file that it has got."""
        assert isinstance(target, HdfsPath)
        source = self.copied.snapshot(point.name)
        self._distcp.full(source / part if part else source, target)
        if wrong := _not_whole(target, point.below(part)):
            problem = f"{len(wrong)} files are not what was kept, {wrong[0]} for one"
            raise LakeError(str(source), problem, "Restore another point.")

    def damaged(self, point: Point) -> list[str]:
        """Reads every file of the point's snapshot."""
        return _not_whole(self.copied.snapshot(point.name), point.files)

    def sweep(self) -> int:
        """Drops the snapshots that no point is of."""
        needed = {*self.names()}
        unneeded = [name for name in self.copied.snapshots() if is_name(name) and name not in needed]
        for name in unneeded:
            self.copied.drop_snapshot(name)
        return len(unneeded)

    def _copy(self, root: HdfsPath, name: str) -> None:
        folder = root.parent.parent
        before = self._common(folder)
        self._mark.touch()
        if before:
            self._distcp.changes(folder, self.copied, before, name)
        else:
            self._distcp.full(root, self.copied)
        self.copied.take_snapshot(name)
        self._mark.unlink()

    def _common(self, folder: HdfsPath) -> str:
        """The newest snapshot that the lake and the mirror both have, if the mirror is as it was then."""
        if self._mark.exists():
            return ""
        mine = [name for name in self.copied.snapshots() if is_name(name)]
        return mine[-1] if mine and mine[-1] in folder.snapshots() else ""


def _not_whole(root: HdfsPath, files: Mapping[str, Kept]) -> list[str]:
    paths = sorted(files)
    return [path for path, found in zip(paths, _hashes(root, paths), strict=True) if found != files[path].sha256]


def _hashes(root: HdfsPath, paths: Sequence[str]) -> list[str]:
    """The SHA-256 of files, many of them read at once."""

    def hashed(path: str) -> str:
        try:
            return hash_of(root / path)
        except OSError:
            return UNREADABLE

    with ThreadPoolExecutor(READERS) as pool:
        return list(pool.map(hashed, paths))
