"""Where a lake lives: its folders, its metastore, its share of the machine.

A `Site` is all that differs between the embedded lake of one machine and a cluster; the jobs are the same.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
ENVIRONMENT = REPOSITORY / ".lake"
HUDI_BUNDLE = "org.apache.hudi:hudi-spark3.5-bundle_2.12:1.0.2"


@dataclass(frozen=True)
class Site:
    """An embedded lake in one local folder, `home`."""

    home: Path
    driver_memory: str = "3g"

    @property
    def landing(self) -> Path:
        """Zips that the landing agent has delivered, a folder a feed family."""
        return self.home / "landing"

    @property
    def claimed(self) -> Path:
        """Zips that the ingest job works on, `<epoch>/<batch>/`, each batch with its manifest."""
        return self.home / "claimed"

    @property
    def vault(self) -> Path:
        """Raw zips that went through, kept."""
        return self.home / "vault"

    @property
    def quarantine(self) -> Path:
        """Raw zips that were refused as a whole, kept."""
        return self.home / "quarantine"

    @property
    def warehouse(self) -> Path:
        """The tables' files."""
        return self.home / "warehouse"

    @property
    def metastore(self) -> Path:
        """The embedded metastore's database; it serves one process at a time."""
        return self.home / "metastore"

    @property
    def known_zips(self) -> Path:
        """The index of the zips that the ledger has; made anew where it is missing."""
        return self.home / "known_zips.sqlite"

    @property
    def scratch(self) -> Path:
        """Temporary files of Spark and Java, with patients' records in them; of no use once the process has ended."""
        return self.home / "scratch"

    @property
    def reports(self) -> Path:
        """Editions of reports, `<folder>/<day>/`."""
        return self.home / "reports"

    @property
    def logs(self) -> Path:
        """What the jobs say; no value from the data may be in it."""
        return self.home / "logs"

    @property
    def endpoint(self) -> Path:
        """Address and password of the Hive JDBC endpoint, while a process offers one."""
        return self.home / ".endpoint"

    @property
    def restoring(self) -> Path:
        """Which backup the lake is being restored from; while it is there, nothing else may be done with the lake."""
        return self.home / ".restoring"

    def make_folders(self) -> None:
        """Makes the lake's folders, readable by their owner alone."""
        for folder in (
            self.landing,
            self.claimed,
            self.vault,
            self.quarantine,
            self.warehouse,
            self.scratch,
            self.logs,
        ):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def default_home() -> Path:
    """`CARELAKE_HOME`, or `.lake/site` in the checkout."""
    return Path(os.environ.get("CARELAKE_HOME", ENVIRONMENT / "site")).expanduser().absolute()
