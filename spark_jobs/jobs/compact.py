"""Compaction: carries out the plans that the writer made between its commits."""

from __future__ import annotations

from spark_jobs.tables.hudi import HudiTable
from spark_jobs.tables.lake import Lake, tables_of
from spark_jobs.tables.standing import standing


def compact_all(lake: Lake, schedule: bool = False) -> dict[str, int]:
    """Compacts every table of the lake; returns the number of compactions carried out by table.

    Crash-only: a compaction that was killed is still pending and is begun again. With `schedule` one of all log files is
    planned first where none is pending; this process holds the lease, so no writer is at work meanwhile.
    """
    return {
        f"{table.database}.{table.name}": lake.writer.compact(lake.session, table, schedule)
        for table in all_tables(lake)
        if table.has_commits
    }


def compact_pending(lake: Lake) -> int:
    """Carries out the compactions that are planned, beside writers of this process; returns how many.

    A table that is compacted waits with its next upsert, the others do not.
    """
    tables = [table for table in all_tables(lake) if table.has_commits]
    return sum(lake.writer.compact(lake.session, table) for table in tables)


def all_tables(lake: Lake) -> list[HudiTable]:
    """Every Hudi table of the lake."""
    return tables_of(lake.site, standing(lake).rules.targets.values())
