"""A large XML member to raw rows in bounded memory: a stream of records, read twice."""

from __future__ import annotations

import io
from collections.abc import Iterator

from lxml import etree

from spark_jobs.archives import Entry, open_member
from spark_jobs.errors import ArchiveError, MemberError
from spark_jobs.formats.results import Rows, Tally
from spark_jobs.formats.rows import Constants
from spark_jobs.formats.xml_doubts import refuse_doctype, text_encoding
from spark_jobs.formats.xml_exact import HARDENED, ExactReader
from spark_jobs.formats.xml_rows import raw_rows
from spark_jobs.formats.xml_rules import Names, XmlRule, names_of
from spark_jobs.rules.model import MEGABYTE, Limits

LONGEST_RECORD = 16 * MEGABYTE  # made of the smallest elements it takes 40 times as much memory
ROWS_AT_ONCE = 8192


def read_large(
    content: bytes, entry: Entry, rule: XmlRule, limits: Limits, constants: Constants, tally: Tally
) -> Iterator[Rows]:
    """The rows of one member and its children; a refused member goes to `tally`.

    The first pass only looks whether the member is well-formed to its end, so that it has rows or is refused, not both.
    """
    try:
        with open_member(content, entry, limits) as stream:
            count = sum(1 for _ in _records(stream, rule))
    except etree.XMLSyntaxError:
        tally.refuse(entry, *_reason(content, entry, rule, limits))
        return
    except (ArchiveError, MemberError) as error:
        tally.refuse(entry, error.rule, error.problem)
        return
    if not count:
        tally.note_empty(entry, rule.rule)
    with open_member(content, entry, limits, proven=True) as stream:
        yield from _rows(stream, entry, rule, constants)


def _reason(content: bytes, entry: Entry, rule: XmlRule, limits: Limits) -> tuple[str, str]:
    """Why a document can't be read; what the parser says of it may hold its text."""
    try:
        with open_member(content, entry, limits, proven=True) as stream:
            refuse_doctype(iter(lambda: stream.read(MEGABYTE), b""))
        with open_member(content, entry, limits, proven=True) as stream:
            own = text_encoding(stream.peek(200), rule.rule.encoding)
            own.refuse_if_wrong(iter(lambda: stream.read(MEGABYTE), b""))
    except MemberError as error:
        return error.rule, error.problem
    return "member.xml", "it is not well-formed"


def _rows(stream: io.BufferedReader, entry: Entry, rule: XmlRule, constants: Constants) -> Iterator[Rows]:
    reader = ExactReader(rule)
    done = [0] * len(rule.family)
    for record in _records(stream, rule):
        reader.add(record, 0)
        if reader.kept >= ROWS_AT_ONCE:
            found = reader.take()
            yield from raw_rows(rule, found, [entry], constants, done)
            done = [before + len(its.members) for before, its in zip(done, found, strict=True)]
    yield from raw_rows(rule, reader.take(), [entry], constants, done)


def _records(stream: io.BufferedReader, rule: XmlRule) -> Iterator[etree._Element]:
    """The records of a document; each is gone when the next one comes.

    Raises XMLSyntaxError, or MemberError: `member.dtd`, or `member.too_large` for a record too large.
    """
    own = text_encoding(stream.peek(200), rule.rule.encoding)
    metered = _Metered(stream)
    events = etree.iterparse(metered, events=("start", "end"), **HARDENED, encoding=own.override)
    yield from _at(names_of(rule.record), events, metered)


def _at(way: Names, events: Iterator[tuple[str, etree._Element]], metered: _Metered) -> Iterator[etree._Element]:
    """The elements that the way leads to; what is not inside of one is dropped as soon as it ends."""
    depth = on_way = 0
    for event, element in events:
        if event == "start":
            depth += 1
            if depth == 1 and element.getroottree().docinfo.doctype:
                raise MemberError("member.dtd", "it has a DOCTYPE")
            if on_way == depth - 1 < len(way) and element.tag == way[on_way]:
                on_way = depth
            continue
        if on_way == depth == len(way):
            yield element
        if on_way == depth or on_way < len(way):
            _drop(element)
            metered.since = 0
        on_way = min(on_way, depth - 1)
        depth -= 1


def _drop(element: etree._Element) -> None:
    element.clear(keep_tail=False)
    parent = element.getparent()
    if parent is not None:
        del parent[: parent.index(element)]


class _Metered(io.RawIOBase):
    """A stream that refuses to feed the parser more than LONGEST_RECORD bytes of what it has to keep."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self._stream = stream
        self.since = 0

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.since += len(data)
        if self.since > LONGEST_RECORD:
            raise MemberError("member.too_large", f"a record of more than {LONGEST_RECORD // MEGABYTE} MB")
        return data
