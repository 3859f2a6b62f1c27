"""The feed `claims`: lines of insurance claims in large files with semicolons and backslashes."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass

from tests.simulator import clock
from tests.simulator.delivery import Delivery, Member, Row
from tests.simulator.feed import Feed
from tests.simulator.stories import Message
from tests.simulator.zipper import Entry

STATUS = {"new": "OPEN", "change": "PAID", "move": "DENIED", "close": "PAID", "delete": "VOID"}
HEADER = (
    "claim_id", "line_no", "service_date", "facility_id", "patient_id", "procedure_code", "note", "units", "billed",
    "paid", "status", "adjudicated_at",
)  # fmt: skip
NOTES = (
    None, None, None, "second opinion", 'said "urgent"; see C:\\temp\\new', "back\\slash at the end\\", "first\nsecond",
    "first\r\n\r\nthird", "naïve, 見積", "tab\there", "\\", '"', ";;", "\\N", "a\u2028b",
)  # fmt: skip


@dataclass(slots=True)
class ClaimLine:
    """A line of a claim."""

    claim: str
    number: int
    facility: str
    mrn: str
    service: int  # days since 1970
    model: dict[str, str]
    note: str | None
    units: int


def _spoil(rule: str, **texts: str) -> Callable[[dict], str]:
    def spoil(known: dict) -> str:
        known.update(texts)
        return rule

    return spoil


def _ragged(known: dict) -> str:
    known[None] = ""
    return "row.ragged"


FAULTS: dict[str, Callable[[dict], str]] = {
    "no_claim": _spoil("required.claim_id", claim_id=""),
    "line_in_words": _spoil("type.line_no", line_no="one"),
    "line_too_large": _spoil("type.line_no", line_no="2147483648"),
    "service_in_no_day": _spoil("type.service_date", service_date="2026-02-29"),
    "no_service": _spoil("required.service_date", service_date=""),
    "units_in_parts": _spoil("type.units", units="1.5"),
    "no_billed": _spoil("required.billed", billed=""),
    "billed_with_comma": _spoil("type.billed", billed="1200,50"),
    "paid_without_digits": _spoil("type.paid", paid="."),
    "paid_above_billed": _spoil("check.paid_not_above_billed", billed="10.00", paid="10.01"),
    "no_status": _spoil("required.status", status=""),
    "adjudicated_in_no_day": _spoil("type.adjudicated_at", adjudicated_at="2026-04-31 00:00:00"),
    "ragged": _ragged,
}
STYLES = ("crlf", "bom", "missing_units", "missing_paid")


class Claims(Feed):
    """Makes zips of claim lines."""

    name, prefix = "claims", "CLM"

    def __init__(self, *args) -> None:
        super().__init__(*args)
        self.styles = self.dealer(STYLES, 1, 0.3)
        self.faults = self.dealer(tuple(FAULTS), 17, 0.003)

    def new_thing(self, facility: str) -> ClaimLine:
        """A line not billed before."""
        people = self.people(facility)
        person = people.anyone()
        people.name(person)
        self.serial += 1
        claim, number = f"{facility}-C{self.serial // 3:09d}", self.serial % 3 + 1
        service = clock.START // clock.DAY - self.rng.randrange(1, 400)
        model, note = self.rng.choice(self.care.procedures), self.rng.choice(NOTES)
        return ClaimLine(claim, number, facility, person.mrn, service, model, note, self.rng.randrange(1, 5))

    def tell(self, delivery: Delivery, messages: list[Message]) -> list[Member]:
        """One or two large files; more of them while some style has not been seen."""
        each = max(1, len(messages) // (5 if self.styles.pending else self.rng.randrange(1, 3)))
        return [self._file(delivery, messages[at : at + each]) for at in range(0, len(messages), each)]

    def _file(self, delivery: Delivery, messages: list[Message]) -> Member:
        style = self.styles.deal()
        pairs = [self._row(message, number, style) for number, message in enumerate(messages, 1)]
        dropped = style.removeprefix("missing_") if style and style.startswith("missing") else None
        if style:
            self.count(f"csv.{style}")
        self.documents += 1
        name = f"claims_{delivery.facility}_{self.documents:05d}.csv"
        warnings = self.warn("member.missing_columns") if dropped else None
        data = write_csv([texts for texts, _ in pairs], style, dropped)
        return Member(Entry(name, data), [row for _, row in pairs], warnings=warnings)

    def _row(self, message: Message, number: int, style: str | None) -> tuple[dict, Row]:
        texts, values = self._describe(message)
        # A file that lacks a column can't have it spoiled.
        fault, rule = None if style and style.startswith("missing") else self.faults.deal(), None
        if fault:
            self.count(f"row.claim_line.{fault}")
            rule = FAULTS[fault](texts)
        if style == "missing_units":
            values["units"] = 1
        if style == "missing_paid":
            values["paid"] = None
        return texts, Row("claim_line", number, rule, values["adjudicated_at"], tuple(values.values()))

    def _describe(self, message: Message) -> tuple[dict[str, str], dict]:
        line, status, seconds = message.thing, STATUS[message.phase], message.micros // clock.SECOND
        billed = round(float(line.model["BASE_COST"]) * 100) * line.units
        paid = billed * self.rng.randrange(101) // 100 if status == "PAID" else None
        units = line.units if line.units > 1 or self.rng.random() < 0.5 else None
        values = {
            "claim_id": line.claim, "line_no": line.number, "service_date": line.service,
            "service_year": clock.day_text(line.service, "%Y"), "facility_id": line.facility, "patient_id": line.mrn,
            "procedure_code": line.model["CODE"], "note": line.note, "units": line.units, "billed": billed,
            "paid": paid, "status": status, "adjudicated_at": seconds * clock.SECOND,
        }  # fmt: skip
        texts = {name: "" if value is None else str(value) for name, value in values.items()}
        texts |= {
            "service_date": clock.day_text(line.service), "units": str(units or ""), "billed": _money(billed),
            "paid": "" if paid is None else _money(paid), "adjudicated_at": clock.utc_text(seconds),
        }  # fmt: skip
        return texts, values


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def write_csv(lines: list[dict[str, str]], style: str | None, dropped: str | None) -> bytes:
    """The file's bytes; a row with the key None has a field too many."""
    columns = [column for column in HEADER if column != dropped]
    text = io.StringIO(newline="")
    newline = "\r\n" if style == "crlf" else "\n"
    writer = csv.writer(text, delimiter=";", escapechar="\\", doublequote=False, lineterminator=newline)
    writer.writerow(columns)
    for line in lines:
        fields = [line[column] for column in columns]
        writer.writerow([*fields, "x"] if None in line else fields)
    return text.getvalue().encode("utf-8-sig" if style == "bom" else "utf-8")
