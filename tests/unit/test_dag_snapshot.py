"""What Airflow is told of the rules, and of commits."""

import json
from dataclasses import replace

import pytest

from spark_jobs.errors import LakeError
from spark_jobs.jobs.dag_snapshot import newest_commits, write_dag_snapshot
from spark_jobs.rules.model import Report
from spark_jobs.rules.revisions import RuleSet
from spark_jobs.site import Site
from tests.unit.rules_samples import FEED, TARGET

SQL = "SELECT facility_id, count(*) AS visits FROM lake.visit GROUP BY facility_id"
REPORT = Report("visits", 3, "Visits", SQL, owner="a@b", description="Text.\n")
RULES = RuleSet(feeds={"visits": FEED}, targets={"visit": TARGET}, reports={"visits": REPORT})


def test_a_report_comes_with_its_schedule_and_the_feeds_that_it_waits_for(tmp_path):
    path = tmp_path / "airflow" / "dags.json"
    written = write_dag_snapshot(RULES, path)
    assert json.loads(path.read_bytes()) == written
    assert written["tables"] == ["lake.visit"]
    [row] = written["reports"]
    assert (row["cron"], row["tables"], row["feeds"], row["folder"]) == ("0 1 * * *", [], ["visits"], "visits")
    assert row["description"] == "Text."


def test_a_report_that_follows_tables_names_them(tmp_path):
    follows = replace(REPORT, schedule="on lake.visit", folder="elsewhere")
    [row] = write_dag_snapshot(replace(RULES, reports={"visits": follows}), tmp_path / "dags.json")["reports"]
    assert (row["cron"], row["tables"], row["folder"]) == ("", ["lake.visit"], "elsewhere")


def test_a_lake_without_tables_leaves_the_snapshot_that_was_there(tmp_path):
    path = tmp_path / "dags.json"
    write_dag_snapshot(RULES, path)
    before = path.read_bytes()
    with pytest.raises(LakeError, match="no target table is in force"):
        write_dag_snapshot(RuleSet(), path)
    assert path.read_bytes() == before


def test_newest_commits_are_those_of_writers_that_are_completed(tmp_path):
    timeline = tmp_path / "warehouse" / "raw" / "visit" / ".hoodie"
    timeline.mkdir(parents=True)
    for name in ("001.deltacommit", "002.deltacommit", "003.commit", "004.deltacommit.inflight"):
        (timeline / name).touch()
    (tmp_path / "warehouse" / "raw" / "new").mkdir()
    assert newest_commits(Site(tmp_path)) == {"lake.visit": "002"}
