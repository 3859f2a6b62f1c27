"""Table services: how each table lies on disk, and the compactions that make reading it cheap again."""

from __future__ import annotations

from collections.abc import Collection
from math import inf

from spark_jobs.errors import LakeError
from spark_jobs.rules.revisions import RuleSet
from spark_jobs.site import Site
from spark_jobs.tables.access import Access, access_of
from spark_jobs.tables.hudi import HudiTable
from spark_jobs.tables.lake import Lake, tables_of
from spark_jobs.tables.rule_store import read_rules
from spark_jobs.tables.storage import Storage, storage_of


def known_tables(site: Site, rules: RuleSet) -> dict[str, HudiTable]:
    """The Hudi tables of a site by name, `raw.<target>`, `ops.ledger` and `ops.quarantine`."""
    return {f"{table.database}.{table.name}": table for table in tables_of(site, rules.targets.values())}


def table_storage(access: Access) -> list[Storage]:
    """How every table with a commit lies on disk, that with the largest debt first."""
    tables = known_tables(access.site, read_rules(access)).values()
    found = [storage_of(table) for table in tables if table.has_commits]
    return sorted(found, key=lambda storage: (-_debt(storage), storage.table))


def find_table(access: Access, name: str) -> HudiTable:
    """A table by its name; readers' names (`lake.bed`) and bare ones (`bed`) mean the target table. Raises LakeError."""
    tables = known_tables(access.site, read_rules(access))
    schema, _, bare = name.rpartition(".")
    for full in (name, f"raw.{bare}") if schema in ("", "lake", "raw") else (name,):
        if full in tables:
            return tables[full]
    raise LakeError(f"table {name}", "there is no such Hudi table", f"There are: {', '.join(sorted(tables))}.")


def tables_in_debt(access: Access, least_debt: float) -> list[str]:
    """The tables with a debt of at least so much, or with a pending compaction, the largest debt first."""
    return [s.table for s in table_storage(access) if s.pending or (s.log_files and _debt(s) >= least_debt)]


def compact_tables(lake: Lake, names: Collection[str]) -> dict[str, int]:
    """Compacts tables, the largest debt first: what is pending, else all log files; returns how many compactions by table."""
    access = access_of(lake)
    tables = [table for name in names if (table := find_table(access, name)).has_commits]
    tables.sort(key=lambda table: -_debt(storage_of(table)))
    return {f"{t.database}.{t.name}": lake.writer.compact(lake.session, t, schedule=True) for t in tables}


def _debt(storage: Storage) -> float:
    """The debt of a table; one of log files alone has the largest."""
    if storage.debt is None:
        return inf if storage.log_files else 0.0
    return storage.debt
