"""Airflow on the small lab: its scheduler compacts beside the ingest, makes reports, and is late, not wrong, where a host is lost.

It takes up the lake as the conformance of readers has left it; on a lab that has taken in nothing yet, it does so first.
"""

import json
import time
import uuid
from datetime import UTC, datetime

import pytest
import requests

from tests.lab.lake import WAVES, after, airflow, bring_to, ingesting, insert_reports, lake, take_in
from tests.lab.machine import MINUTE, host_of, on_host, run_lake, start_again, until
from tests.lab.readers import ENGINES, differences, presto_address, presto_rows

# A worker of YARN that has neither Airflow nor a member of PostgreSQL.
WORKER = "n1"
REPORTS = ("bed_availability", "health_metrics")  # every night, and every week
NIGHTS = {"2026-02-12": "2026-02-11", "2026-02-13": "2026-02-12"}
PROMISED_MINUTES = 5


@pytest.fixture(scope="module")
def truth(deliveries):
    """The truth after each wave; all but the last two of them have been taken in, and there are reports."""
    if not lake("report", "list")["reports"]:
        insert_reports()
        wanted = {f"report_{report}" for report in REPORTS}
        until(lambda: airflow("dags", "list", "--output", "plain").split(), wanted.issubset, every=10)
    bring_to(deliveries, WAVES - 2)
    return deliveries


@pytest.fixture
def upkeep():
    """Lets Airflow compact, when it is called: what a test has to be compacted, a run on schedule would have done before."""
    yield lambda: airflow("dags", "unpause", "table_services", "--yes")
    airflow("dags", "pause", "table_services", "--yes")


def test_scheduler_compacts_every_table_beside_a_running_ingest(truth, upkeep):
    with ingesting():
        take_in(truth, WAVES - 1)
        pending = {table["table"] for table in tables() if table["pending"]}
        assert "raw.encounter" in pending
        last = {table["table"]: table["last_compaction"] for table in tables()}
        upkeep()
        succeeds("table_services", minutes=10)
        found = {table["table"]: table for table in tables()}
        assert not any(found[name]["pending"] for name in pending)
        assert all(found[name]["last_compaction"] != last[name] for name in pending)
        assert differences(after(truth, WAVES - 1), ENGINES) == {}


def test_reports_of_a_night_and_of_a_week_land_for_two_dates(truth):
    for report in REPORTS:
        for night, day in NIGHTS.items():
            succeeds(f"report_{report}", "--logical-date", at_night(night), minutes=5)
            made = on_host("n1", f"sudo -u lake hdfs dfs -ls -C /carelake/reports/{report}/{day}").split()
            kinds = {f"/carelake/reports/{report}/{day}/{report}-{day}.{kind}" for kind in ("html", "pdf", "xlsx")}
            assert kinds <= set(made)


def test_report_that_someone_inserts_is_a_scheduled_run_within_minutes(truth):
    begun = time.monotonic()
    columns = "report, revision, title, owner, sql, schedule"
    name = f"wards_{uuid.uuid4().hex[:8]}"
    values = f"'{name}', 1, 'Wards', 'reports@carelake.example', 'SELECT count(*) AS beds FROM lake.bed', 'nightly'"
    lake("sql", f"INSERT INTO rules.report ({columns}) VALUES ({values})")
    until(
        lambda: [run for run in runs(f"report_{name}") if run["run_id"].startswith("scheduled__")],
        minutes=PROMISED_MINUTES,
    )
    assert time.monotonic() - begun < PROMISED_MINUTES * MINUTE


def test_run_is_late_and_not_wrong_where_a_worker_host_loses_power(truth, upkeep):
    bring_to(truth, WAVES)
    lake("quarantine", "replay", "--all", "--same-rules")  # the same rows once more: log files to be compacted
    assert lake("ingest", "--once")["failed"] == {}
    upkeep()
    asked = trigger("table_services")
    until(lambda: applications("lake tables compact"), lambda found: any("RUNNING" in line for line in found))
    run_lake("lab", "kill", WORKER)
    try:
        assert state_at_end("table_services", asked, minutes=20) == "success"
        report = trigger("report_bed_availability", "--logical-date", at_night("2026-02-14"))
        assert state_at_end("report_bed_availability", report, minutes=20) == "success"
    finally:
        start_again(WORKER)
    await_first_coordinator()
    assert differences(truth, ENGINES) == {}


def await_first_coordinator():
    """Waits until Presto's proxy has gone back to the first coordinator: queries that run on the second end then (decision 15)."""
    first = host_of("presto_coordinators")
    info = presto_address("/v1/info")
    until(lambda: requests.get(info, timeout=MINUTE).headers.get("X-Coordinator"), lambda found: found == first)
    until(lambda: presto_rows("SELECT count(*) FROM system.runtime.nodes WHERE NOT coordinator")[0][0])


def at_night(day):
    """A moment of that night which no earlier run of these tests has named: a DAG has one run for each."""
    return f"{day}T01:{datetime.now(UTC):%M:%S}+00:00"


def trigger(dag, *more):
    """Asks for a run; returns its name."""
    name = f"test_{uuid.uuid4().hex}"
    airflow("dags", "trigger", dag, "--run-id", name, *more)
    return name


def succeeds(dag, *more, minutes):
    assert state_at_end(dag, trigger(dag, *more), minutes) == "success"


def state_at_end(dag, name, minutes):
    """The state that a run ends in."""
    # To ask Airflow takes seconds of a core.
    return until(lambda: state(dag, name), lambda found: found in ("success", "failed"), minutes, every=10)


def state(dag, name):
    return next((run["state"] for run in runs(dag) if run["run_id"] == name), None)


def runs(dag):
    try:
        told = airflow("dags", "list-runs", dag, "--output", "json")
    except AssertionError:  # there is no such DAG yet, or its database fails over
        return []
    return json.loads(told.splitlines()[-1])  # warnings come before it


def applications(name):
    listed = on_host(host_of("airflows"), "sudo -u lake yarn application -list 2>/dev/null").splitlines()
    return [line for line in listed if name in line]


def tables():
    return lake("tables", "list")["tables"]
