"""What the target tables that exist hold: rules may add to that, and not reshape it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from spark_jobs.rules.model import HeldTable
from spark_jobs.tables.hudi import SHAPE

if TYPE_CHECKING:
    from spark_jobs.tables.access import Access

RULE_TYPES = {"bigint": "long"}


def held_tables(access: Access) -> dict[str, HeldTable]:
    """Every target table that exists, by name; two metastore look-ups a table."""
    names = [row["tableName"] for row in access.records("SHOW TABLES IN raw")]
    return {name: table for name in names if (table := held_table(access, name))}


class HeldTables:
    """What the target tables hold, as far as it was asked for. This process alone writes them, and says what it changed."""

    def __init__(self) -> None:
        self._tables: dict[str, HeldTable] = {}
        self._changes = 0
        self._read = -1

    @property
    def changes(self) -> int:
        """Grows with each change."""
        return self._changes

    def note_change(self, name: str) -> None:
        """Has a table looked at again: it is new, or has other columns."""
        self._tables.pop(name, None)
        self._changes += 1

    def all(self, access: Access) -> dict[str, HeldTable]:
        """Every target table that exists, by name."""
        changes = self._changes
        if changes != self._read:
            for row in access.records("SHOW TABLES IN raw"):
                name = row["tableName"]
                if name not in self._tables and (table := held_table(access, name)):
                    self._tables[name] = table
            self._read = changes
        return dict(self._tables)


def held_table(access: Access, name: str) -> HeldTable | None:
    """What table `raw.<name>` holds, or None while its first commit is not known to the metastore."""
    properties = {row["key"]: row["value"] for row in access.records(f"SHOW TBLPROPERTIES raw.`{name}`")}
    if SHAPE not in properties:
        return None
    shape = json.loads(properties[SHAPE])
    columns = dict(_columns(access, name))
    return HeldTable(columns, tuple(shape.pop("record_key")), **shape)


def _columns(access: Access, name: str) -> Iterator[tuple[str, str]]:
    for row in access.records(f"DESCRIBE raw.`{name}`"):
        if not row["col_name"] or row["col_name"].startswith("#"):
            return  # what follows describes partitions, and names their columns again
        yield row["col_name"], RULE_TYPES.get(row["data_type"], row["data_type"])
