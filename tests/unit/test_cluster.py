"""A cluster's lake as a command sees it before it asks anyone: where it lives, who this attempt is, which site is meant."""

import json
import pickle

import pytest

from spark_jobs.cli.remote import first_that_answers, site_of
from spark_jobs.errors import LakeError
from spark_jobs.landing.cluster_lease import this_attempt
from spark_jobs.site import read_site
from spark_jobs.tables.session import cluster_settings

TOLD = {
    "home": "hdfs://lake/carelake",
    "user": "lake",
    "namenodes": ["http://n1:9870", "http://n2:9870"],
    "resourcemanagers": ["http://n1:8088"],
    "zookeepers": ["n1:2181", "n2:2181", "n3:2181"],
    "hive": ["n1:10000"],
    "presto": ["http://n1:8080"],
    "spark": {"spark.executor.instances": "2"},
}


@pytest.fixture
def site(tmp_path):
    path = tmp_path / "site.json"
    path.write_text(json.dumps(TOLD))
    return read_site(path)


def test_lake_of_a_cluster_lives_in_hdfs(site):
    assert str(site.landing / "claims" / "a.zip") == "hdfs://lake/carelake/landing/claims/a.zip"
    assert site.warehouse.parent == site.home
    assert site.cluster.zookeepers == ("n1:2181", "n2:2181", "n3:2181")


def test_path_in_hdfs_is_taken_apart_as_any_other(site):
    path = site.claimed / "00000001" / "claims-000001-0000" / "a.zip"
    assert (path.name, path.stem, path.suffix, path.parent.name) == ("a.zip", "a", ".zip", "claims-000001-0000")
    assert path.with_suffix(".json") == path.with_name("a.json") == path.parent / "a.json"
    assert sorted([path, path.parent]) == [path.parent, path]


def test_path_in_hdfs_travels_to_the_workers(site):
    assert pickle.loads(pickle.dumps(site.vault)) == site.vault


def test_jobs_of_a_cluster_are_submitted_with_its_sizes(site):
    settings = cluster_settings(site)
    assert settings["spark.executor.instances"] == "2"
    assert settings["spark.sql.warehouse.dir"] == "hdfs://lake/carelake/warehouse"
    assert not {"spark.driver.memory", "spark.local.dir", "spark.driver.bindAddress"} & set(settings)


@pytest.mark.parametrize(
    ("container", "application", "number"),
    [
        ("container_1700000000000_0007_02_000001", "application_1700000000000_0007", 2),
        ("container_e17_1700000000000_0012_01_000001", "application_1700000000000_0012", 1),
    ],
)
def test_attempt_is_known_by_its_container(monkeypatch, container, application, number):
    monkeypatch.setenv("CONTAINER_ID", container)
    attempt = this_attempt("lake ingest")
    assert (attempt.application, attempt.number) == (application, number)


def test_tables_of_a_cluster_are_not_written_outside_of_yarn(monkeypatch):
    monkeypatch.delenv("CONTAINER_ID", raising=False)
    with pytest.raises(LakeError, match="no application of YARN"):
        this_attempt("lake ingest")


@pytest.fixture
def inventory(tmp_path):
    (tmp_path / "hosts.yml").touch()
    return tmp_path


@pytest.mark.parametrize("place", [0, 1, 2])
def test_site_may_be_named_anywhere(inventory, monkeypatch, place):
    monkeypatch.delenv("CARELAKE_INVENTORY", raising=False)
    words = ["ingest", "--once"]
    named = [*words[:place], "--site", str(inventory), *words[place:]]
    assert site_of(named) == (inventory, words)
    assert site_of([*words, f"--site={inventory}"]) == (inventory, words)


def test_site_may_be_configured(inventory, monkeypatch):
    monkeypatch.setenv("CARELAKE_INVENTORY", str(inventory))
    assert site_of(["status"]) == (inventory, ["status"])
    assert site_of(["lab", "up", "--site", "inventory/lab"]) == (None, ["lab", "up", "--site", "inventory/lab"])


def test_site_that_is_none_is_refused(tmp_path):
    with pytest.raises(LakeError, match=r"no hosts\.yml"):
        site_of(["status", "--site", str(tmp_path / "nowhere")])
    assert site_of(["status"]) == (None, ["status"])


def test_command_goes_to_the_next_host_where_the_first_is_dead(capsys):
    nobody = {"name": "n1", "host": "127.0.0.1", "user": "root", "key": "", "more": "-p 1"}
    assert first_that_answers([nobody, nobody | {"name": "n2"}])["name"] == "n2"
    assert "n1 does not answer" in capsys.readouterr().err
