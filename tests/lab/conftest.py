import os

import pytest

from tests.lab.machine import look, run_lake

# Set, it has the tests use the lab that is up, deployed already: for whoever works on a test.
KEEP = "CARELAKE_LAB_KEEP"


@pytest.fixture(scope="session")
def machine_before():
    """How the machine was before any lab."""
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
