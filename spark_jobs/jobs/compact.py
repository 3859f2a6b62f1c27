"""Compaction: carries out the plans that the ingest makes between its commits, and plans some where no ingest is at work."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from math import inf

from spark_jobs.errors import LakeInUseError
from spark_jobs.landing.lease import compacting, planning
from spark_jobs.tables.hudi import HudiTable
from spark_jobs.tables.lake import Lake, tables_of
from spark_jobs.tables.standing import standing
from spark_jobs.tables.storage import Storage, moment_of, storage_of

# How long the ingest's own compactions wait for those of another process: they only make up for it.
BESIDE_SECONDS = 1.0


def compact_tables(lake: Lake, tables: Iterable[HudiTable]) -> dict[str, int]:
    """Compacts tables, that with the largest debt first; returns how many compactions were carried out, by table.

    What is pending is carried out. A compaction of all log files is planned first where none is pending, unless an ingest is
    at work, which plans its own. Crash-only: a compaction that was killed is still pending and is begun again. To be called
    by the process that alone compacts (`open_for_compaction`).
    """
    ordered = sorted((table for table in tables if table.has_commits), key=lambda table: -debt_of(storage_of(table)))
    with planning(lake.site, "lake tables compact") as may_plan:
        for table in ordered if may_plan else ():
            lake.writer.plan_compaction(lake.session, table)
    return {f"{table.database}.{table.name}": lake.writer.compact(lake.session, table) for table in ordered}


def compact_all(lake: Lake) -> dict[str, int]:
    """Compacts every table of the lake; returns the number of compactions carried out by table."""
    return compact_tables(lake, all_tables(lake))


def compact_pending(lake: Lake) -> int:
    """Carries out the compactions that are planned, beside writers of this process; returns how many.

    A table that is compacted waits with its next upsert, the others do not. In a cluster that is Airflow's work: only what it
    has left for too long is done here, and nothing while another process is at it.
    """
    cluster = lake.site.cluster
    patience = cluster.compaction_patience_seconds if cluster else 0
    tables = [table for table in all_tables(lake) if _has_waited(table, patience)]
    if not tables:
        return 0
    try:
        with compacting(lake.site, "lake ingest", BESIDE_SECONDS):
            return sum(lake.writer.compact(lake.session, table) for table in tables)
    except LakeInUseError:
        return 0


def all_tables(lake: Lake) -> list[HudiTable]:
    """Every Hudi table of the lake."""
    return tables_of(lake.site, standing(lake).rules.targets.values())


def debt_of(storage: Storage) -> float:
    """The debt of a table; one of log files alone has the largest."""
    if storage.debt is None:
        return inf if storage.log_files else 0.0
    return storage.debt


def _has_waited(table: HudiTable, seconds: float) -> bool:
    """Whether a compaction of the table is pending for so long."""
    pending = table.pending_compactions if table.has_commits else []
    return bool(pending) and (datetime.now(UTC) - moment_of(pending[0])).total_seconds() >= seconds
