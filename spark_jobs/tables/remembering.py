"""What was read of tables that seldom change, kept until their files do: asking the metastore and Spark anew is dear."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import TypeVar

Read = TypeVar("Read")


class Remembered:
    """Results by name, each with the state in which it was read."""

    def __init__(self) -> None:
        self._results: dict[str, tuple[Hashable, object]] = {}

    def get(self, name: str, state: Hashable, read: Callable[[], Read]) -> Read:
        """What `read` gave when the state was `state`. The state is told before it reads: what changes meanwhile is read again."""
        known = self._results.get(name)
        if known is None or known[0] != state:
            known = self._results[name] = state, read()
        return known[1]  # type: ignore[return-value]


def files_of(warehouse: Path, table: str) -> Hashable:
    """The state of a plain table, `schema.name`: its data files. An INSERT by any client adds one."""
    schema, _, name = table.partition(".")
    try:
        with os.scandir(warehouse / f"{schema}.db" / name) as entries:
            found = [(entry.name, entry.stat()) for entry in entries if entry.name[0] not in "._"]
    except FileNotFoundError:
        return None
    return frozenset((name, status.st_size, status.st_mtime_ns) for name, status in found)
