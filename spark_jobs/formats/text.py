"""The text of a CSV or TXT member as UTF-8, in blocks of some megabytes."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator

from spark_jobs.archives import Entry, inflate, open_member
from spark_jobs.errors import MemberError, RuleError
from spark_jobs.rules.model import MEGABYTE, Limits

LARGE = 4 * MEGABYTE  # members that inflate to more are streamed rather than held in memory
CHUNK = MEGABYTE  # read at a time
LONGEST_RECORD = 8 * MEGABYTE  # how far the end of a record is looked for
BOM = "\ufeff"

# Takes a block of text and whether it is the last; gives the part of it that is whole records, ready to be read, and
# how many bytes of the block that was.
Cut = Callable[[bytes, bool], tuple[bytes, int]]


def is_large(entry: Entry) -> bool:
    """Whether a member is streamed rather than held in memory."""
    return entry.size > LARGE


def text_blocks(content: bytes, entry: Entry, encoding: str, limits: Limits) -> Iterator[bytes]:
    """The text of a member as UTF-8 without byte order mark, in blocks.

    Raises ArchiveError as `inflate`, or MemberError `member.encoding`, before the first block.
    """
    name = codec_name(encoding)
    try:
        if not is_large(entry):
            return _parts(_whole(inflate(content, entry, limits), name))
        # The first pass only looks whether all of it is text, so that the member has rows or is refused, not both.
        for _ in _decoded(content, entry, name, limits, proven=False):
            pass
    except UnicodeError:
        raise MemberError("member.encoding", f"its text is not {encoding}") from None
    return (text.encode("utf-8", "replace") for text in _decoded(content, entry, name, limits, proven=True))


def codec_name(encoding: str) -> str:
    """Python's name of an encoding. Raises RuleError."""
    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        raise RuleError("encoding", f"{encoding} is not known", "Write utf-8, cp1252 or the like.") from None
    return "utf-8" if name == "utf-8-sig" else name


def whole_records(blocks: Iterable[bytes], cut: Cut) -> Iterator[bytes | None]:
    """The text of `blocks` parted where records end; None stands for a line too long to be held in memory."""
    pending, skipping = b"", False
    for block, last in _with_last(blocks):
        if skipping:
            pending = block[_first_line_end(block) :]
            skipping = not pending
            continue
        pending += block
        ready, size = cut(pending, last)
        yield ready
        pending = pending[size:]
        if len(pending) > LONGEST_RECORD:
            yield None
            pending, skipping = b"", True
    if pending:
        yield cut(pending, True)[0]


def _with_last(blocks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """The blocks, each with whether it is the last one."""
    before = None
    for block in blocks:
        if before is not None:
            yield before, False
        before = block
    if before is not None:
        yield before, True


def whole_lines(block: bytes, last: bool) -> tuple[bytes, int]:
    """The `Cut` of text whose every line end, LF, CR LF or CR, ends a record."""
    # A CR at the very end may be half of a CR LF.
    end = len(block) if last else block.rfind(b"\n") + 1 or block.rfind(b"\r", 0, len(block) - 1) + 1
    return block[:end], end


def _first_line_end(block: bytes) -> int:
    end = block.find(b"\n") + 1 or block.find(b"\r") + 1
    return end or len(block)


def _parts(text: bytes) -> Iterator[bytes]:
    return (text[at : at + CHUNK] for at in range(0, len(text), CHUNK))


def _whole(data: bytes, codec: str) -> bytes:
    text = data.decode(codec)
    return data.removeprefix(codecs.BOM_UTF8) if codec == "utf-8" else text.removeprefix(BOM).encode("utf-8", "replace")


def _decoded(content: bytes, entry: Entry, codec: str, limits: Limits, proven: bool) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(codec)()
    with open_member(content, entry, limits, proven) as stream:
        yield decoder.decode(stream.read(CHUNK)).removeprefix(BOM)
        while chunk := stream.read(CHUNK):
            yield decoder.decode(chunk)
    yield decoder.decode(b"", final=True)
