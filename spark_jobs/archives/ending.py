"""Finds the central directory of a zip, from the record at its end."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

END = Struct("<4s4HIIH")  # 22 bytes, then a comment
LOCATOR = Struct("<4sIQI")  # 20 bytes, right before the end record of a zip64
WIDE_END = Struct("<4sQHHIIQQQQ")  # 56 bytes, the end record of a zip64
LONGEST_COMMENT = 0xFFFF


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the central directory lies. `prefix` is how many bytes stand before the zip itself.

    `count` is the declared number of entries, of which only the bits in `count_mask` can be told.
    """

    start: int
    end: int
    prefix: int
    count: int
    count_mask: int


def find_directory(content: bytes) -> Directory | None:
    """The central directory, or None if there is no end record that leads to one."""
    at = content.rfind(b"PK\x05\x06", max(0, len(content) - END.size - LONGEST_COMMENT))
    if at < 0 or at + END.size > len(content):
        return None
    _, _, _, _, count, length, offset, _ = END.unpack_from(content, at)
    mask = 0xFFFF
    wide = _wide_end(content, at)
    if wide is not None:
        at, count, length, offset = wide
        mask = -1
    prefix = at - length - offset
    if prefix < 0:
        return None
    return Directory(at - length, at, prefix, count, mask)


def _wide_end(content: bytes, end: int) -> tuple[int, int, int, int] | None:
    """Position, entry count, length and offset from the zip64 end record, if there is one."""
    at = end - LOCATOR.size
    if at < 0 or content[at : at + 4] != b"PK\x06\x07":
        return None
    at -= WIDE_END.size  # the place the standard library looks, whatever the locator says
    if at < 0 or content[at : at + 4] != b"PK\x06\x06":
        return None
    fields = WIDE_END.unpack_from(content, at)
    return at, fields[7], fields[8], fields[9]
