"""The ingest job killed at random moments, and started again, ends in the same tables."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from tests import privacy
from tests.simulator import simulate

pytestmark = [pytest.mark.spark, pytest.mark.kills]

# From the first claimed batch on, a run of this size works for about this long on two cores.
WORK_SECONDS = 20.0
LAKE = [sys.executable, "-m", "spark_jobs.cli"]


def run(*arguments, **more):
    return subprocess.run([*LAKE, *arguments], capture_output=True, text=True, **more)


def kill_at_random(home, moment):
    """Starts an ingest and kills it `moment` seconds after it claimed its first batch; returns what it printed."""
    claimed = home / "claimed"
    before = set(claimed.glob("*/*"))
    command = [*LAKE, "ingest", "--once", "--home", str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        while process.poll() is None and not before and not any(claimed.glob("*/*")):
            time.sleep(0.05)
        deadline = time.monotonic() + moment + (10.0 if before else 0.0)
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        return process.communicate()[0]


def test_ingest_killed_at_random_moments_ends_as_the_truth_says(tmp_path, request):
    home, deliveries = tmp_path / "lake", tmp_path / "deliveries"
    simulate(deliveries, 8, 30, seed=11, edge_mb=0)
    applied = run("feed", "apply", "--home", str(home), "--json")
    assert applied.returncode == 0, applied.stderr
    for wave in sorted((deliveries / "drop").iterdir()):
        assert run("land", str(wave), "--home", str(home)).returncode == 0
    moments = random.Random(os.getpid())
    printed = []
    for _ in range(request.config.getoption("--kills")):
        printed.append(kill_at_random(home, moments.uniform(0.0, WORK_SECONDS)))
    final = run("ingest", "--once", "--home", str(home), "--json")
    assert final.returncode == 0, final.stderr
    command = [sys.executable, "-m", "tests.reconcile", str(home), str(deliveries / "truth")]
    checked = subprocess.run(command, capture_output=True, text=True)
    assert checked.stdout.splitlines()[-1:] == ["equal"], checked.stdout
    assert not any(path.is_file() for path in (home / "claimed").rglob("*"))
    said = "".join([*printed, final.stdout, final.stderr])
    assert privacy.leaks(home, privacy.identifiers(deliveries / "truth"), said) == []
