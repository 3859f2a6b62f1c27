"""Zips by the thousand for benchmarks, fast and the same every time, and what must become of them.

    python -m tests.bench.making --out DIR --format xml --zips 1000

writes `DIR/drop/<wave>/<landing folder>/*.zip` and, of the state after each wave, `DIR/truth/<wave>/` in the shape that
`tests/reconcile.py` holds a lake against. Each facility tells of things of its own, so facilities are made side by side.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.bench.kinds import KINDS, Kind, Told
from tests.simulator import clock
from tests.simulator.report import QUARANTINE_SCHEMA, ZIP_SCHEMA
from tests.simulator.versions import Versions
from tests.simulator.zipper import Entry, build_zip

ZIPS_A_WAVE = 10  # of a facility: 77,000 zips a day from 8,000 facilities
LEVEL = 6  # what senders' zip programs use; a faster one would save a third of the time of making them
FACILITIES_A_TASK = 8
REGIONS = ("NE", "NW", "SE", "SW")


@dataclass(frozen=True)
class Shares:
    """Of what a wave tells, the part about things that were told of before; the rest are new things.

    `late` is older than what was told already, `again` is the last version once more.
    """

    change: float
    late: float
    again: float
    delete: float
    reinsert: float

    @property
    def bounds(self) -> list[tuple[str, float]]:
        """Where each kind ends on the way from 0 to 1."""
        kinds = ("change", "late", "again", "delete", "reinsert")
        shares = [getattr(self, kind) for kind in kinds]
        return [(kind, sum(shares[: place + 1])) for place, kind in enumerate(kinds)]


FIRST = Shares(change=0.10, late=0.02, again=0.01, delete=0.02, reinsert=0.005)
LATER = Shares(change=0.60, late=0.04, again=0.01, delete=0.03, reinsert=0.01)
BROKEN = 0.0005


def write_zips(
    out: Path, format_: str, zips: int, waves: int = 2, seed: int = 1, processes: int | None = None
) -> dict:  # fmt: skip
    """Writes `zips` zips a wave, and the truth, to `out`; returns the truth's summary: counts by wave.

    The same arguments give the same bytes. What another call left in `out` is removed first.
    """
    kind = KINDS[format_]
    for part in ("drop", "truth"):
        shutil.rmtree(out / part, ignore_errors=True)
    for wave in range(1, waves + 1):
        (out / "drop" / str(wave) / kind.feed).mkdir(parents=True)
        for part in _truth_parts(kind):
            (out / "truth" / str(wave) / part).mkdir(parents=True)
    facilities = -(-zips // ZIPS_A_WAVE)
    work = partial(_make_facilities, out, format_, zips, waves, seed)
    with ProcessPoolExecutor(processes) as pool:
        parts = list(pool.map(work, range(0, facilities, FACILITIES_A_TASK)))
    summary = {
        "format": format_,
        "seed": seed,
        "facilities": facilities,
        "waves": [dict(sum((part[wave] for part in parts), Counter())) for wave in range(waves)],
    }
    (out / "truth" / "summary.json").write_text(json.dumps(summary, indent=2, sort_keys=True) + "\n")
    return summary


def _make_facilities(out: Path, format_: str, zips: int, waves: int, seed: int, first: int) -> list[Counter]:
    """Makes some facilities, the one numbered `first` and those after it; returns the counts of each wave."""
    last = min(first + FACILITIES_A_TASK, -(-zips // ZIPS_A_WAVE))
    facilities = [_Facility(KINDS[format_], number, seed) for number in range(first, last)]
    counts = []
    for wave in range(1, waves + 1):
        count: Counter = Counter()
        for facility in facilities:
            places = range(facility.number * ZIPS_A_WAVE, min((facility.number + 1) * ZIPS_A_WAVE, zips))
            for place in places:
                facility.deliver(out, wave, place, place + (wave - 1) * zips, count)
        count.update(_write_truth(out / "truth" / str(wave), first, facilities))
        counts.append(count)
    return counts


@dataclass
class _Facility:
    """A care facility: the things that it told of, and what must become of its zips so far."""

    kind: Kind
    number: int
    seed: int
    things: list = field(default_factory=list)
    gone: list = field(default_factory=list)
    zips: list[dict] = field(default_factory=list)
    quarantine: list[dict] = field(default_factory=list)
    remarks: Counter = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.region = REGIONS[self.number % 4]
        self.name = f"{self.region}{self.number // 4 + 1:04d}"
        self.draw = random.Random(self.seed * 1_000_003 + self.number)
        self.versions = Versions(self.kind.target, self.remarks)

    def deliver(self, out: Path, wave: int, place: int, serial: int, count: Counter) -> None:
        """Makes a zip, writes it, and notes what must become of it."""
        kind, draw = self.kind, self.draw
        extract = clock.START + wave * clock.DAY + place % ZIPS_A_WAVE * 7_200 + self.number % 7_200
        name = f"{kind.prefix}_{self.name}_{clock.stamp(extract)}_{serial:08d}.zip"
        told = [self._tell(*event, extract) for event in self._events(wave, kind.size(draw))]
        entries = list(kind.pack(told, serial))
        packed = build_zip([Entry(entry.name, entry.data) for entry in entries], LEVEL)
        sha256 = hashlib.sha256(packed).hexdigest()
        refused = []
        for index, entry in enumerate(entries):
            for row, one in enumerate(entry.told, 1):
                if one.rule:
                    refused.append(_refusal(kind, name, index, entry.name, row, one))
                    count[f"broken.{one.rule}"] += 1
                    count["malformed"] += one.malformed
                else:
                    self.versions.add(one.values, (one.source, extract, sha256, index, row), name)
        self.quarantine += refused
        self.zips.append(_zip_line(kind, name, wave, sha256, [entry.told for entry in entries]))
        _write(out / "drop" / str(wave) / kind.feed / name, packed, serial)
        count.update(
            zips=1,
            members=len(entries),
            told=len(told),
            loaded=len(told) - len(refused),
            packed_bytes=len(packed),
            inflated_bytes=sum(len(entry.data) for entry in entries),
        )

    def _tell(self, thing, version: int, phase: str, extract: int) -> Told:
        told = self.kind.tell(thing, version, phase, self.name, extract, self.draw)
        return self.kind.spoil(told, self.draw) if self.draw.random() < BROKEN else told

    def _events(self, wave: int, size: int) -> Iterator[tuple]:
        """Thing, version and phase of all that a zip tells."""
        bounds = (FIRST if wave == 1 else LATER).bounds
        for _ in range(size):
            chance = self.draw.random()
            what = next((what for what, bound in bounds if chance < bound), "new") if self.things else "new"
            yield self._event(what)

    def _event(self, what: str) -> tuple:
        draw = self.draw
        if what == "new":
            thing = self.kind.begin(self.region, self.name, len(self.things) + 1, draw)
            self.things.append(thing)
        elif what == "reinsert" and self.gone:
            thing = self.gone.pop()
        else:
            # Mostly things told of lately: some in the same zip, most in one before.
            thing = self.things[-1 - int(len(self.things) * draw.random() ** 2)]
        if what == "late" and thing.version > 1:
            return thing, thing.version - 1, draw.choice(("change", "change", "delete"))
        if what != "again" or not thing.version:
            thing.version += 2  # leaves one to come late
        if what == "delete":
            self.gone.append(thing)
        phase = {"new": "new", "delete": "delete", "again": "change", "reinsert": "change"}.get(what)
        return thing, thing.version, phase or draw.choice(("change", "close"))


def _refusal(kind: Kind, name: str, index: int, member: str, row: int, told: Told) -> dict:
    line = {"folder": kind.feed, "name": name, "member_index": index, "member": member, "rule": told.rule}
    return line if told.malformed else line | {"row": row, "target": kind.target.name}


def _zip_line(kind: Kind, name: str, wave: int, sha256: str, members: Sequence[Sequence[Told]]) -> dict:
    rows = [one for member in members for one in member if not one.malformed]
    loaded = sum(not one.rule for one in rows)
    members_loaded = sum(any(not one.rule for one in member) for member in members)
    return {
        "folder": kind.feed, "feed": kind.feed, "name": name, "wave": wave, "sha256": sha256, "state": "loaded",
        "rule": None, "warnings": "", "members": len(members), "members_loaded": members_loaded,
        "members_duplicate": 0, "members_ignored": 0, "members_quarantined": len(members) - members_loaded,
        "rows_loaded": loaded, "rows_duplicate": 0, "rows_quarantined": len(rows) - loaded,
    }  # fmt: skip


def _write(path: Path, packed: bytes, serial: int) -> None:
    path.write_bytes(packed)
    arrived = clock.START + serial  # the order of arrival is the order of these times
    os.utime(path, (arrived, arrived))


def _truth_parts(kind: Kind) -> tuple[str, ...]:
    table = f"{kind.target.name}.parquet"
    return ("zips.parquet", "quarantine.parquet", f"tables/{table}", f"deleted/{table}")


def _write_truth(out: Path, part: int, facilities: list[_Facility]) -> dict[str, int]:
    """Writes what the lake must hold of some facilities after a wave; returns how many rows that is, and of what kinds."""
    tables = (
        pa.Table.from_pylist([line for one in facilities for line in one.zips], ZIP_SCHEMA),
        pa.Table.from_pylist([line for one in facilities for line in one.quarantine], QUARANTINE_SCHEMA),
        pa.concat_tables([one.versions.table() for one in facilities]),
        pa.concat_tables([one.versions.deleted() for one in facilities]),
    )
    for name, table in zip(_truth_parts(facilities[0].kind), tables, strict=True):
        pq.write_table(table, out / name / f"{part:06d}.parquet")
    remarks = sum((one.remarks for one in facilities), Counter())
    for one in facilities:
        one.remarks.clear()
    return {"rows": tables[2].num_rows, "deleted_rows": tables[3].num_rows, **remarks}


def main() -> None:
    """Reads the arguments, makes the zips, prints the summary."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.making", description=write_zips.__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--format", choices=KINDS, default="xml")
    parser.add_argument("--zips", type=int, default=1000, help="zips a wave; of XML 195 documents each on average")
    parser.add_argument("--waves", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, help="all cores if not given")
    given = parser.parse_args()
    summary = write_zips(given.out, given.format, given.zips, given.waves, given.seed, given.processes)
    print(json.dumps(summary, indent=2, sort_keys=True))


if __name__ == "__main__":
    main()
