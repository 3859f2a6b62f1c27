"""Airflow DAG that compacts tables, that with the largest debt first, all in one process."""

from include.dags import lake_dag
from include.lake import LakeOperator

DOC = """
Carries out pending compactions, and merges the log files of tables that have many, the table with the largest debt first.

While `lake ingest --continuous` has the lake there is nothing to do, and the task is skipped: the ingest alone may plan compactions beside its
own commits, and carries them out itself. A compaction that was killed is begun again by the next run. Old files are removed by the
writer's own cleaning. `lake tables list` shows how tables lie on disk.
"""

with lake_dag("table_services", DOC, "20 * * * *", tags=["upkeep"], hours=3):
    LakeOperator(task_id="compact", command=["tables", "compact", "--due"], skip_if="by_ingest")
