"""What a process remembers so that small batches cost little: nothing that a kill, another process or a lost file could make wrong."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from pyspark.sql import functions as F

from spark_jobs.rules.model import Column, Feed, Member, TargetTable
from spark_jobs.rules.rows import rows_of
from spark_jobs.tables import hudi
from spark_jobs.tables.access import access_of
from spark_jobs.tables.hudi import HudiTable, TableWriter
from spark_jobs.tables.known import LEDGER_COLUMNS, KnownZip, KnownZips, catch_up
from spark_jobs.tables.rule_store import insert_rows, insert_stop
from spark_jobs.tables.standing import standing, stopped

pytestmark = pytest.mark.spark


def entries(known, ledger):
    return sorted(known.with_bytes({row.sha256 for row in ledger}), key=lambda z: (z.sha256, z.zip_id))


@pytest.fixture
def ledger(filled):
    return filled.lake.session.read.format("hudi").load(str(filled.lake.ledger.path)).collect()


@pytest.fixture
def index(tmp_path):
    index = KnownZips(tmp_path / "known.sqlite")
    yield index
    index.close()


def test_index_has_every_row_of_the_ledger(filled, ledger):
    rows = sorted((KnownZip.of(row) for row in ledger), key=lambda z: (z.sha256, z.zip_id))
    assert entries(filled.lake.known_zips, ledger) == rows
    assert filled.lake.known_zips.instant == filled.lake.ledger.delta_commits[-1]


def test_lost_index_is_made_anew(filled, ledger, index):
    catch_up(index, filled.lake.session, filled.lake.ledger)
    assert entries(index, ledger) == entries(filled.lake.known_zips, ledger)


def test_index_that_a_kill_left_behind_catches_up(filled, ledger, index):
    commits = filled.lake.ledger.delta_commits
    middle = commits[len(commits) // 2]
    early = [KnownZip.of(row) for row in ledger if row["_hoodie_commit_time"] <= middle]
    assert 0 < len(early) < len(ledger)
    index.add(early, middle)
    catch_up(index, filled.lake.session, filled.lake.ledger)
    assert entries(index, ledger) == entries(filled.lake.known_zips, ledger)


def test_index_of_another_ledger_is_made_anew(filled, ledger, index):
    stranger = KnownZip("ab" * 32, "cd" * 16, "claims", "loaded", 1, 1, 0, "0" * 20)
    index.add([stranger], "19990101000000000")
    catch_up(index, filled.lake.session, filled.lake.ledger)
    assert index.with_bytes({stranger.sha256}) == []
    assert entries(index, ledger) == entries(filled.lake.known_zips, ledger)


def test_columns_of_the_index_are_those_of_the_ledger(ledger):
    assert set(LEDGER_COLUMNS) < set(ledger[0].asDict())


@pytest.mark.parametrize("same_process", [True, False])
def test_partition_whose_sync_was_killed_is_there_after_the_next_upsert(filled, tmp_path, monkeypatch, same_process):
    session, name = filled.lake.session, f"synced_{same_process}".lower()
    table = HudiTable("raw", name, tmp_path / name, ("id", "part"), partition_by="part", buckets=1)
    writer = TableWriter()

    def upsert(part):
        rows = session.range(3).select("id", F.lit(part).alias("part"), F.lit("1").alias("_order"))
        writer.upsert(rows, table)

    def shown():
        # The metastore's own answer: SHOW PARTITIONS of a Hudi table lists its folders.
        catalog = session._jsparkSession.sharedState().externalCatalog()
        names = catalog.listPartitionNames("raw", name, session._jvm.scala.Option.empty())
        return {names.apply(number) for number in range(names.size())}

    upsert("a")
    with monkeypatch.context() as broken:
        broken.setattr(hudi, "sync_metastore", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            upsert("b")
    assert shown() == {"part=a"}
    if not same_process:
        writer = TableWriter()
    upsert("a")
    assert shown() == {"part=a", "part=b"}
    upsert("c")
    assert shown() == {"part=a", "part=b", "part=c"}


def test_rules_that_someone_inserts_are_seen_by_the_next_plan(filled):
    lake = filled.lake
    before = standing(lake)
    assert standing(lake) is before
    member = Member(
        "m", 1, pattern="*.csv", target="seen", format="csv", columns=(Column("id", source="id", required=True),)
    )
    feed = Feed("seen", 1, "seen", r"S_\d+\.zip", (member,))
    insert_rows(access_of(lake), [rows_of(TargetTable("seen", 1, ("id",))), rows_of(feed)])
    assert standing(lake).rules.feeds["seen"].revision == 1
    insert_rows(access_of(lake), [rows_of(replace(feed, revision=2, paused=True))])
    assert standing(lake).rules.feeds["seen"].revision == 2
    assert ("seen", 2) not in stopped(lake)
    insert_stop(access_of(lake), replace(feed, revision=2), "check.x", "", "", "a test")
    assert stopped(lake)["seen", 2] == "check.x"


def test_file_of_a_timeline_is_never_seen_half_written(filled, tmp_path):
    jvm = filled.lake.session._jvm
    configuration = jvm.org.apache.hudi.hadoop.fs.HadoopFSUtils.getStorageConf(
        filled.lake.session._jsc.hadoopConfiguration()
    )
    storage = jvm.org.apache.hudi.storage.HoodieStorageUtils.getStorage(str(tmp_path), configuration)
    # So large that writing it takes far longer than looking at it.
    content = jvm.java.nio.ByteBuffer.allocate(size := 64 << 20).array()
    writer = jvm.org.apache.hudi.storage.HoodieInstantWriter.convertByteArrayToWriter(content)
    instant = tmp_path / "001.deltacommit"
    with ThreadPoolExecutor(1) as beside:
        path = jvm.org.apache.hudi.storage.StoragePath(str(instant))
        written = beside.submit(
            storage.createImmutableFileInPath, path, jvm.org.apache.hudi.common.util.Option.of(writer)
        )
        seen = set()
        while not written.done():
            seen.update(path.stat().st_size for path in tmp_path.glob(instant.name))
        written.result()
    assert seen <= {size}
    assert instant.stat().st_size == size
