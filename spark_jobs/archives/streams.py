"""Reads a large member as a stream in bounded memory, after a first pass has proven it whole."""

from __future__ import annotations

import io
from collections.abc import Iterator

from isal import isal_zlib

from spark_jobs.archives.directory import Entry
from spark_jobs.archives.members import RAW_DEFLATE, STORED, InflateError, check_member
from spark_jobs.errors import ArchiveError
from spark_jobs.rules.model import MEGABYTE, Limits

CHUNK = MEGABYTE


def open_member(content: bytes, entry: Entry, limits: Limits, proven: bool = False) -> io.BufferedReader:
    """Open a member for reading, its size and CRC verified beforehand by inflating it once without keeping it.

    `proven` spares the first pass where it has been made. Raises ArchiveError: `member.encrypted`, `.method`,
    `.damaged`, `.too_large` or `.ratio`.
    """
    check_member(entry, limits)
    if not proven:
        _prove(content, entry)
    return io.BufferedReader(_Chunks(_chunks(content, entry)), CHUNK)


def _prove(content: bytes, entry: Entry) -> None:
    size = crc = 0
    try:
        for chunk in _chunks(content, entry):
            size += len(chunk)
            if size > entry.size:
                break
            crc = isal_zlib.crc32(chunk, crc)
    except InflateError:
        raise ArchiveError("member.damaged", "it does not inflate") from None
    if size != entry.size:
        raise ArchiveError("member.damaged", "its size is not the declared one")
    if crc != entry.crc:
        raise ArchiveError("member.damaged", "its CRC is not the declared one")


def _chunks(content: bytes, entry: Entry) -> Iterator[bytes]:
    """Inflated chunks of at most CHUNK bytes each, whatever the ratio."""
    packed = memoryview(content)[entry.start : entry.start + entry.packed]
    if entry.method == STORED:
        yield from (bytes(packed[at : at + CHUNK]) for at in range(0, len(packed), CHUNK))
        return
    inflater = isal_zlib.decompressobj(RAW_DEFLATE)
    at = 0
    while not inflater.eof:
        waiting: bytes | memoryview = inflater.unconsumed_tail
        if not waiting:
            waiting, at = packed[at : at + CHUNK], at + CHUNK
        chunk = inflater.decompress(waiting, CHUNK)
        if not chunk and not waiting:
            raise ArchiveError("member.damaged", "its packed bytes are cut short")
        yield chunk


class _Chunks(io.RawIOBase):
    """An iterator of byte chunks as a raw stream."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, target: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = chunk
        count = min(len(target), len(self._rest))
        target[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
