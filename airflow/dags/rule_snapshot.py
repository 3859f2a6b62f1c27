"""Airflow DAG that keeps the snapshot of the rules fresh: so a report that someone inserts becomes a DAG within minutes."""

from airflow.sdk import task

from include.dags import lake_dag
from include.lake import LakeOperator
from include.places import DAGS
from include.reports import try_report_dags
from include.snapshot import adopt

CANDIDATE = DAGS.with_name(f"{DAGS.name}.new")
DOC = """
Asks the lake which reports and tables are in force, and makes the DAGs of that from then on.

The answer is tried first: the DAGs of all reports are built of it. If that fails, the last good snapshot stays, and so do the
DAGs. A report that does not appear is not valid (`lake report check` says why) or this DAG is failing.
"""

with lake_dag("rule_snapshot", DOC, "*/3 * * * *", tags=["upkeep"], hours=0.25, pool="lake_quick", retries=1):

    @task(task_id="adopt")
    def adopt_candidate() -> dict[str, int]:
        """Puts the answer in force, if all DAGs can be made of it."""
        snapshot = adopt(CANDIDATE, try_report_dags)
        return {"reports": len(snapshot.reports), "tables": len(snapshot.tables)}

    LakeOperator(task_id="ask", command=["airflow", "snapshot", "--out", str(CANDIDATE)]) >> adopt_candidate()
