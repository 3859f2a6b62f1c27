"""Other programs that are run to their end, and what they said last where they failed."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

LAST_LINES = 15


@dataclass(frozen=True)
class Failure:
    """How a program failed: its exit code, and the last lines of what it printed, as a hint shows them."""

    code: int
    last_lines: str


def run_program(command: Sequence[str]) -> Failure | None:
    """Runs a program to its end; returns its failure if it is one. What it prints is kept in a file, however much that is."""
    with tempfile.TemporaryFile("w+", errors="replace") as log:
        done = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=False)  # noqa: S603
        if not done.returncode:
            return None
        log.seek(0)
        return Failure(done.returncode, "\n  ".join(log.read().splitlines()[-LAST_LINES:]))
