"""A zip with one very large CSV of claim lines in it, for benchmarks: the same arguments give the same bytes."""

from __future__ import annotations

import random
import zipfile
from pathlib import Path

from tests.simulator.claims import HEADER

BLOCK_ROWS = 20_000
# Long notes that say little: real ones deflate about 40 times too.
NOTES = [
    "Adjusted after review of the coordination of benefits, see the letter to the provider on file, section {n}. " * 7,
    "Resubmitted with modifier {n} as the payer asked, no change of the amount billed, documentation attached. " * 7,
    "Denied at first for lack of authorisation {n}, which was given on the same day and is on file with the payer. "
    * 4,
]


def write_large_zip(path: Path, megabytes: int, seed: int = 1) -> int:
    """Writes a zip of one CSV of about so many megabytes to `path`, unless it is there; returns its rows."""
    rows = max(BLOCK_ROWS, round(megabytes * (1 << 20) / _row_bytes(seed)))
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            entry = zipfile.ZipInfo("claims.csv", (2026, 3, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=True) as member:
                member.write((";".join(HEADER) + "\n").encode())
                for first in range(0, rows, BLOCK_ROWS):
                    member.write(_block(first, min(BLOCK_ROWS, rows - first), seed).encode())
        temporary.rename(path)
    return rows


def _row_bytes(seed: int) -> float:
    return len(_block(0, BLOCK_ROWS, seed)) / BLOCK_ROWS


def _block(first: int, count: int, seed: int) -> str:
    draw = random.Random(seed * 1_000_003 + first)
    lines = []
    for number in range(first, first + count):
        billed = draw.randrange(10_000)
        fields = {
            "claim_id": f"CA0001-L{number // 3:09d}",
            "line_no": number % 3 + 1,
            "service_date": f"2026-01-{draw.randrange(1, 29):02d}",
            "facility_id": "CA0001",
            "patient_id": f"CA0001-{draw.randrange(50_000):08d}",
            "procedure_code": 430_193_006,
            "note": draw.choice(NOTES).format(n=draw.randrange(10)).strip(),
            "units": 1,
            "billed": f"{billed}.00",
            "paid": f"{billed // 2}.00",
            "status": "PAID",
            "adjudicated_at": f"2026-02-{draw.randrange(1, 29):02d} 10:00:00",
        }
        lines.append(";".join(str(fields[name]) for name in HEADER))
    return "\n".join(lines) + "\n"
