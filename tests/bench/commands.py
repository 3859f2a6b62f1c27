"""Running a benchmark as its users do: in a process of its own, with its result as the last line of stdout."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from spark_jobs.site import REPOSITORY


def run_bench(*arguments: object, seconds: int = 1800) -> dict[str, Any]:
    """The JSON that `lake bench ...` prints; fails with what it says on stderr if it does."""
    command = [sys.executable, "-m", "spark_jobs.cli", "bench", *map(str, arguments), "--json"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=seconds, check=False)
    assert done.returncode == 0, done.stderr[-4000:] + done.stdout[-2000:]
    return json.loads(done.stdout.splitlines()[-1])
