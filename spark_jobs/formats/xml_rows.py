"""Puts what was found in XML members into raw tables, one a member rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from spark_jobs.archives import Entry
from spark_jobs.formats.results import Rows, raw_schema
from spark_jobs.formats.rows import Constants, counted
from spark_jobs.formats.xml_rules import XmlRule


@dataclass(frozen=True)
class Found:
    """The rows of one rule, in the order of the documents.

    `members`: int32, which of the members that are read together a row is from, never falling. `parents`: int64, the
    place of its parent's row among the parent's (children only). `texts`: by source, strings.
    """

    members: pa.Array
    parents: pa.Array | None
    texts: dict[str, pa.Array]


def raw_rows(
    rule: XmlRule, found: Sequence[Found], entries: Sequence[Entry], constants: Constants, first: Sequence[int] = ()
) -> Iterator[Rows]:
    """The raw tables of a rule and its children; `found` is in the order of `rule.family`.

    `first`: where a member is read in parts, how many rows each rule had before.
    """
    names = pa.array([entry.name for entry in entries], pa.string())
    indexes = pa.array([entry.index for entry in entries], pa.int32())
    parent: dict[str, pa.Array] = {}
    for place, (one, its) in enumerate(zip(rule.family, found, strict=True)):
        member = names.take(its.members)
        numbers = pc.add(_numbers(its.members), first[place] if first else 0)
        texts = {
            name: _texts(column.source or "", its, member, numbers, parent, constants)
            for name, column in one.columns.items()
        }
        if len(its.members):
            arrays = [indexes.take(its.members), member, numbers, pa.nulls(len(numbers), pa.string()), *texts.values()]
            yield Rows(one.rule.member, pa.Table.from_arrays(arrays, schema=raw_schema(one.rule.columns)))
        parent = parent or {f"$parent.{name}": text for name, text in texts.items()}


def _texts(
    source: str, its: Found, member: pa.Array, numbers: pa.Array, parent: dict[str, pa.Array], constants: Constants
) -> pa.Array:
    if source in its.texts:
        return its.texts[source]
    if source in parent:
        return parent[source].take(its.parents)
    if source == "$member":
        return member
    if source == "$row":
        return numbers.cast(pa.string())
    return pa.repeat(pa.scalar(constants.get(source), pa.string()), len(its.members))


def _numbers(members: pa.Array) -> pa.Array:
    """Numbers from 1 within each member."""
    if pc.count_distinct(members).as_py() == len(members):
        return pa.repeat(pa.scalar(1, pa.int64()), len(members))
    coded = members.dictionary_encode()
    counts = pc.value_counts(members).field("counts")
    before = pc.subtract(pc.cumulative_sum(counts), counts)
    return pc.subtract(counted(1, len(members)), before.take(coded.indices))
