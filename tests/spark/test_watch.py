"""A session that can do nothing more ends: nobody waits for it."""

import subprocess
import sys

import pytest

from spark_jobs.site import REPOSITORY

pytestmark = [pytest.mark.spark, pytest.mark.processes]

# An OutOfMemoryError ends that thread in the same way: without a word to whoever waits for a job.
ASK = """
import sys
from pathlib import Path
from spark_jobs.tables import watch
from spark_jobs.tables.session import open_scratch_session

watch.LOOK_SECONDS = watch.STOP_SECONDS = 1.0
session = open_scratch_session(Path(sys.argv[1]))
threads = session._jvm.java.lang.Thread.getAllStackTraces().keySet()
[scheduler] = [thread for thread in threads if thread.getName() == "dag-scheduler-event-loop"]
scheduler.interrupt()
scheduler.join()
print("dead", flush=True)
session.range(9).collect()
"""


def test_whoever_waits_for_a_session_whose_scheduler_died_gets_an_error(tmp_path):
    command = [sys.executable, "-c", ASK, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, timeout=120)
    assert done.stdout.split() == ["dead"], done.stderr
    assert done.returncode == 1
