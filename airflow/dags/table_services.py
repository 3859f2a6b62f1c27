"""Airflow DAG that compacts tables, that with the largest debt first, all in one process, and removes files that belong to nothing."""

from airflow.sdk import TriggerRule

from include.dags import lake_dag
from include.lake import LakeOperator

DOC = """
Carries out pending compactions, and merges the log files of tables that have many, the table with the largest debt first.

While `lake ingest --continuous` has the lake, it alone may plan compactions, between its own commits. In a cluster this DAG carries them out
beside it, all in one Spark application; a plan that waits for hours is carried out by the ingest. An embedded lake's ingest does it itself, and
the task is skipped. A compaction that was killed is begun again by the next run. Old files are removed by the writer's own cleaning, which has no part in
files that no commit knows: a task leaves them that outlives its writer. `orphans` removes those; a rising count says that hosts are lost often.
`lake tables list` shows how tables lie on disk.
"""

with lake_dag("table_services", DOC, "*/10 * * * *", tags=["upkeep"], hours=3):
    compact = LakeOperator(task_id="compact", command=["tables", "compact", "--due"], skip_if="by_ingest")
    compact >> LakeOperator(
        task_id="orphans", command=["tables", "orphans", "--remove"], trigger_rule=TriggerRule.NONE_FAILED
    )
