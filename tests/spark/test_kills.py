"""The ingest job killed at random moments, and started again, ends in the same tables."""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from functools import partial

import pytest

from tests import privacy
from tests.simulator import simulate

pytestmark = [pytest.mark.spark, pytest.mark.drill, pytest.mark.processes]

# From the first claimed batch on, a run of this size works for about this long on two cores.
WORK_SECONDS = 20.0
LAKE = [sys.executable, "-m", "spark_jobs.cli"]


def run(*arguments, **more):
    return subprocess.run([*LAKE, *arguments], capture_output=True, text=True, **more)


def kill_when(home, is_time, with_jvm):
    """Starts an ingest and kills it as soon as `is_time()` says so, its JVM too or left to notice; returns its output."""
    command = [*LAKE, "ingest", "--once", "--home", str(home)]
    # A file, not a pipe: what outlives the kill for a moment would hold a pipe open.
    with tempfile.TemporaryFile("w+") as printed:
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=printed, stderr=subprocess.STDOUT) as process:
            while process.poll() is None and not is_time():
                time.sleep(0.01)
            if process.poll() is None:
                if with_jvm:
                    os.kill(json.loads((home / ".jvm").read_bytes())["pid"], signal.SIGKILL)
                os.kill(process.pid, signal.SIGKILL)
        printed.seek(0)
        return printed.read()


def writing_first_base_files(home):
    """Whether a target table has base files and no commit yet: a killed writer leaves files that no re-run may trip over."""
    for timeline in (home / "warehouse" / "raw").glob("*/.hoodie"):
        begun = any(timeline.glob("*.deltacommit.inflight")) and not any(timeline.glob("*.deltacommit"))
        if begun and any(timeline.parent.rglob("*.parquet")):
            return True
    return False


def some_time_after_the_claim(home, seconds):
    """A moment that comes `seconds` after the run has begun to work on a batch."""
    claimed, state = home / "claimed", {}

    def is_time():
        epoch = (home / ".epoch").stat().st_mtime_ns if (home / ".epoch").exists() else 0
        state.setdefault("epoch", epoch)
        if epoch != state["epoch"] and any(claimed.glob("*/*")):
            state.setdefault("begun", time.monotonic())
        return "begun" in state and time.monotonic() >= state["begun"] + seconds

    return is_time


def test_ingest_killed_at_random_moments_ends_as_the_truth_says(tmp_path, request):
    home, deliveries = tmp_path / "lake", tmp_path / "deliveries"
    simulate(deliveries, 8, 30, seed=11, edge_mb=0)
    applied = run("feed", "apply", "--home", str(home), "--json")
    assert applied.returncode == 0, applied.stderr
    for wave in sorted((deliveries / "drop").iterdir()):
        assert run("land", str(wave), "--home", str(home)).returncode == 0
    printed = [kill_when(home, partial(writing_first_base_files, home), with_jvm=True)]
    moments = random.Random(os.getpid())
    for _ in range(request.config.getoption("--kills")):
        is_time = some_time_after_the_claim(home, moments.uniform(0.0, WORK_SECONDS))
        printed.append(kill_when(home, is_time, with_jvm=moments.random() < 0.5))
    final = run("ingest", "--once", "--home", str(home), "--json")
    assert final.returncode == 0, final.stderr
    command = [sys.executable, "-m", "tests.reconcile", str(home), str(deliveries / "truth")]
    checked = subprocess.run(command, capture_output=True, text=True)
    assert checked.stdout.splitlines()[-1:] == ["equal"], checked.stdout
    assert not any(path.is_file() for path in (home / "claimed").rglob("*"))
    said = "".join([*printed, final.stdout, final.stderr])
    assert privacy.leaks(home, privacy.identifiers(deliveries / "truth"), said) == []
