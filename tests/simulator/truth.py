"""What must become of every zip, member and row, kept while the deliveries are made."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field

from tests.simulator.columns import TARGETS
from tests.simulator.delivery import Bulk, Delivery, Member, Row
from tests.simulator.versions import Versions

OUTCOMES = ("loaded", "duplicate", "ignored", "quarantined")
LOADED, DUPLICATE, IGNORED, QUARANTINED = range(4)
TARGET_NUMBERS = {name: number for number, name in enumerate(TARGETS)}


@dataclass(slots=True)
class ZipTruth:
    """The ledger's line for a zip."""

    folder: str
    feed: str | None
    name: str
    wave: int
    sha256: str
    state: str
    rule: str | None
    members: Counter
    rows: Counter
    warnings: Counter

    def line(self) -> dict:
        """The line as `zips.parquet` has it."""
        line = {key: getattr(self, key) for key in ("folder", "feed", "name", "wave", "sha256", "state", "rule")}
        line["members"] = sum(self.members.values())
        line |= {f"members_{outcome}": self.members[outcome] for outcome in OUTCOMES}
        line |= {f"rows_{outcome}": self.rows[outcome] for outcome in OUTCOMES if outcome != "ignored"}
        line["warnings"] = ",".join(f"{name}={count}" for name, count in sorted(self.warnings.items()) if count)
        return line


@dataclass
class Truth:
    """Everything a run of the lake over the deliveries must end with."""

    kinds: Counter = field(default_factory=Counter)  # injected or met, by kind
    zips: list[ZipTruth] = field(default_factory=list)
    quarantine: list[tuple] = field(default_factory=list)
    identifiers: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.versions = {name: Versions(target, self.kinds) for name, target in TARGETS.items()}
        self.member_names: list[str] = []
        self.member_columns = [array("i") for _ in range(3)]  # zip, index, outcome
        self.row_columns = [array("i") for _ in range(5)]  # zip, index, target, row, outcome
        self._first: dict[tuple, int] = {}  # feed and hash of loaded zips

    def add(self, delivery: Delivery, sha256: str) -> ZipTruth:
        """Take up a delivery, in the order of arrival."""
        original = self._first.get((delivery.feed, sha256))
        line = ZipTruth(
            delivery.folder, delivery.feed, delivery.name, delivery.wave, sha256, "quarantined", delivery.refused,
            Counter(), Counter(), Counter(),
        )  # fmt: skip
        self.zips.append(line)
        if original is not None:
            line.state = "duplicate"
            self._repeat(line, original)
            return line
        if delivery.refused:
            self.quarantine.append((len(self.zips) - 1, None, None, None, None, delivery.refused))
        self._add_members(line, delivery)
        line.state = self._state(line)
        if line.state == "loaded":
            self._first[(delivery.feed, sha256)] = len(self.zips) - 1
        return line

    @staticmethod
    def _state(line: ZipTruth) -> str:
        if line.members["loaded"]:
            return "loaded"
        return "ignored" if line.members and set(line.members) == {"ignored"} else "quarantined"

    def _add_members(self, line: ZipTruth, delivery: Delivery) -> None:
        real = [member for member in delivery.members if member.entry.flaw != "directory"]
        for index, member in enumerate(real):
            outcome = "quarantined" if delivery.refused else member.outcome
            line.members[outcome] += 1
            self._note_member(index, member.entry.name, OUTCOMES.index(outcome))
            if not delivery.refused:
                self._add_member(line, delivery, index, member)

    def _note_member(self, index: int, name: str, outcome: int) -> None:
        self.member_names.append(name)
        for column, value in zip(self.member_columns, (len(self.zips) - 1, index, outcome), strict=True):
            column.append(value)

    def _add_member(self, line: ZipTruth, delivery: Delivery, index: int, member: Member) -> None:
        if member.refused:
            self.quarantine.append((len(self.zips) - 1, index, member.entry.name, None, None, member.refused))
        if member.warnings:
            line.warnings.update(member.warnings)
        for row in member.rows:
            self._add_row(line, delivery, index, member.entry.name, row)
        if member.bulk:
            self._add_bulk(line, index, member.entry.name, member.bulk)

    def _add_row(self, line: ZipTruth, delivery: Delivery, index: int, name: str, row: Row) -> None:
        here = len(self.zips) - 1
        zips, indexes, targets, numbers, outcomes = self.row_columns
        zips.append(here)
        indexes.append(index)
        targets.append(TARGET_NUMBERS[row.target])
        numbers.append(row.number)
        if row.rule:
            outcomes.append(QUARANTINED)
            line.rows["quarantined"] += 1
            self.quarantine.append((here, index, name, row.number, row.target, row.rule))
            return
        outcomes.append(LOADED)
        line.rows["loaded"] += 1
        order = (row.source, delivery.extract, line.sha256, index, row.number)
        self.versions[row.target].add(row.values, order, line.name)

    def _add_bulk(self, line: ZipTruth, index: int, name: str, bulk: Bulk) -> None:
        here, count = len(self.zips) - 1, bulk.count
        self.versions[bulk.target].bulk.append(bulk.loaded)
        fates = array("i", [LOADED]) * count
        for number in bulk.refused:
            fates[number - 1] = QUARANTINED
            self.quarantine.append((here, index, name, number, bulk.target, bulk.rule))
        line.rows.update(loaded=count - len(bulk.refused), quarantined=len(bulk.refused))
        constant = [array("i", [value]) * count for value in (here, index, TARGET_NUMBERS[bulk.target])]
        for column, values in zip(self.row_columns, (*constant, range(1, count + 1), fates), strict=True):
            column.extend(values)

    def _repeat(self, line: ZipTruth, original: int) -> None:
        """A duplicate has as many members and rows as its original, every one a duplicate."""
        of_original = self.zips[original]
        line.members["duplicate"] = sum(of_original.members.values())
        line.rows["duplicate"] = sum(of_original.rows.values())
        start = self.member_columns[0].index(original)
        self.member_names += self.member_names[start : start + line.members["duplicate"]]
        self._repeat_columns(self.member_columns, original, line.members["duplicate"])
        self._repeat_columns(self.row_columns, original, line.rows["duplicate"])

    def _repeat_columns(self, columns: list[array], original: int, count: int) -> None:
        # A zip's members, and its rows, stand together.
        start = columns[0].index(original)
        for column in columns[1:-1]:
            column.extend(column[start : start + count])
        columns[0].extend([len(self.zips) - 1] * count)
        columns[-1].extend([DUPLICATE] * count)
