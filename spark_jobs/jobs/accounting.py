"""Batches that are written and wait for the ledger: they share its commits, aside from those that are being written."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Executor, Future

from spark_jobs.batches.run import BatchResult, Written, account_batches
from spark_jobs.tables.lake import Lake
from spark_jobs.tables.session import share_fairly

# So long batches wait, while others are being written, to share a commit of the ledger.
GATHER_SECONDS = 2.0


class Accounting:
    """Enters batches into the ledger, one commit at a time for all that wait. Used by one thread; the commits run in `pool`."""

    def __init__(self, lake: Lake, pool: Executor) -> None:
        self._lake, self._pool = lake, pool
        self._waiting: list[Written] = []
        self._group: list[Written] = []
        self._began = float("-inf")
        self.future: Future[list[BatchResult]] | None = None

    @property
    def is_idle(self) -> bool:
        """Whether no batch waits or is being entered."""
        return not (self._waiting or self.future)

    def add(self, written: Written) -> None:
        """Has a batch wait."""
        self._waiting.append(written)

    def go_on(self, others_to_come: bool) -> None:
        """Begins the next commit if it is time: at once where no others are to come, otherwise every so many seconds."""
        now = time.monotonic()
        if self.future or not self._waiting or (others_to_come and now < self._began + GATHER_SECONDS):
            return
        self._group, self._waiting, self._began = self._waiting, [], now
        self.future = self._pool.submit(_account, self._lake, self._group)

    def take_ended(self) -> tuple[Sequence[Written], Sequence[BatchResult], BaseException | None]:
        """The batches of the commit that has ended: with what they came to, or with the error that all of them share."""
        if not (self.future and self.future.done()):
            return [], [], None
        future, self.future = self.future, None
        error = future.exception()
        return self._group, [] if error else future.result(), error


def _account(lake: Lake, written: Sequence[Written]) -> list[BatchResult]:
    share_fairly(lake.session, "ledger")
    return account_batches(lake, written)
