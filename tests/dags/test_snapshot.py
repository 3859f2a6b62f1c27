"""From a row that someone inserts to a DAG, and what keeps a bad snapshot from taking the DAGs away."""

import json

import pytest

from include.places import DAGS
from include.reports import try_report_dags
from include.snapshot import Snapshot, adopt, read_snapshot


def test_report_that_someone_inserts_is_a_dag_after_the_next_snapshot(site, airflow):
    dag = airflow.dags()["report_wards"]
    assert (dag.owner, dag.dag_display_name) == ("reports@carelake.example", "The wards")
    assert dag.schedule == "30 5 * * 1-5"


def test_report_that_follows_a_table_waits_for_its_asset(site, airflow):
    dag = airflow.dags()["report_beds_now"]
    assert dag.schedule.name == "lake.bed"


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told["reports"][0].update(cron="never"),
        lambda told: told["reports"][0].pop("owner"),
        lambda told: told.update(format=2),
    ],
)
def test_snapshot_that_makes_no_dags_leaves_the_last_good_one(site, tmp_path, change):
    told = json.loads(DAGS.read_bytes())
    kept, candidate = tmp_path / "dags.json", tmp_path / "new.json"
    kept.write_text(json.dumps(told))
    change(told)
    candidate.write_text(json.dumps(told))
    with pytest.raises(Exception, match=r"format|owner|columns"):
        adopt(candidate, try_report_dags, kept)
    assert read_snapshot(kept) == read_snapshot(DAGS)


def test_without_a_snapshot_there_are_no_reports(tmp_path):
    assert read_snapshot(tmp_path / "dags.json") == Snapshot()
