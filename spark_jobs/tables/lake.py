"""An open lake: its site, its session and its tables, as the jobs use them."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, reduce

from pyspark.sql import DataFrame, SparkSession

from spark_jobs.errors import LakeError
from spark_jobs.landing.lease import compacting, hold_lease, remember_jvm
from spark_jobs.rules.model import TargetTable
from spark_jobs.site import Site
from spark_jobs.tables.catalog import create_tables
from spark_jobs.tables.frames import frame_of
from spark_jobs.tables.group import GroupCommit
from spark_jobs.tables.held import HeldTables
from spark_jobs.tables.hudi import HudiTable, TableWriter
from spark_jobs.tables.known import KnownZips, catch_up
from spark_jobs.tables.ledger import LEDGER
from spark_jobs.tables.quarantine import KEY as QUARANTINE_KEY
from spark_jobs.tables.quarantine import QUARANTINE
from spark_jobs.tables.remembering import Remembered
from spark_jobs.tables.session import open_session

RESTORE = "lake restore"


@dataclass(frozen=True)
class Lake:
    """A site with a Spark session on it. One at a time in a process, and in an embedded site on the machine."""

    site: Site
    session: SparkSession
    writer: TableWriter = field(default_factory=TableWriter)
    views_shown: set[tuple[str, str, int]] = field(default_factory=set)
    to_show: set[HudiTable] = field(default_factory=set)  # in Presto, whose views are made beside the batches
    held: HeldTables = field(default_factory=HeldTables)
    remembered: Remembered = field(default_factory=Remembered)

    @cached_property
    def known_zips(self) -> KnownZips:
        """The index of the zips that the ledger has, caught up with it before this process writes to the ledger."""
        known = KnownZips(self.site.known_zips)
        catch_up(known, self.session, self.ledger)
        return known

    @cached_property
    def quarantine_commits(self) -> GroupCommit[DataFrame]:
        """Where batches leave their quarantine rows."""
        return GroupCommit(lambda parts: self.writer.upsert(reduce(DataFrame.unionByName, parts), self.quarantine))

    @property
    def ledger(self) -> HudiTable:
        """What became of every zip, a row each."""
        return ledger_of(self.site)

    @property
    def quarantine(self) -> HudiTable:
        """What was refused and why, a row each zip, member or row."""
        return quarantine_of(self.site)

    def table(self, target: TargetTable) -> HudiTable:
        """The files and keys of a target table."""
        return table_of(self.site, target)


def ledger_of(site: Site) -> HudiTable:
    """The ledger of a site."""
    # By the day of landing, which an id never changes: a commit and a compaction touch a day, not all of the past.
    path = site.warehouse / "ops" / "ledger"
    return HudiTable("ops", "ledger", path, ("zip_id",), partition_by="landed_on", buckets=1)


def quarantine_of(site: Site) -> HudiTable:
    """The quarantine of a site."""
    path = site.warehouse / "ops" / "quarantine"
    return HudiTable("ops", "quarantine", path, QUARANTINE_KEY, partition_by="landed_on", buckets=1)


def table_of(site: Site, target: TargetTable) -> HudiTable:
    """A target table of a site."""
    return HudiTable(
        database="raw",
        name=target.target,
        path=site.warehouse / "raw" / target.target,
        record_key=target.record_key,
        partition_by=target.partition_by,
        global_index=target.index == "global",
        buckets=target.buckets,
        compact_after=target.compact_after,
    )


def tables_of(site: Site, targets: Iterable[TargetTable]) -> list[HudiTable]:
    """Every Hudi table of a site that has these target tables."""
    return [*(table_of(site, target) for target in targets), ledger_of(site), quarantine_of(site)]


@contextmanager
def open_lake(site: Site, what: str, has_endpoint: bool = False, brief: bool = False) -> Iterator[Lake]:
    """Holds the lease of `site`, opens its session and makes the tables that are not there yet.

    Raises LakeInUseError when another process has the lake. `what` tells others what this one does, `has_endpoint`
    whether it will serve their questions; `brief` is for a few statements.
    """
    with hold_lease(site, what, has_endpoint):
        _refuse_half_restored(site, what)
        site.endpoint.unlink(missing_ok=True)
        # Of a process that was killed: nobody else is at work, and nothing in it is read again.
        shutil.rmtree(site.scratch, ignore_errors=True)
        lake = Lake(site, open_session(site, brief=brief))
        if not site.cluster:
            remember_jvm(site, lake.session._jvm.java.lang.ProcessHandle.current().pid())
        create_tables(lake.session)
        for table, columns in ((lake.ledger, LEDGER), (lake.quarantine, QUARANTINE)):
            _make(lake, table, columns)
        try:
            yield lake
        finally:
            lake.session.stop()


@contextmanager
def open_for_compaction(site: Site, what: str) -> Iterator[Lake]:
    """A lake whose compactions this process alone carries out; in a cluster an ingest may be at work meanwhile.

    Raises LakeInUseError when another process compacts, or has an embedded lake.
    """
    if not site.cluster:
        with open_lake(site, what) as lake:
            yield lake
        return
    with compacting(site, what):
        _refuse_half_restored(site, what)
        lake = Lake(site, open_session(site))
        create_tables(lake.session)
        try:
            yield lake
        finally:
            lake.session.stop()


def _refuse_half_restored(site: Site, what: str) -> None:
    """To be asked with a lease: who restores writes the mark first, and looks for holders then."""
    if site.restoring.exists() and what != RESTORE:
        raise LakeError(str(site.home), "a restore was begun there and has not ended", "Say it again: lake restore")


def _make(lake: Lake, table: HudiTable, columns: Mapping[str, tuple[str, str]]) -> None:
    """Makes a table of the lake's own, or adds the columns it lacks because an older version made it: by a commit of no rows."""
    if table.has_commits and not table.is_laid_out:
        raise LakeError(
            f"{table.database}.{table.name}", "an earlier version of Carelake has laid it out otherwise",
            "Land the zips of its vault in a new lake.",
        )  # fmt: skip
    empty = frame_of(lake.session, [], columns)
    name = f"{table.database}.{table.name}"
    # The metastore lacks the table if the making of it was killed before the sync.
    known = lake.session.table(name).columns if lake.session.catalog.tableExists(name) else []
    if not table.has_commits or not set(empty.columns).issubset(known):
        lake.writer.upsert(empty, table)
