"""XML members to raw rows: many at once where they are plain, one by one where there is any doubt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from spark_jobs.archives import Entry, inflate
from spark_jobs.errors import ArchiveError, MemberError
from spark_jobs.formats.results import Rows, Tally
from spark_jobs.formats.rows import Constants
from spark_jobs.formats.text import is_large
from spark_jobs.formats.xml_exact import ExactReader
from spark_jobs.formats.xml_fast import FastReader
from spark_jobs.formats.xml_large import read_large
from spark_jobs.formats.xml_rows import Found, raw_rows
from spark_jobs.formats.xml_rules import XmlRule, make_ready
from spark_jobs.rules.model import MEGABYTE, Feed, Member

TOGETHER_MEMBERS, TOGETHER_BYTES, TOGETHER_ROWS = 4096, 8 * MEGABYTE, 65_536


def read_xml(
    content: bytes, entries: Sequence[Entry], rule: Member, feed: Feed, constants: Constants, tally: Tally
) -> Iterator[Rows]:
    """The rows of the members that a rule takes, and of its child rules; refused members go to `tally`."""
    ready, fast = _readers(_Same(feed), rule.member)
    batch = _Batch(ready, fast, constants, tally)
    for entry in entries:
        if is_large(entry):
            yield from read_large(content, entry, ready, feed.limits, constants, tally)
            continue
        try:
            data = inflate(content, entry, feed.limits)
        except ArchiveError as error:
            tally.refuse(entry, error.rule, error.problem)
            continue
        batch.add(entry, data)
        if batch.is_full():
            yield from batch.rows()
            batch = _Batch(ready, fast, constants, tally)
    yield from batch.rows()


@dataclass(eq=False)
class _Same:
    """Makes a feed, which has no hash, the key of a cache: the same object, not an equal one."""

    feed: Feed

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.feed is self.feed

    def __hash__(self) -> int:
        return id(self.feed)


@lru_cache(maxsize=64)
def _readers(feed: _Same, member: str) -> tuple[XmlRule, FastReader | None]:
    rule = next(rule for rule in feed.feed.members if rule.member == member)
    ready = make_ready(rule, feed.feed)
    return ready, FastReader(ready) if FastReader.fits(ready) else None


@dataclass
class _Documents:
    """Documents, and which of a batch's members they are."""

    data: list[bytes] = field(default_factory=list)
    places: list[int] = field(default_factory=list)

    def add(self, data: bytes, place: int) -> None:
        """Takes a document in."""
        self.data.append(data)
        self.places.append(place)


@dataclass
class _Batch:
    """Members of a zip that are put into tables together."""

    rule: XmlRule
    fast: FastReader | None
    constants: Constants
    tally: Tally
    entries: list[Entry] = field(default_factory=list)
    usual: _Documents = field(default_factory=_Documents)  # plain as far as meets the eye
    plain: _Documents = field(default_factory=_Documents)  # well-formed by themselves
    size: int = 0

    def __post_init__(self) -> None:
        self.exact = ExactReader(self.rule)

    def add(self, entry: Entry, data: bytes) -> None:
        """Takes a member in."""
        place = len(self.entries)
        self.entries.append(entry)
        self.size += len(data)
        document = self.fast.admit_unparsed(data) if self.fast else None
        if document is None:
            self._admit(data, place)
        else:
            self.usual.add(document, place)

    def is_full(self) -> bool:
        """Whether memory wants it to be put into tables now."""
        return len(self.entries) >= TOGETHER_MEMBERS or self.size >= TOGETHER_BYTES or self.exact.kept >= TOGETHER_ROWS

    def rows(self) -> Iterator[Rows]:
        """The tables of the members taken in."""
        yield from self._usual_rows()
        yield from self._plain_rows(0, len(self.plain.data))
        if self.exact.kept:
            yield from raw_rows(self.rule, self.exact.take(), self.entries, self.constants)

    def _usual_rows(self) -> Iterator[Rows]:
        """Tables of the usual documents; where one of them is in doubt, each is admitted by itself."""
        if not self.usual.data:
            return
        assert self.fast is not None
        found = self.fast.read_unparsed(self.usual.data)
        if found is not None:
            yield from self._tables(found, self.usual.places)
        else:
            for data, place in zip(self.usual.data, self.usual.places, strict=True):
                self._admit(data, place)

    def _admit(self, data: bytes, place: int) -> None:
        document = self.fast.admit(data) if self.fast else None
        if document is None:
            self._read_exactly(data, place)
        else:
            self.plain.add(document, place)

    def _plain_rows(self, start: int, stop: int) -> Iterator[Rows]:
        """Tables of the plain members; halves them until those that only look plain stand alone."""
        if start == stop:
            return
        assert self.fast is not None
        found = self.fast.read(self.plain.data[start:stop])
        if found is not None:
            places = self.plain.places[start:stop]
            self._note_empty(found[0], places)
            yield from self._tables(found, places)
        elif stop - start == 1:
            self._read_exactly(self.plain.data[start], self.plain.places[start])
        else:
            middle = (start + stop) // 2
            yield from self._plain_rows(start, middle)
            yield from self._plain_rows(middle, stop)

    def _tables(self, found: Sequence[Found], places: list[int]) -> Iterator[Rows]:
        return raw_rows(self.rule, [_placed(one, places) for one in found], self.entries, self.constants)

    def _read_exactly(self, data: bytes, place: int) -> None:
        try:
            count = self.exact.read(data, place)
        except MemberError as error:
            self.tally.refuse(self.entries[place], error.rule, error.problem)
            return
        if not count:
            self.tally.note_empty(self.entries[place], self.rule.rule)

    def _note_empty(self, records: Found, places: list[int]) -> None:
        if pc.count_distinct(records.members).as_py() < len(places):
            filled = set(records.members.to_pylist())
            for number in set(range(len(places))) - filled:
                self.tally.note_empty(self.entries[places[number]], self.rule.rule)


def _placed(found: Found, places: list[int]) -> Found:
    if places == list(range(len(places))):
        return found
    return Found(pa.array(places, pa.int32()).take(found.members), found.parents, found.texts)
