"""Group commits: writers of one table that come together share a commit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Part = TypeVar("Part")


class GroupCommit(Generic[Part]):
    """Collects parts while a commit is being written, and writes all of them with the next one.

    A commit costs about as much for the rows of ten batches as for those of one. `commit` returns when its part is
    committed, or raises what the write raised, to everyone whose part was in it.
    """

    def __init__(self, write: Callable[[Sequence[Part]], object]) -> None:
        self._write = write
        self._turn = threading.Lock()
        self._queue_lock = threading.Lock()
        self._queue: list[_Ticket[Part]] = []

    def commit(self, part: Part) -> None:
        """Writes `part`, together with whatever waits beside it."""
        ticket = _Ticket(part)
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
            self._write([ticket.part for ticket in group])
        except Exception as raised:
            error = raised
        for ticket in group:
            ticket.done, ticket.error = True, error


class _Ticket(Generic[Part]):
    """A part that waits to be committed."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.done = False
        self.error: BaseException | None = None
