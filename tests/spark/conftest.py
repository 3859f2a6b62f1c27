"""One lake and one Spark session for all tests of this tier: three waves of deliveries, taken in one after the other."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from spark_jobs.backups.contents import Contents
from spark_jobs.cli.feed import RULE_FILES, apply_rules
from spark_jobs.jobs.backup import make_backup
from spark_jobs.jobs.ingest import ingest_once
from spark_jobs.jobs.progress import IngestReport
from spark_jobs.landing.agent import land_folder
from spark_jobs.site import Site
from spark_jobs.tables.access import access_of
from spark_jobs.tables.lake import Lake, open_lake
from tests.simulator import simulate

WAVES = 3


@dataclass(frozen=True)
class Filled:
    """A lake that has taken in everything that was delivered, with a backup made after each wave."""

    lake: Lake
    deliveries: Path
    reports: list[IngestReport]
    backups: Path

    @property
    def truth(self) -> Path:
        return self.deliveries / "truth"


@pytest.fixture(scope="session")
def filled(tmp_path_factory):
    deliveries = tmp_path_factory.mktemp("deliveries")
    simulate(deliveries, 8, 40, seed=3, waves=WAVES, edge_mb=1)
    with open_lake(Site(tmp_path_factory.mktemp("lake")), "lake test") as lake:
        assert not apply_rules(access_of(lake), RULE_FILES).refused
        reports, backups = [], tmp_path_factory.mktemp("backups")
        for wave in range(1, WAVES + 1):
            list(land_folder(lake.site.landing, deliveries / "drop" / str(wave), keep=True))
            reports.append(ingest_once(lake))
            make_backup(access_of(lake), Contents(backups))
        yield Filled(lake, deliveries, reports, backups)
