"""Puts what a text reader found into a raw table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from spark_jobs.archives import Entry
from spark_jobs.formats.results import Rows, raw_schema, sourced
from spark_jobs.rules.model import Member

Constants = Mapping[str, str | None]
ROWS_AT_ONCE = 65_536


@dataclass(frozen=True)
class TextMember:
    """A CSV or TXT member that is read by a rule; `constants` holds `$name.<part>` and `$extract_time`."""

    entry: Entry
    rule: Member
    constants: Constants

    def rows(self, numbers: pa.Array, failures: pa.Array, values: Mapping[str, pa.Array]) -> Rows:
        """Raw rows of these numbers; `values` are keyed by source, absent ones are constants or null."""
        count = len(numbers)
        index = pa.repeat(pa.scalar(self.entry.index, pa.int32()), count)
        name = pa.repeat(pa.scalar(self.entry.name, pa.string()), count)
        texts = [self._texts(column.source or "", numbers, values) for column in sourced(self.rule.columns)]
        table = pa.Table.from_arrays([index, name, numbers, failures, *texts], schema=raw_schema(self.rule.columns))
        return Rows(self.rule.member, table)

    def refused(self, number: int, failure: str) -> Rows:
        """One row that could not be read."""
        return self.rows(pa.array([number], pa.int64()), pa.array([failure], pa.string()), {})

    def _texts(self, source: str, numbers: pa.Array, values: Mapping[str, pa.Array]) -> pa.Array:
        if source in values:
            return values[source]
        if source == "$row":
            return numbers.cast(pa.string())
        text = self.entry.name if source == "$member" else self.constants.get(source)
        return pa.repeat(pa.scalar(text, pa.string()), len(numbers))


def counted(first: int, count: int) -> pa.Array:
    """The numbers from `first` on, as int64."""
    return pc.add(pc.cumulative_sum(pa.repeat(pa.scalar(1, pa.int64()), count)), first - 1)
