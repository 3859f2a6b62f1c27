"""Fixed-width text to raw rows: columns are character positions, counted from 1, both ends included."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from spark_jobs.formats.nulls import NO_TEXT
from spark_jobs.formats.results import Rows, sourced
from spark_jobs.formats.rows import ROWS_AT_ONCE, TextMember, counted
from spark_jobs.formats.text import LONGEST_RECORD, whole_lines, whole_records
from spark_jobs.rules.model import MEGABYTE, Member

TOO_LONG = f"row.length: a line of more than {LONGEST_RECORD // MEGABYTE} MB"

Spans = dict[str, tuple[int, int]]  # source -> characters from, to (left out), counted from 0


def read_fixed(blocks: Iterable[bytes], member: TextMember) -> Iterator[Rows]:
    """The lines of a member as rows, refused ones included; empty lines are no rows."""
    spans = _spans(member.rule)
    number = 1
    for block in whole_records(blocks, whole_lines):
        if block is None:
            yield member.refused(number, TOO_LONG)
            number += 1
            continue
        lines = _lines(block)
        for at in range(0, len(lines), ROWS_AT_ONCE):
            some = lines.slice(at, ROWS_AT_ONCE)
            yield _rows(some, spans, member, number)
            number += len(some)


def _lines(block: bytes) -> pa.Array:
    text = pa.array([block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")], pa.binary()).cast(pa.string())
    lines = pc.split_pattern(text, "\n").flatten()
    return lines.filter(pc.not_equal(lines, ""))


def _rows(lines: pa.Array, spans: Spans, member: TextMember, first: int) -> Rows:
    last = max((end for _, end in spans.values()), default=0)
    lengths = pc.utf8_length(lines)
    refused = pc.greater(lengths, last)
    failures = pc.if_else(refused, f"row.length: longer than {last} characters", NO_TEXT)
    lines = pc.if_else(refused, NO_TEXT, lines)
    if pc.min(lengths).as_py() < last and not all(column.trim for column in member.rule.columns):
        lines = pc.utf8_rpad(lines, last)
    values = {source: pc.utf8_slice_codeunits(lines, *span) for source, span in spans.items()}
    return member.rows(counted(first, len(lines)), failures, values)


def _spans(rule: Member) -> Spans:
    sources = [column.source or "" for column in sourced(rule.columns)]
    return {source: _span(source) for source in sources if not source.startswith("$")}


def _span(source: str) -> tuple[int, int]:
    first, _, last = source.partition("-")
    return int(first) - 1, int(last or first)
