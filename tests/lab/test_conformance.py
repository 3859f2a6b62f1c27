"""The lake's own job on YARN, and every reader's rows held against the truth in every state that tables go through.

The deliveries hold late rows, late deletes, re-inserts, ties, rows that move between partitions, and zips that come twice.
"""

import json
import time
from pathlib import Path

import pytest

from spark_jobs.lab.state import lab_that_is_up
from tests.lab.machine import copy_to, on_host, run_lake
from tests.lab.readers import PORTS, READERS, differences
from tests.simulator import simulate

WAVES = 4
RULES = "/opt/carelake/jobs/metadata_tables"
DROP = "/srv/carelake/carelake/drop"
SECONDS = 300


@pytest.fixture(scope="module")
def deliveries(deployed, tmp_path_factory):
    """Deliveries in waves, which are on a host of the lab, and the truth after each of them."""
    folder = tmp_path_factory.mktemp("deliveries")
    simulate(folder, 4, 40, seed=11, waves=WAVES, edge_mb=0, each_wave=True)
    copy_to("n1", folder / "drop", DROP, owner="lake")
    insert_rules()
    return folder / "truth"


def insert_rules():
    """Fills the rule tables by INSERT alone: one feed and its table through Hive JDBC, the others through Presto."""
    for path in (f"{RULES}/targets/patient.yaml", f"{RULES}/feeds/patients.yaml"):
        on_host("n1", f"lake feed apply --print-sql {path} >/tmp/rules.sql")
        on_host("n1", f"sudo -u spark beeline --silent=true -u jdbc:hive2://n1:{PORTS['hive']} -f /tmp/rules.sql")
    on_host("n1", "lake feed apply --print-sql --dialect presto >/tmp/rules.sql")
    on_host("n1", "presto --catalog hive -f /tmp/rules.sql")
    assert lake("feed", "check")["findings"] == []


def test_readers_agree_before_any_compaction(deliveries):
    for wave in (1, 2):
        take_in(wave)
    assert differences(after(deliveries, 2)) == {}


def test_readers_agree_after_a_compaction(deliveries):
    assert all(lake("tables", "compact", "--all")["compactions"].values())
    assert differences(after(deliveries, 2)) == {}


def test_readers_agree_with_new_log_files_over_a_compaction(deliveries):
    take_in(3)
    assert differences(after(deliveries, 3)) == {}


def test_readers_agree_while_a_continuous_ingest_has_just_written(deliveries):
    lake("ingest", "--continuous")
    try:
        landed = lake("land", "--keep", f"{DROP}/4")["landed"]
        await_zips(after(deliveries, 4))
        assert landed
        assert differences(after(deliveries, 4), {n: r for n, r in READERS.items() if n != "Spark"}) == {}
    finally:
        lake("ingest", "stop")


def after(truth, wave):
    return truth if wave == WAVES else truth / "after" / str(wave)


def take_in(wave):
    lake("land", "--keep", f"{DROP}/{wave}")
    report = lake("ingest", "--once")
    assert report["failed"] == {}


def await_zips(truth: Path):
    """Waits until the ledger has every zip of the truth."""
    wanted = sum(json.loads((truth / "summary.json").read_text())["zips"].values())
    deadline = time.monotonic() + SECONDS
    while (found := zips_in_ledger()) != wanted:
        assert time.monotonic() < deadline, f"{found} of {wanted} zips are in the ledger after {SECONDS} s"
        time.sleep(1)


def zips_in_ledger():
    return sum(
        feed["loaded"] + feed["duplicate"] + feed["ignored"] + feed["quarantined"] for feed in lake("status")["feeds"]
    )


def lake(*words):
    """Runs a command of the cluster's lake from here; returns its result."""
    return json.loads(run_lake(*words, "--json", "--site", str(lab_that_is_up().inventory)).splitlines()[-1])


def test_lake_can_be_asked_on_every_host(deployed):
    for host in ("n1", "n2", "n3"):
        assert '"feeds"' in on_host(host, "lake status --json")
