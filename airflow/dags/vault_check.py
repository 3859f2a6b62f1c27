"""Airflow DAG that reads a thirtieth of the vault every day and hashes every zip in it: all of it within a month."""

from include.dags import lake_dag
from include.lake import LakeOperator

PARTS = 30
DOC = """
Reads bundles of the vault and compares the SHA-256 of every zip with the index, a thirtieth of the vault a day.

A zip whose bytes have changed, or a bundle that is gone, fails the task; its log counts them. `lake vault verify --part N/30`
names them, by ids. Restore those bundles from a backup (`docs/runbooks/restore.md`) before anything is replayed from them.
"""

with lake_dag("vault_check", DOC, "40 3 * * *", tags=["upkeep"], hours=6, retries=2):
    day = f"{{{{ (logical_date or dag_run.run_after).toordinal() % {PARTS} + 1 }}}}"
    LakeOperator(task_id="verify", command=["vault", "verify", "--part", f"{day}/{PARTS}"])
