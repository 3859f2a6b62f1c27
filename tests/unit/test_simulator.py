"""The simulator: the same bytes every time, the shares of the brief, and a truth that a second reading confirms."""

import ast
import datetime as dt
import hashlib
import json
import zipfile
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import tests.simulator as package
from tests.simulator import (
    bed_census,
    claims,
    encounter_faults,
    encounter_oddities,
    lab_results,
    member_faults,
    packing,
    patient_rows,
    patients,
    plan,
    simulate,
    vital_signs,
)
from tests.simulator.recount import recount

SMALLEST = 25  # zips; every kind of trouble must occur even then
MET = (
    "tie.extract tie.sha256 tie.member tie.row order.late_older delete.wins delete.late delete.absent reinsert.wins"
    " reinsert.late move.forward move.late zip.edge warn.check.plausible_charges warn.check.occupied_has_patient"
    " warn.member.unknown_columns warn.member.missing_columns"
)
DEALT = {
    "row.encounter": encounter_faults.FAULTS,
    "row.vital_sign": vital_signs.FAULTS,
    "row.patient": patient_rows.FAULTS,
    "row.bed": bed_census.FAULTS,
    "row.lab_result": lab_results.FAULTS,
    "row.claim_line": claims.FAULTS,
    "value.patient": patient_rows.ODDITIES,
    "xml": encounter_oddities.ODDITIES,
    "csv": {*patients.STYLES, *claims.STYLES},
    "text": bed_census.STYLES,
    "packing": packing.KINDS,
}


class Simulated:
    """A simulated run and its truth."""

    def __init__(self, out: Path, **arguments) -> None:
        self.summary = simulate(out, facilities=10, **arguments)
        self.drop, self.truth = out / "drop", out / "truth"

    def rows(self, name: str) -> list[dict]:
        return pq.read_table(self.truth / f"{name}.parquet").to_pylist()

    def zips(self) -> dict[str, Path]:
        return {path.name: path for path in self.drop.glob("*/*/*")}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return Simulated(tmp_path_factory.mktemp("small"), zips=SMALLEST, seed=5, edge_mb=1)


@pytest.fixture(scope="module")
def larger(tmp_path_factory):
    return Simulated(tmp_path_factory.mktemp("larger"), zips=100, seed=6, edge_mb=0)


@pytest.fixture(scope="module")
def reread(small):
    return recount(small.drop)


def _digest(out: Path) -> dict[str, str]:
    files = [path for path in out.rglob("*") if path.is_file()]
    return {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_same_seed_gives_same_bytes(small, tmp_path):
    simulate(tmp_path, facilities=10, zips=SMALLEST, seed=5, edge_mb=1)
    assert _digest(tmp_path) == _digest(small.drop.parent)


def test_another_seed_gives_other_bytes(small, tmp_path):
    simulate(tmp_path, facilities=10, zips=SMALLEST, seed=6, edge_mb=0)
    other = pq.read_table(tmp_path / "truth" / "zips.parquet").to_pylist()
    mine, theirs = (
        {line["sha256"] for line in lines if line["state"] == "loaded"} for lines in (small.rows("zips"), other)
    )
    assert mine and not mine & theirs


def test_truth_names_every_zip_once_with_its_hash(small):
    told = {line["name"]: line["sha256"] for line in small.rows("zips")}
    assert len(told) == len(small.rows("zips")) == SMALLEST
    assert told == {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in small.zips().items()}


@pytest.mark.parametrize("run", ["small", "larger"])
def test_members_and_rows_add_up_for_every_zip(run, request):
    simulated = request.getfixturevalue(run)
    members = Counter((line["name"], line["outcome"]) for line in simulated.rows("members"))
    rows = Counter((line["name"], line["outcome"]) for line in simulated.rows("rows"))
    for line in simulated.rows("zips"):
        outcomes = ("loaded", "duplicate", "ignored", "quarantined")
        assert line["members"] == sum(line[f"members_{outcome}"] for outcome in outcomes)
        for outcome in outcomes:
            assert line[f"members_{outcome}"] == members[(line["name"], outcome)]
            assert line.get(f"rows_{outcome}", 0) == rows[(line["name"], outcome)]


def test_every_member_and_row_has_one_outcome(small):
    members = [(line["name"], line["member_index"]) for line in small.rows("members")]
    rows = [(line["name"], line["member_index"], line["target"], line["row"]) for line in small.rows("rows")]
    assert len(set(members)) == len(members)
    assert len(set(rows)) == len(rows)


def test_refusals_match_the_outcomes(small):
    refused = [line for line in small.rows("quarantine") if line["row"] is not None]
    rows = [line for line in small.rows("rows") if line["outcome"] == "quarantined"]
    keys = ("folder", "name", "member_index", "target", "row")
    assert {tuple(line[key] for key in keys) for line in refused} == {tuple(line[k] for k in keys) for line in rows}


def test_standard_library_opens_what_is_not_damaged(small):
    for line in small.rows("zips"):
        whole = zipfile.is_zipfile(small.zips()[line["name"]])
        assert whole == (line["rule"] != "zip.damaged"), line["name"]
        if line["members"]:
            with zipfile.ZipFile(small.zips()[line["name"]]) as file:
                assert sum(not info.is_dir() for info in file.infolist()) == line["members"]


def test_second_reading_finds_the_same_outcomes(small, reread):
    lines = small.rows("zips")
    assert reread.states == {line["name"]: line["state"] for line in lines}
    outcomes = {(line["name"], line["member_index"]): line["outcome"] for line in small.rows("members")}
    assert reread.members == {key: outcome for key, outcome in outcomes.items() if outcome != "duplicate"}
    keys = ("name", "member_index", "row", "target", "rule")
    assert reread.refusals == Counter(tuple(line[key] for key in keys) for line in small.rows("quarantine"))
    for line in lines:
        counted = sorted(reread.warnings[line["name"]].items())
        assert line["warnings"] == ",".join(f"{name}={count}" for name, count in counted if count)


@pytest.mark.parametrize("target", ["encounter", "vital_sign", "patient", "bed", "lab_result", "claim_line"])
def test_second_reading_finds_the_same_rows(small, reread, target):
    read = [(key[1:], deleted, values) for key, (_, deleted, values) in reread.best.items() if key[0] == target]
    expected = {_frozen(values) for _, deleted, values in read if not deleted}
    assert {_frozen(values) for values in small.rows(f"tables/{target}")} == expected
    deleted = {tuple(values.values()) for values in small.rows(f"deleted/{target}")}
    assert deleted == {key for key, is_deleted, _ in read if is_deleted}
    assert expected


def _frozen(values: dict) -> tuple:
    return tuple(value.astimezone(dt.UTC) if isinstance(value, dt.datetime) else value for value in values.values())


def test_every_kind_of_trouble_occurs_at_the_smallest_size(small):
    expected = {f"{group}.{kind}" for group, kinds in DEALT.items() for kind in kinds}
    expected |= {kind for kinds in member_faults.OF_FEED.values() for kind in kinds}
    expected |= {*plan.SPECIALS, *MET.split()}
    assert expected - set(small.summary["kinds"]) == set()


def test_sizes_are_those_of_the_brief(larger):
    sizes = [larger.zips()[line["name"]].stat().st_size for line in larger.rows("zips") if line["state"] == "loaded"]
    assert sum(20_000 <= size <= 1_500_000 for size in sizes) >= 0.99 * len(sizes)
    usual = [line for line in larger.rows("zips") if line["feed"] == "encounters" and line["state"] == "loaded"]
    assert all(20 <= line["members"] <= 300 for line in usual)
    members = sum(line["members"] for line in larger.rows("zips") if not line["rule"])
    assert 150 <= members / len(larger.rows("zips")) <= 230


def test_edge_case_is_as_large_as_asked_for(small):
    path = max(small.zips().values(), key=lambda path: path.stat().st_size)
    assert path.stat().st_size == pytest.approx(1 << 20, rel=0.1)
    with zipfile.ZipFile(path) as file:
        assert file.infolist()[0].file_size < 2.75 * path.stat().st_size


def test_deliveries_arrive_in_the_order_of_their_times(small):
    times = [small.zips()[line["name"]].stat().st_mtime for line in small.rows("zips")]
    assert all(earlier < later for earlier, later in pairwise(times))


def test_identifiers_occur_in_the_deliveries(small):
    identifiers = set((small.truth / "identifiers.txt").read_text(encoding="utf-8").splitlines())
    told = {row["patient_id"] for row in small.rows("tables/patient")}
    assert told <= identifiers
    assert {row["patient_name"] for row in small.rows("tables/encounter")} - {None} <= identifiers
    assert min(map(len, identifiers)) > 5
    assert json.loads((small.truth / "summary.json").read_text())["zips"]["duplicate"] >= 2


def test_too_few_zips_are_refused(tmp_path):
    with pytest.raises(ValueError, match="too few"):
        simulate(tmp_path, facilities=1, zips=3, seed=1, edge_mb=0)


def test_imports_nothing_of_the_lake():
    for path in Path(package.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.startswith("spark_jobs") for name in names), path.name


def test_extract_is_synthea_s():
    from tests.simulator.synthea import COLUMNS, EXTRACT, read_table  # noqa: PLC0415

    for name, columns in COLUMNS.items():
        assert list(read_table(EXTRACT, name)[0]) == columns.split()
    assert sum(path.stat().st_size for path in EXTRACT.iterdir()) < 1 << 20
