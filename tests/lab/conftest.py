import pytest

from tests.lab.machine import look, run_lake


@pytest.fixture(scope="session")
def machine_before():
    """How the machine was before any lab."""
    run_lake("lab", "down")
    return look()


@pytest.fixture(scope="session")
def deployed(machine_before):
    """The small lab, deployed; its hosts are ended whatever happens."""
    try:
        run_lake("lab", "up", "--site", "inventory/lab-small")
        run_lake("lab", "deploy")
        yield
    finally:
        run_lake("lab", "down")
