"""The lake's own job on YARN, and every reader's rows held against the truth in every state that tables go through.

The deliveries hold late rows, late deletes, re-inserts, ties, rows that move between partitions, and zips that come twice.
"""

import pytest

from tests.lab.lake import after, bring_to, ingesting, lake, take_in
from tests.lab.machine import on_host
from tests.lab.readers import differences


def test_readers_agree_before_any_compaction(deliveries):
    bring_to(deliveries, 2)
    assert differences(after(deliveries, 2)) == {}


def test_readers_agree_after_a_compaction_and_with_statistics(deliveries):
    assert all(lake("tables", "compact", "--all")["compactions"].values())
    assert "raw.encounter" in lake("tables", "analyze")["seconds"]
    assert differences(after(deliveries, 2)) == {}


@pytest.fixture(scope="module")
def ingest(deliveries):
    """The ingest runs on while the last tests read."""
    with ingesting():
        yield


def test_readers_agree_with_new_log_files_over_a_compaction(deliveries, ingest):
    take_in(deliveries, 3)
    assert differences(after(deliveries, 3)) == {}


def test_readers_agree_while_a_continuous_ingest_has_just_written(deliveries, ingest):
    lake("backup")  # beside it; the drill restores a table from there
    take_in(deliveries, 4)
    assert differences(after(deliveries, 4)) == {}


def test_lake_can_be_asked_on_every_host(ingest):
    for host in ("n1", "n2", "n3"):
        assert '"feeds"' in on_host(host, "lake status --json")
