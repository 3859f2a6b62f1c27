"""Inflates one member in memory, never further than it declares and the limits allow."""

from __future__ import annotations

from isal import isal_zlib

from spark_jobs.archives.directory import Entry
from spark_jobs.errors import ArchiveError
from spark_jobs.rules.model import MEGABYTE, Limits

STORED, DEFLATED = 0, 8
RAW_DEFLATE = -15
InflateError: type[Exception] = isal_zlib.error  # type: ignore[assignment]  # its stub takes the class for an instance
RATIO_FREE = MEGABYTE  # members of this many bytes or less may have any ratio


def check_member(entry: Entry, limits: Limits) -> None:
    """Refuse a member for what it declares, before a byte of it is inflated.

    Raises ArchiveError: `member.encrypted`, `.method`, `.damaged`, `.too_large` or `.ratio`.
    """
    if entry.encrypted:
        raise ArchiveError("member.encrypted", "it is encrypted")
    if entry.method not in (STORED, DEFLATED):
        raise ArchiveError("member.method", f"compression method {entry.method} is neither stored nor deflated")
    if entry.start < 0:
        raise ArchiveError("member.damaged", "its local header is missing or contradicts the directory")
    if entry.size > limits.max_member_bytes:
        raise ArchiveError("member.too_large", f"{entry.size} bytes, at most {limits.max_member_bytes} allowed")
    if entry.size > RATIO_FREE and entry.size > limits.max_ratio * entry.packed:
        raise ArchiveError("member.ratio", f"more than {limits.max_ratio} times its packed size")


def inflate(content: bytes, entry: Entry, limits: Limits) -> bytes:
    """The bytes of a member, its size and CRC verified.

    Raises ArchiveError as `check_member` does. Takes memory for `entry.size` bytes at most: check it first, and use
    `open_member` for the large ones.
    """
    check_member(entry, limits)
    packed = memoryview(content)[entry.start : entry.start + entry.packed]
    data = bytes(packed) if entry.method == STORED else _inflated(packed, entry.size)
    if len(data) != entry.size:
        raise ArchiveError("member.damaged", "its size is not the declared one")
    if isal_zlib.crc32(data) != entry.crc:
        raise ArchiveError("member.damaged", "its CRC is not the declared one")
    return data


def _inflated(packed: memoryview, size: int) -> bytes:
    inflater = isal_zlib.decompressobj(RAW_DEFLATE)
    try:
        # One byte more than declared is asked for, so that a member that holds more shows.
        data: bytes = inflater.decompress(packed, size + 1)
    except InflateError:
        raise ArchiveError("member.damaged", "it does not inflate") from None
    if not inflater.eof and len(data) <= size:
        raise ArchiveError("member.damaged", "its packed bytes are cut short")
    return data
