"""Looks at some members of each sample zip, within bounds whatever the zips are like."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from spark_jobs.archives import Entry, ZipError, inflate, open_member, open_zip
from spark_jobs.errors import ArchiveError, LakeError
from spark_jobs.rules.model import MEGABYTE, Limits

MOST_ZIP_BYTES = 1024 * MEGABYTE
MEMBERS_OF_A_KIND = 200  # looked at in each zip
BYTES_OF_A_ZIP = 32 * MEGABYTE  # inflated, looked at in each zip
LARGE = 4 * MEGABYTE  # of a larger member only the start is looked at
EXTENSION = re.compile(r"\.[a-z0-9]{1,5}")
LITTER = ("__macosx/", ".ds_store", "thumbs.db")
NO_DATA = {
    ".md", ".pdf", ".doc", ".docx", ".jpg", ".jpeg", ".png", ".tif", ".tiff", ".gif", ".dcm", ".log", ".sig", ".asc",
    ".html", ".xsd", ".xsl", ".zip", ".gz", ".exe", ".json",
}  # fmt: skip


@dataclass(frozen=True)
class Peeked:
    """The bytes of a member; the first LARGE of them alone if `cut`."""

    zip_number: int
    name: str
    data: bytes
    cut: bool = False

    @property
    def kind(self) -> str:
        """Its extension, see `extension`."""
        return extension(self.name)


def extension(name: str) -> str:
    """The extension of a member, lower case, with the dot; none if it is no usual one, and could be anything."""
    suffix = PurePosixPath(name).suffix.lower()
    return suffix if EXTENSION.fullmatch(suffix) else ""


@dataclass
class Samples:
    """What was looked at, by extension, and `notes` on what was not. `zips` are those that can be read."""

    zips: list[Path] = field(default_factory=list)
    members: dict[str, list[Peeked]] = field(default_factory=lambda: defaultdict(list))
    litter: Counter[str] = field(default_factory=Counter)  # glob -> how many members
    notes: list[str] = field(default_factory=list)


def peek(paths: Sequence[Path], limits: Limits) -> Samples:
    """Some members of every zip. Raises LakeError if there is nothing to look at."""
    samples = Samples()
    skipped: Counter[str] = Counter()
    for number, path in enumerate(paths, 1):
        content = read_bytes(path, number)
        try:
            entries = open_zip(content, limits)
        except ZipError as error:
            samples.notes.append(f"zip {number} was left out: {error.problem}")
            continue
        samples.zips.append(path)
        _peek_zip(content, entries, number, limits, samples, skipped)
    samples.notes += [f"{count} members were not looked at: {why}" for why, count in skipped.items()]
    if not samples.members:
        raise LakeError("lake feed infer", "no sample holds a member that can be read", "; ".join(samples.notes))
    return samples


def read_bytes(path: Path, number: int) -> bytes:
    """The bytes of a sample; its name, which may identify a patient, is in no error."""
    try:
        if path.stat().st_size > MOST_ZIP_BYTES:
            raise LakeError(f"zip {number}", "it is larger than 1 GB", "Give a smaller sample.")
        return path.read_bytes()
    except OSError as error:
        raise LakeError(f"zip {number}", f"it can't be read: {error.strerror}", "Give a file.") from None


def _peek_zip(
    content: bytes, entries: list[Entry], number: int, limits: Limits, samples: Samples, skipped: Counter[str]
) -> None:
    left, seen = BYTES_OF_A_ZIP, Counter[str]()
    for entry in entries:
        kind = extension(entry.name)
        if entry.name.lower().startswith(LITTER[0]):
            samples.litter["__MACOSX/*"] += 1
        elif kind in NO_DATA or entry.name.lower().endswith(LITTER[1:]):
            samples.litter[f"*{kind or PurePosixPath(entry.name).name.lower()}"] += 1
        elif seen[kind] >= MEMBERS_OF_A_KIND or left <= 0:
            skipped["the ones looked at are enough"] += 1
        elif (peeked := _read(content, entry, number, limits, skipped)) is not None:
            seen[kind] += 1
            left -= len(peeked.data)
            samples.members[kind].append(peeked)


def _read(content: bytes, entry: Entry, number: int, limits: Limits, skipped: Counter[str]) -> Peeked | None:
    try:
        if entry.size <= LARGE:
            return Peeked(number, entry.name, inflate(content, entry, limits))
        with open_member(content, entry, limits) as stream:
            return Peeked(number, entry.name, stream.read(LARGE), cut=True)
    except ArchiveError as error:
        skipped[error.problem] += 1
        return None
