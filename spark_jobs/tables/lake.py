"""An open lake: its site, its session and its tables, as the jobs use them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

from pyspark.sql import SparkSession

from spark_jobs.landing.lease import hold_lease, remember_jvm
from spark_jobs.rules.model import HeldTable, TargetTable
from spark_jobs.site import Site
from spark_jobs.tables.catalog import create_tables
from spark_jobs.tables.group import GroupCommit
from spark_jobs.tables.hudi import HudiTable, TableWriter
from spark_jobs.tables.ledger import LEDGER_COLUMNS
from spark_jobs.tables.quarantine import KEY as QUARANTINE_KEY
from spark_jobs.tables.quarantine import QUARANTINE_COLUMNS
from spark_jobs.tables.session import open_session


@dataclass(frozen=True)
class Lake:
    """A site with a Spark session on it. One at a time in a process, and in an embedded site on the machine."""

    site: Site
    session: SparkSession
    writer: TableWriter = field(default_factory=TableWriter)
    views_shown: set[tuple[str, str, int]] = field(default_factory=set)
    # What target tables hold, as far as it was asked for: the metastore answers slowly.
    held: dict[str, HeldTable] = field(default_factory=dict)

    @cached_property
    def ledger_commits(self) -> GroupCommit:
        """Where batches leave their ledger rows."""
        return GroupCommit(lambda rows: self.writer.upsert(rows, self.ledger))

    @cached_property
    def quarantine_commits(self) -> GroupCommit:
        """Where batches leave their quarantine rows."""
        return GroupCommit(lambda rows: self.writer.upsert(rows, self.quarantine))

    @property
    def ledger(self) -> HudiTable:
        """What became of every zip, a row each."""
        return HudiTable("ops", "ledger", self.site.warehouse / "ops" / "ledger", ("zip_id",))

    @property
    def quarantine(self) -> HudiTable:
        """What was refused and why, a row each zip, member or row."""
        path = self.site.warehouse / "ops" / "quarantine"
        return HudiTable("ops", "quarantine", path, QUARANTINE_KEY)

    def table(self, target: TargetTable) -> HudiTable:
        """The files and keys of a target table."""
        return HudiTable(
            database="raw",
            name=target.target,
            path=self.site.warehouse / "raw" / target.target,
            record_key=target.record_key,
            partition_by=target.partition_by,
            global_index=target.index == "global",
            buckets=target.buckets,
            compact_after=target.compact_after,
        )


@contextmanager
def open_lake(site: Site, what: str, has_endpoint: bool = False) -> Iterator[Lake]:
    """Holds the lease of `site`, opens its session and makes the tables that are not there yet.

    Raises LakeInUseError when another process has the lake. `what` tells others what this one does, `has_endpoint`
    whether it will serve their questions.
    """
    with hold_lease(site.home, what, has_endpoint):
        site.endpoint.unlink(missing_ok=True)
        # Of a process that was killed: nobody else is at work, and nothing in it is read again.
        shutil.rmtree(site.scratch, ignore_errors=True)
        lake = Lake(site, open_session(site))
        remember_jvm(site.home, lake.session._jvm.java.lang.ProcessHandle.current().pid())
        create_tables(lake.session)
        for table, columns in ((lake.ledger, LEDGER_COLUMNS), (lake.quarantine, QUARANTINE_COLUMNS)):
            _make(lake, table, columns)
        try:
            yield lake
        finally:
            lake.session.stop()


def _make(lake: Lake, table: HudiTable, columns: str) -> None:
    """Makes a table of the lake's own, or adds the columns it lacks because an older version made it: by a commit of no rows."""
    empty = lake.session.createDataFrame([], columns)
    name = f"{table.database}.{table.name}"
    # The metastore lacks the table if the making of it was killed before the sync.
    known = lake.session.table(name).columns if lake.session.catalog.tableExists(name) else []
    if not table.has_commits or not set(empty.columns).issubset(known):
        lake.writer.upsert(empty, table)
