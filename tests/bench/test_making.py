"""The zips of benchmarks and their truth, held against a plain reading of the same zips."""

from __future__ import annotations

import hashlib
import zipfile
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

import pyarrow.parquet as pq
import pytest

from tests.bench.encounters import write_encounters

ZIPS = 12


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Path, dict]:
    out = tmp_path_factory.mktemp("encounters")
    return out, write_encounters(out, ZIPS, seed=5, processes=2)


def test_newest_rows_are_those_of_a_plain_reading(made):
    out, summary = made
    newest: dict[str, tuple] = {}
    for wave in (1, 2):
        for path in sorted((out / "drop" / str(wave)).glob("*/*.zip")):
            _read_newest(path, newest)
        rows = pq.read_table(out / "truth" / str(wave) / "tables" / "encounter.parquet")
        told = {row["encounter_id"]: (row["status"], f"{row['total_charges']}") for row in rows.to_pylist()}
        assert told == {key: found[1:] for key, found in newest.items() if found[1] != "cancelled"}
        deleted = pq.read_table(out / "truth" / str(wave) / "deleted" / "encounter.parquet")
        assert set(deleted["encounter_id"].to_pylist()) == {k for k, found in newest.items() if found[1] == "cancelled"}
        assert (rows.num_rows, deleted.num_rows) == tuple(
            summary["waves"][wave - 1][n] for n in ("rows", "deleted_rows")
        )


def test_what_is_late_deleted_and_told_twice_occurs(made):
    _, summary = made
    for wave in summary["waves"]:
        for kind in ("order.late_older", "delete.wins", "tie.extract", "reinsert.wins"):
            assert wave[kind]


def test_every_member_is_counted_once(made):
    out, summary = made
    lines = pq.read_table(out / "truth" / "2" / "zips.parquet").to_pylist()
    assert len(lines) == 2 * ZIPS
    assert sum(line["members"] for line in lines) == sum(wave["members"] for wave in summary["waves"])
    assert all(line["members"] == line["members_loaded"] + line["members_quarantined"] for line in lines)


def test_the_same_arguments_give_the_same_bytes(made, tmp_path):
    write_encounters(tmp_path, ZIPS, seed=5, processes=1)
    assert _digests(tmp_path / "drop") == _digests(made[0] / "drop")


def _digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.zip")}


def _read_newest(path: Path, newest: dict[str, tuple]) -> None:
    with zipfile.ZipFile(path) as archive:
        for index, name in enumerate(archive.namelist()):
            try:
                root = ElementTree.fromstring(archive.read(name))
            except ElementTree.ParseError:
                continue
            status, charges = root.findtext("Status"), root.findtext("Charges")
            if "," in charges or status.startswith("un"):
                continue
            order = (datetime.fromisoformat(root.findtext("UpdatedAt")), path.name.split("_")[2], index)
            key = root.get("id")
            if key not in newest or newest[key][0] < order:
                newest[key] = (order, status, charges)
