"""Rule rows gathered into revisions, each built and checked only when it is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from spark_jobs.errors import RuleError
from spark_jobs.rules.cells import Row
from spark_jobs.rules.model import Feed, Finding, Report, TargetTable
from spark_jobs.rules.rows import Rows, feed_from_rows

Item = TypeVar("Item", Feed, TargetTable, Report)


@dataclass
class Candidate(Generic[Item]):
    """An enabled revision: what its rows make, if they make anything, and what was found wrong with it."""

    where: str
    applied_at: str
    item: Item | None
    findings: list[Finding] = field(default_factory=list)

    @property
    def usable(self) -> bool:
        """Whether it could be in force by itself."""
        return self.item is not None and not any(finding.fatal for finding in self.findings)


class Ladder(Generic[Item]):
    """The enabled revisions of one feed, target table or report, the highest first, built on demand."""

    def __init__(self, name: str, rows: Sequence[Row], kind: str, build: Callable[[Row], Item]) -> None:
        self.name = name
        self._kind = kind
        self._build: Callable[[Row], Item] = build
        self._built: list[Candidate[Item]] = []
        self._check: Callable[[Item], list[Finding]] = lambda item: []
        self._left = iter(_by_revision(rows))

    def checked_by(self, check: Callable[[Item], list[Finding]]) -> Ladder[Item]:
        """Have each revision checked when it is built; to be said before the first is looked at."""
        self._check = check
        return self

    def __iter__(self) -> Iterator[Candidate[Item]]:
        """Every enabled revision, the highest first."""
        place = 0
        while place < len(self._built) or self._build_next():
            yield self._built[place]
            place += 1

    def usable(self) -> Iterator[Candidate[Item]]:
        """The revisions that could be in force, the highest first."""
        return (candidate for candidate in self if candidate.usable)

    def findings(self) -> list[Finding]:
        """What was found wrong down to the first usable revision, which may have warnings of its own."""
        found: list[Finding] = []
        for candidate in self:
            found += candidate.findings
            if candidate.usable:
                break
        return found

    def _build_next(self) -> bool:
        rows = next(self._left, None)
        if rows is None:
            return False
        where = f"{self._kind} {self.name}, revision {rows[0]['revision']}"
        candidate: Candidate[Item] = Candidate(where, rows[0].get("applied_at") or "", None)
        try:
            candidate.item = self._make(rows, where)
            candidate.findings += self._check(candidate.item)
        except RuleError as error:
            candidate.findings.append(Finding(error.where, error.problem, error.hint))
        self._built.append(candidate)
        return True

    def _make(self, rows: Sequence[Row], where: str) -> Item:
        if len(rows) > 1:
            problem = f"{len(rows)} rows have this revision, so neither can be told to be meant"
            raise RuleError(where, problem, "Insert the one that is meant again as a higher revision.")
        return self._build(rows[0])


def ladders(
    rows: Rows, table: str, kind: str, build: Callable[[Row], Item]
) -> tuple[dict[str, Ladder[Item]], list[Finding]]:
    """The revisions of each name in a rule table, and findings on rows that have no name or revision at all."""
    named: dict[str, list[Row]] = {}
    findings = []
    for row in rows.get(table, ()):
        name, revision = row.get(kind), row.get("revision")
        if isinstance(name, str) and isinstance(revision, int):
            named.setdefault(name, []).append(row)
        else:
            findings.append(
                Finding(f"rules.{table}", f"a row has {kind} {name!r} and revision {revision!r}", _NAMELESS)
            )
    return {name: Ladder(name, own, kind, build) for name, own in sorted(named.items())}, findings


def feed_builder(rows: Rows) -> Callable[[Row], Feed]:
    """Makes a feed from its row and the child rows of its revision, each revision once."""
    made: dict[tuple[str, int], Feed] = {}
    members, columns, checks = (_by_owner(rows.get(f"feed_{child}", ())) for child in ("member", "column", "check"))

    def build(row: Row) -> Feed:
        own = (row["feed"], row["revision"])
        if own not in made:
            made[own] = feed_from_rows(row, members.get(own, ()), columns.get(own, ()), checks.get(own, ()))
        return made[own]

    return build


def _by_owner(rows: Iterable[Row]) -> dict[tuple[object, object], list[Row]]:
    owned: dict[tuple[object, object], list[Row]] = {}
    for row in rows:
        owned.setdefault((row.get("feed"), row.get("revision")), []).append(row)
    return owned


def _by_revision(rows: Sequence[Row]) -> list[list[Row]]:
    """Rows of one name by revision, the highest first; revisions that are all drafts left out."""
    grouped: dict[int, list[Row]] = {}
    for row in rows:
        grouped.setdefault(row["revision"], []).append(row)
    enabled = {number: own for number, own in grouped.items() if any(row.get("enabled") is not False for row in own)}
    return [own for _, own in sorted(enabled.items(), reverse=True)]


_NAMELESS = "Both are required. The row is never used, and can be left as it is."
