"""Airflow DAGs of the reports: one for each that is in force by the last good snapshot. Which there are is no code's business."""

from include.reports import report_dags
from include.snapshot import read_snapshot

for dag in report_dags(read_snapshot()):
    globals()[dag.dag_id] = dag
