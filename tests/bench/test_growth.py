"""`lake bench growth` run small: its figures are there, and what it wrote is what it reads."""

import json
import subprocess
import sys

import pytest

from spark_jobs.cli.bench.growth_files import TABLES
from spark_jobs.site import REPOSITORY

SMALL = "--rows 50000 --rows 100000 --batch-rows 600 --groups 2 --commits 2 --series 24 --zips 8".split()


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    home = tmp_path_factory.mktemp("growth")
    command = [sys.executable, "-m", "spark_jobs.cli", "bench", "growth", *SMALL, "--home", str(home), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_every_table_holds_what_was_written(result):
    assert result["reconciled"] is True


def test_costs_are_told_by_size_and_beside_the_smallest(result):
    for figure in ("upsert", "ratio_s", "ratio_core_s", "read"):
        assert set(result[figure]) == {"50000", "100000"}
    assert result["ratio_core_s"]["50000"] == 1.0
    assert all(cost["s"] > 0 and cost["core_s"] > 0 for cost in result["upsert"].values())


def test_logs_and_timeline_of_a_long_series_stay_within_the_policy(result):
    series = result["series"]
    assert series["compactions"] >= 2
    assert 0 < series["most_log_files_of_group"] <= 60
    assert series["most_timeline_files"] < 250


def test_files_are_counted_by_layer_and_for_a_day(result):
    layers = result["layers"]
    assert layers["landing_before"]["files"] == 2 * result["zips"]
    assert layers["landing"]["files"] == layers["claimed"]["files"] == 0
    assert layers["vault"]["files"] + layers["quarantine"]["files"] == result["zips"]
    assert result["day_of_the_brief"]["timeline"]["standing"] > TABLES
