"""Reads the central directory of a zip held in memory, and checks it against the local headers.

The standard library's reader refuses a whole zip for one name that is no UTF-8, and believes the rest of what it
reads: entries that share bytes, local headers that contradict the directory. So this one stands on its own.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from spark_jobs.archives.ending import find_directory
from spark_jobs.errors import ArchiveError
from spark_jobs.rules.model import Limits

CENTRAL = struct.Struct("<4s4xHHIIIIHHHIII")  # from the signature to the offset of the local header: 46 bytes
LOCAL = struct.Struct("<4sHHHIIIIHH")  # 30 bytes
WIDE = 0xFFFFFFFF  # a 32-bit field whose value is in the zip64 extra field
ENCRYPTED = 0x1 | 0x40 | 0x2000  # traditional, strong, and masked local headers
UTF8_NAME = 0x800


class ZipError(ArchiveError):
    """A zip that is quarantined as a whole; `members` is how many members it has, 0 where that can't be told."""

    def __init__(self, rule: str, problem: str, members: int = 0) -> None:
        super().__init__(rule, problem)
        self.members = members


class Entry(NamedTuple):
    """One member as the central directory declares it. Sizes and offsets in bytes; none of them is proven yet.

    `index` counts members from 0, directories left out. `start` is where the packed bytes begin, or -1 where the
    local header is missing or contradicts the directory.
    """

    index: int  # type: ignore[assignment]  # hides a method of tuples that nobody needs here
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
    except struct.error:
        raise ZipError("zip.damaged", "its directory is cut short") from None
    if not entries:
        raise ZipError("zip.empty", "it holds no member")
    count = len(entries)
    if count > limits.max_members:
        raise ZipError("zip.too_many_members", f"{count} members, at most {limits.max_members} allowed", count)
    # Members never inflate to more than they declare (see `inflate`), so the declared sizes bound the real ones.
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
    for name, flags, method, crc, packed, size, offset in _records(content, directory.start, directory.end):
        header = directory.prefix + offset
        start = _data_start(content, header, name, method)
        # An entry with a bad local header still claims its bytes: it must not hide that two entries share them.
        end = max(start, header + LOCAL.size) + packed
        spans.append((header, end))
        if not name.endswith(b"/"):
            encrypted = bool(flags & ENCRYPTED)
            start = start if end <= directory.start else -1
            entries.append(Entry(len(entries), _decoded(name, flags), method, encrypted, crc, packed, size, start))
    if len(spans) & directory.count_mask != directory.count:
        raise ZipError("zip.damaged", "its directory doesn't hold as many entries as it says")
    _refuse_overlap(spans)
    return entries


def _records(content: bytes, position: int, end: int) -> Iterator[tuple[bytes, int, int, int, int, int, int]]:
    """Raw name, flags, method, CRC, packed size, size and offset of each record of the directory."""
    while position < end:
        record = CENTRAL.unpack_from(content, position)
        signature, flags, method, _, crc, packed, size, name_length, extra_length, comment_length, _, _, offset = record
        name_at = position + CENTRAL.size
        extra_at = name_at + name_length
        position = extra_at + extra_length + comment_length
        if signature != b"PK\x01\x02" or position > end:
            raise ZipError("zip.damaged", "its directory is cut short or overwritten")
        if WIDE in (packed, size, offset):
            size, packed, offset = _wide_values(content[extra_at : extra_at + extra_length], size, packed, offset)
        yield content[name_at:extra_at], flags, method, crc, packed, size, offset


def _wide_values(extra: bytes, *values: int) -> list[int]:
    """The 64-bit values of the zip64 extra field, which holds those alone that have no room, in this order."""
    at = 0
    while extra[at : at + 2] not in (b"\x01\x00", b""):
        at += 4 + int.from_bytes(extra[at + 2 : at + 4], "little")
    if at >= len(extra):
        return list(values)
    wide = iter(struct.unpack_from(f"<{values.count(WIDE)}Q", extra, at + 4))
    return [next(wide) if value == WIDE else value for value in values]


def _decoded(name: bytes, flags: int) -> str:
    if name.isascii():
        return name.decode("ascii")
    if flags & UTF8_NAME:
        return name.decode("utf-8", "replace")
    return name.decode("cp437")


def _data_start(content: bytes, header: int, name: bytes, method: int) -> int:
    """Where the packed bytes begin, or -1 where the local header doesn't bear the directory out."""
    if header + LOCAL.size > len(content):
        return -1
    signature, _, _, its_method, _, _, _, _, name_length, extra_length = LOCAL.unpack_from(content, header)
    name_at = header + LOCAL.size
    if signature != b"PK\x03\x04" or its_method != method or content[name_at : name_at + name_length] != name:
        return -1
    start: int = name_at + name_length + extra_length
    return start


def _refuse_overlap(spans: list[tuple[int, int]]) -> None:
    """Entries that share packed bytes make a bomb out of few of them; no honest zip has any."""
    spans.sort()
    reached = 0
    for start, end in spans:
        if start < reached:
            raise ZipError("zip.damaged", "its entries overlap")
        reached = end
