"""Where the columns of a rule are in a delimited text: by its header, or by number."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from spark_jobs.errors import MemberError
from spark_jobs.formats.dialect import LINE_END, Dialect
from spark_jobs.formats.results import sourced
from spark_jobs.rules.model import Column, Member

MOST_COLUMNS = 10_000  # far more than any table has, and few enough to be held for each block of lines

Places = dict[str, int]  # source -> number of the field, from 0


def take_header(block: bytes, dialect: Dialect) -> tuple[list[str], bytes]:
    """The names in the first record of a block, none if it has no record, and the rest of the block.

    Raises MemberError `member.header`.
    """
    at = 0

    def lines() -> Iterator[str]:
        nonlocal at
        while at < len(block):
            start, end = at, LINE_END.search(block, at)
            at = end.end() if end else len(block)
            yield block[start:at].decode()

    reader = csv.reader(
        lines(),
        delimiter=dialect.delimiter,
        quotechar=dialect.quote,
        escapechar=dialect.escape,
        quoting=csv.QUOTE_NONE if dialect.quote is None else csv.QUOTE_MINIMAL,
    )
    try:
        names = next((fields for fields in reader if fields), [])
    except csv.Error:
        raise MemberError("member.header", "its header can't be read") from None
    if len(names) > MOST_COLUMNS:
        raise MemberError("member.header", f"it has {len(names)} columns, at most {MOST_COLUMNS} are read")
    if dialect.refused in names:
        raise MemberError("member.header", "a quote in its header is never closed, or text follows where it closes")
    return [name.strip() for name in names], block[at:]


def places_by_name(header: list[str], rule: Member) -> Places:
    """Where each source is by the header. Raises MemberError `member.header`."""
    for column in _fields(rule):
        place = _place(column, header)
        if header.count(column.source or "") > 1:
            raise MemberError("member.header", f"it names the source of column {column.name} twice")
        if place is None and column.required:
            raise MemberError("member.header", f"it lacks the source of the required column {column.name}")
    places = {column.source or "": _place(column, header) for column in _fields(rule)}
    return {source: place for source, place in places.items() if place is not None}


def places_by_number(rule: Member) -> tuple[Places, int]:
    """Where each source is in a text without header, and how many fields its records have."""
    places = {column.source or "": _number(column.source or "") for column in _fields(rule)}
    return places, max(places.values(), default=0) + 1


def header_warnings(header: list[str], places: Places, rule: Member) -> Iterator[tuple[str, str]]:
    """Rule and reason of what is odd about a header, though it can be read."""
    missing = [column.name for column in _fields(rule) if column.source not in places]
    if missing:
        yield "member.missing_columns", f"the header lacks the source of {', '.join(missing)}"
    unknown = len(header) - len(set(places.values()))
    if unknown:
        yield "member.unknown_columns", f"no rule reads {unknown} of the header's columns"


def _fields(rule: Member) -> list[Column]:
    return [column for column in sourced(rule.columns) if not (column.source or "").startswith("$")]


def _place(column: Column, header: list[str]) -> int | None:
    return header.index(column.source or "") if column.source in header else None


def _number(source: str) -> int:
    return int(source.removeprefix("#")) - 1
