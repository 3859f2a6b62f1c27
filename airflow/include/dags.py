"""What every DAG of the lake has in common: owner, tags, retries, time limits, pools, a deadline, and how to triage it."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from include.alarms import on_deadline, on_failure

OWNER = "carelake"
START = datetime(2026, 1, 1, tzinfo=UTC)
TRIAGE = """

### If it fails
1. The last lines of the task's log say what kept it from its work: which feed, table, rule or process, never a value.
2. *In use by process …*: another command has the lake. The retries wait for it; nothing needs doing.
3. Every task can be cleared and run again at any time: what was done is found done, or is done again with the same result.
4. More: `docs/runbooks/dags.md`.
"""


def lake_dag(
    dag_id: str,
    doc: str,
    schedule: Any,
    *,
    tags: Sequence[str],
    hours: float,
    owner: str = OWNER,
    pool: str = "lake",
    retries: int = 4,
    at_once: int = 1,
    **more: Any,
) -> DAG:
    """A DAG whose runs should end within so many `hours`, each task within that time too.

    No more than `at_once` runs of the DAG overlap, and missed ones are not made up for: what a task does depends on what it finds.
    """
    limit = timedelta(hours=hours)
    return DAG(
        dag_id,
        description=inspect.cleandoc(doc).splitlines()[0],
        doc_md=inspect.cleandoc(doc) + TRIAGE,
        schedule=schedule,
        start_date=START,
        catchup=False,
        max_active_runs=at_once,
        is_paused_upon_creation=False,
        dagrun_timeout=limit * 4,
        tags=["carelake", *tags],
        deadline=DeadlineAlert(
            reference=DeadlineReference.DAGRUN_QUEUED_AT,
            interval=limit,
            callback=AsyncCallback(on_deadline, kwargs={"dag": dag_id, "hours": hours}),
        ),
        default_args={
            "owner": owner,
            "pool": pool,
            "retries": retries,
            "retry_delay": timedelta(minutes=1),
            "retry_exponential_backoff": True,
            "max_retry_delay": timedelta(minutes=30),
            "execution_timeout": limit,
            "on_failure_callback": on_failure,
        },
        **more,
    )
