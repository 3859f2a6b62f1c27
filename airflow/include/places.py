"""Where the lake's command and its files are; all of it is said by the environment of Airflow's processes."""

from __future__ import annotations

import os
from pathlib import Path

COMMAND = os.environ.get("CARELAKE_COMMAND", str(Path(__file__).resolve().parents[2] / "lake"))
DAGS = Path(
    os.environ.get("CARELAKE_DAGS", Path(os.environ.get("AIRFLOW_HOME", Path.home() / "airflow")) / "dags.json")
)
# A second location for backups; without it there is no DAG that makes them.
BACKUP = os.environ.get("CARELAKE_BACKUP", "")
# A program that is given one sentence on its standard input whenever somebody should look.
ALARM = os.environ.get("CARELAKE_ALARM", "")
