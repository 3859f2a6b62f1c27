"""Lines of text feeds by the million: claims as CSV, beds delimited by pipes, laboratory results of fixed width."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from tests.bench.told import Told
from tests.simulator import clock
from tests.simulator.claims import HEADER
from tests.simulator.lab_results import WIDTHS

VERSION_SECONDS = 6_121  # between two versions of a thing
CLAIM_HEADER = (";".join(HEADER) + "\n").encode()
CLAIM_STATUS = {"new": "OPEN", "change": "PAID", "close": "DENIED", "delete": "VOID"}
BED_STATE = {"new": "A", "change": "O", "close": "C", "delete": "R"}
RESULT_STATUS = {"new": "F", "change": "C", "close": "C", "delete": "X"}
PROCEDURES = ("430193006", "710824005", "171207006", "454711000124102", "428211000124100", "73761001", "23426006")
# As the file writes them, and as they are read.
NOTES = (
    ("", None), ("", None), ("", None), ("second opinion", "second opinion"), ("naïve, 見積", "naïve, 見積"),
    ('"see; the letter on file"', "see; the letter on file"), ("as agreed by telephone", "as agreed by telephone"),
)  # fmt: skip
UNITS = ("ICU", "Ward East", "Med/Surg 2", "Emergency", "Notaufnahme Süd", "NICU, Level III", "Burn")
TESTS = (
    ("2339-0", "Glucose [Mass/volume] in Blood", "mg/dL"), ("718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL"),
    ("2160-0", "Creatinine [Mass/volume] in Serum", "µmol/L"), ("6690-2", "Leukocytes [#/volume] in Blood", "10*3/uL"),
    ("2823-3", "Potassium [Moles/volume] in Serum", "mmol/L"),
)  # fmt: skip


@dataclass(slots=True)
class Thing:
    """A claim line, a bed or a result: its number in the facility, and an arbitrary number that its values follow from."""

    region: str
    facility: str
    serial: int
    mix: int
    version: int = 0

    @property
    def begins(self) -> int:
        """When it was first told of, in seconds."""
        return clock.START - clock.DAY - self.mix % (90 * clock.DAY)

    @property
    def patient(self) -> str:
        """The patient's number."""
        return f"{self.facility}-{self.mix % 50_021:08d}"


def begin(region: str, facility: str, serial: int, draw: random.Random) -> Thing:
    """The thing number `serial` of a facility."""
    return Thing(region, facility, serial, draw.getrandbits(60))


begin_claim = begin_bed = begin_result = begin


def tell_claim(line: Thing, version: int, phase: str, sender: str, extract: int, draw: random.Random) -> Told:
    """A line of a claim."""
    mix, seconds = line.mix, line.begins + version * VERSION_SECONDS
    claim, number, status = f"{line.facility}-C{line.serial // 3:09d}", line.serial % 3 + 1, CLAIM_STATUS[phase]
    service, procedure, (written, note) = clock.START // clock.DAY - mix % 400, PROCEDURES[mix % 7], NOTES[mix % 29 % 7]
    units, billed = mix % 4 + 1, mix % 900_000 + 1_000
    paid = billed * (version * 7 % 101) // 100 if status == "PAID" else None
    paid_text = "" if paid is None else f"{paid // 100}.{paid % 100:02d}"
    text = (
        f"{claim};{number};{clock.day_text(service)};{line.facility};{line.patient};{procedure};{written};{units};"
        f"{billed // 100}.{billed % 100:02d};{paid_text};{status};{clock.utc_text(seconds)}\n"
    )
    micros = seconds * clock.SECOND
    values = (
        claim, number, service, clock.day_text(service, "%Y"), line.facility, line.patient, procedure, note, units,
        billed, paid, status, micros,
    )  # fmt: skip
    return Told(text.encode(), micros, values)


def spoil_claim(told: Told, draw: random.Random) -> Told:
    """A line with a status and no time."""
    return replace(told, data=told.data.rpartition(b";")[0] + b";soon\n", rule="type.adjudicated_at")


def tell_bed(bed: Thing, version: int, phase: str, sender: str, extract: int, draw: random.Random) -> Told:
    """The state of a bed."""
    seconds, state = bed.begins + version * VERSION_SECONDS, BED_STATE[phase]
    unit, number = UNITS[bed.serial % 7], f"{bed.serial:06d}{'AB'[bed.serial % 2]}"
    patient = bed.patient if state == "O" else None
    acuity = bed.mix % 5 + 1 if patient else None
    text = f"{bed.facility}|{unit}|{number}|{state}|{clock.stamp(seconds)}|{patient or ''}|{acuity or '-'}\n"
    micros = seconds * clock.SECOND
    return Told(
        text.encode(), micros, (bed.facility, unit, number, bed.region, state, micros, patient, acuity)
    )  # fmt: skip


def spoil_bed(told: Told, draw: random.Random) -> Told:
    """A line whose acuity is no number."""
    return replace(told, data=told.data.rpartition(b"|")[0] + b"|high\n", rule="type.acuity")


def tell_result(result: Thing, version: int, phase: str, sender: str, extract: int, draw: random.Random) -> Told:
    """A laboratory result."""
    mix, seconds, status = result.mix, result.begins + version * VERSION_SECONDS, RESULT_STATUS[phase]
    (code, name, unit), order = TESTS[mix % 5], f"L{result.serial:011d}"
    scaled = mix % 3_000_000 + version * 1_000
    written = {
        "facility_id": result.facility, "order_no": order, "test_code": code, "test_name": name,
        "value": f"{scaled // 10_000}.{scaled % 10_000:04d}", "value_unit": unit, "status": status,
        "patient_id": result.patient, "resulted_at": clock.stamp(result.begins), "changed_at": clock.stamp(seconds),
    }  # fmt: skip
    text = "".join([written[column].ljust(width) for column, width in WIDTHS.items()]) + "\n"
    moments = (result.begins * clock.SECOND, seconds * clock.SECOND)
    values = (result.facility, order, code, name, scaled, unit, status, result.patient, *moments)
    return Told(text.encode(), moments[1], values)


def spoil_result(told: Told, draw: random.Random) -> Told:
    """A line cut short within its last column."""
    return replace(told, data=told.data[:-5] + b"\n", rule="type.changed_at")
