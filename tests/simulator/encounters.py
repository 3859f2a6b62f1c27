"""The feed `encounters`: one XML document a member, with vital signs as children."""

from __future__ import annotations

import random
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from tests.simulator import clock, encounter_faults, encounter_oddities, vital_signs
from tests.simulator.columns import ENCOUNTER
from tests.simulator.delivery import Delivery, Member, Row
from tests.simulator.encounter_xml import render
from tests.simulator.feed import Feed
from tests.simulator.people import Care, Person
from tests.simulator.stories import Message
from tests.simulator.zipper import Entry

STATUS = {"new": "admitted", "change": "updated", "move": "updated", "close": "discharged", "delete": "cancelled"}
OFFSETS = ((0, "Z"), (0, "Z"), (0, ":"), (120, ":"), (-300, ""), (330, ""), (-300, ":"), (-210, ":"))
UNITS = ("ICU", "Emergency", "Med/Surg 2", "Cardiology", "Maternity", "Pediatrics", "Oncology", "Stroke & Neuro")


@dataclass(slots=True)
class Encounter:
    """A stay, with what all its versions share."""

    number: str
    person: Person
    values: dict
    fragments: dict[str, str]
    admitted: int
    vitals: list[dict[str, str]]
    versions: int = 0


class Encounters(Feed):
    """Makes zips of encounters."""

    name, prefix = "encounters", "ENC"
    faults_at_once = 6

    def __init__(self, *args) -> None:
        super().__init__(*args)
        self.oddities = self.dealer(tuple(encounter_oddities.ODDITIES), 4, 0.12)
        self.faults = self.dealer(tuple(encounter_faults.FAULTS), 9, 0.004)
        self.vital_faults = self.dealer(tuple(vital_signs.FAULTS), 13, 0.004)

    def new_thing(self, facility: str) -> Encounter:
        """A new stay of one of the facility's patients."""
        person = self.people(facility).anyone()
        self.people(facility).name(person)
        self.serial += 1
        return _begin(self.rng, self.care, facility, f"{facility}-E{self.serial:08d}", person)

    def tell(self, delivery: Delivery, messages: list[Message]) -> list[Member]:
        """A member for every message."""
        return [self._document(delivery, message) for message in messages]

    def _document(self, delivery: Delivery, message: Message) -> Member:
        stay = message.thing
        slots, values = _describe(self.rng, stay, message, delivery)
        vitals = vital_signs.measure(self.rng, stay.vitals, stay.admitted, stay.versions)
        fault = self.faults.deal()
        rule = child_rule = None
        if fault:
            self.count(f"row.encounter.{fault}")
            rule, child_rule = encounter_faults.FAULTS[fault](slots, values)
        elif oddity := self.oddities.deal():
            self.count(f"xml.{oddity}")
            encounter_oddities.ODDITIES[oddity](slots, values, vitals)
        rows = [Row("encounter", 1, rule, message.micros, tuple(values.values()))]
        rows += vital_signs.rows(vitals, values, message.micros, child_rule, self._vital_fault(vitals, fault))
        entry = Entry(self._member_name(stay), _encode(slots, vitals))
        charged = rule is None and (values["total_charges"] or 0) >= 100_000_000  # cents
        return Member(entry, rows, warnings=self.warn("check.plausible_charges") if charged else None)

    def _vital_fault(self, vitals: list, fault: str | None) -> str | None:
        kind = self.vital_faults.deal() if vitals and not fault else None
        if kind:
            self.count(f"row.vital_sign.{kind}")
        return kind

    def _member_name(self, stay: Encounter) -> str:
        self.documents += 1
        if self.documents % 50 == 0:  # some senders name files so that they identify the patient
            self.count("name.identifies")
            return f"{stay.person.mrn}_{self.documents}.xml"
        return f"{stay.number}_{self.documents}.xml"


def _begin(rng: random.Random, care: Care, facility: str, number: str, person: Person) -> Encounter:
    model = rng.choice(care.encounters)
    doctor = care.providers.get(model["PROVIDER"], {"NAME": "Locum", "SPECIALITY": "GENERAL PRACTICE"})
    admitted = clock.steady(clock.START - rng.randrange(1, 120 * 24) * clock.HOUR - rng.randrange(3600))
    values = dict.fromkeys(ENCOUNTER.columns)
    values |= {
        "facility_id": facility, "encounter_id": number, "region": facility[:2], "patient_id": person.mrn,
        "patient_name": f"{person.family}, {person.given}", "birth_date": person.birth, "sex": person.sex,
        "encounter_class": model["ENCOUNTERCLASS"], "unit": rng.choice(UNITS), "bed": f"{rng.randrange(400):03d}A",
        "admitted_at": admitted * clock.SECOND, "reason_code": model["REASONCODE"] or model["CODE"],
        "reason": model["REASONDESCRIPTION"] or model["DESCRIPTION"], "attending_npi": f"1{rng.randrange(10**9):09d}",
        "attending_name": doctor["NAME"], "payer": care.payers.get(model["PAYER"]) or None,
        "total_charges": round(float(model["TOTAL_CLAIM_COST"] or 0) * 100), "currency": "USD",
        "is_readmission": rng.random() < 0.1,
    }  # fmt: skip
    if values["payer"] == "NO_INSURANCE":
        values["payer"] = None
    vitals = rng.choice(care.vital_signs)[: rng.randrange(6)]
    return Encounter(number, person, values, _fragments(rng, values, person, doctor), admitted, vitals)


def _fragments(rng: random.Random, values: dict, person: Person, doctor: dict[str, str]) -> dict[str, str]:
    """The parts of the document that no later version changes."""
    return {
        "declaration": "", "namespaces": "", "hospital": values["facility_id"], "id": quoteattr(values["encounter_id"]),
        "facility": f' id="{values["facility_id"]}"', "mrn": f' mrn="{person.mrn}"',
        "name": f"<Name>{escape(values['patient_name'])}</Name>",
        "birth": f"<BirthDate>{clock.day_text(person.birth)}</BirthDate>", "sex": f"<Sex>{person.sex}</Sex>",
        "address": escape(person.address), "phone": f"{rng.randrange(10**7):07d}",
        "class": f"<Class>{values['encounter_class']}</Class>",
        "location": f"<Location><Unit>{escape(values['unit'])}</Unit><Floor>{rng.randrange(9)}</Floor>"
        f"<Bed>{values['bed']}</Bed></Location>",
        "admitted": f"<AdmittedAt>{clock.eastern_text(values['admitted_at'] // clock.SECOND)}</AdmittedAt>",
        "discharged": "", "earlier": f"{values['facility_id']}-E{rng.randrange(10**8):08d}",
        "reason": f'<Reason code="{values["reason_code"]}">{escape(values["reason"])}</Reason>',
        "attending": f'<Attending npi="{values["attending_npi"]}"><Specialty>{escape(doctor["SPECIALITY"])}</Specialty>'
        f"<Name>{escape(values['attending_name'])}</Name></Attending>",
        "payer": f"<Payer>{escape(values['payer'] or 'NO_INSURANCE')}</Payer>",
        "readmission": f"<Readmission>{'true' if values['is_readmission'] else 'false'}</Readmission>",
    }  # fmt: skip


def _describe(rng: random.Random, stay: Encounter, message: Message, delivery: Delivery) -> tuple[dict, dict]:
    """Fragments and values of one version of a stay."""
    stay.versions += 1
    status, values = STATUS[message.phase], stay.values.copy()
    values["status"], values["updated_at"] = status, message.micros
    values["total_charges"] += 1_237 * stay.versions
    values["sending_facility"], values["extracted_at"] = delivery.facility, delivery.extract * clock.SECOND
    marks = f"{rng.getrandbits(640):0160x}"
    whole, cents = divmod(values["total_charges"], 100)
    updated = clock.offset_text(message.micros, *rng.choice(OFFSETS), rng.randrange(1, 7))
    slots = stay.fragments | {
        "message_id": marks[:32], "audit_1": marks[32:56], "audit_2": marks[56:80], "digest": marks[80:120],
        "hop": marks[120:], "build": str(stay.versions % 10), "status": f"<Status>{status}</Status>",
        "updated": f"<UpdatedAt>{updated}</UpdatedAt>",
        "charges": f'<Charges currency="USD">{whole}.{cents:02d}</Charges>',
    }  # fmt: skip
    if message.phase == "close":
        _discharge(slots, values, stay)
    return slots, values


def _discharge(slots: dict, values: dict, stay: Encounter) -> None:
    hours = 5 + stay.versions * 17 + values["total_charges"] % 90
    left = clock.steady(stay.admitted + hours * clock.HOUR + 1_799)
    left = max(left, stay.admitted + clock.HOUR)
    slots["discharged"] = f"<DischargedAt>{clock.eastern_text(left)}</DischargedAt>"
    values["discharged_at"] = left * clock.SECOND
    values["stay_hours"] = (left - stay.admitted) // clock.HOUR


def _encode(slots: dict, vitals: list) -> bytes:
    newline = slots.pop("newline", "\n")
    text = render(slots, [vital.slots for vital in vitals])
    return (text if newline == "\n" else text.replace("\n", newline)).encode("utf-8")
