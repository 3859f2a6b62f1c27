"""What turns of contenders come to: speeds, ratios within a round, differences from the truth."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from spark_jobs.cli.bench.contenders import ARCHIVES, CARELAKE, FLOOR, USUAL, Turn
from spark_jobs.cli.bench.figures import differences, figures, per_day
from spark_jobs.cli.bench.pages import figures_page

WAVE = {
    "members": 1000, "told": 1000, "loaded": 995, "malformed": 2, "rows": 800, "deleted_rows": 20,
    "inflated_bytes": 2_000_000, "packed_bytes": 1_000_000,
}  # fmt: skip
COUNTS = [WAVE, {**WAVE, "rows": 1100, "deleted_rows": 30}]
KEPT = {"bytes": {"table": 3_000_000, "ledger": 1000, "vault": 2_000_000}, "compactions": 1, "differences": []}


@dataclass
class Zips:
    counts: list


@dataclass
class Delivered:
    format: str
    measured: Zips


def turn(cold: float, warm: float, **found) -> Turn:
    return Turn([cold, warm], [cold * 2, warm * 2], peak_mb=500, jvm_mb=400, found=found)


def taken() -> dict:
    return {
        CARELAKE: [turn(1, 1, **KEPT), turn(2, 2, **KEPT), turn(1, 3, **KEPT)],
        FLOOR: [turn(0.1, 0.1, rows=1996), turn(0.1, 0.3, rows=1996), turn(0.2, 0.2, rows=1996)],
    }


def test_ratios_are_those_of_turns_of_one_round():
    result = figures(Delivered("xml", Zips(COUNTS)), taken())
    assert result["files_per_s"] == 500
    assert result["contenders"]["a"]["cold"]["files_per_s"] == {"min": 500, "median": 1000, "max": 1000}
    assert result["ratio_a_d"] == 0.1
    assert result["spread"]["ratio_a_d"] == {"min": 0.1, "median": 0.1, "max": 0.1}
    assert result["differences"] == []


def test_a_day_is_fifteen_million_files_at_the_pace():
    result = per_day(COUNTS, turn(1, 3, **KEPT))
    assert result["files_per_s"] == 500
    assert result["day_minutes"] == pytest.approx(500)
    assert result["table_mb"] == 3


@pytest.mark.parametrize(
    ("contender", "right", "wrong"),
    [
        (CARELAKE, KEPT, {**KEPT, "differences": ["lake.encounter: 1 rows of the truth are missing"]}),
        (ARCHIVES, {"rows": 2000, "full_rows": 1996, "columns": 25}, {"rows": 2000, "full_rows": 1995, "columns": 25}),
        (USUAL, {"rows": 1100, "deleted_rows": 30}, {"rows": 1099, "deleted_rows": 30}),
        (FLOOR, {"rows": 1996}, {"rows": 2000}),
    ],
)
def test_what_was_not_taken_in_is_told(contender, right, wrong):
    assert differences(contender, "xml", COUNTS, turn(1, 1, **right)) == []
    assert len(differences(contender, "xml", COUNTS, turn(1, 1, **wrong))) == 1


def test_the_page_names_machine_command_and_every_contender():
    machine = {"date": "2026-03-01", "cores": 2, "memory_gb": 24, "system": "Debian 12", "load_before": 0.1}
    result = figures(Delivered("xml", Zips(COUNTS)), taken())
    page = figures_page(
        {"ingest": {"command": "lake bench x", "commit": "abc", "machine": machine, "result": result}}, {}
    )
    assert "`lake bench x` on 2026-03-01, commit abc: 2 cores, 24 GB, Debian 12" in page
    assert "| a: Carelake, to Hudi | 1,000 (500 to 1,000) |" in page
    assert "| d: inflate and parse only |" in page
