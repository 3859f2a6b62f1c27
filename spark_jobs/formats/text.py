"""Text members as UTF-8 byte streams: small ones checked in memory, large ones in a pass of their own."""

from __future__ import annotations

import codecs
import io
from typing import BinaryIO

from spark_jobs.archives import Entry, inflate, open_member
from spark_jobs.errors import MemberError
from spark_jobs.rules.model import MEGABYTE, Limits

LARGE = 16 * MEGABYTE
UTF8_BOM = b"\xef\xbb\xbf"
CHUNK = 1 << 20


def is_large(entry: Entry) -> bool:
    """Whether a member is streamed rather than held in memory."""
    return entry.size > LARGE


def utf8_bytes(content: bytes, entry: Entry, encoding: str, limits: Limits) -> bytes:
    """A small member's text as UTF-8 without BOM; raises ArchiveError, or MemberError `member.encoding`."""
    data = inflate(content, entry, limits)
    try:
        text = data.decode(encoding)
    except UnicodeError:
        raise MemberError("member.encoding", f"its text is not {encoding}") from None
    if codecs.lookup(encoding).name == "utf-8":
        return data.removeprefix(UTF8_BOM)
    return text.removeprefix("\ufeff").encode()


def utf8_stream(content: bytes, entry: Entry, encoding: str, limits: Limits) -> BinaryIO:
    """A large member's text as a stream of UTF-8, its encoding proven by a first pass; raises as `utf8_bytes`."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with open_member(content, entry, limits) as stream:
            while chunk := stream.read(CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeError:
        raise MemberError("member.encoding", f"its text is not {encoding}") from None
    stream = open_member(content, entry, limits)
    if codecs.lookup(encoding).name == "utf-8":
        if stream.peek(3)[:3] == UTF8_BOM:
            stream.read(3)
        return stream
    return io.BufferedReader(_Transcoded(io.TextIOWrapper(stream, encoding, newline="")), CHUNK)


class _Transcoded(io.RawIOBase):
    """A text stream as UTF-8 bytes."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, target: bytearray | memoryview) -> int:  # type: ignore[override]
        if not self._rest:
            self._rest = self._text.read(CHUNK // 4).encode()
        count = min(len(target), len(self._rest))
        target[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
