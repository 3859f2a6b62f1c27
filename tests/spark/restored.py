"""`python -m tests.spark.restored HOME TRUTH`: what a lake holds, as JSON: differences from the truth, and what else a restore must bring."""

import json
import sys
from pathlib import Path

from spark_jobs.site import Site
from spark_jobs.tables.lake import Lake, open_lake
from tests import reconcile

QUESTIONS = (
    "SELECT count(*) FROM rules.report",
    "SELECT count(*), count(DISTINCT report_date) FROM reports.admissions",
    "SELECT count(*) FROM ops.ledger WHERE state = 'loaded'",
    "DESCRIBE lake.encounter",
)
FOLDERS = ("landing", "vault", "quarantine", "reports")


def contents(lake: Lake, truth: Path):
    """What two lakes with the same contents have in common."""
    files = (path for folder in FOLDERS for path in (lake.site.home / folder).rglob("*"))
    return {
        "differences": reconcile.differences(lake.session, truth),
        "answers": [[list(row) for row in lake.session.sql(question).collect()] for question in QUESTIONS],
        "files": sorted(str(path.relative_to(lake.site.home)) for path in files),
    }


def main() -> None:
    home, truth = map(Path, sys.argv[1:])
    with open_lake(Site(home), "tests.spark.restored") as lake:
        found = contents(lake, truth)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
