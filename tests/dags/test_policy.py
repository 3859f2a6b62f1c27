"""What is asked of every DAG, those made of rule rows included."""

import json
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from tests.dags.conftest import INSERTED

REPOSITORY = Path(__file__).resolve().parents[2]
FIXED = {"rule_snapshot", "table_changes", "table_services", "table_statistics", "vault_check"}
POOLS = json.loads((REPOSITORY / "airflow" / "pools.json").read_text())


@pytest.fixture(scope="module")
def dags(site, airflow):
    return airflow.dags()


def test_there_is_a_dag_for_each_report_in_force_and_each_service(site, dags):
    shipped = {f"report_{path.stem}" for path in (REPOSITORY / "metadata_tables" / "reports").glob("*.yaml")}
    assert len(shipped) >= 5
    assert set(dags) == FIXED | shipped | INSERTED


def test_every_dag_says_whose_it_is_and_what_to_do_when_it_fails(dags):
    runbook = (REPOSITORY / "docs" / "runbooks" / "dags.md").read_text()
    for dag_id, dag in dags.items():
        assert dag.owner not in ("", "airflow")
        assert "carelake" in dag.tags
        assert dag.description
        assert "If it fails" in dag.doc_md
        assert f"`{dag_id}`" in runbook or dag_id.startswith("report_")


def test_every_dag_is_bounded_and_tells_of_being_late(dags):
    for dag in dags.values():
        assert dag.catchup is False
        assert dag.max_active_runs == (4 if dag.dag_id.startswith("report_") else 1)
        assert dag.dagrun_timeout >= timedelta(minutes=15)
        assert dag.deadline


def test_every_task_is_tried_again_in_time_and_in_a_pool_and_tells_of_its_failure(dags):
    for task in [task for dag in dags.values() for task in dag.tasks]:
        assert task.retries >= 1
        assert task.retry_exponential_backoff
        assert task.max_retry_delay <= timedelta(hours=1)
        assert task.execution_timeout
        assert task.pool in POOLS
        assert task.on_failure_callback


def test_parsing_asks_nobody(airflow, dags, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", None)
    assert set(airflow.dags()) == set(dags)
