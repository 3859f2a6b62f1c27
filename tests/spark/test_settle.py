"""Equal keys in one batch: settled before the upsert, they end as when Hudi combines them."""

from dataclasses import replace
from itertools import count

import pytest

from spark_jobs.batches.settle import settle
from spark_jobs.tables.hudi import HudiTable, TableWriter, key_of

COLUMNS = (
    "facility string, number string, region string, status string, _order string, _deleted boolean,"
    " _zip_id string, _member_index int, _row bigint"
)
PLACES = count()


def row(facility, number, status, order, deleted=False, region="NE"):
    place = next(PLACES)
    return facility, number, region, status, f"{order:04d}{place:012d}", deleted, f"zip {place % 3}", place % 5, place


BATCHES = {
    "new file groups": [
        *(row("A", str(n), "first", 10) for n in range(40)),
        *(row("A", str(n), "second", 20) for n in range(0, 40, 2)),
        *(row("A", str(n), "late", 5) for n in range(0, 40, 5)),
        row("B", "1", "deleted and back", 11),
        row("B", "1", "deleted", 10, deleted=True),
        row("B", "2", "written and deleted", 10),
        row("B", "2", "gone", 11, deleted=True),
        row("C", "1", "one partition", 10, region="NE"),
        row("C", "1", "the other", 9, region="SW"),
    ],
    "log files": [
        *(row("A", str(n), "third", 15 + n % 10) for n in range(40)),
        *(row("A", str(n), "fourth", 16 + n % 9) for n in range(40)),
        row("B", "1", "late delete", 9, deleted=True),
        row("B", "1", "late delete", 8, deleted=True),
        row("B", "2", "late row", 10),
        row("B", "2", "late row", 9),
        row("B", "3", "new", 1),
        row("B", "3", "newer", 2),
    ],
    "log files once more": [
        row("B", "2", "back", 13),
        row("B", "2", "gone again", 12, deleted=True),
        row("", "1", "empty", 1),
        row("", "1", "empty", 2),
        row("x,number:y", "z", "separators", 1),
        row("x", "y,number:z", "separators", 2),
    ],
}


@pytest.fixture(scope="module")
def tables(filled, tmp_path_factory):
    """The same batches written twice: combined by Hudi, and settled before."""
    folder = tmp_path_factory.mktemp("settled")
    session, writer = filled.lake.session, TableWriter()
    session.sql("CREATE DATABASE IF NOT EXISTS settling")
    combined = HudiTable(
        "settling", "combined", folder / "combined", ("facility", "number"), "region", compact_after=50
    )
    settled = replace(combined, name="settled", path=folder / "settled")
    for rows in BATCHES.values():
        frame = session.createDataFrame(rows, COLUMNS).repartition(3)
        writer.upsert(frame, combined)
        writer.upsert(settle(frame, settled), settled, settled=True)
    yield combined, settled
    session.sql("DROP DATABASE settling CASCADE")


def stored(session, table):
    rows = (
        session.read.format("hudi")
        .load(str(table.path))
        .drop(
            "_hoodie_commit_time",
            "_hoodie_commit_seqno",
            "_hoodie_record_key",
            "_hoodie_partition_path",
            "_hoodie_file_name",
        )
    )
    return sorted(tuple(row) for row in rows.collect())


def test_settled_rows_are_those_that_hudi_combines(filled, tables):
    session, (combined, settled) = filled.lake.session, tables
    rows = stored(session, settled)
    assert rows == stored(session, combined)
    assert {row[:2]: row[3] for row in rows if row[0] == "B"} == {
        ("B", "1"): "deleted and back",
        ("B", "2"): "back",
        ("B", "3"): "newer",
    }
    assert len({row[:3] for row in rows}) == len(rows)
    writer = TableWriter()
    for table in (settled, combined):
        writer.plan_compaction(session, table)
        assert writer.compact(session, table) == 1
    assert stored(session, settled) == stored(session, combined) == rows


def test_rows_of_one_key_are_told_as_hudi_tells_them(filled, tables):
    session, (_, settled) = filled.lake.session, tables
    keys = session.read.format("hudi").load(str(settled.path)).select("_hoodie_record_key", key_of(settled)[0])
    assert all(key == ours for key, ours in keys.collect())


def test_a_batch_that_has_each_key_once_is_left_as_it_is(filled, tables):
    session, (_, settled) = filled.lake.session, tables
    rows = session.createDataFrame([row("A", str(n), "one", 1) for n in range(50)], COLUMNS)
    assert settle(rows, settled) is rows


def test_what_settling_is_no_match_for_is_left_to_hudi(filled, tables, monkeypatch):
    session, (_, settled) = filled.lake.session, tables
    rows = session.createDataFrame(BATCHES["log files"], COLUMNS)
    assert settle(rows, replace(settled, global_index=True)) is None
    monkeypatch.setattr("spark_jobs.batches.settle.MOST_OUTDONE", 10)
    assert settle(rows, settled) is None
