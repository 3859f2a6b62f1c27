"""What lies on disk for a table, told from a timeline and file names alone."""

from datetime import UTC, datetime

import pytest

from spark_jobs.tables.data_files import orphans_of, remove_orphans
from spark_jobs.tables.hudi import HudiTable
from spark_jobs.tables.storage import SMALL_BYTES, storage_of

FIRST, SECOND, THIRD, PLAN, FOURTH, OPEN = (f"2026030110000{n}000" for n in range(6))


@pytest.fixture
def table(tmp_path):
    (tmp_path / ".hoodie").mkdir()
    return HudiTable("raw", "bed", tmp_path, ("bed",), partition_by="region", compact_after=3)


def instants(table, **actions):
    for action, times in actions.items():
        for time in times:
            (table.path / ".hoodie" / f"{time}.{action.replace('_', '.')}").touch()


def file(table, name, size, partition="region=NE"):
    (table.path / partition).mkdir(exist_ok=True)
    with (table.path / partition / name).open("wb") as opened:
        opened.truncate(size)


def test_a_table_without_commits_holds_nothing(table):
    found = storage_of(table)
    assert (found.groups, found.debt, found.read_amplification, found.last_commit) == (0, None, None, None)


def test_log_files_are_debt_and_amplify_reading(table):
    instants(table, deltacommit=[FIRST, SECOND, THIRD])
    file(table, f"g1-0_0-1-2_{FIRST}.parquet", SMALL_BYTES)
    file(table, f"g2-0_1-1-3_{FIRST}.parquet", SMALL_BYTES - 1, "region=SW")
    file(table, f".g1-0_{FIRST}.log.1_0-7-8", 1000)
    file(table, f".g1-0_{FIRST}.log.2_0-9-10", 500)
    file(table, ".hoodie_partition_metadata", 96)
    file(table, f"..g1-0_{FIRST}.log.1_0-7-8.crc", 12)
    found = storage_of(table)
    assert (found.groups, found.base_files, found.small_files, found.log_files, found.log_bytes) == (2, 2, 1, 2, 1500)
    assert found.debt == 1500 / (2 * SMALL_BYTES - 1)
    assert found.read_amplification == 2
    assert (found.commits, found.last_compaction, found.pending) == (3, None, ())
    assert found.by_partition == {"region=NE": (1, SMALL_BYTES, 2, 1500), "region=SW": (1, SMALL_BYTES - 1, 0, 0)}


def test_what_a_compaction_has_merged_is_old(table):
    instants(table, deltacommit=[FIRST, SECOND, FOURTH], commit=[THIRD], compaction_requested=[THIRD])
    file(table, f"g1-0_0-1-2_{FIRST}.parquet", 100)
    file(table, f".g1-0_{FIRST}.log.1_0-7-8", 10)
    file(table, f"g1-0_0-5-6_{THIRD}.parquet", 105)
    file(table, f".g1-0_{THIRD}.log.1_0-11-12", 7)
    found = storage_of(table)
    assert (found.base_bytes, found.log_bytes, found.old_files, found.old_bytes) == (105, 7, 2, 110)
    assert (found.commits, found.pending) == (1, ())
    assert found.last_compaction == datetime(2026, 3, 1, 10, 0, 2, tzinfo=UTC)


def test_logs_that_wait_for_a_planned_compaction_are_read_and_what_it_has_begun_is_not(table):
    instants(table, deltacommit=[FIRST, SECOND, FOURTH], compaction_requested=[PLAN], compaction_inflight=[PLAN])
    instants(table, deltacommit_requested=[OPEN], deltacommit_inflight=[OPEN])
    file(table, f"g1-0_0-1-2_{FIRST}.parquet", 100)
    file(table, f".g1-0_{FIRST}.log.1_0-7-8", 10)
    file(table, f"g1-0_0-5-6_{PLAN}.parquet", 60)  # half written
    file(table, f".g1-0_{PLAN}.log.1_0-11-12", 7)
    file(table, f"g2-0_0-13-14_{OPEN}.parquet", 3)
    found = storage_of(table)
    assert (found.groups, found.base_bytes, found.log_files, found.log_bytes) == (1, 100, 2, 17)
    assert (found.pending, found.read_amplification, found.old_files) == ((PLAN,), 3, 0)


def test_a_file_group_of_log_files_alone_is_read_too(table):
    instants(table, deltacommit=[FIRST])
    file(table, f".g1-0_{FIRST}.log.1_0-7-8", 10)
    found = storage_of(table)
    assert (found.groups, found.base_files, found.log_files, found.debt, found.read_amplification) == (1, 0, 1, None, 1)


def test_files_that_no_instant_accounts_for_are_orphans_and_no_others_are_removed(table):
    instants(table, deltacommit=[SECOND, FOURTH], compaction_requested=[PLAN], compaction_inflight=[PLAN])
    instants(table, deltacommit_requested=[OPEN])
    known = [
        f"g1-0_0-1-2_{FIRST}.parquet",  # archived: what it was is not known any more
        f"g2-0_0-1-2_{SECOND}.parquet",
        f".g2-0_{SECOND}.log.1_0-7-8",
        f"g2-0_0-1-2_{PLAN}.parquet",
        f".g2-0_{PLAN}.log.1_0-7-8",
        f"g3-0_0-1-2_{OPEN}.parquet",
        ".hoodie_partition_metadata",
    ]
    orphans = [f"g1-0_0-9-9_{THIRD}.parquet", f".g4-0_{THIRD}.log.1_0-7-8"]
    for name in known + orphans:
        file(table, name, 7)
    assert sorted(found.name for found in orphans_of(table)) == sorted(orphans)
    assert len(remove_orphans(table)) == len(orphans)
    assert sorted(path.name for path in (table.path / "region=NE").iterdir()) == sorted(known)
    assert remove_orphans(table) == []


def test_a_table_without_commits_has_no_orphans(table):
    instants(table, deltacommit_requested=[FIRST])
    file(table, f"g1-0_0-1-2_{SECOND}.parquet", 7)
    assert orphans_of(table) == []


def test_files_of_an_instant_that_is_being_archived_are_no_orphans(table):
    commits = [f"202603011000{n:02d}000" for n in range(40)]
    instants(table, deltacommit=[commits[0], *commits[6:]])  # archiving removes in any order, and may have been killed
    for commit in commits:
        file(table, f"g1-0_0-1-2_{commit}.parquet", 7)
    assert orphans_of(table) == []
    (table.path / ".hoodie" / f"{commits[-2]}.deltacommit").unlink()
    assert [found.instant for found in orphans_of(table)] == [commits[-2]]
