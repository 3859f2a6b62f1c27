"""Columns appear while rows of earlier and later revisions arrive in any order; what would reshape a table is refused."""

import io
import zipfile
from dataclasses import replace

import pytest

from spark_jobs.batches.batch import Batch, rules_to_manifest
from spark_jobs.batches.run import run_batch
from spark_jobs.jobs.compact import compact_all
from spark_jobs.jobs.ingest import ingest_once
from spark_jobs.landing.agent import land
from spark_jobs.landing.claim import ClaimedZip, Manifest, claim
from spark_jobs.landing.lease import next_epoch
from spark_jobs.rules.model import Column, Feed, Member, TargetTable
from spark_jobs.rules.rows import rows_of
from spark_jobs.tables.access import access_of
from spark_jobs.tables.rule_store import insert_rows, read_rules

pytestmark = pytest.mark.spark

KEY = Column("device_id", source="device", required=True)
SEEN = Column("seen_at", "timestamp", source="seen", required=True)
ROOM = Column("room", source="room")
WARMTH = Column("warmth", "decimal(5,2)", source="warmth")
TARGET = TargetTable("device", 1, ("device_id",), order_by="seen_at")


def feed(revision, *columns):
    member = Member("device", 1, pattern="*.csv", target="device", format="csv", columns=(KEY, SEEN, *columns))
    return Feed("devices", revision, "devices", r"D_\d+\.zip", (member,))


def put(lake, *rules):
    insert_rows(access_of(lake), [rows_of(rule) for rule in rules])


def deliver(lake, tmp_path, number, header, *lines):
    """Lands a zip of one CSV."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("device.csv", "\n".join([header, *lines]))
    path = tmp_path / f"D_{number}.zip"
    path.write_bytes(content.getvalue())
    return land(lake.site.landing, "devices", path)


def devices(lake, *columns):
    rows = lake.session.table("lake.device").select("device_id", *columns).orderBy("device_id").collect()
    return [tuple(str(value) if value is not None else None for value in row) for row in rows]


def claimed_by(lake, rules, note):
    """A batch as an ingest leaves it that was killed right after its claim."""
    manifest = Manifest(
        f"devices-{next_epoch(lake.site):06d}-0000", 1, "devices", rules.revision,
        rules_to_manifest(rules, {"device": TARGET}), (ClaimedZip(note),),
    )  # fmt: skip
    return claim(lake.site.landing, lake.site.claimed, manifest)


def test_columns_appear_and_two_revisions_in_flight_stay_right(filled, tmp_path):
    lake = filled.lake
    put(lake, TARGET, feed(1, ROOM))
    deliver(lake, tmp_path, 1, "device,seen,room", "a,2026-01-01T10:00:00Z,1", "b,2026-01-01T10:00:00Z,1")
    assert not ingest_once(lake).failures
    base_files = set(lake.site.warehouse.glob("raw/device/**/*.parquet"))

    note = deliver(lake, tmp_path, 2, "device,seen,room", "b,2026-01-02T10:00:00Z,2", "c,2026-01-02T10:00:00Z,2")
    early = claimed_by(lake, feed(1, ROOM), note)
    put(lake, feed(2, WARMTH, ROOM))
    header = "device,seen,warmth,room"
    note = deliver(lake, tmp_path, 3, header, "a,2026-01-03T10:00:00Z,21.50,3", "c,2025-01-01T10:00:00Z,9,9")
    # The later revision writes first, then the batch of the earlier one, then the later one again.
    run_batch(lake, Batch.read(claimed_by(lake, feed(2, WARMTH, ROOM), note)))
    run_batch(lake, Batch.read(early), again=True)
    deliver(lake, tmp_path, 4, header, "b,2026-01-01T12:00:00Z,1,late", "d,2026-01-04T10:00:00Z,4,4")
    assert not ingest_once(lake).failures

    expected = [("a", "21.50", "3"), ("b", None, "2"), ("c", None, "2"), ("d", "4.00", "4")]
    assert devices(lake, "warmth", "room") == expected
    assert base_files <= set(lake.site.warehouse.glob("raw/device/**/*.parquet")), "nothing was rewritten"
    compact_all(lake)
    assert devices(lake, "warmth", "room") == expected
    deliver(lake, tmp_path, 5, header, "c,2026-01-05T10:00:00Z,5,5")
    assert not ingest_once(lake).failures
    assert devices(lake, "warmth", "room")[2] == ("c", "5.00", "5")


def test_what_would_reshape_a_table_is_refused_and_the_last_good_revision_stays(filled):
    lake = filled.lake
    put(lake, feed(3, replace(WARMTH, type="string"), ROOM))
    put(lake, replace(TARGET, revision=2, record_key=("device_id", "room")))
    rules = read_rules(access_of(lake))
    assert rules.feeds["devices"].revision == 2
    assert rules.targets["device"].revision == 1
    said = "\n".join(f"{finding.where}: {finding.problem} {finding.hint}" for finding in rules.findings)
    assert "target table device holds decimal(5,2)" in said
    assert "record_key is device_id, room, but the table exists with device_id" in said
    assert "another name" in said
