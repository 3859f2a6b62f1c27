"""The restore drill on a cluster: the lake is lost, files and tables, made again from its backup, and held against the truth.

It takes up the lake as the conformance of readers has left it; on a lab that has taken in nothing yet, it does so first.
"""

import pytest

from tests.lab.lake import WAVES, bring_to, lake, zips_in_ledger
from tests.lab.machine import on_host
from tests.lab.readers import ENGINES, PORTS, differences

HOME = "/carelake"
PARTS = ("landing", "claimed", "vault", "quarantine", "warehouse", "reports", "site", ".epoch")
# Those of its schemas that the metastore loses, too; of the others it says what is no longer so.
LOST_SCHEMAS = ("raw", "lake", "lake_presto")
LOST_TABLE = "encounter"


@pytest.fixture(scope="module")
def truth(deliveries):
    """The truth of all waves, which the lake has taken in: a backup was made before the last of them."""
    bring_to(deliveries, WAVES - 1)
    if not lake("backups")["backups"]:
        lake("backup")
    bring_to(deliveries, WAVES)
    return deliveries


@pytest.fixture(scope="module")
def made(truth):
    """A backup of the lake as it is now."""
    return lake("backup")


def test_backup_copies_what_the_one_before_lacks_and_is_whole(made):
    assert 0 < made["copied_files"] < made["files"]
    assert lake("backups", "--verify")["wrong"] == 0


def test_backup_holds_the_databases_and_the_locked_inventory(made):
    kept = "/backup/lake/.snapshot/" + made["backup"] + "/site"
    listed = as_lake(
        f"hdfs dfs -cat {kept}/metastore.dump >~/restored.dump && pg_restore --list ~/restored.dump && rm ~/restored.dump"
    )
    assert "TABLE DATA public TBLS hive" in listed
    packed = as_lake(f"hdfs dfs -cat {kept}/inventory.tar | tar -tf -").split()
    assert {"./hosts.yml", "./group_vars/all.yml", "vault.yml"} <= set(packed)
    assert not [path for path in packed if "password" in path]


def test_restoring_over_a_lake_is_refused(made):
    assert "there is a lake already" in on_host("n1", "lake restore --json || true")


def test_lost_lake_is_restored_row_by_row(truth, made, capsys):
    before = zips_in_ledger()
    lose_the_lake()
    done = lake("restore")
    with capsys.disabled():
        print(f"restored {done['files']} files, {done['bytes']} bytes, in {done['seconds']} s")
    assert done["backup"] == made["backup"]
    assert zips_in_ledger() == before
    assert lake("feed", "check")["findings"] == []
    assert differences(truth, ENGINES) == {}


def test_lost_table_is_restored_from_an_old_backup_and_catches_up(truth, made):
    as_hdfs(f"hdfs dfs -rm -r -skipTrash {HOME}/warehouse/raw/{LOST_TABLE}")
    older = lake("backups")["backups"][-2]["backup"]
    done = lake("restore", "--table", LOST_TABLE, "--at", older)
    assert lake("ingest", "--once")["failed"] == {}
    assert done["backup"] == older
    assert differences(truth, ENGINES) == {}


def test_old_backups_are_forgotten(made):
    last = lake("backup", "--keep", "1")
    assert [entry["backup"] for entry in lake("backups")["backups"]] == [last["backup"]]
    assert as_hdfs("hdfs dfs -ls /backup/lake/.snapshot").count("/.snapshot/") == 1
    assert as_hdfs(f"hdfs dfs -ls {HOME}/.snapshot").count("/.snapshot/") == 1


def lose_the_lake():
    """Removes its files, and of some of its schemas what the metastore knows."""
    for schema in LOST_SCHEMAS:
        statement = f"DROP DATABASE IF EXISTS {schema} CASCADE"
        on_host("n1", f'sudo -u spark beeline --silent=true -u jdbc:hive2://n1:{PORTS["hive"]} -e "{statement}"')
    as_hdfs("hdfs dfs -rm -r -f -skipTrash " + " ".join(f"{HOME}/{part}" for part in PARTS))


def as_hdfs(command):
    return on_host("n1", f"sudo -u hdfs bash -ec '{command}'")


def as_lake(command):
    return on_host("n1", f"sudo -u lake env HOME=/srv/carelake/carelake bash -ec '{command}'")
