"""The feed `patients`: master data in comma-separated files with an operation column."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass

from tests.simulator import clock, patient_rows
from tests.simulator.delivery import Delivery, Member, Row
from tests.simulator.feed import Feed
from tests.simulator.people import Person
from tests.simulator.stories import Message
from tests.simulator.zipper import Entry

OPERATION = {"new": "I", "change": "U", "move": "U", "close": "U", "delete": "D"}
STATES = ("NH", "VT", "ME", "RI", "CT", "NY", "D.C.")
# How a file is written: byte order mark, line end, quoting, and what is done to its header.
STYLES = ("bom", "crlf", "quoted", "reordered", "unknown_column", "missing_column", "blank_lines", "no_last_newline")


@dataclass(slots=True)
class Patient:
    """A patient's master record over time."""

    person: Person
    versions: int = 0


class Patients(Feed):
    """Makes zips of patient master data."""

    name, prefix = "patients", "PAT"

    def __init__(self, *args) -> None:
        super().__init__(*args)
        self.styles = self.dealer(STYLES, 1, 0.3)
        self.oddities = self.dealer(tuple(patient_rows.ODDITIES), 11, 0.05)
        self.faults = self.dealer(tuple(patient_rows.FAULTS), 13, 0.004)

    def new_thing(self, facility: str) -> Patient:
        """A patient not known before."""
        person = self.people(facility).newcomer()
        self.people(facility).name(person)
        return Patient(person)

    def tell(self, delivery: Delivery, messages: list[Message]) -> list[Member]:
        """A file for every hundred rows or so; more of them while some style has not been seen."""
        each = max(1, len(messages) // 9) if self.styles.pending else self.rng.randrange(60, 200)
        return [self._file(delivery, messages[at : at + each]) for at in range(0, len(messages), each)]

    def _file(self, delivery: Delivery, messages: list[Message]) -> Member:
        style = self.styles.deal()
        if style:
            self.count(f"csv.{style}")
        lines, rows = [], []
        for number, message in enumerate(messages, 1):
            texts, row = self._row(message, number, style)
            lines.append(texts)
            rows.append(row)
        self.documents += 1
        name = f"patients_{delivery.facility}_{self.documents:05d}.csv"
        warnings = {"unknown_column": "member.unknown_columns", "missing_column": "member.missing_columns"}
        loaded = any(row.rule is None for row in rows)
        warning = self.warn(warnings[style]) if style in warnings and loaded else Counter()
        return Member(Entry(name, write_csv(lines, style)), rows, warnings=warning)

    def _row(self, message: Message, number: int, style: str | None) -> tuple[dict | list, Row]:
        texts, values = self._describe(message)
        rule = None
        if style == "missing_column":  # which can't be odd or spoiled then
            values["expenses"] = None
        elif fault := self.faults.deal():
            self.count(f"row.patient.{fault}")
            rule = patient_rows.FAULTS[fault](texts)
        elif oddity := self.oddities.deal():
            self.count(f"value.patient.{oddity}")
            patient_rows.ODDITIES[oddity](texts, values)
        return texts, Row("patient", number, rule, values["updated_at"], tuple(values.values()))

    def _describe(self, message: Message) -> tuple[dict[str, str], dict]:
        patient, person = message.thing, message.thing.person
        patient.versions += 1
        micros = message.micros // clock.SECOND * clock.SECOND
        away = STATES[(person.pattern + 1) % len(STATES)]
        values = {
            "patient_id": person.mrn, "operation": OPERATION[message.phase], "family_name": person.family,
            "given_name": person.given, "birth_date": person.birth, "death_date": person.death, "ssn": person.ssn,
            "sex": person.sex, "address": person.address, "city": person.city,
            "home_state": away if message.phase == "move" else person.state, "zip_code": person.zip_code,
            "is_organ_donor": person.pattern % 3 == 0, "income": person.income + 100 * patient.versions,
            "expenses": person.expenses + 1_999 * patient.versions, "updated_at": micros,
        }  # fmt: skip
        return patient_rows.to_texts(values), values


def write_csv(lines: list[dict[str, str]], style: str | None) -> bytes:
    """The file's bytes; a row with the key None has fields too many or too few."""
    columns = [column for column in patient_rows.HEADER if not (style == "missing_column" and column == _DROPPED)]
    if style == "reordered":
        columns = columns[5:] + columns[:5][::-1]
    if style == "unknown_column":
        columns.insert(3, "MARITAL")
    text = io.StringIO(newline="")
    newline = "\r\n" if style == "crlf" else "\n"
    writer = csv.writer(text, lineterminator=newline, quoting=csv.QUOTE_ALL if style == "quoted" else csv.QUOTE_MINIMAL)
    writer.writerow(columns)
    for number, line in enumerate(lines):
        fields = [line.get(column, "M") for column in columns]
        writer.writerow(patient_rows.RAGGED[line[None]](fields) if None in line else fields)
        if style == "blank_lines" and number % 7 == 0:
            text.write(newline)
    content = text.getvalue()
    if style == "no_last_newline":
        content = content[: -len(newline)]
    return content.encode("utf-8-sig" if style == "bom" else "utf-8")


_DROPPED = "HEALTHCARE_EXPENSES"
