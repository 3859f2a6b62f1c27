"""The edge case: one claims zip of tens of megabytes, made and known as whole columns for speed."""

from __future__ import annotations

import base64
import random
import zlib
from itertools import cycle, islice

import pyarrow as pa

from tests.simulator import clock
from tests.simulator.claims import HEADER
from tests.simulator.columns import CLAIM_LINE, INT, LONG, TEXT, to_array
from tests.simulator.delivery import Bulk, Delivery, Member
from tests.simulator.people import People, Person
from tests.simulator.versions import PROVENANCE
from tests.simulator.zipper import Entry, build_zip

NOTE = 96  # characters of random reference, which hardly compress
STATUSES = ("PAID", "OPEN", "PAID", "DENIED", "PAID", "VOID", "PAID")
BAD_EVERY = 10_007  # one row in so many is refused
SAMPLE = 4_000


class EdgeRows:
    """The columns of the large file."""

    def __init__(self, rng: random.Random, known: list[Person], facility: str, count: int) -> None:
        letters = base64.b64encode(rng.randbytes(count * NOTE * 3 // 4)).decode("ascii")
        self.count, self.facility = count, facility
        self.claim = [f"{facility}-X{number:09d}" for number in range(count)]
        self.note = [letters[at : at + NOTE] for at in range(0, count * NOTE, NOTE)]
        self.mrn = self._repeat([person.mrn for person in known])
        self.service = self._repeat([clock.START // clock.DAY - day for day in range(1, 380)])
        self.cents = self._repeat([rng.randrange(100, 900_000) for _ in range(997)])
        self.status = self._repeat(STATUSES)
        self.decided = self._repeat([clock.START - 7_919 * number for number in range(211)])

    def _repeat(self, values) -> list:
        return list(islice(cycle(values), self.count))

    def text(self) -> bytes:
        """The file."""
        days = {day: clock.day_text(day) for day in set(self.service)}
        moments = {moment: clock.utc_text(moment) for moment in set(self.decided)}
        middle = f";{self.facility};"
        columns = zip(self.claim, self.service, self.mrn, self.note, self.cents, self.status, self.decided, strict=True)
        lines = [
            f"{claim};1;{days[day]}{middle}{mrn};99213;{note};2;{cents // 100}.{cents % 100:02d};"
            f"{_paid(cents) if status == 'PAID' else ''};{status};{moments[decided]}"
            for claim, day, mrn, note, cents, status, decided in columns
        ]
        for number in self.refused():
            lines[number - 1] = lines[number - 1].replace(";1;", ";first;", 1)
        return "\n".join([";".join(HEADER), *lines, ""]).encode("ascii")

    def table(self, zip_name: str) -> pa.Table:
        """The rows that load, deletes among them."""
        paid = [cents // 2 if status == "PAID" else None for cents, status in zip(self.cents, self.status, strict=True)]
        years = {day: clock.day_text(day, "%Y") for day in set(self.service)}
        columns = {
            "claim_id": self.claim, "line_no": [1] * self.count, "service_date": self.service,
            "service_year": [years[day] for day in self.service], "facility_id": [self.facility] * self.count,
            "patient_id": self.mrn, "procedure_code": ["99213"] * self.count, "note": self.note,
            "units": [2] * self.count, "billed": self.cents, "paid": paid, "status": self.status,
            "adjudicated_at": [moment * clock.SECOND for moment in self.decided],
        }  # fmt: skip
        arrays = {name: to_array(columns[name], kind) for name, kind in CLAIM_LINE.columns.items()}
        provenance = ([zip_name] * self.count, [0] * self.count, range(1, self.count + 1))
        for name, values in zip(PROVENANCE, provenance, strict=True):
            arrays[name] = pa.array(values, {"_zip_name": TEXT, "_member_index": INT, "_row": LONG}[name])
        bad = set(self.refused())
        return pa.table(arrays).filter(pa.array([number not in bad for number in range(1, self.count + 1)]))

    def refused(self) -> list[int]:
        """The numbers of the rows whose line number is no number."""
        return list(range(BAD_EVERY, self.count + 1, BAD_EVERY))


def make_edge(delivery: Delivery, rng: random.Random, people: People, megabytes: int) -> None:
    """Fill the zip with one member that packs to about so many megabytes."""
    known = [people.newcomer() for _ in range(200)]
    for person in known:
        people.name(person)
    sample = EdgeRows(random.Random(0), known, delivery.facility, SAMPLE).text()
    packed_row = len(zlib.compress(sample, 1)) / SAMPLE
    rows = EdgeRows(rng, known, delivery.facility, int((megabytes << 20) / packed_row))
    name = f"claims_{delivery.facility}_year.csv"
    bulk = Bulk("claim_line", rows.refused(), "type.line_no", rows.count, rows.table(delivery.name))
    delivery.members = [Member(Entry(name, rows.text()), bulk=bulk)]
    delivery.data = build_zip([delivery.members[0].entry])


def _paid(cents: int) -> str:
    half = cents // 2
    return f"{half // 100}.{half % 100:02d}"
