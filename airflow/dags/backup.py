"""Airflow DAG that backs the lake up every night and hashes all backups every week, where a second location is named."""

from include.dags import lake_dag
from include.lake import LakeOperator
from include.places import BACKUP

KEEP = 30
DOC = f"""
Copies what the last backup lacks to `{BACKUP or "the folder that CARELAKE_BACKUP names"}`, and keeps the {KEEP} newest backups.

A cluster's ingest goes on meanwhile. An embedded lake has to be at rest: while an ingest runs the task fails and is tried again. Where
that runs all day, stop it for the backup (`lake ingest stop`), by the same timer that starts it again. `docs/runbooks/restore.md` says how
to restore.
"""
VERIFY_DOC = """
Reads every content that the backups hold and compares it with its SHA-256.

A task that fails counts the damaged files; `lake backups --from FOLDER --verify` names them. The next backup does not mend them. In a
folder of contents, remove the damaged objects, and it copies those that the lake still has; in a mirror, make a new one in another place.
"""

if BACKUP:
    with lake_dag("backup", DOC, "30 3 * * *", tags=["upkeep"], hours=6):
        LakeOperator(task_id="backup", command=["backup", "--to", BACKUP, "--keep", str(KEEP)])

    with lake_dag("backup_check", VERIFY_DOC, "0 6 * * 0", tags=["upkeep"], hours=12, retries=2):
        LakeOperator(task_id="verify", command=["backups", "--from", BACKUP, "--verify"])
