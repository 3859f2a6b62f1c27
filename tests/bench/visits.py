"""Zips of visits for many feeds, in four formats, with what must become of them: the same arguments give the same bytes.

A zip is one facility's: new visits, and later versions of some that the facility's zip before it brought.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.simulator.zipper import Entry, build_zip

# Half of the feeds send XML, as most zips of the brief do.
FORMATS = ("xml", "csv", "xml", "delimited", "xml", "fixed")
FACILITIES = ("CA0001", "CA0002", "TX0001", "TX0002")
# Name, and width as fixed-width text.
FIELDS = {
    "facility_id": 6,
    "visit_no": 12,
    "patient_id": 12,
    "patient_name": 20,
    "birth_date": 10,
    "unit": 8,
    "status": 10,
    "admitted_at": 19,
    "updated_at": 19,
    "charges": 10,
    "note": 160,
}
# A zip of the brief: 20 to 300 XML documents, or text, of 20 KB to 1.5 MB packed.
SMALLEST, LARGEST = 20 << 10, 1536 << 10
DOCUMENTS = (20, 300)
PACKED_ROW_BYTES = 72
HISTORY_BYTES = (1 << 10, 12 << 10)
RESENT_SHARE = 20
WORDS = (
    "admitted observed stable chest pain fever review discharge pending transfer imaging negative culture repeat labs"
    " oxygen wound dressing changed family informed consent signed allergy penicillin none reported gait steady diet"
    " tolerated ambulates follow up clinic weeks medication reconciled insulin sliding scale sodium potassium normal"
).split()


@dataclass
class Truth:
    """What a feed's table must hold in the end: its rows, and the sum of their charges in cents."""

    rows: int = 0
    cents: int = 0


@dataclass(frozen=True)
class VisitZip:
    """A zip to deliver: its name, bytes and number of rows."""

    name: str
    content: bytes
    rows: int


@dataclass
class VisitFeed:
    """Deliveries of one feed, one after the other, and what its table must hold after them.

    `number` counts feeds from 0 and gives the format.
    """

    number: int
    truth: Truth = field(default_factory=Truth)
    _sent: dict[str, _Sent] = field(default_factory=dict)
    _zips: int = 0

    @property
    def format(self) -> str:
        """The format of its members."""
        return FORMATS[self.number % len(FORMATS)]

    def next_zip(self) -> VisitZip:
        """The feed's next delivery."""
        self._zips += 1
        draw = random.Random(self.number * 1_000_003 + self._zips)
        facility = draw.choice(FACILITIES)
        count = _row_count(draw, self.format)
        rows = list(self._rows(draw, facility, count))
        entries = list(_MEMBERS[self.format](rows, draw))
        return VisitZip(f"V_{facility}_{self._zips:06d}.zip", build_zip(entries), count)

    def _rows(self, draw: random.Random, facility: str, count: int) -> Iterator[Sequence[str]]:
        before = self._sent.setdefault(facility, _Sent())
        resent = min(count // RESENT_SHARE, len(before.last))
        numbers = [*range(before.visits - resent, before.visits + count - resent)]
        cents = [draw.randrange(1_000_000) for _ in numbers]
        self.truth.rows += count - resent
        self.truth.cents += sum(cents) - sum(before.last[len(before.last) - resent :])
        before.visits += count - resent
        before.last = cents[-1000:]
        changed = datetime(2026, 3, 1) + timedelta(minutes=self._zips)
        for visit, amount in zip(numbers, cents, strict=True):
            yield _row(draw, facility, visit, changed, amount)


@dataclass
class _Sent:
    """What a facility has sent: how many visits, and the charges of its last zip's last rows."""

    visits: int = 0
    last: list[int] = field(default_factory=list)


def broken_zip(number: int) -> VisitZip:
    """A zip that can't be opened: one is cut off in the middle, the next is no zip at all."""
    draw = random.Random(number)
    content = VisitFeed(number % len(FORMATS)).next_zip().content[:20_000] if number % 2 else draw.randbytes(20_000)
    # Two of the same bytes would be each other's duplicates.
    return VisitZip(f"V_CA0001_{number:06d}.zip", content + draw.randbytes(8), 0)


def _row_count(draw: random.Random, kind: str) -> int:
    if kind == "xml":
        return draw.randint(*DOCUMENTS)
    packed = SMALLEST * (LARGEST / SMALLEST) ** draw.random()
    return round(packed / PACKED_ROW_BYTES)


def _note(draw: random.Random) -> str:
    return " ".join(draw.choices(WORDS, k=16))[:159]


def _row(draw: random.Random, facility: str, visit: int, changed: datetime, cents: int) -> tuple[str, ...]:
    return (
        facility,
        f"{visit:012d}",
        f"{draw.randrange(10**9):012d}",
        f"Patient {draw.randrange(10**6)}",
        f"19{draw.randrange(30, 99)}-{draw.randrange(1, 13):02d}-{draw.randrange(1, 29):02d}",
        f"UNIT{draw.randrange(40):02d}",
        "admitted" if visit % 3 else "discharged",
        f"2026-02-{draw.randrange(1, 29):02d} {draw.randrange(24):02d}:{draw.randrange(60):02d}:00",
        f"{changed:%Y-%m-%d %H:%M:%S}",
        f"{cents // 100}.{cents % 100:02d}",
        _note(draw),
    )


def _xml(rows: Sequence[Sequence[str]], draw: random.Random) -> Iterator[Entry]:
    tags = [name.title().replace("_", "") for name in FIELDS]
    words = "\n".join(" ".join(draw.choices(WORDS, k=12)) for _ in range(160))
    for number, row in enumerate(rows):
        fields = "".join(f"<{tag}>{text}</{tag}>" for tag, text in zip(tags, row, strict=True))
        history = words[: draw.randint(*HISTORY_BYTES)]
        body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Visit>{fields}<History>{history}</History></Visit>\n'
        yield Entry(f"visit_{number:05d}.xml", body.encode())


def _csv(rows: Sequence[Sequence[str]], draw: random.Random) -> Iterator[Entry]:
    yield Entry("visits.csv", "\n".join([",".join(FIELDS), *(",".join(row) for row in rows), ""]).encode())


def _delimited(rows: Sequence[Sequence[str]], draw: random.Random) -> Iterator[Entry]:
    half = len(rows) // 2
    for number, some in enumerate((rows[:half], rows[half:])):
        yield Entry(f"visits_{number}.txt", "\n".join(["|".join(row) for row in some] + [""]).encode())


def _fixed(rows: Sequence[Sequence[str]], draw: random.Random) -> Iterator[Entry]:
    widths = list(FIELDS.values())
    lines = ["".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows]
    yield Entry("visits.txt", "\n".join([*lines, ""]).encode())


_MEMBERS = {"xml": _xml, "csv": _csv, "delimited": _delimited, "fixed": _fixed}
