"""Reads samples by drafted rules, as the ingest would, and keeps so many rows of text as are needed to tell types."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from spark_jobs.archives import ZipError
from spark_jobs.formats import Rows, read_zip, type_columns
from spark_jobs.inference.peek import read_bytes
from spark_jobs.rules.model import Feed

MOST_ROWS = 20_000  # kept of each rule
MOST_BYTES = 256 << 20  # of text kept in all
FAILURES = "_failures"


@dataclass
class Read:
    """Rows of text by member rule, those that can't be read left out; and what was found on the way.

    `enough` says that not all rows of the samples were looked at.
    """

    tables: dict[str, pa.Table] = field(default_factory=dict)
    refused_rows: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    refused_members: int = 0
    members: int = 0
    enough: bool = False


def read_samples(zips: Sequence[Path], feed: Feed, constants: Mapping[str, str | None]) -> Read:
    """The rows of the samples by a feed's rules, up to MOST_ROWS of each rule from each zip's share of them."""
    read = Read()
    kept: dict[str, list[pa.Table]] = defaultdict(list)
    share = max(500, MOST_ROWS // max(1, len(zips)))
    size = 0
    for number, path in enumerate(zips, 1):
        counts: dict[str, int] = defaultdict(int)
        try:
            for item in read_zip(read_bytes(path, number), feed, constants):
                if not isinstance(item, Rows):
                    read.members += item.members
                    read.refused_members += len(item.quarantined)
                    continue
                some = item.table.slice(0, max(0, share - counts[item.rule]))
                counts[item.rule] += len(some)
                size += some.nbytes
                if len(some):
                    kept[item.rule].append(some)
                if size > MOST_BYTES or (len(some) < len(item.table) and len(counts) >= len(feed.readers)):
                    read.enough = True
                    break
        except ZipError:
            continue
        if size > MOST_BYTES:
            break
    for rule, tables in kept.items():
        table = pa.concat_tables(tables)
        sound = pc.is_null(table.column(FAILURES))
        read.refused_rows[rule] = len(table) - pc.sum(sound).as_py()
        read.tables[rule] = table.filter(sound)
    return read


def texts(table: pa.Table, column: str) -> pa.Array:
    """The texts of a column, trimmed, with empty ones as null."""
    values = pc.utf8_trim_whitespace(table.column(column).combine_chunks())
    return pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values)


def refused_by_type(read: Read, feed: Feed) -> dict[str, int]:
    """How many of the rows kept the types and required columns of a feed's rules would refuse, by member rule."""
    refused = {}
    for member in feed.readers:
        table = read.tables.get(member.member)
        if table is not None:
            typed = type_columns(table, member.columns)
            refused[member.member] = len(typed) - typed.column(FAILURES).null_count
    return refused
