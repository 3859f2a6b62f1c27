"""The sizing model, held against what small runs of the benchmarks say of themselves: their cores, their disks, their time."""

from __future__ import annotations

import pytest

from spark_jobs.sizing import Assumptions, Costs, Load, costs_of, size_of
from spark_jobs.sizing.costs import MEGABYTE
from spark_jobs.sizing.model import DAYS, busy_cores
from tests.bench.commands import run_bench

SMALL_GROWTH = "--rows 50000 --batch-rows 600 --groups 2 --commits 2 --series 24 --zips 8".split()
WARM_UP = 10
BARE = Assumptions(utilisation=1.0, replicas=1.0)


@pytest.fixture(scope="module")
def day(tmp_path_factory) -> dict:
    return run_bench(
        "ingest", "--day", "--zips", 40, "--warm-up-zips", WARM_UP, "--work", tmp_path_factory.mktemp("day")
    )


@pytest.fixture(scope="module")
def costs(day, tmp_path_factory) -> Costs:
    home = tmp_path_factory.mktemp("growth") / "lake"
    return costs_of(day, run_bench("growth", *SMALL_GROWTH, "--home", home))


def test_the_day_benchmark_had_the_cores_that_its_pace_needs(day, costs):
    busy = busy_cores(day["files"] / day["seconds"], 0, costs)
    assert 0 < busy <= day["cores"] * 1.05


def test_another_run_of_as_many_zips_costs_about_as_much(costs, tmp_path):
    again = run_bench("ingest", "--zips", 40, "--warm-up-zips", 10, "--rounds", 1, "--only", "a", "--work", tmp_path)
    waves = [again["contenders"]["a"][wave["wave"]]["cpu_seconds"] for wave in again["waves"]]
    files = sum(wave["files"] for wave in again["waves"])
    assert costs.cpu_of_file / 2 < sum(waves) / files < costs.cpu_of_file * 2


def test_disks_of_the_day_benchmark(day, costs):
    """Its zips, spread over the days of a year, need the bytes that its lake had in the end."""
    load = Load(zips_per_day=day["zips"] / DAYS, files_per_zip=day["files"] / day["zips"], tables=1)
    size = size_of(load, costs, BARE)
    # The vault has the zips of the warm-up, too: two waves of them, as of the others.
    measured = day["zips"] / (day["zips"] + 2 * WARM_UP)
    assert size.vault_tb * 1e12 == pytest.approx(day["vault_mb"] * measured * MEGABYTE, rel=0.05)
    assert size.warehouse_tb * 1e12 == pytest.approx((day["table_mb"] + day["ledger_mb"]) * MEGABYTE, rel=0.02)


def test_a_day_of_the_brief_takes_as_long_as_the_day_benchmark_foretells(day, costs):
    brief = Load()
    core_seconds = brief.zips_per_day * brief.files_per_zip * costs.cpu_of_file
    minutes = core_seconds / (day["cpu_seconds"] / day["seconds"]) / 60
    assert minutes == pytest.approx(day["day_minutes"], rel=0.02)
