"""Airflow DAG that turns commits on target tables into asset events, at most one a table every five minutes."""

from airflow.sdk import AssetAlias, task

from include.dags import lake_dag
from include.lake import ask
from include.reports import table_asset

CHANGED = AssetAlias("changed_tables")
DOC = """
Tells Airflow which target tables have changed since it looked last, so that reports that follow them are made.

It reads the tables' timelines. The ingest knows nothing of it and never waits for it. What was told last is in the newest event: if
this DAG is stopped or killed, its next run tells what has come meanwhile.
"""

with lake_dag("table_changes", DOC, "*/5 * * * *", tags=["upkeep"], hours=0.25, pool="lake_quick", retries=1):

    @task(inlets=[CHANGED], outlets=[CHANGED])
    def tell(*, inlet_events, outlet_events) -> dict[str, int]:
        """An event for each table whose newest commit is not that of the last event, which knows them all."""
        commits = ask("airflow", "changes")["commits"]
        last = [event.extra["commits"] for event in inlet_events[CHANGED].ascending(False).limit(1)]
        told = last[0] if last else {}
        changed = [table for table, instant in commits.items() if instant != told.get(table)]
        for table in changed:
            outlet_events[CHANGED].add(table_asset(table), extra={"commits": commits})
        return {"tables": len(commits), "changed": len(changed)}

    tell()
