import os

import pytest

from spark_jobs.lab.lab import prepare_machine
from tests.lab.lake import DROP, WAVES, airflow, insert_rules, lake
from tests.lab.machine import copy_to, host_of, look, run_lake
from tests.simulator import simulate

# Set, it has the tests use the lab that is up, deployed already: for whoever works on a test.
KEEP = "CARELAKE_LAB_KEEP"


@pytest.fixture(scope="session")
def machine_before():
    """How the machine was before any lab, but for the tools of a lab, with which it is looked at."""
    prepare_machine()
    run_lake("lab", "down")
    return look()


@pytest.fixture(scope="session")
def deployed(request):
    """The small lab, deployed; its hosts are ended whatever happens. With KEEP set, that which is up, and it stays."""
    if KEEP in os.environ:
        yield
        return
    request.getfixturevalue("machine_before")
    try:
        run_lake("lab", "up", "--site", "inventory/lab-small")
        run_lake("lab", "deploy")
        yield
    finally:
        run_lake("lab", "down")


@pytest.fixture(scope="session")
def deliveries(deployed, tmp_path_factory):
    """Deliveries in waves, which are on a host of the lab, and the truth after each of them; rules, where there were none.

    From here on Airflow compacts and backs up only when a test lets it.
    """
    for dag in ("table_services", "backup"):
        airflow("dags", "pause", dag, "--yes")
    folder = tmp_path_factory.mktemp("deliveries")
    simulate(folder, 4, 60, seed=11, waves=WAVES, edge_mb=0, each_wave=True)
    # Commands from here run there.
    copy_to(host_of("nodemanagers"), folder / "drop", DROP, owner="lake")
    if not lake("feed", "list")["feeds"]:
        insert_rules()
    return folder / "truth"
