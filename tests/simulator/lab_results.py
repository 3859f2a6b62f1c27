"""The feed `lab_results`: fixed-width lines, corrected and withdrawn under the same order number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.simulator import clock
from tests.simulator.bed_census import STYLES, write_lines
from tests.simulator.delivery import Delivery, Member, Row
from tests.simulator.feed import Feed
from tests.simulator.stories import Message
from tests.simulator.zipper import Entry

STATUS = {"new": "F", "change": "C", "move": "C", "close": "C", "delete": "X"}
WIDTHS = {
    "facility_id": 6, "order_no": 12, "test_code": 10, "test_name": 40, "value": 12, "value_unit": 12, "status": 1,
    "patient_id": 36, "resulted_at": 14, "changed_at": 14,
}  # fmt: skip


@dataclass(slots=True)
class Result:
    """A test that was ordered."""

    facility: str
    order: str
    model: dict[str, str]
    mrn: str
    resulted: int


def _spoil(column: str, text: str, rule: str) -> Callable[[dict], str]:
    def spoil(texts: dict) -> str:
        texts[column] = text
        return rule

    return spoil


FAULTS: dict[str, Callable[[dict], str]] = {
    "no_order": _spoil("order_no", "", "required.order_no"),
    "no_code": _spoil("test_code", "", "required.test_code"),
    "value_in_words": _spoil("value", "negative", "type.value"),
    "value_with_comma": _spoil("value", "1,5", "type.value"),
    "value_too_fine": _spoil("value", "1.00001", "type.value"),
    "no_status": _spoil("status", "", "required.status"),
    "no_patient": _spoil("patient_id", "", "required.patient_id"),
    "resulted_in_no_day": _spoil("resulted_at", "20260230000000", "type.resulted_at"),
    "changed_at_13": _spoil("changed_at", "20261310000000", "type.changed_at"),
    "too_long": _spoil("changed_at", "20260210101010 trailing", "row.length"),
    "cut_in_time": _spoil("changed_at", "2026021", "type.changed_at"),
    "too_short": _spoil("changed_at", "", "required.changed_at"),
}


class LabResults(Feed):
    """Makes zips of laboratory results."""

    name, prefix = "lab_results", "LAB"

    def __init__(self, *args) -> None:
        super().__init__(*args)
        self.styles = self.dealer(STYLES, 1, 0.3)
        self.faults = self.dealer(tuple(FAULTS), 17, 0.003)

    def new_thing(self, facility: str) -> Result:
        """A test not ordered before."""
        people = self.people(facility)
        person = people.anyone()
        people.name(person)
        self.serial += 1
        resulted = clock.START - self.rng.randrange(30 * clock.DAY)
        return Result(facility, f"L{self.serial:011d}", self.rng.choice(self.care.lab_results), person.mrn, resulted)

    def tell(self, delivery: Delivery, messages: list[Message]) -> list[Member]:
        """A file for every few hundred results."""
        each = self.rng.randrange(100, 400)
        return [self._file(delivery, messages[at : at + each]) for at in range(0, len(messages), each)]

    def _file(self, delivery: Delivery, messages: list[Message]) -> Member:
        pairs = [self._row(message, number) for number, message in enumerate(messages, 1)]
        style = self.styles.deal()
        if style:
            self.count(f"text.{style}")
        self.documents += 1
        name = f"results_{delivery.facility}_{self.documents:05d}.txt"
        return Member(Entry(name, write_lines([line for line, _ in pairs], style)), [row for _, row in pairs])

    def _row(self, message: Message, number: int) -> tuple[str, Row]:
        texts, values = self._describe(message)
        fault, rule = self.faults.deal(), None
        if fault:
            self.count(f"row.lab_result.{fault}")
            rule = FAULTS[fault](texts)
        line = "".join([texts[column].ljust(width) for column, width in WIDTHS.items()])
        if fault in ("cut_in_time", "too_short"):
            line = line.rstrip()
        return line, Row("lab_result", number, rule, values[-1], values)

    def _describe(self, message: Message) -> tuple[dict[str, str], tuple]:
        result, status = message.thing, STATUS[message.phase]
        model, seconds = result.model, message.micros // clock.SECOND
        scaled = round(float(model["VALUE"]) * self.rng.randrange(8_000, 12_000))  # ten-thousandths
        shown, test, unit = self._value_text(scaled), model["DESCRIPTION"][:40].strip(), model["UNITS"]
        if unit == "umol/L":
            unit = "µmol/L"  # one character, two bytes: positions count characters
        given = shown is not None
        texts = {
            "facility_id": result.facility, "order_no": result.order, "test_code": model["CODE"], "test_name": test,
            "value": shown.rjust(12) if given else "", "value_unit": unit, "status": status, "patient_id": result.mrn,
            "resulted_at": clock.stamp(result.resulted), "changed_at": clock.stamp(seconds),
        }  # fmt: skip
        moments = (result.resulted * clock.SECOND, seconds * clock.SECOND)
        value = scaled if given else None
        return texts, (
            result.facility, result.order, model["CODE"], test, value, unit or None, status, result.mrn, *moments
        )  # fmt: skip

    def _value_text(self, scaled: int) -> str | None:
        if self.rng.random() < 0.02:
            return None
        sign, (whole, rest) = "-" if scaled < 0 else "", divmod(abs(scaled), 10_000)
        text = f"{sign}{whole}.{rest:04d}"
        return text if self.rng.random() < 0.5 else text.rstrip("0").removesuffix(".")
