"""People and their care: Synthea's patients, and as many more as are needed, made of their parts."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.simulator.clock import to_day
from tests.simulator.synthea import EXTRACT, read_table

STATES = {"Massachusetts": "MA"}  # a state is a partition, so its name must fit a folder


@dataclass(slots=True)
class Person:
    """A patient as every feed knows them."""

    mrn: str
    family: str
    given: str
    ssn: str
    birth: int  # days since 1970
    death: int | None
    sex: str
    address: str
    city: str
    state: str
    zip_code: str
    income: int
    expenses: int  # cents
    pattern: int  # which of Synthea's patients the care follows


class Care:
    """What Synthea says of encounters, measurements and procedures, in lists to draw from."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or EXTRACT
        self.patients = read_table(self.folder, "patients")
        self.payers = {row["Id"]: row["NAME"] for row in read_table(self.folder, "payers")}
        self.providers = {row["Id"]: row for row in read_table(self.folder, "providers")}
        self.encounters = read_table(self.folder, "encounters")
        self.procedures = [row for row in read_table(self.folder, "procedures") if row["BASE_COST"]]

    @cached_property
    def _measured(self) -> dict[str, list[dict[str, str]]]:
        kept: dict[str, list[dict[str, str]]] = defaultdict(list)
        for row in read_table(self.folder, "observations"):
            if row.get("TYPE", "numeric") == "numeric" and row["VALUE"]:
                kept[row["CATEGORY"]].append(row)
        return kept

    @cached_property
    def vital_signs(self) -> list[list[dict[str, str]]]:
        """What was measured together, encounter by encounter."""
        together: dict[str, list[dict[str, str]]] = defaultdict(list)
        for row in self._measured["vital-signs"]:
            together[row["ENCOUNTER"]].append(row)
        return list(together.values())

    @cached_property
    def lab_results(self) -> list[dict[str, str]]:
        """Laboratory results whose names and codes fit the laboratory's fixed columns."""
        rows = self._measured["laboratory"]
        return [row for row in rows if len(row["CODE"]) <= 10 and len(row["UNITS"]) <= 12]


class People:
    """A facility's patients, made when they are first needed."""

    def __init__(self, care: Care, rng: random.Random, seen: set[str]) -> None:
        self.care, self.rng, self.seen = care, rng, seen
        self.known: list[Person] = []

    def newcomer(self) -> Person:
        """A person whom the facility has not seen yet."""
        rng, patients = self.rng, self.care.patients
        pattern = rng.randrange(len(patients))
        base, namesake = patients[pattern], rng.choice(patients)
        birth = to_day(base["BIRTHDATE"]) + rng.randrange(-400, 400)
        death = to_day(base["DEATHDATE"])
        person = Person(
            mrn=_as_uuid(rng.getrandbits(128)), family=namesake["LAST"], given=base["FIRST"],
            ssn=f"999-{rng.randrange(10, 100)}-{rng.randrange(1000, 10000)}", birth=birth,
            death=None if death is None else max(birth, death), sex=base["GENDER"],
            address=f"{rng.randrange(1, 1000)} {base['ADDRESS'].partition(' ')[2]}", city=base["CITY"],
            state=STATES.get(base["STATE"], base["STATE"][:2].upper()),
            zip_code=base["ZIP"] or "01970", income=int(base["INCOME"] or 0),
            expenses=round(float(base["HEALTHCARE_EXPENSES"]) * 100) + rng.randrange(100_000), pattern=pattern,
        )  # fmt: skip
        self.known.append(person)
        return person

    def anyone(self) -> Person:
        """A person who may have been here before."""
        if (len(self.known) < 400 and self.rng.random() < 0.6) or not self.known:
            return self.newcomer()
        return self.rng.choice(self.known)

    def name(self, person: Person) -> None:
        """Note that a delivery names this person."""
        self.seen.update((person.mrn, person.ssn))
        self.seen.update((f"{person.family}, {person.given}", f"{person.given} {person.family}"))
        # Synthea's names end in digits, so that none of them is an ordinary word.
        self.seen.update(name for name in (person.family, person.given) if name[-1].isdigit() and len(name) > 5)


def _as_uuid(bits: int) -> str:
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
