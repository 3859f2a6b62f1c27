"""The feed `bed_census`: the state of every bed, pipe-delimited without a header."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from tests.simulator import clock
from tests.simulator.delivery import Delivery, Member, Row
from tests.simulator.feed import Feed
from tests.simulator.stories import Message
from tests.simulator.zipper import Entry

STATE = {"new": "A", "change": "O", "move": "O", "close": "C", "delete": "R"}
UNITS = ("ICU", 'Ward "East"', "Med/Surg 2", "Emergency", "Notaufnahme Süd", "NICU, Level III", "Burn")


@dataclass(slots=True)
class Bed:
    """A bed in a facility."""

    facility: str
    unit: str
    bed: str
    patients: Callable[[], str]


def _spoil(place: int, text: str, rule: str) -> Callable[[list[str]], str]:
    def spoil(fields: list[str]) -> str:
        fields[place] = text
        return rule

    return spoil


def _ragged(change: Callable[[list[str]], list[str]]) -> Callable[[list[str]], str]:
    def spoil(fields: list[str]) -> str:
        fields[:] = change(fields)
        return "row.ragged"

    return spoil


FAULTS: dict[str, Callable[[list[str]], str]] = {
    "no_facility": _spoil(0, "", "required.facility_id"),
    "no_unit": _spoil(1, "  ", "required.unit"),
    "no_bed": _spoil(2, "", "required.bed"),
    "unknown_state": _spoil(3, "Z", "check.known_bed_state"),
    "no_state": _spoil(3, "", "required.bed_state"),
    "as_of_no_day": _spoil(4, "20260230101010", "type.as_of"),
    "as_of_short": _spoil(4, "2026021010101", "type.as_of"),
    "acuity_in_words": _spoil(6, "high", "type.acuity"),
    "too_many_fields": _ragged(lambda fields: [*fields, "", "x"]),
    "too_few_fields": _ragged(lambda fields: fields[:-1]),
}
STYLES = ("crlf", "bom", "blank_lines", "no_last_newline")


class BedCensus(Feed):
    """Makes zips of bed states."""

    name, prefix = "bed_census", "BED"

    def __init__(self, *args) -> None:
        super().__init__(*args)
        self.styles = self.dealer(STYLES, 1, 0.3)
        self.faults = self.dealer(tuple(FAULTS), 17, 0.003)

    def new_thing(self, facility: str) -> Bed:
        """A bed not told of before."""
        self.serial += 1
        unit = UNITS[self.serial % len(UNITS)]
        people = self.people(facility)
        return Bed(facility, unit, f"{self.serial:05d}{'AB'[self.serial % 2]}", lambda: self._occupant(people))

    def _occupant(self, people) -> str:
        person = people.anyone()
        people.name(person)
        return person.mrn

    def tell(self, delivery: Delivery, messages: list[Message]) -> list[Member]:
        """A file for every few dozen beds."""
        each = self.rng.randrange(60, 160)
        return [self._file(delivery, messages[at : at + each]) for at in range(0, len(messages), each)]

    def _file(self, delivery: Delivery, messages: list[Message]) -> Member:
        lines, rows, warnings = [], [], Counter()
        for number, message in enumerate(messages, 1):
            line, row, unnamed = self._row(message, number)
            lines.append(line)
            rows.append(row)
            if unnamed:
                warnings += self.warn("check.occupied_has_patient")
        style = self.styles.deal()
        if style:
            self.count(f"text.{style}")
        self.documents += 1
        name = f"census_{delivery.facility}_{self.documents:05d}.txt"
        return Member(Entry(name, write_lines(lines, style)), rows, warnings=warnings)

    def _row(self, message: Message, number: int) -> tuple[str, Row, bool]:
        bed, state = message.thing, STATE[message.phase]
        seconds = message.micros // clock.SECOND
        patient = bed.patients() if state == "O" and self.rng.random() < 0.98 else None
        acuity = self.rng.randrange(1, 6) if patient else None
        fields = [bed.facility, bed.unit, bed.bed, state, clock.stamp(seconds), patient or "", str(acuity or "-")]
        fault, rule = self.faults.deal(), None
        if fault:
            self.count(f"row.bed.{fault}")
            rule = FAULTS[fault](fields)
        region = bed.facility[:2]
        values = (bed.facility, bed.unit, bed.bed, region, state, seconds * clock.SECOND, patient, acuity)
        unnamed = state == "O" and patient is None and rule is None
        return "|".join(fields), Row("bed", number, rule, seconds * clock.SECOND, values), unnamed


def write_lines(lines: list[str], style: str | None) -> bytes:
    """The bytes of a text file of these lines."""
    newline = "\r\n" if style == "crlf" else "\n"
    if style == "blank_lines":
        lines = [line for index, line in enumerate(lines) for line in ([line, ""] if index % 9 == 0 else [line])]
    text = newline.join(lines) + ("" if style == "no_last_newline" else newline)
    return text.encode("utf-8-sig" if style == "bom" else "utf-8")
