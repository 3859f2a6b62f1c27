"""Airflow DAG that has Presto count rows and distinct values of every table, once a week."""

from include.dags import lake_dag
from include.lake import LakeOperator

DOC = """
Has Presto read each table and keep in the metastore how many rows and distinct values it has, by which it orders joins.

Old statistics make queries slower, never wrong. A task that fails names the tables; the others were analyzed. `lake tables analyze TABLE`
does it for some. An embedded lake has no Presto, and the task is skipped.
"""

with lake_dag("table_statistics", DOC, "20 5 * * 6", tags=["upkeep"], hours=6):
    LakeOperator(task_id="analyze", command=["tables", "analyze"], skip_if="no_presto")
