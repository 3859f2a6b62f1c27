"""What Airflow makes its DAGs of: the reports in force and the target tables, as one JSON file on Airflow's own disk.

Airflow reads that file and never asks the lake while it parses DAGs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from spark_jobs.errors import LakeError
from spark_jobs.landing.files import names, write_json
from spark_jobs.rules.model import Report
from spark_jobs.rules.report_checks import feeds_of
from spark_jobs.rules.revisions import RuleSet
from spark_jobs.rules.schedules import parse_schedule
from spark_jobs.site import Site
from spark_jobs.tables.hudi import HudiTable

FORMAT = 1


def write_dag_snapshot(rules: RuleSet, path: Path) -> dict[str, Any]:
    """Writes the snapshot of `rules` to `path`, whole or not at all, and returns it. The same rules give the same bytes.

    Raises LakeError where no target table is in force: a lake that lost its rules must not take the DAGs with it.
    """
    if not rules.targets:
        raise LakeError(
            "lake airflow snapshot", "no target table is in force", "The snapshot stays as it was. See: lake feed check"
        )
    snapshot = {
        "format": FORMAT,
        "reports": [_report(report, rules) for _, report in sorted(rules.reports.items())],
        "tables": [f"lake.{target}" for target in sorted(rules.targets)],
    }
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_json(path, snapshot)
    return snapshot


def newest_commits(site: Site) -> dict[str, str]:
    """The instant of the newest commit of each target table, as `lake.<target>`, by the timelines: nobody is asked or waits."""
    raw = site.warehouse / "raw"
    found = {name: HudiTable("raw", name, raw / name, ()).delta_commits for name in sorted(names(raw))}
    return {f"lake.{name}": commits[-1] for name, commits in found.items() if commits}


def _report(report: Report, rules: RuleSet) -> dict[str, Any]:
    schedule = parse_schedule(report.schedule)
    return {
        "report": report.report,
        "revision": report.revision,
        "title": report.title,
        "description": report.description.strip(),
        "owner": report.owner,
        "cron": schedule.cron,
        "tables": list(schedule.tables),
        "feeds": feeds_of(report, rules.feeds),
        "outputs": list(report.outputs),
        "folder": report.folder or report.report,
    }
