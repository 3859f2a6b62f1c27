"""Synthea's patients: reading its CSV files, cutting a small extract of them."""

from __future__ import annotations

import csv
import gzip
import io
from collections import defaultdict
from pathlib import Path

EXTRACT = Path(__file__).parents[1] / "data" / "synthea"

COLUMNS = {
    "patients": "Id BIRTHDATE DEATHDATE SSN FIRST LAST GENDER ADDRESS CITY STATE ZIP HEALTHCARE_EXPENSES INCOME",
    "encounters": "Id START STOP PATIENT PROVIDER PAYER ENCOUNTERCLASS CODE DESCRIPTION TOTAL_CLAIM_COST"
    " REASONCODE REASONDESCRIPTION",
    "observations": "PATIENT ENCOUNTER CATEGORY CODE DESCRIPTION VALUE UNITS",
    "procedures": "PATIENT ENCOUNTER CODE DESCRIPTION BASE_COST",
    "payers": "Id NAME",
    "providers": "Id NAME SPECIALITY",
}


def read_table(folder: Path, name: str) -> list[dict[str, str]]:
    """The rows of one of Synthea's tables, whether `name.csv` or `name.csv.gz`."""
    plain = folder / f"{name}.csv"
    if plain.exists():
        text = plain.read_text(encoding="utf-8")
    else:
        text = gzip.decompress((folder / f"{name}.csv.gz").read_bytes()).decode("utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def cut_extract(source: Path, out: Path, encounters_each: int = 20, procedures_each: int = 12) -> None:
    """Write the part of a Synthea run that the simulator reads: recent encounters and what was measured in them."""
    out.mkdir(parents=True, exist_ok=True)
    encounters = _last_of_each(read_table(source, "encounters"), encounters_each)
    kept = {row["Id"] for row in encounters}
    providers = {row["PROVIDER"] for row in encounters}
    _write(out, "patients", read_table(source, "patients"))
    _write(out, "encounters", encounters)
    _write(out, "observations", [row for row in read_table(source, "observations") if _measured_in(row, kept)])
    _write(out, "procedures", _last_of_each(read_table(source, "procedures"), procedures_each))
    _write(out, "payers", read_table(source, "payers"))
    _write(out, "providers", [row for row in read_table(source, "providers") if row["Id"] in providers])


def _last_of_each(rows: list[dict[str, str]], most: int) -> list[dict[str, str]]:
    by_patient: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        by_patient[row["PATIENT"]].append(row)
    return [row for mine in by_patient.values() for row in mine[-most:]]


def _measured_in(row: dict[str, str], encounters: set[str]) -> bool:
    wanted = row["CATEGORY"] in ("vital-signs", "laboratory") and row.get("TYPE", "numeric") == "numeric"
    return wanted and row["ENCOUNTER"] in encounters


def _write(out: Path, name: str, rows: list[dict[str, str]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS[name].split(), extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    # No time stamp inside, so that the same run gives the same bytes.
    (out / f"{name}.csv.gz").write_bytes(gzip.compress(text.getvalue().encode("utf-8"), 9, mtime=0))
