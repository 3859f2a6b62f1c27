"""CSV and delimited text to raw rows with PyArrow's reader; every field is read as text."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from spark_jobs.errors import MemberError
from spark_jobs.formats.dialect import Dialect
from spark_jobs.formats.header import Places, header_warnings, places_by_name, places_by_number, take_header
from spark_jobs.formats.results import Rows, Tally
from spark_jobs.formats.rows import ROWS_AT_ONCE, TextMember, counted
from spark_jobs.formats.text import LONGEST_RECORD, whole_records
from spark_jobs.rules.model import MEGABYTE

BROKEN_QUOTE = "row.ragged: a quote in it is never closed, or text follows where it closes"
TOO_LONG = f"row.ragged: a line of more than {LONGEST_RECORD // MEGABYTE} MB"


@dataclass
class _Refused:
    """The rows of a block that PyArrow leaves out: their numbers in the block, from 1, and what is wrong with them."""

    stand_in: str
    numbers: array[int] = field(default_factory=lambda: array("q"))
    failures: list[str] = field(default_factory=list)

    def __call__(self, row: Any) -> str:
        self.numbers.append(row.number - 1)  # the first row is the header that `_parsed` puts on top
        ragged = f"row.ragged: expected {row.expected_columns} fields, found {row.actual_columns}"
        # Interned, as there may be a million of them.
        self.failures.append(BROKEN_QUOTE if row.text.startswith(self.stand_in) else sys.intern(ragged))
        return "skip"


def read_delimited(blocks: Iterable[bytes], member: TextMember, tally: Tally) -> Iterator[Rows]:
    """The records of a member as rows, refused ones included. Raises MemberError `member.header`."""
    dialect = Dialect.of(member.rule)
    records = whole_records(blocks, dialect.cut)
    if member.rule.header:
        header, records = _take_header(records, dialect)
        if not header:
            return
        places, width = places_by_name(header, member.rule), len(header)
        for rule, reason in header_warnings(header, places, member.rule):
            tally.warn(member.entry, rule, reason)
    else:
        places, width = places_by_number(member.rule)
    number = 1
    for block in records:
        if block is None:
            yield member.refused(number, TOO_LONG)
            number += 1
        elif block.strip(b"\r\n"):
            count, items = _block_rows(block, places, width, dialect, member, number)
            yield from items
            number += count


def _take_header(records: Iterator[bytes | None], dialect: Dialect) -> tuple[list[str], Iterator[bytes | None]]:
    """The names in the header, none if there is no record at all, and the text after it."""
    for block in records:
        if block is None:
            raise MemberError("member.header", "its first line is too long")
        names, rest = take_header(block, dialect)
        if names:
            return names, chain([rest], records)
    return [], records


def _block_rows(
    block: bytes, places: Places, width: int, dialect: Dialect, member: TextMember, first: int
) -> tuple[int, Iterator[Rows]]:
    """How many rows a block has, refused ones included, and the rows; `first` is the number of its first row."""
    refused = _Refused(dialect.refused)
    table = _parsed(block, places, width, dialect, refused)
    numbers = _numbers(len(table), refused.numbers, first)
    values = {source: table.column(f"f{place}") for source, place in places.items()}
    theirs = pc.add(pa.array(refused.numbers, pa.int64()), first - 1)
    items = chain(
        _in_parts(member, numbers, pa.nulls(len(numbers), pa.string()), values),
        _in_parts(member, theirs, pa.array(refused.failures, pa.string()), {}),
    )
    return len(numbers) + len(theirs), items


def _in_parts(
    member: TextMember, numbers: pa.Array, failures: pa.Array, values: dict[str, pa.ChunkedArray]
) -> Iterator[Rows]:
    """Some rows at a time: each of them repeats the member's name."""
    for at in range(0, len(numbers), ROWS_AT_ONCE):
        some = {source: texts.slice(at, ROWS_AT_ONCE) for source, texts in values.items()}
        yield member.rows(numbers.slice(at, ROWS_AT_ONCE), failures.slice(at, ROWS_AT_ONCE), some)


def _parsed(block: bytes, places: Places, width: int, dialect: Dialect, refused: _Refused) -> pa.Table:
    names = [f"f{place}" for place in range(width)]
    wanted = [f"f{place}" for place in sorted(set(places.values()))] or names[:1]
    stand_in = dialect.refused.encode()
    if width == 1 and stand_in in block:
        block = block.replace(stand_in, stand_in + dialect.delimiter.encode())  # a field too many; else one is too few
    # Without a header of our own PyArrow numbers the refused rows wrongly.
    text = dialect.delimiter.join(names).encode() + b"\n" + block
    return csv.read_csv(
        pa.BufferReader(text),
        csv.ReadOptions(use_threads=False, block_size=len(text) + 1),
        csv.ParseOptions(
            delimiter=dialect.delimiter,
            quote_char=dialect.quote or False,
            escape_char=dialect.escape or False,
            newlines_in_values=True,
            invalid_row_handler=refused,
        ),
        csv.ConvertOptions(check_utf8=False, column_types=dict.fromkeys(wanted, pa.string()), include_columns=wanted),
    ).combine_chunks()


def _numbers(good: int, refused: array[int], first: int) -> pa.Array:
    """The numbers of the rows that were not refused."""
    if not refused or not good:
        return counted(first, good)
    every = counted(1, good + len(refused))
    kept = every.filter(pc.invert(pc.is_in(every, pa.array(refused, pa.int64()))))
    return pc.add(kept, first - 1)
