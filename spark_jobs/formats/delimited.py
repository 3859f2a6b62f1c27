"""CSV and delimited text to raw rows, with Arrow's reader; every column is read as text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.csv as pacsv

from spark_jobs.archives import Entry
from spark_jobs.errors import MemberError
from spark_jobs.formats.fixed import constant
from spark_jobs.formats.results import Rows, Tally, raw_schema, sourced
from spark_jobs.rules.model import MEGABYTE, Member

BLOCK = 8 * MEGABYTE
MOST_COLUMNS = 2000
ALL_TEXT = {f"f{n}": pa.string() for n in range(MOST_COLUMNS)}


@dataclass
class _Ragged:
    """Rows of the wrong number of fields: physical row number -> fields found, and how many were expected."""

    found: dict[int, int] = field(default_factory=dict)
    expected: int = 0

    def __call__(self, row: Any) -> str:
        self.found[row.number] = row.actual_columns
        self.expected = row.expected_columns
        return "skip"


def read_delimited(
    stream: BinaryIO, entry: Entry, rule: Member, constants: Mapping[str, str | None], tally: Tally, doubtful: bool
) -> Iterator[Rows]:
    """The member's records as rows, a block at a time; ragged ones are refused and keep their number.

    `doubtful` says that the quotes do not pair: then each line is read by itself, so that an unclosed quote swallows
    no more than its line. Raises MemberError `member.header` or `member.line`.
    """
    places: list[int | None] | None = None if rule.header else _places_by_number(rule)
    batches = _by_line(stream, rule) if doubtful else _by_block(stream, rule)
    first = 1
    for batch, ragged in batches:
        if places is None:
            places = _places_by_name(batch, rule, entry, tally)
            batch, first = batch.slice(1), 2  # noqa: PLW2901 - the header is no row
        numbers = _numbers(len(batch), first, ragged)
        first = numbers[-1] + 1 if numbers else first
        shift = 1 if rule.header else 0
        table = _table(batch, places, numbers, shift, entry, rule, constants)
        if len(table):
            yield Rows(rule.member, table)
        for refused in _refused(ragged, shift, entry, rule):
            yield Rows(rule.member, refused)


def _by_block(stream: BinaryIO, rule: Member) -> Iterator[tuple[pa.RecordBatch, _Ragged]]:
    ragged = _Ragged()
    width = None if rule.header else [f"f{n}" for n in range(_width(rule))]
    try:
        reader = pacsv.open_csv(
            stream,
            pacsv.ReadOptions(
                use_threads=False, block_size=BLOCK, column_names=width, autogenerate_column_names=width is None
            ),
            pacsv.ParseOptions(
                delimiter=rule.delimiter,
                quote_char=rule.quote or False,
                escape_char=rule.escape or False,
                newlines_in_values=rule.quote is not None,
                invalid_row_handler=ragged,
            ),
            pacsv.ConvertOptions(check_utf8=False, strings_can_be_null=False, column_types=ALL_TEXT),
        )
        for batch in reader:
            yield batch, ragged
    except pa.ArrowInvalid as error:
        if "Empty CSV file" in str(error):
            return
        # Arrow's own words may quote the row.
        raise MemberError("member.line", f"it has a record of more than {BLOCK >> 20} MB") from None
    if ragged.found:
        yield pa.RecordBatch.from_arrays([pa.nulls(0, pa.string())], ["f0"]), ragged


def _by_line(stream: BinaryIO, rule: Member) -> Iterator[tuple[pa.RecordBatch, _Ragged]]:
    """Line by line with the standard library, strictly; a line whose quotes do not pair has 0 fields."""
    ragged, rows, number = _Ragged(), [], 0
    width = None if rule.header else _width(rule)
    for line in io.TextIOWrapper(stream, "utf-8"):
        if not line.strip("\r\n"):
            continue
        number += 1
        fields = _fields(line, rule)
        width = width or len(fields)
        if len(fields) == width:
            rows.append(fields)
        else:
            ragged.found[number], ragged.expected = len(fields), width
    if rows:
        columns = [pa.array(values, pa.string()) for values in zip(*rows, strict=True)]
        yield pa.RecordBatch.from_arrays(columns, [f"f{n}" for n in range(len(columns))]), ragged


def _fields(line: str, rule: Member) -> list[str]:
    try:
        return next(
            csv.reader([line], delimiter=rule.delimiter, quotechar=rule.quote, escapechar=rule.escape, strict=True)
        )
    except csv.Error:
        return []


def _width(rule: Member) -> int:
    return max(int(c.source[1:]) for c in rule.columns if c.source and c.source.startswith("#"))


def _places_by_number(rule: Member) -> list[int | None]:
    sources = [c.source or "" for c in sourced(rule.columns)]
    return [int(source[1:]) - 1 if source.startswith("#") else None for source in sources]


def _places_by_name(batch: pa.RecordBatch, rule: Member, entry: Entry, tally: Tally) -> list[int | None]:
    """Where each sourced column is by the header, None for absent ones; raises MemberError `member.header`."""
    header = [str(column[0].as_py() or "").strip() for column in batch.columns]
    wanted = [c for c in sourced(rule.columns) if not (c.source or "").startswith("$")]
    for column in wanted:
        if header.count(column.source or "") > 1:
            raise MemberError("member.header", f"the header names column {column.name} twice")
        if column.required and column.source not in header:
            raise MemberError("member.header", f"the header lacks the required column {column.name}")
    if {c.source for c in wanted} - set(header):
        tally.warn(entry, "member.missing_columns", "the header lacks columns that may be null")
    if set(header) - {c.source for c in wanted}:
        tally.warn(entry, "member.unknown_columns", "the header holds columns that no rule reads")
    return [header.index(c.source) if c.source in header else None for c in sourced(rule.columns)]


def _numbers(count: int, first: int, ragged: _Ragged) -> list[int]:
    """The physical numbers of `count` good rows from `first` on: those that no ragged row has."""
    numbers: list[int] = []
    number = first
    while len(numbers) < count:
        if number not in ragged.found:
            numbers.append(number)
        number += 1
    return numbers


def _table(
    batch: pa.RecordBatch,
    places: Sequence[int | None],
    numbers: Sequence[int],
    shift: int,
    entry: Entry,
    rule: Member,
    constants: Mapping[str, str | None],
) -> pa.Table:
    count = len(batch)
    rows = pa.array([number - shift for number in numbers], pa.int64())
    values = [
        batch.column(place) if place is not None else constant(constants, c.source, count)
        for c, place in zip(sourced(rule.columns), places, strict=True)
    ]
    return _with_leading(entry, rule, rows, pa.nulls(count, pa.string()), values)


def _refused(ragged: _Ragged, shift: int, entry: Entry, rule: Member) -> Iterator[pa.Table]:
    """The ragged rows so far, as rows without values; each is given out once."""
    if not ragged.found:
        return
    given = sorted(ragged.found.items())
    reasons = [f"row.ragged: {found} fields, {ragged.expected} expected" for _, found in given]
    rows = pa.array([number - shift for number, _ in given], pa.int64())
    nothing = [pa.nulls(len(given), pa.string())] * len(sourced(rule.columns))
    yield _with_leading(entry, rule, rows, pa.array(reasons), nothing)
    ragged.found = {}


def _with_leading(
    entry: Entry, rule: Member, rows: pa.Array, failures: pa.Array, values: Sequence[pa.Array]
) -> pa.Table:
    index = pa.repeat(pa.scalar(entry.index, pa.int32()), len(rows))
    arrays = [index, pa.repeat(entry.name, len(rows)), rows, failures, *values]
    return pa.Table.from_arrays(arrays, schema=raw_schema(rule.columns))
