"""What the target tables that exist hold: rules may add to that, and not reshape it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from spark_jobs.rules.model import HeldTable
from spark_jobs.tables.access import Access
from spark_jobs.tables.hudi import SHAPE

RULE_TYPES = {"bigint": "long"}


def held_tables(access: Access) -> dict[str, HeldTable]:
    """Every target table that exists, by name; two metastore look-ups a table."""
    names = [row["tableName"] for row in access.records("SHOW TABLES IN raw")]
    return {name: table for name in names if (table := held_table(access, name))}


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
