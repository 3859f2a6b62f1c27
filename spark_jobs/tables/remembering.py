"""What was read of tables that seldom change, kept until their files do: asking the metastore and Spark anew is dear."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

from spark_jobs.landing.files import AnyPath, entries

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


def files_of(warehouse: AnyPath, table: str) -> Hashable:
    """The state of a plain table, `schema.name`: its data files. An INSERT by any client adds one."""
    schema, _, name = table.partition(".")
    found = entries(warehouse / f"{schema}.db" / name)
    return frozenset((entry.name, entry.version) for entry in found if entry.name[0] not in "._")
