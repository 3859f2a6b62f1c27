"""What was refused and still is: entries of the quarantine, counted or one by one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from spark_jobs.jobs.wanted import Wanted
from spark_jobs.rules.inserts import literal
from spark_jobs.tables.access import Access
from spark_jobs.tables.quarantine import IS_OPEN, KEY

# Entries of before the quarantine had times count from the day their zip landed.
ENTRIES = f"""
    (SELECT {", ".join(f"q.{name}" for name in KEY)}, q.feed, q.rule, q.reason, q.batch, q.revision, q.resolved_by,
            coalesce(q.state, 'open') AS state, l.name AS zip_name,
            date_format(coalesce(q.first_refused_at, l.landed_at), 'yyyy-MM-dd') AS day
     FROM ops.quarantine q LEFT JOIN ops.ledger l ON q.zip_id = l.zip_id)"""
SHOWN = (*KEY, "feed", "revision", "rule", "reason", "state", "day", "batch", "resolved_by")


@dataclass(frozen=True)
class Selection:
    """Which entries: of zips (see `Wanted`), of a feed, with a first rule, first refused on a day (UTC). None is any."""

    zips: Wanted | None = None
    feed: str | None = None
    rule: str | None = None
    day: date | None = None
    only_open: bool = True

    @property
    def is_all(self) -> bool:
        """Whether nothing narrows it down."""
        return (self.zips, self.feed, self.rule, self.day) == (None, None, None, None)

    @property
    def condition(self) -> str:
        """The selection as a condition on ENTRIES in SQL."""
        named = {"feed": self.feed, "rule": self.rule, "day": self.day}
        parts = [f"{name} = {literal(value)}" for name, value in named.items() if value is not None]
        if self.zips is not None:
            parts.append(f"zip_id IN (SELECT zip_id FROM ops.ledger WHERE {self.zips.condition})")
        if self.only_open:
            parts.append(IS_OPEN)
        return " AND ".join(parts) or "true"


def count_entries(access: Access, selection: Selection) -> list[dict[str, Any]]:
    """A dict a feed, rule, revision, day and state: entries, the zips they are in, whole members and rows; most first."""
    return access.records(
        "SELECT feed, rule, revision, day, state, count(DISTINCT zip_id) AS zips,"
        " count_if(member_index >= 0 AND row = 0) AS members, count_if(row > 0) AS rows, count(*) AS entries"
        f" FROM {ENTRIES} WHERE {selection.condition} GROUP BY feed, rule, revision, day, state"
        " ORDER BY entries DESC, feed, rule, revision, day, state"
    )


def entries(access: Access, selection: Selection, most: int) -> list[dict[str, Any]]:
    """At most `most` entries in the order of their places, a dict each with the keys SHOWN.

    Raises LakeError if the beginning of an id fits several zips.
    """
    refuse_ambiguous(access, selection)
    statement = (
        f"SELECT {', '.join(SHOWN)} FROM {ENTRIES} WHERE {selection.condition} ORDER BY {', '.join(KEY)} LIMIT {most}"
    )
    return access.records(statement)


def refuse_ambiguous(access: Access, selection: Selection) -> None:
    """Raises LakeError if the beginning of an id fits several zips of the ledger."""
    if selection.zips and selection.zips.beginning:
        found = access.records(f"SELECT zip_id FROM ops.ledger WHERE {selection.zips.condition} LIMIT 3")
        selection.zips.refuse_ambiguous([row["zip_id"] for row in found])
