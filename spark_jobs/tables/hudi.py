"""Hudi merge-on-read tables: the options that make every reader agree, upserts, and compaction.

The settings follow a run of 8 commits over 3 partitions with late rows, late deletes and moved keys in Spark, the Thrift
Server, Presto and hudi-rs (see docs/decisions/): change one only with such a test in every reader.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from py4j.java_gateway import JavaObject
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.landing.files import AnyPath, names, remove_tree
from spark_jobs.tables.data_files import remove_orphans

ORDER = "_order"
# Table property in the metastore: how the table was laid out when it was made, as JSON.
SHAPE = "carelake.shape"
# A query, or `as_of`, finds the files of so many commits back; older ones are cleaned, and a little later archived.
COMMITS_RETAINED = 20
ORPHANS_EVERY = 10  # commits, however seldom compactions are planned
# Setting of a session whose tables other processes compact: the servers, `host:port,…`, that keep Hudi's locks.
ZOOKEEPERS = "spark.carelake.zookeepers"
# What the metastore shows of a table: its partitions and its columns.
Shown = tuple[frozenset[str], str]


@dataclass(frozen=True)
class HudiTable:
    """A merge-on-read table: `database.name` in the metastore, its files in `path`.

    `compact_after` is the number of delta commits after which the writer schedules a compaction.
    """

    database: str
    name: str
    path: AnyPath
    record_key: tuple[str, ...]
    partition_by: str | None = None
    global_index: bool = False
    buckets: int = 2
    compact_after: int = 10

    @property
    def shape(self) -> str:
        """What can't be changed once the table is there, as JSON."""
        index = "global" if self.global_index else "bucket"
        layout = {"partition_by": self.partition_by, "index": index, "buckets": self.buckets}
        return json.dumps({"record_key": self.record_key, **layout})

    @property
    def commits(self) -> list[str]:
        """Instants of completed commits, compactions included, the newest last; archiving leaves the newer ones."""
        return sorted(self._instants("deltacommit") | self._instants("commit"))

    @property
    def delta_commits(self) -> list[str]:
        """Instants of the completed commits of writers, the newest last."""
        return sorted(self._instants("deltacommit"))

    @property
    def instants(self) -> set[str]:
        """All instants that are not archived: completed, pending, of whatever action."""
        return {name.partition(".")[0] for name in names(self.path / ".hoodie")}

    @property
    def oldest_kept(self) -> str:
        """The oldest instant that archiving surely leaves: it removes older ones in any order, and may be killed meanwhile."""
        return self.commits[-(COMMITS_RETAINED + 5) :][0]

    @property
    def has_commits(self) -> bool:
        """Whether a commit was ever completed."""
        return bool(self.commits)

    @property
    def is_laid_out(self) -> bool:
        """Whether the files of the table are parted as it says."""
        properties = (self.path / ".hoodie" / "hoodie.properties").read_text().splitlines()
        return f"hoodie.table.partition.fields={self.partition_by or ''}" in properties

    @property
    def open_commits(self) -> list[str]:
        """Delta commits that were begun and not completed."""
        begun = self._instants("deltacommit.requested") | self._instants("deltacommit.inflight")
        return sorted(begun - self._instants("deltacommit"))

    @property
    def compactions(self) -> list[str]:
        """Instants of completed compactions that are not archived yet, the newest last."""
        return sorted(self._instants("commit"))

    @property
    def pending_compactions(self) -> list[str]:
        """Instants of compactions that are planned, or were begun and not finished."""
        planned = self._instants("compaction.requested") | self._instants("compaction.inflight")
        return sorted(planned - self._instants("commit"))

    @property
    def needs_services(self) -> bool:
        """Whether the next commit is to plan a compaction, clean and archive: each `compact_after`th since one was planned."""
        planned = max(self._instants("compaction.requested"), default="")
        commits = sum(instant > planned for instant in self.delta_commits) + 1
        return commits % self.compact_after == 0

    @property
    def partitions(self) -> frozenset[str]:
        """The folders of the table's partitions."""
        if not self.partition_by:
            return frozenset()
        return frozenset(name for name in names(self.path) if not name.startswith("."))

    def _instants(self, ending: str) -> set[str]:
        parted = [name.partition(".") for name in names(self.path / ".hoodie")]
        return {instant for instant, _, action in parted if action == ending}


def write_options(table: HudiTable, zookeepers: str = "") -> dict[str, str]:
    """Everything a writer of `table` has to say to Hudi. `zookeepers` keep its locks where several processes are at work."""
    return {**_identity(table), **_index(table), **_services(table), **_lock(table, zookeepers)}


def sync_options(table: HudiTable) -> dict[str, str]:
    """Everything that Hudi's sync has to know of the metastore's side of `table`."""
    extractor = "MultiPartKeysValueExtractor" if table.partition_by else "NonPartitionedExtractor"
    return {
        "hoodie.datasource.hive_sync.mode": "hms",
        "hoodie.datasource.hive_sync.database": table.database,
        "hoodie.datasource.hive_sync.table": table.name,
        "hoodie.datasource.hive_sync.partition_fields": table.partition_by or "",
        "hoodie.datasource.hive_sync.partition_extractor_class": f"org.apache.hudi.hive.{extractor}",
        # Presto reads a TIMESTAMP column of the metastore wrongly once a column was added.
        "hoodie.datasource.hive_sync.support_timestamp": "false",
        "hoodie.meta.sync.metadata_file_listing": "false",
        # Compares all partitions: "what this write added" would hide a partition whose sync was killed.
        "hoodie.meta.sync.incremental": "false",
        # The merged view only, under the table's own name: a read-optimised one is stale until compaction.
        "hoodie.datasource.hive_sync.table.strategy": "RT",
        "hoodie.datasource.hive_sync.table_properties": f"{SHAPE}={table.shape}",
    }


class TableWriter:
    """Writes tables, one writer a table at a time, different tables side by side."""

    def __init__(self) -> None:
        self._locks: dict[AnyPath, threading.Lock] = defaultdict(threading.Lock)
        self._synced: dict[AnyPath, Shown] = {}

    def upsert(self, rows: DataFrame, table: HudiTable, settled: bool = False) -> str:
        """Upserts `rows` and syncs the metastore; returns the commit's instant. `settled`: they hold each key once.

        Crash-only: what a killed upsert left is rolled back here first, and a repeated one writes equal versions of equal
        keys. Only the holder of the lake's lease writes tables, one upsert a table at a time: a delta commit that is
        pending when an upsert begins therefore belongs to a writer that has ended.
        """
        with self._locks[table.path]:
            clear_dead_writes(rows.sparkSession, table)
            # Archiving takes away what tells orphans: from then on readers would see them. Looked for while it is surely there.
            if table.needs_services or len(table.delta_commits) % ORPHANS_EVERY == 0:
                remove_orphans(table)
            how = {"hoodie.combine.before.upsert": str(not settled).lower()}
            options = {**write_options(table, _zookeepers(rows.sparkSession)), **how}
            rows.write.format("hudi").options(**options).mode("append").save(str(table.path))
            self._sync(rows.sparkSession, table)
            return table.delta_commits[-1]

    def _sync(self, session: SparkSession, table: HudiTable) -> None:
        """Syncs the metastore unless this process has, since when neither the table's partitions nor its columns changed.

        What is compared is the table as it is, never what this write added: a process that was killed between a commit and
        its sync knows nothing, and the next one syncs with its first upsert.
        """
        found = table.partitions, committed_schema(table)
        if self._synced.get(table.path) != found:
            self._synced.pop(table.path, None)
            sync_metastore(session, table)
            self._synced[table.path] = found

    def plan_compaction(self, session: SparkSession, table: HudiTable) -> None:
        """Plans a compaction of all log files, unless one is pending.

        Only where no other process writes the table: a plan made beside a running writer can leave out its commits.
        """
        with self._locks[table.path]:
            if not table.pending_compactions:
                _schedule(session, table)

    def compact(self, session: SparkSession, table: HudiTable) -> int:
        """Carries out the table's pending compactions and returns how many. Writers of other processes may go on meanwhile.

        Crash-only: a compaction that was killed is pending, and is begun again; what it wrote before is rolled back then.
        """
        with self._locks[table.path]:
            instants = table.pending_compactions
            for instant in instants:
                _run_compaction(session, table, instant)
            return len(instants)


def clear_dead_writes(session: SparkSession, table: HudiTable) -> list[str]:
    """Rolls back delta commits that were begun and never completed; returns their instants. Compactions are left alone.

    Hudi itself would wait for the writer's heartbeat to expire, and meanwhile take the dead writer's base files for
    second ones of their buckets. A table without a single completed commit holds nothing, may be half made, and is
    removed to be made anew. To be called only where no writer of the table can be at work.
    """
    if not table.has_commits:
        remove_tree(table.path)
        return []
    instants = table.open_commits
    if instants:
        client = _client(session, table)
        try:
            for instant in instants:
                client.rollback(instant)
        finally:
            client.close()
    return instants


def committed_schema(table: HudiTable) -> str:
    """The columns of the table by its newest commit, as Avro's JSON."""
    newest = table.path / ".hoodie" / f"{table.delta_commits[-1]}.deltacommit"
    return str(json.loads(newest.read_bytes())["extraMetadata"]["schema"])


def key_of(table: HudiTable) -> list[Column]:
    """What makes two rows the same row to Hudi: the text of their record key, and their partition unless the index is global."""
    fields = (F.col(name).cast("string") for name in table.record_key)
    said = (F.when(field == "", "__empty__").otherwise(F.coalesce(field, F.lit("__null__"))) for field in fields)
    key = F.concat_ws(
        ",", *(F.concat(F.lit(f"{name}:"), text) for name, text in zip(table.record_key, said, strict=True))
    )
    return [key, F.col(table.partition_by)] if table.partition_by and not table.global_index else [key]


def sync_metastore(session: SparkSession, table: HudiTable) -> None:
    """Makes the metastore's table, columns and partitions those that the table has, all of them compared."""
    jvm: Any = session._jvm
    properties = jvm.org.apache.hudi.common.config.TypedProperties()
    for key, value in {**write_options(table), **sync_options(table)}.items():
        properties.setProperty(key, value)
    properties.setProperty("hoodie.meta_sync.spark.version", session.version)
    configuration = session._jsc.hadoopConfiguration()
    path = jvm.org.apache.hadoop.fs.Path(str(table.path))
    jvm.org.apache.hudi.sync.common.util.SyncUtilHelpers.runHoodieMetaSync(
        "org.apache.hudi.hive.HiveSyncTool", properties, configuration, path.getFileSystem(configuration),
        str(table.path), "PARQUET",
    )  # fmt: skip


def _identity(table: HudiTable) -> dict[str, str]:
    return {
        "hoodie.table.name": table.name,
        "hoodie.database.name": table.database,
        "hoodie.datasource.write.table.type": "MERGE_ON_READ",
        "hoodie.datasource.write.operation": "upsert",
        # Table versions 8 and 9 can't be read by Presto.
        "hoodie.write.table.version": "6",
        "hoodie.write.auto.upgrade": "false",
        "hoodie.datasource.write.recordkey.field": ",".join(table.record_key),
        "hoodie.datasource.write.precombine.field": ORDER,
        "hoodie.datasource.write.partitionpath.field": table.partition_by or "",
        "hoodie.datasource.write.hive_style_partitioning": "true",
        "hoodie.datasource.write.keygenerator.class": _key_generator(table),
        # A batch whose rules do not know a column that the table has by now writes null there, and takes none away.
        "hoodie.write.set.null.for.missing.columns": "true",
    }


def _key_generator(table: HudiTable) -> str:
    return "org.apache.hudi.keygen." + ("ComplexKeyGenerator" if table.partition_by else "NonpartitionedKeyGenerator")


def _index(table: HudiTable) -> dict[str, str]:
    if table.global_index:
        # Finds a row in whatever partition it is, and moves it: nothing is left behind in the old one.
        return {
            "hoodie.index.type": "GLOBAL_SIMPLE",
            "hoodie.simple.index.update.partition.path": "true",
            "hoodie.global.simple.index.parallelism": "2",
        }
    return {"hoodie.index.type": "BUCKET", "hoodie.bucket.index.num.buckets": str(table.buckets)}


def _services(table: HudiTable) -> dict[str, str]:
    return {
        # With a bucket index the metadata table brings nothing and costs a second a commit.
        "hoodie.metadata.enable": "false",
        "hoodie.embed.timeline.server": "false",
        "hoodie.upsert.shuffle.parallelism": "2",
        # Planning compactions, cleaning and archiving cost as much as a small commit: not with each of them.
        "hoodie.table.services.enabled": str(table.needs_services).lower(),
        "hoodie.clean.commits.retained": str(COMMITS_RETAINED),
        "hoodie.keep.min.commits": str(COMMITS_RETAINED + 10),
        "hoodie.keep.max.commits": str(COMMITS_RETAINED + 20),
        # The writer plans compactions between its own commits and never runs them.
        "hoodie.compact.inline": "false",
        "hoodie.compact.schedule.inline": "true",
        "hoodie.compact.inline.max.delta.commits": str(table.compact_after),
        "hoodie.write.concurrency.mode": "optimistic_concurrency_control",
        "hoodie.cleaner.policy.failed.writes": "LAZY",
    }


def _zookeepers(session: SparkSession) -> str:
    return str(session.conf.get(ZOOKEEPERS, ""))


def _lock(table: HudiTable, zookeepers: str) -> dict[str, str]:
    """Where Hudi locks the table while a commit or a compaction is completed."""
    provider = "org.apache.hudi.client.transaction.lock."
    if not zookeepers:
        return {"hoodie.write.lock.provider": provider + "InProcessLockProvider"}
    return {
        "hoodie.write.lock.provider": provider + "ZookeeperBasedLockProvider",
        "hoodie.write.lock.zookeeper.url": zookeepers,
        "hoodie.write.lock.zookeeper.base_path": "/carelake/hudi",
        "hoodie.write.lock.zookeeper.lock_key": f"{table.database}.{table.name}",
    }


def _meta_client(session: SparkSession, table: HudiTable) -> JavaObject:
    jvm: Any = session._jvm
    storage = jvm.org.apache.hudi.hadoop.fs.HadoopFSUtils.getStorageConf(session._jsc.hadoopConfiguration())
    builder = jvm.org.apache.hudi.common.table.HoodieTableMetaClient.builder()
    return builder.setBasePath(str(table.path)).setConf(storage).build()


def _client(session: SparkSession, table: HudiTable, **more: str) -> JavaObject:
    jvm: Any = session._jvm
    options = jvm.java.util.HashMap()
    always = {"hoodie.table.services.enabled": "true"}
    for key, value in {**write_options(table, _zookeepers(session)), **always, **more}.items():
        options.put(key, value)
    resolver = jvm.org.apache.hudi.common.table.TableSchemaResolver(_meta_client(session, table))
    schema = resolver.getTableAvroSchema(False).toString()
    return jvm.org.apache.hudi.DataSourceUtils.createHoodieClient(
        session._jsc, schema, str(table.path), table.name, options
    )


def _schedule(session: SparkSession, table: HudiTable) -> None:
    client = _client(session, table, **{"hoodie.compact.inline.max.delta.commits": "1"})
    try:
        client.scheduleCompaction(session._jvm.org.apache.hudi.common.util.Option.empty())
    finally:
        client.close()


def _run_compaction(session: SparkSession, table: HudiTable, instant: str) -> None:
    client = _client(session, table)
    try:
        metadata = client.compact(instant).getCommitMetadata().get()
        client.commitCompaction(instant, metadata, session._jvm.org.apache.hudi.common.util.Option.empty())
    finally:
        client.close()
