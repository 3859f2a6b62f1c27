"""`python -m tests.spark.restored HOME TRUTH BACKUPS`: what a restored lake holds, and after one of its tables was lost and put back."""

import json
import shutil
import sys
from pathlib import Path

from spark_jobs.backups.contents import Contents
from spark_jobs.backups.points import Store
from spark_jobs.jobs.ingest import ingest_once
from spark_jobs.jobs.restore import restore_table
from spark_jobs.site import Site
from spark_jobs.tables.access import access_of
from spark_jobs.tables.lake import Lake, open_lake
from tests import reconcile

QUESTIONS = (
    "SELECT count(*) FROM rules.report",
    "SELECT count(*), count(DISTINCT report_date) FROM reports.admissions",
    "SELECT count(*) FROM ops.ledger WHERE state = 'loaded'",
    "DESCRIBE lake.encounter",
)
FOLDERS = ("landing", "vault", "quarantine", "reports")
LOST = "encounter"


def contents(lake: Lake, truth: Path):
    """What two lakes with the same contents have in common."""
    files = (path for folder in FOLDERS for path in (lake.site.home / folder).rglob("*"))
    return {
        "differences": reconcile.differences(lake.session, truth),
        "answers": [[list(row) for row in lake.session.sql(question).collect()] for question in QUESTIONS],
        "files": sorted(str(path.relative_to(lake.site.home)) for path in files),
    }


def lose_a_table(lake: Lake, store: Store):
    """Removes a table's files, puts it back from the oldest backup, and lets it catch up; returns how many zips it took."""
    shutil.rmtree(lake.site.warehouse / "raw" / LOST)
    done = restore_table(access_of(lake), store, store.read(store.names()[0]), LOST)
    report = ingest_once(lake)
    assert not report.failed
    return {"landed_again": done.landed_again, "loaded": report.zips["loaded"]}


def main() -> None:
    home, truth, backups = map(Path, sys.argv[1:])
    with open_lake(Site(home), "tests.spark.restored") as lake:
        found = {"whole": contents(lake, truth), **lose_a_table(lake, Contents(backups))}
        found["table"] = reconcile.differences(lake.session, truth)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
