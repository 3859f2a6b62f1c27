"""Where a lake lives: its folders, its metastore, its share of the machine.

A `Site` is all that differs between the embedded lake of one machine and a cluster; the jobs are the same.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from spark_jobs.hdfs import HdfsPath, NameNodes

REPOSITORY = Path(__file__).resolve().parent.parent
ENVIRONMENT = REPOSITORY / ".lake"
# Names the file that describes a cluster's lake; without it the lake is an embedded one.
SITE_FILE = "CARELAKE_SITE"
HUDI_BUNDLE = "org.apache.hudi:hudi-spark3.5-bundle_2.12:1.0.2"


@dataclass(frozen=True)
class Cluster:
    """The services of a cluster that has a lake, and the user who works for it. Addresses are `host:port`, web ones URLs.

    `hive` and `presto` answer SQL; `spark` holds the settings of the lake's own Spark applications on YARN. `backup` is
    where its backups go, as `hdfs://…`, which NameNodes of `backup_namenodes` serve, or as a folder of the hosts; `distcp` is
    the words that start it, `databases` says how pg_dump reaches each, `bundle` is the file of the inventory and its vault.
    A compaction that was planned is left to Airflow for `compaction_patience_seconds`; then the ingest carries it out itself.
    """

    user: str
    namenodes: tuple[str, ...]
    resourcemanagers: tuple[str, ...]
    zookeepers: tuple[str, ...]
    hive: tuple[str, ...]
    presto: tuple[str, ...]
    spark: Mapping[str, str] = field(hash=False, default_factory=dict)
    compaction_patience_seconds: int = 0
    backup: str = ""
    backup_namenodes: tuple[str, ...] = ()
    distcp: tuple[str, ...] = ()
    databases: Mapping[str, str] = field(hash=False, default_factory=dict)
    bundle: str = ""


@dataclass(frozen=True)
class Site:
    """A lake in `home`: a local folder, or one in the HDFS of `cluster`."""

    home: Path | HdfsPath
    driver_memory: str = "3g"
    cluster: Cluster | None = None

    @property
    def local(self) -> Path:
        """Where a process keeps what is for itself: in a container of YARN that goes when it ends."""
        return Path.cwd() / "lake" if self.cluster else self.home  # type: ignore[return-value]

    @property
    def landing(self) -> Path | HdfsPath:
        """Zips that the landing agent has delivered, a folder a feed family."""
        return self.home / "landing"

    @property
    def claimed(self) -> Path | HdfsPath:
        """Zips that the ingest job works on, `<epoch>/<batch>/`, each batch with its manifest."""
        return self.home / "claimed"

    @property
    def vault(self) -> Path | HdfsPath:
        """Raw zips that went through, kept."""
        return self.home / "vault"

    @property
    def quarantine(self) -> Path | HdfsPath:
        """Raw zips that were refused as a whole, kept."""
        return self.home / "quarantine"

    @property
    def warehouse(self) -> Path | HdfsPath:
        """The tables' files."""
        return self.home / "warehouse"

    @property
    def metastore(self) -> Path:
        """The embedded metastore's database; it serves one process at a time."""
        return self.local / "metastore"

    @property
    def known_zips(self) -> Path:
        """The index of the zips that the ledger has; made anew where it is missing."""
        return self.local / "known_zips.sqlite"

    @property
    def scratch(self) -> Path:
        """Temporary files of Spark and Java, with patients' records in them; of no use once the process has ended."""
        return self.local / "scratch"

    @property
    def reports(self) -> Path | HdfsPath:
        """Editions of reports, `<folder>/<day>/`."""
        return self.home / "reports"

    @property
    def logs(self) -> Path:
        """What the jobs say; no value from the data may be in it. YARN keeps what is in a container's folder for logs."""
        if self.cluster and "LOG_DIRS" in os.environ:
            return Path(os.environ["LOG_DIRS"].partition(",")[0])
        return self.local / "logs"

    @property
    def endpoint(self) -> Path:
        """Address and password of the Hive JDBC endpoint, while a process offers one."""
        return self.local / ".endpoint"

    @property
    def outside(self) -> Path | HdfsPath:
        """What a cluster has of a lake outside of these folders, as of the last backup: dumps of databases, the inventory."""
        return self.home / "site"

    @property
    def restoring(self) -> Path | HdfsPath:
        """Which backup the lake is being restored from; while it is there, nothing else may be done with the lake."""
        return self.home / ".restoring"

    def make_folders(self) -> None:
        """Makes the lake's folders, readable by their owner alone; in a cluster Ansible has made those in HDFS."""
        shared = () if self.cluster else (self.landing, self.claimed, self.vault, self.quarantine, self.warehouse)
        for folder in (*shared, self.scratch, self.logs):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def read_site(path: Path) -> Site:
    """The cluster's lake that the file describes, as Ansible's role `carelake` writes it."""
    told = json.loads(path.read_bytes())
    home = urlsplit(told.pop("home"))
    given: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in told.items()}
    cluster = Cluster(**given)
    namenodes = NameNodes(home.netloc, cluster.namenodes, cluster.user)
    return Site(HdfsPath(PurePosixPath(home.path), namenodes), cluster=cluster)


def default_home() -> Path:
    """`CARELAKE_HOME`, or `.lake/site` in the checkout."""
    return Path(os.environ.get("CARELAKE_HOME", ENVIRONMENT / "site")).expanduser().absolute()
