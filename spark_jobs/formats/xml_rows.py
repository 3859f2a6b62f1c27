"""Puts what was found in XML members into raw tables, one a member rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from spark_jobs.archives import Entry
from spark_jobs.formats.results import Rows, raw_schema
from spark_jobs.formats.rows import ROWS_AT_ONCE, Constants, counted
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

    def slice(self, at: int, count: int) -> Found:
        """So many rows from there on."""
        parents = None if self.parents is None else self.parents.slice(at, count)
        return Found(
            self.members.slice(at, count), parents, {name: text.slice(at, count) for name, text in self.texts.items()}
        )


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
        numbers = pc.add(_numbers(its.members), first[place] if first else 0)
        # Some rows at a time: each of them repeats the member's name.
        for at in range(0, len(numbers), ROWS_AT_ONCE):
            some, their_numbers = its.slice(at, ROWS_AT_ONCE), numbers.slice(at, ROWS_AT_ONCE)
            member = names.take(some.members)
            texts = (
                _texts(column.source or "", some, member, their_numbers, parent, constants)
                for column in one.columns.values()
            )
            no_failures = pa.nulls(len(member), pa.string())
            arrays = [indexes.take(some.members), member, their_numbers, no_failures, *texts]
            yield Rows(one.rule.member, pa.Table.from_arrays(arrays, schema=raw_schema(one.rule.columns)))
        if place == 0 and rule.children:
            parent = {
                f"$parent.{name}": _texts(column.source or "", its, names.take(its.members), numbers, {}, constants)
                for name, column in one.columns.items()
            }


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
