"""A lake that takes in whatever lands, as on any working day, and an Airflow with a database of its own beside it.

`lake test dags` says by the environment where both are.
"""

import json
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.utils.state import DagRunState

PATIENCE_SECONDS = 600
INSERTED = {"report_wards", "report_beds_now", "report_broken"}


def until(is_so):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.2)


@dataclass(frozen=True)
class Lake:
    """A lake, asked by its commands."""

    home: Path
    deliveries: Path

    def ask(self, *command):
        words = [os.environ["CARELAKE_COMMAND"], *command, "--json"]
        done = subprocess.run(words, capture_output=True, text=True)
        assert done.returncode == 0, (command[:2], done.stderr)
        return json.loads(done.stdout.splitlines()[-1])

    def take_in(self, wave):
        """Lands a wave of deliveries and waits until all of it is in the tables."""
        self.ask("land", str(self.deliveries / "drop" / str(wave)), "--keep")
        until(
            lambda: (
                not any(p.suffix == ".zip" for part in ("landing", "claimed") for p in (self.home / part).rglob("*"))
            )
        )

    def insert_reports(self, *reports):
        """Inserts reports as anyone does it, each given as name, SQL and schedule."""
        rows = (
            f"('{name}', 1, 'The {name}', 'reports@carelake.example', '{sql}', '{schedule}')"
            for name, sql, schedule in reports
        )
        columns = "report, revision, title, owner, sql, schedule"
        self.ask("sql", f"INSERT INTO rules.report ({columns}) VALUES {', '.join(rows)}")


@dataclass(frozen=True)
class Airflow:
    """DAGs, and runs of them without a scheduler."""

    home: Path

    def dags(self):
        bag = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
        assert bag.import_errors == {}
        return bag.dags

    def run(self, dag_id, **given):
        """Runs a DAG once, failures at once for good; returns its run."""
        dag = self.dags()[dag_id]
        dag.deadline = None  # Airflow 3.3.2 itself trips over it in dag.test
        for task in dag.tasks:
            task.retries = 0
        return dag.test(**given)

    def succeeds(self, dag_id, **given):
        run = self.run(dag_id, **given)
        assert run.state == DagRunState.SUCCESS
        return run


@pytest.fixture(scope="session")
def airflow():
    done = subprocess.run(["airflow", "db", "migrate"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return Airflow(Path(os.environ["AIRFLOW_HOME"]))


@pytest.fixture(scope="session")
def lake():
    home = Path(os.environ["CARELAKE_HOME"])
    found = Lake(home, home.parent / "deliveries")
    ingest = subprocess.Popen([os.environ["CARELAKE_COMMAND"], "ingest", "--continuous"], stdout=subprocess.DEVNULL)
    try:
        found.ask("simulate", "--out", str(found.deliveries), "--facilities", "4", "--zips", "30", "--edge-mb", "0")
        until((home / ".endpoint").exists)
        found.ask("feed", "apply")
        found.take_in(1)
        yield found
    finally:
        ingest.terminate()
        ingest.wait()


@pytest.fixture(scope="session")
def site(lake, airflow):
    """A lake of whose rules Airflow has a snapshot: the reports that come with it, and three that someone inserted since."""
    airflow.succeeds("rule_snapshot")
    assert not INSERTED & set(airflow.dags())
    count = "SELECT count(*) AS beds FROM lake.bed"
    lake.insert_reports(
        ("wards", count, "30 5 * * 1-5"),
        ("beds_now", count, "on lake.bed"),
        ("broken", "SELECT count(raise_error(family_name)) AS names FROM lake.patient", "nightly"),
    )
    airflow.succeeds("rule_snapshot")
    return lake
