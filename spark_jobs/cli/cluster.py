"""Commands of a cluster's lake: those that write its tables run as an application of YARN, and leave their result in HDFS (`output`)."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Sequence
from typing import Any

from spark_jobs.cli.output import RESULT
from spark_jobs.errors import LakeError
from spark_jobs.landing.lease import Holder, holder
from spark_jobs.programs import run_program
from spark_jobs.site import REPOSITORY, SITE_FILE, Site
from spark_jobs.tables.session import cluster_settings

# From the submission until the lake is held: containers, a JVM, Python, and a predecessor that has to be over.
START_SECONDS = 300.0
# A lost host ends an attempt through no fault of the job: attempts are counted within the last hour alone.
ATTEMPTS = {"spark.yarn.maxAppAttempts": "5", "spark.yarn.am.attemptFailuresValidityInterval": "1h"}


def is_to_be_submitted(site: Site) -> bool:
    """Whether a command that writes tables is asked for on a host of a cluster, and not in a container of YARN already."""
    return site.cluster is not None and "CONTAINER_ID" not in os.environ


def run_in_yarn(site: Site, *arguments: str) -> dict[str, Any]:
    """Runs `lake <arguments>` as an application of YARN to its end; returns its result. Raises LakeError if it left none."""
    result = site.home / "runs" / f"{uuid.uuid4().hex}.json"
    problem = _submit(
        site, arguments, {"spark.yarn.appMasterEnv." + RESULT: result.name, "spark.yarn.maxAppAttempts": "1"}
    )
    try:
        told = json.loads(result.read_bytes())
    except FileNotFoundError:
        raise LakeError(f"lake {' '.join(arguments)}", "its application failed", problem) from None
    result.unlink(missing_ok=True)
    if error := told.get("error"):
        raise LakeError(error["where"], error["problem"], error["hint"])
    return dict(told)


def start_in_yarn(site: Site, *arguments: str) -> Holder:
    """Starts `lake <arguments>` as an application of YARN that goes on by itself; returns when it has the lake.

    Raises LakeError where another one has it, or this one does not get that far.
    """
    if by := holder(site):
        raise LakeError(str(site.home), f"in use by {by.who} ({by.what})", "Stop it first: lake ingest stop")
    problem = _submit(site, arguments, {"spark.yarn.submit.waitAppCompletion": "false", **ATTEMPTS})
    deadline = time.monotonic() + START_SECONDS
    while not problem and time.monotonic() < deadline:
        if by := holder(site):
            return by
        time.sleep(1)
    where = f"lake {' '.join(arguments)}"
    raise LakeError(where, "its application has not taken up the lake", problem or "See: yarn application -list")


def _submit(site: Site, arguments: Sequence[str], settings: dict[str, str]) -> str:
    """Submits; returns the last lines of what Spark says if that fails, else nothing."""
    path = os.environ.get("PYTHONPATH", str(REPOSITORY))
    everywhere = {
        "spark.yarn.appMasterEnv." + SITE_FILE: os.environ[SITE_FILE],
        "spark.yarn.appMasterEnv.PYTHONPATH": path,
        "spark.executorEnv.PYTHONPATH": path,
        "spark.yarn.appMasterEnv.MPLCONFIGDIR": "./matplotlib",
    }
    said = {**cluster_settings(site), **everywhere, **settings}
    options = [word for key, value in said.items() for word in ("--conf", f"{key}={value}")]
    main = str(REPOSITORY / "spark_jobs" / "cli" / "__main__.py")
    name = f"lake {' '.join(arguments)}"
    how = ("--master", "yarn", "--deploy-mode", "cluster", "--name", name)
    failure = run_program(["spark-submit", *how, *options, main, *arguments])
    return failure.last_lines if failure else ""
