"""The latency benchmark on a small scale: it measures every zip, and all that landed is reconciled."""

import json
import subprocess
import sys

from spark_jobs.site import REPOSITORY
from tests.bench.arrivals import moments
from tests.bench.visits import FORMATS, VisitFeed

LAKE = [sys.executable, "-m", "spark_jobs.cli"]


def test_arrivals_are_as_many_as_the_rate_says_and_within_the_time():
    due = moments(350, 360.0, ["a", "b", "c"], seed=1)
    assert len(due) == 350
    assert due == sorted(due) == moments(350, 360.0, ["a", "b", "c"], seed=1)
    assert due[0][0] >= 0
    assert due[-1][0] <= 360


def test_zips_are_of_the_sizes_of_the_brief():
    for number in range(len(FORMATS)):
        feed = VisitFeed(number)
        sizes = [len(feed.next_zip().content) for _ in range(10)]
        assert min(sizes) > 15_000
        assert max(sizes) < 2_000_000


def test_small_run_is_reconciled(tmp_path):
    options = ["--minutes", "0.2", "--feeds", "4", "--disturb", "0.2", "--megabytes", "50"]
    command = [*LAKE, "bench", "latency", *options, "--home", str(tmp_path / "lake"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["reconciled"]
    assert result["zips"] == 12
    assert 0 < result["p50_s"] <= result["p95_s"] <= result["p99_s"]
    assert result["sql_unseen_after_commit"] == 0
    assert result["backlog"]["calm"]
