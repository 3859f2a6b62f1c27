"""What a cluster's lake has outside of its folders in HDFS, brought into them before a backup: so it is in the same snapshot.

Each file is written aside and renamed: killed at any line, the one of the backup before is there still, whole.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from shutil import copyfileobj

from spark_jobs.errors import LakeError
from spark_jobs.landing.files import AnyPath, copy, open_whole
from spark_jobs.site import Site


def gather(site: Site) -> None:
    """Dumps the cluster's databases, and takes in the bundle of its inventory. Raises LakeError where a dump fails."""
    if site.cluster is None:
        return
    for name, address in site.cluster.databases.items():
        _dump(name, address, site.outside / f"{name}.dump")
    if site.cluster.bundle:
        target = site.outside / Path(site.cluster.bundle).name
        with open_whole(target) as out:
            copy(Path(site.cluster.bundle), out)


def _dump(name: str, address: str, target: AnyPath) -> None:
    """Dumps a database of PostgreSQL, as pg_restore reads it; what pg_dump says goes no further, for it may quote data."""
    command = ["pg_dump", "--format=custom", "--no-password", f"--dbname={address}"]
    with (
        open_whole(target) as out,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process,  # noqa: S603
    ):
        assert process.stdout is not None
        copyfileobj(process.stdout, out)
        if code := process.wait():
            hint = f'Try: sudo -u lake pg_dump --schema-only "{address}"'
            raise LakeError(f"database {name}", f"pg_dump ended with {code}", hint)
