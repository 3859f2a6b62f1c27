"""What reading a zip yields: tables of raw text as they come, and at last the summary."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import attrgetter

import pyarrow as pa

from spark_jobs.archives import Entry
from spark_jobs.rules.model import Column

MEMBER_INDEX, MEMBER, ROW, FAILURES = "_member_index", "_member", "_row", "_failures"
LEADING = (
    pa.field(MEMBER_INDEX, pa.int32(), nullable=False),
    pa.field(MEMBER, pa.string(), nullable=False),
    pa.field(ROW, pa.int64(), nullable=False),
    pa.field(FAILURES, pa.string()),
)


@dataclass(frozen=True)
class Rows:
    """Some rows of one member rule: LEADING, then the raw text of every sourced column in the rule's order."""

    rule: str
    table: pa.Table


@dataclass(frozen=True)
class MemberEvent:
    """Something about a member as a whole: `rule` as in outcomes.md, `reason` without any value from the data."""

    member_index: int
    member: str
    rule: str
    reason: str


@dataclass(frozen=True)
class ZipSummary:
    """What became of the members of a zip, yielded last.

    Every member is either counted in `ignored`, or named once in `quarantined`, or has rows (refused ones included).
    `warnings` refuse nothing; a member may have several.
    """

    members: int
    ignored: int
    quarantined: tuple[MemberEvent, ...] = ()
    warnings: tuple[MemberEvent, ...] = ()


@dataclass
class Tally:
    """The summary in the making."""

    members: int
    ignored: int = 0
    quarantined: list[MemberEvent] = field(default_factory=list)
    warnings: list[MemberEvent] = field(default_factory=list)

    def refuse(self, entry: Entry, rule: str, reason: str) -> None:
        """Quarantine a whole member."""
        self.quarantined.append(MemberEvent(entry.index, entry.name, rule, reason))

    def warn(self, entry: Entry, rule: str, reason: str) -> None:
        """Note a warning about a member."""
        self.warnings.append(MemberEvent(entry.index, entry.name, rule, reason))

    def summary(self) -> ZipSummary:
        """The tally as it stands, events in member order."""
        return ZipSummary(
            self.members,
            self.ignored,
            tuple(sorted(self.quarantined, key=attrgetter("member_index"))),
            tuple(sorted(self.warnings, key=attrgetter("member_index"))),
        )


def sourced(columns: Iterable[Column]) -> tuple[Column, ...]:
    """The columns whose text comes from the data, in order."""
    return tuple(column for column in columns if column.source is not None)


def raw_schema(columns: Iterable[Column]) -> pa.Schema:
    """The schema of `Rows.table` for a member rule of these columns."""
    return pa.schema([*LEADING, *(pa.field(column.name, pa.string()) for column in sourced(columns))])
