"""What reading a zip yields: tables of raw text as they come, and at last the summary."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pyarrow as pa

from spark_jobs.archives import Entry
from spark_jobs.rules.model import Column, Member

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

    def note_empty(self, entry: Entry, rule: Member) -> None:
        """A member without any row: the rule says whether that is in order."""
        if rule.allow_empty:
            self.ignored += 1
        else:
            self.refuse(entry, "member.empty", "it holds no row")

    def summary(self) -> ZipSummary:
        """The tally as it stands, events in member order."""
        quarantined, warnings = (sorted(events, key=_place) for events in (self.quarantined, self.warnings))
        return ZipSummary(self.members, self.ignored, tuple(quarantined), tuple(warnings))


def sourced(columns: Iterable[Column]) -> tuple[Column, ...]:
    """The columns whose text comes from the data, in order."""
    return tuple(column for column in columns if column.source is not None)


def raw_schema(columns: Iterable[Column]) -> pa.Schema:
    """The schema of `Rows.table` for a member rule of these columns."""
    return pa.schema([*LEADING, *(pa.field(column.name, pa.string()) for column in sourced(columns))])


def _place(event: MemberEvent) -> int:
    return event.member_index
