"""Reads the central directory of a zip held in memory, and checks it against the local headers.

The standard library's reader refuses a whole zip for one name that is no UTF-8, believes what it reads, and takes
several times as long, so this one stands on its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct
from struct import error as StructError

from spark_jobs.archives.ending import find_directory
from spark_jobs.errors import ArchiveError
from spark_jobs.rules.model import Limits

CENTRAL = Struct("<4s4xHHIIIIHHHIII")  # from the signature to the offset of the local header: 46 bytes
LOCAL = Struct("<4sHHHIIIIHH")  # 30 bytes
WIDE = 0xFFFFFFFF  # a 32-bit field whose value is in the zip64 extra field
ENCRYPTED = 0x1 | 0x40 | 0x2000  # traditional, strong, and masked local headers
UTF8_NAME = 0x800


class ZipError(ArchiveError):
    """A zip that is quarantined as a whole; `members` is how many members it has, 0 where that can't be told."""

    def __init__(self, rule: str, problem: str, members: int = 0) -> None:
        super().__init__(rule, problem)
        self.members = members


@dataclass(frozen=True, slots=True)
class Entry:
    """One member as the central directory declares it. Sizes and offsets in bytes; none of them is proven yet.

    `index` counts members from 0, directories left out. `start` is where the packed bytes begin, or -1 where the
    local header is missing or contradicts the directory.
    """

    index: int
    name: str
    method: int
    encrypted: bool
    crc: int
    packed: int
    size: int
    start: int


def open_zip(content: bytes, limits: Limits) -> list[Entry]:
    """List the members of a zip in the order of its central directory.

    Raises ZipError: `zip.damaged`, `zip.empty`, `zip.too_many_members` or `zip.too_large`.
    """
    try:
        entries = _members(content)
    except (StructError, ValueError, OverflowError) as error:
        raise ZipError("zip.damaged", "its directory can't be read") from error
    if not entries:
        raise ZipError("zip.empty", "it holds no member")
    count = len(entries)
    if count > limits.max_members:
        raise ZipError("zip.too_many_members", f"{count} members, at most {limits.max_members} allowed", count)
    total = sum(entry.size for entry in entries)
    if total > limits.max_zip_bytes:
        raise ZipError("zip.too_large", f"members of {total} bytes, at most {limits.max_zip_bytes} allowed", count)
    return entries


def _members(content: bytes) -> list[Entry]:
    directory = find_directory(content)
    if directory is None:
        raise ZipError("zip.damaged", "it has no directory: no zip, or cut short")
    spans: list[tuple[int, int]] = []
    entries: list[Entry] = []
    count = 0
    for raw, offset, entry in _records(content, directory.start, directory.end):
        count += 1
        start = _data_start(content, directory.prefix + offset, raw, entry)
        # A damaged entry still claims its bytes: it must not hide that two entries share them.
        spans.append((directory.prefix + offset, max(start, directory.prefix + offset + LOCAL.size) + entry.packed))
        if start + entry.packed > directory.start:
            start = -1
        if not raw.endswith(b"/"):
            entries.append(_placed(entry, len(entries), start))
    if count & directory.count_mask != directory.count:
        raise ZipError("zip.damaged", "its directory doesn't hold as many entries as it says")
    _refuse_overlap(spans)
    return entries


def _records(content: bytes, position: int, end: int) -> Iterator[tuple[bytes, int, Entry]]:
    """Raw name, offset of the local header, and what is declared, for each record of the directory."""
    while position < end:
        fields = CENTRAL.unpack_from(content, position)
        signature, flags, method, _, crc, packed, size, name_length, extra_length, comment_length = fields[:10]
        name_at = position + CENTRAL.size
        extra_at = name_at + name_length
        position = extra_at + extra_length + comment_length
        if signature != b"PK\x01\x02" or position > end:
            raise ZipError("zip.damaged", "its directory is cut short or overwritten")
        name = content[name_at:extra_at]
        offset = fields[12]
        if WIDE in (packed, size, offset):
            size, packed, offset = _wide_values(content[extra_at : extra_at + extra_length], size, packed, offset)
        yield name, offset, Entry(0, _decoded(name, flags), method, bool(flags & ENCRYPTED), crc, packed, size, 0)


def _wide_values(extra: bytes, *values: int) -> Iterator[int]:
    """The 64-bit values of the zip64 extra field, in its fixed order, for those that say so."""
    at = 0
    while at + 4 <= len(extra):
        kind = int.from_bytes(extra[at : at + 2], "little")
        end = at + 4 + int.from_bytes(extra[at + 2 : at + 4], "little")
        if kind == 1:
            break
        at = end
    at += 4
    for value in values:
        if value == WIDE and at + 8 <= len(extra):
            value, at = int.from_bytes(extra[at : at + 8], "little"), at + 8  # noqa: PLW2901
        yield value


def _decoded(name: bytes, flags: int) -> str:
    if name.isascii():
        return name.decode("ascii")
    if flags & UTF8_NAME:
        return name.decode("utf-8", "replace")
    return name.decode("cp437")


def _data_start(content: bytes, header: int, name: bytes, entry: Entry) -> int:
    """Where the packed bytes begin, or -1 where the local header doesn't bear the entry out."""
    if header < 0 or header + LOCAL.size > len(content):
        return -1
    fields = LOCAL.unpack_from(content, header)
    start: int = header + LOCAL.size + fields[8] + fields[9]
    if fields[0] != b"PK\x03\x04" or fields[3] != entry.method or fields[8] != len(name):
        return -1
    if content[header + LOCAL.size : header + LOCAL.size + fields[8]] != name:
        return -1
    return start


def _placed(entry: Entry, index: int, start: int) -> Entry:
    return Entry(index, entry.name, entry.method, entry.encrypted, entry.crc, entry.packed, entry.size, start)


def _refuse_overlap(spans: list[tuple[int, int]]) -> None:
    """Entries that share packed bytes make a bomb out of few of them; no honest zip has any."""
    spans.sort()
    reached = 0
    for start, end in spans:
        if start < reached:
            raise ZipError("zip.damaged", "its entries overlap")
        reached = end
