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

PATIENCE_SECONDS = 240


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
        deadline = time.monotonic() + PATIENCE_SECONDS
        while any(path.suffix == ".zip" for part in ("landing", "claimed") for path in (self.home / part).rglob("*")):
            assert time.monotonic() < deadline
            time.sleep(0.2)

    def insert_report(self, name, sql, more="", values=""):
        self.ask(
            "sql",
            f"INSERT INTO rules.report (report, revision, title, owner, sql{more}) VALUES"
            f" ('{name}', 1, 'The {name}', 'reports@carelake.example', '{sql}'{values})",
        )


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
        found.ask("simulate", "--out", str(found.deliveries), "--facilities", "4", "--zips", "24", "--edge-mb", "0")
        found.ask("feed", "apply")
        found.take_in(1)
        yield found
    finally:
        ingest.terminate()
        ingest.wait()


@pytest.fixture(scope="session")
def site(lake, airflow):
    """A lake whose rules Airflow has asked for once."""
    airflow.succeeds("rule_snapshot")
    return lake
