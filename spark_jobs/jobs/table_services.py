"""Table services: how each table lies on disk, and which tables a compaction would make cheap to read again."""

from __future__ import annotations

from spark_jobs.errors import LakeError
from spark_jobs.jobs.compact import debt_of
from spark_jobs.rules.revisions import RuleSet
from spark_jobs.site import Site
from spark_jobs.tables.access import Access
from spark_jobs.tables.hudi import HudiTable
from spark_jobs.tables.lake import tables_of
from spark_jobs.tables.rule_store import read_rules
from spark_jobs.tables.storage import Storage, storage_of


def known_tables(site: Site, rules: RuleSet) -> dict[str, HudiTable]:
    """The Hudi tables of a site by name, `raw.<target>`, `ops.ledger` and `ops.quarantine`."""
    return {f"{table.database}.{table.name}": table for table in tables_of(site, rules.targets.values())}


def every_table(access: Access) -> list[HudiTable]:
    """The Hudi tables of the lake, in the order of their names."""
    known = known_tables(access.site, read_rules(access))
    return [known[name] for name in sorted(known)]


def table_storage(access: Access) -> list[Storage]:
    """How every table with a commit lies on disk, that with the largest debt first."""
    found = [storage_of(table) for table in every_table(access) if table.has_commits]
    return sorted(found, key=lambda storage: (-debt_of(storage), storage.table))


def find_table(access: Access, name: str) -> HudiTable:
    """A table by its name; readers' names (`lake.bed`) and bare ones (`bed`) mean the target table. Raises LakeError."""
    tables = known_tables(access.site, read_rules(access))
    schema, _, bare = name.rpartition(".")
    for full in (name, f"raw.{bare}") if schema in ("", "lake", "raw") else (name,):
        if full in tables:
            return tables[full]
    raise LakeError(f"table {name}", "there is no such Hudi table", f"There are: {', '.join(sorted(tables))}.")


def tables_in_debt(access: Access, least_debt: float | None) -> list[str]:
    """The tables with a pending compaction, and those with a debt of at least so much if that is said, the largest first."""
    return [s.table for s in table_storage(access) if s.pending or (s.log_files and _is_much(s, least_debt))]


def _is_much(storage: Storage, least_debt: float | None) -> bool:
    return least_debt is not None and debt_of(storage) >= least_debt
