"""Group commits: writers of one table that come together share a commit."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import reduce

from pyspark.sql import DataFrame


class GroupCommit:
    """Collects rows while a commit is being written, and writes all of them with the next one.

    A commit costs about as much for the rows of ten batches as for those of one. `commit` returns when the rows are
    committed, or raises what the write raised, to everyone whose rows were in it.
    """

    def __init__(self, write: Callable[[DataFrame], object]) -> None:
        self._write = write
        self._turn = threading.Lock()
        self._queue_lock = threading.Lock()
        self._queue: list[_Ticket] = []

    def commit(self, rows: DataFrame) -> None:
        """Writes `rows`, together with whatever waits beside them."""
        ticket = _Ticket(rows)
        with self._queue_lock:
            self._queue.append(ticket)
        with self._turn:
            if not ticket.done:
                self._write_group()
        if ticket.error:
            raise ticket.error

    def _write_group(self) -> None:
        with self._queue_lock:
            group, self._queue = self._queue, []
        error: BaseException | None = None
        try:
            self._write(reduce(DataFrame.unionByName, [ticket.rows for ticket in group]))
        except Exception as raised:
            error = raised
        for ticket in group:
            ticket.done, ticket.error = True, error


class _Ticket:
    """Rows that wait to be committed."""

    def __init__(self, rows: DataFrame) -> None:
        self.rows = rows
        self.done = False
        self.error: BaseException | None = None
