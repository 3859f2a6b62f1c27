"""Fixed-width text to raw rows: columns are character positions, counted from 1, both ends included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from spark_jobs.archives import Entry
from spark_jobs.errors import MemberError
from spark_jobs.formats.results import LEADING, Rows, raw_schema, sourced
from spark_jobs.rules.model import MEGABYTE, Member

BLOCK = 8 * MEGABYTE
LONGEST_LINE = MEGABYTE


def read_fixed(stream: BinaryIO, entry: Entry, rule: Member, constants: Mapping[str, str | None]) -> Iterator[Rows]:
    """The member's lines as rows, a block at a time; empty lines are no rows.

    Raises MemberError `member.line` for a line of more than 1 MB.
    """
    number = 1
    for lines in _blocks(stream):
        filled = lines.filter(pc.not_equal(lines, ""))
        if len(filled):
            yield Rows(rule.member, _table(filled, number, entry, rule, constants))
            number += len(filled)


def _blocks(stream: BinaryIO) -> Iterator[pa.Array]:
    rest = b""
    while block := stream.read(BLOCK):
        *lines, rest = (rest + block).split(b"\n")
        if len(rest) > LONGEST_LINE or any(len(line) > LONGEST_LINE for line in lines):
            raise MemberError("member.line", "it has a line of more than 1 MB")
        yield _text(lines)
    yield _text([rest])


def _text(lines: list[bytes]) -> pa.Array:
    return pc.utf8_rtrim(pa.array(lines, pa.binary()).cast(pa.string()), "\r")


def _table(lines: pa.Array, number: int, entry: Entry, rule: Member, constants: Mapping[str, str | None]) -> pa.Table:
    columns = sourced(rule.columns)
    spans = {c.name: _span(c.source or "") for c in columns if not (c.source or "").startswith("$")}
    last = max(stop for _, stop in spans.values())
    count = len(lines)
    too_long = pc.greater(pc.utf8_length(pc.utf8_rtrim_whitespace(lines)), last)
    failures = pc.if_else(too_long, f"row.length: longer than {last} characters", pa.scalar(None, pa.string()))
    values = [
        pc.utf8_slice_codeunits(lines, *spans[c.name]) if c.name in spans else constant(constants, c.source, count)
        for c in columns
    ]
    leading = [pa.repeat(pa.scalar(entry.index, pa.int32()), count), pa.repeat(entry.name, count)]
    rows = pa.array(range(number, number + count), pa.int64())
    blanked = [pc.if_else(too_long, pa.scalar(None, pa.string()), value) for value in values]
    assert len(leading) + 2 == len(LEADING)
    return pa.Table.from_arrays([*leading, rows, failures, *blanked], schema=raw_schema(rule.columns))


def constant(constants: Mapping[str, str | None], source: str | None, count: int) -> pa.Array:
    """A `$...` source, which is the same for all rows of a zip."""
    return pa.repeat(pa.scalar(constants.get(source or ""), pa.string()), count)


def _span(source: str) -> tuple[int, int]:
    first, _, last = source.partition("-")
    return int(first) - 1, int(last or first)
