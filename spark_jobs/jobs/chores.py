"""Work beside the batches that none of them waits for."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path

from spark_jobs.jobs.failures import log_failure


class Chore:
    """Work that is done again and again in `pool`, one turn at a time, `rest_seconds` from one beginning to the next.

    Used by one thread. A turn that fails is logged; what it left undone is for the next one.
    """

    def __init__(self, name: str, work: Callable[[], object], pool: Executor, logs: Path, rest_seconds: float) -> None:
        self._name, self._work, self._pool, self._logs = name, work, pool, logs
        self._rest_seconds = rest_seconds
        self._began = float("-inf")
        self._turn: Future[object] | None = None

    def go_on(self) -> bool:
        """Begins the next turn if it is time for it; returns whether one has failed since this was last called."""
        error = None
        if self._turn and self._turn.done():
            if error := self._turn.exception():
                log_failure(self._logs, self._name, error)
            self._turn = None
        now = time.monotonic()
        if self._turn is None and now > self._began + self._rest_seconds:
            self._began = now
            self._turn = self._pool.submit(self._work)
        return error is not None
