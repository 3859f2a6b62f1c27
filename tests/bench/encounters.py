"""Zips of encounters by the thousand, fast and the same every time, and what must become of them.

    python -m tests.bench.encounters --out DIR --zips 1000

writes `DIR/drop/<wave>/encounters/*.zip` and, of the state after each wave, `DIR/truth/<wave>/`, in the shape that
`tests/reconcile.py` holds a lake against; the vital signs that the documents could hold are left out. Each facility's
stays are its own, so that facilities are made side by side.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.bench.encounter_documents import REGIONS, Stay, begin, tell
from tests.simulator import clock
from tests.simulator.columns import ENCOUNTER
from tests.simulator.report import QUARANTINE_SCHEMA, ZIP_SCHEMA
from tests.simulator.versions import Versions
from tests.simulator.zipper import Entry, build_zip

ZIPS_A_WAVE = 10  # of a facility: 77,000 zips a day from 8,000 facilities
LEAST, MOST, LEAN = 20, 300, 5 / 3  # members of a zip: 195 on average, as 15,000,000 files in 77,000 zips
LEVEL = 6  # what senders' zip programs use; a faster one would save a third of the time of making them
FACILITIES_A_TASK = 8


@dataclass(frozen=True)
class Shares:
    """Of the documents of a wave, those that tell of a stay that was told of before; the rest are new stays.

    `late` ones are older than what was told already, `again` ones tell the last version once more.
    """

    change: float
    late: float
    again: float
    delete: float
    reinsert: float
    broken: float = 0.0005


FIRST = Shares(change=0.10, late=0.02, again=0.01, delete=0.02, reinsert=0.005)
LATER = Shares(change=0.60, late=0.04, again=0.01, delete=0.03, reinsert=0.01)

# How a document breaks: what becomes of its bytes, the rule that refuses it, and whether it is still well-formed.
BROKEN = {
    "cut": (lambda data: data[: len(data) // 2], "member.xml", False),
    "charges_with_comma": (lambda data: data.replace(b'currency="USD">', b'currency="USD">1,', 1), "type.total_charges", True),
    "unknown_status": (lambda data: data.replace(b"  <Status>", b"  <Status>un", 1), "check.known_status", True),
}  # fmt: skip


def write_encounters(out: Path, zips: int, waves: int = 2, seed: int = 1, processes: int | None = None) -> dict:
    """Writes `zips` zips a wave, and the truth, to `out`; returns the truth's summary: counts by wave.

    The same arguments give the same bytes. What another call left in `out` is removed first.
    """
    for part in ("drop", "truth"):
        shutil.rmtree(out / part, ignore_errors=True)
    for wave in range(1, waves + 1):
        (out / "drop" / str(wave) / "encounters").mkdir(parents=True)
        for part in ("zips.parquet", "quarantine.parquet", "tables/encounter.parquet", "deleted/encounter.parquet"):
            (out / "truth" / str(wave) / part).mkdir(parents=True)
    facilities = -(-zips // ZIPS_A_WAVE)
    work = partial(_make_facilities, out, zips, waves, seed)
    with ProcessPoolExecutor(processes) as pool:
        parts = list(pool.map(work, range(0, facilities, FACILITIES_A_TASK)))
    summary = {
        "seed": seed,
        "facilities": facilities,
        "waves": [dict(sum((part[wave] for part in parts), Counter())) for wave in range(waves)],
    }
    (out / "truth" / "summary.json").write_text(json.dumps(summary, indent=2, sort_keys=True) + "\n")
    return summary


def _make_facilities(out: Path, zips: int, waves: int, seed: int, first: int) -> list[Counter]:
    """Makes some facilities, the one numbered `first` and those after it; returns the counts of each wave."""
    last = min(first + FACILITIES_A_TASK, -(-zips // ZIPS_A_WAVE))
    facilities = [_Facility(number, seed) for number in range(first, last)]
    counts = []
    for wave in range(1, waves + 1):
        count: Counter = Counter()
        for facility in facilities:
            serials = range(facility.number * ZIPS_A_WAVE, min((facility.number + 1) * ZIPS_A_WAVE, zips))
            for serial in serials:
                facility.deliver(out, wave, serial, serial + (wave - 1) * zips, count)
        count.update(_write_truth(out / "truth" / str(wave), first, facilities))
        counts.append(count)
    return counts


@dataclass
class _Facility:
    """A care facility: the stays that it told of, and what must become of its zips so far."""

    number: int
    seed: int
    stays: list[Stay] = field(default_factory=list)
    gone: list[Stay] = field(default_factory=list)
    zips: list[dict] = field(default_factory=list)
    quarantine: list[dict] = field(default_factory=list)
    kinds: Counter = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.region = REGIONS[self.number % 4]
        self.name = f"{self.region}{self.number // 4 + 1:04d}"
        self.draw = random.Random(self.seed * 1_000_003 + self.number)
        self.versions = Versions(ENCOUNTER, self.kinds)

    def deliver(self, out: Path, wave: int, place: int, serial: int, count: Counter) -> None:
        """Makes a zip, writes it, and notes what must become of it."""
        extract = clock.START + wave * clock.DAY + place % ZIPS_A_WAVE * 7_200 + self.number % 7_200
        name = f"ENC_{self.name}_{clock.stamp(extract)}_{serial:08d}.zip"
        documents = round(MOST - (MOST - LEAST) * self.draw.random() ** LEAN)
        shares = FIRST if wave == 1 else LATER
        entries, rows, refused = [], [], []
        for index, (stay, version, status) in enumerate(self._events(shares, documents)):
            data, source, values = tell(stay, version, status, self.draw)
            member, rule = f"{stay.number}_{serial}_{index}.xml", None
            if self.draw.random() < shares.broken:
                data, rule = self._break(data, count)
                refused.append(_refusal(name, index, member, rule))
            else:
                rows.append(((*values, self.name, extract * clock.SECOND), (source, index)))
            entries.append(Entry(member, data))
        packed = build_zip(entries, LEVEL)
        sha256 = hashlib.sha256(packed).hexdigest()
        for values, (source, index) in rows:
            self.versions.add(values, (source, extract, sha256, index, 1), name)
        self.quarantine += refused
        self.zips.append(_zip_line(name, wave, sha256, len(entries), refused))
        _write(out / "drop" / str(wave) / "encounters" / name, packed, serial)
        inflated = sum(len(entry.data) for entry in entries)
        count.update(zips=1, members=len(entries), loaded=len(rows), packed_bytes=len(packed), inflated_bytes=inflated)

    def _events(self, shares: Shares, documents: int) -> Iterator[tuple[Stay, int, str]]:
        """Stay, version and status of each document of a zip."""
        draw, bounds = self.draw, _bounds(shares)
        for _ in range(documents):
            chance = draw.random()
            kind = next((kind for kind, bound in bounds if chance < bound), "new") if self.stays else "new"
            yield self._event(kind)

    def _event(self, kind: str) -> tuple[Stay, int, str]:
        draw = self.draw
        if kind == "new":
            stay = begin(self.region, self.name, len(self.stays) + 1, draw)
            self.stays.append(stay)
        elif kind == "reinsert" and self.gone:
            stay = self.gone.pop()
        else:
            # Mostly stays told of lately: some in the same zip, most in one before.
            stay = self.stays[-1 - int(len(self.stays) * draw.random() ** 2)]
        if kind == "late" and stay.version > 1:
            return stay, stay.version - 1, draw.choice(("updated", "updated", "cancelled"))
        if kind != "again" or not stay.version:
            stay.version += 2  # leaves one to come late
        status = "updated" if kind in ("again", "reinsert") else draw.choice(("updated", "discharged"))
        if kind == "delete":
            self.gone.append(stay)
            status = "cancelled"
        return stay, stay.version, "admitted" if kind == "new" else status

    def _break(self, data: bytes, count: Counter) -> tuple[bytes, str]:
        kind = self.draw.choice(tuple(BROKEN))
        change, rule, well_formed = BROKEN[kind]
        count[f"broken.{kind}"] += 1
        count["malformed"] += not well_formed
        return change(data), rule


def _bounds(shares: Shares) -> list[tuple[str, float]]:
    bounds, sum_ = [], 0.0
    for kind in ("change", "late", "again", "delete", "reinsert"):
        sum_ += getattr(shares, kind)
        bounds.append((kind, sum_))
    return bounds


def _refusal(name: str, index: int, member: str, rule: str) -> dict:
    line = {"folder": "encounters", "name": name, "member_index": index, "member": member, "rule": rule}
    return line if rule == "member.xml" else line | {"row": 1, "target": "encounter"}


def _zip_line(name: str, wave: int, sha256: str, members: int, refused: list[dict]) -> dict:
    rows_refused = sum("row" in line for line in refused)
    loaded = members - len(refused)
    return {
        "folder": "encounters", "feed": "encounters", "name": name, "wave": wave, "sha256": sha256, "state": "loaded",
        "rule": None, "warnings": "", "members": members, "members_loaded": loaded, "members_duplicate": 0,
        "members_ignored": 0, "members_quarantined": len(refused), "rows_loaded": loaded, "rows_duplicate": 0,
        "rows_quarantined": rows_refused,
    }  # fmt: skip


def _write(path: Path, packed: bytes, serial: int) -> None:
    path.write_bytes(packed)
    arrived = clock.START + serial  # the order of arrival is the order of these times
    os.utime(path, (arrived, arrived))


def _write_truth(out: Path, part: int, facilities: list[_Facility]) -> dict[str, int]:
    """Writes what the lake must hold of some facilities after a wave; returns how many rows that is, and of what kinds."""
    tables = {
        "zips.parquet": pa.Table.from_pylist([line for one in facilities for line in one.zips], ZIP_SCHEMA),
        "quarantine.parquet": pa.Table.from_pylist(
            [line for one in facilities for line in one.quarantine], QUARANTINE_SCHEMA
        ),
        "tables/encounter.parquet": pa.concat_tables([one.versions.table() for one in facilities]),
        "deleted/encounter.parquet": pa.concat_tables([one.versions.deleted() for one in facilities]),
    }
    for name, table in tables.items():
        pq.write_table(table, out / name / f"{part:06d}.parquet")
    kinds = sum((one.kinds for one in facilities), Counter())
    for one in facilities:
        one.kinds.clear()
    return {
        "rows": tables["tables/encounter.parquet"].num_rows,
        "deleted_rows": tables["deleted/encounter.parquet"].num_rows,
        **kinds,
    }


def main() -> None:
    """Reads the arguments, makes the zips, prints the summary."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.encounters", description=write_encounters.__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--zips", type=int, default=1000, help="zips a wave, of 195 documents on average")
    parser.add_argument("--waves", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, help="all cores if not given")
    given = parser.parse_args()
    summary = write_encounters(given.out, given.zips, given.waves, given.seed, given.processes)
    print(json.dumps(summary, indent=2, sort_keys=True))


if __name__ == "__main__":
    main()
