"""A DAG for each report: it makes the edition of a day, again whenever it is asked to."""

from __future__ import annotations

from datetime import timedelta
from functools import reduce
from operator import or_
from typing import Any

from airflow.sdk import DAG, Asset, Param
from airflow.serialization.serialized_objects import DagSerialization

from include.dags import OWNER, lake_dag
from include.lake import LakeOperator
from include.snapshot import ReportRow, Snapshot

DAY = r"^\d{4}-\d{2}-\d{2}$"


def table_asset(table: str) -> Asset:
    """The asset of a target table, named as readers name it: `lake.<target>`."""
    return Asset(name=table, uri=f"carelake://{table.replace('.', '/')}")


def report_dags(snapshot: Snapshot) -> list[DAG]:
    """The DAGs of all reports."""
    return [report_dag(row) for row in snapshot.reports]


def try_report_dags(snapshot: Snapshot) -> None:
    """Makes the DAGs of all reports and reads them as the scheduler will; raises whatever it would stumble over."""
    for dag in report_dags(snapshot):
        DagSerialization.from_dict(DagSerialization.to_dict(dag)).timetable.validate()


def report_dag(row: ReportRow) -> DAG:
    """The DAG of a report, by its schedule or after any of the tables that it follows has changed."""
    schedule = row.cron or reduce(or_, (table_asset(table) for table in row.tables))
    with lake_dag(
        f"report_{row.report}",
        _doc(row),
        schedule,
        tags=["report", *(f"reads {feed}" for feed in row.feeds)],
        hours=2,
        owner=row.owner.replace(",", " ") or OWNER,
        retries=8,  # with the waits between them about three hours for a feed that is late
        at_once=4,  # an edition that waits does not keep those of other days from being made
        dag_display_name=row.title,
        params={
            "day": Param(None, type=["null", "string"], pattern=DAY, description="Another day than that of the run.")
        },
        user_defined_macros={"edition_day": edition_day},
    ) as dag:
        LakeOperator(
            task_id="edition",
            command=["report", "run", row.report, "--date", "{{ edition_day(dag_run, params) }}"],
            doc_md="Makes the edition: files, and a partition of its table. Made again, it replaces itself.",
        )
    return dag


def edition_day(dag_run: Any, params: Any) -> str:
    """The day of the edition that a run makes: the day before its moment, or that of the change it follows."""
    if params.get("day"):
        return str(params["day"])
    if dag_run.logical_date is None:
        return f"{dag_run.run_after:%Y-%m-%d}"
    return f"{dag_run.logical_date - timedelta(days=1):%Y-%m-%d}"


def _doc(row: ReportRow) -> str:
    when = f"cron `{row.cron}`, UTC" if row.cron else f"after a change of {', '.join(row.tables)}"
    facts = (
        f"- Made: {when}; revision {row.revision} of the report.\n"
        f"- Waits for: {', '.join(row.feeds) or 'no feed'}. A feed that is late is named in the log, and tried again for hours.\n"
        f"- Gives: {', '.join(row.outputs)} in `reports/{row.folder}/<day>/`.\n"
        "- Another day: trigger it with the parameter `day`. Many days: a backfill; each run makes the day before its date."
    )
    return f"{row.title}\n\n{row.description}\n\n{facts}"
