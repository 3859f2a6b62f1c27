"""Telling people that a run failed or is late: names and days, never what an error said."""

from __future__ import annotations

import logging
import subprocess
from typing import Any

from include.places import ALARM

LOG = logging.getLogger("carelake.alarms")
SECONDS = 30
RUNBOOK = "What to do: docs/runbooks/dags.md"


def on_failure(context: Any) -> None:
    """Tells of a task that has failed for good. What the error said is left out: the task's log has what may be said of it."""
    task = context["task_instance"]
    alarm(f"failed: DAG {task.dag_id}, task {task.task_id}, run of {_day(context)}. {RUNBOOK}")


async def on_deadline(**given: Any) -> None:
    """Tells of a run that should have ended by now; called by the triggerer."""
    alarm(f"late: DAG {given['dag']}: a run is queued or at work for longer than {given['hours']} hours. {RUNBOOK}")


def alarm(text: str) -> None:
    """Logs the sentence, and gives it to the site's own alarm program, which must not keep anyone waiting."""
    LOG.critical(text)
    if ALARM:
        try:
            subprocess.run([ALARM], input=text, text=True, timeout=SECONDS, check=True, capture_output=True)  # noqa: S603
        except (OSError, subprocess.SubprocessError) as error:
            LOG.error("the alarm program %s: %s", ALARM, type(error).__name__)


def _day(context: Any) -> str:
    run = context["dag_run"]
    return f"{run.logical_date or run.run_after:%Y-%m-%d %H:%M}"
