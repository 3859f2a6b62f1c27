"""A disk that fills up: nothing more is claimed, a person is told, and it goes on once there is room."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from spark_jobs.errors import LakeError
from spark_jobs.jobs import ingest
from spark_jobs.landing.agent import land_folder
from spark_jobs.landing.claim import landed_zips

pytestmark = pytest.mark.spark

PATIENCE_SECONDS = 120


@pytest.fixture
def landed(filled):
    """Deliveries that the ledger has: the ingest discards them, and no table changes."""
    list(land_folder(filled.lake.site.landing, filled.deliveries / "drop" / "1", keep=True))
    return filled.lake.site.landing


def eventually(is_so):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_continuous_run_waits_for_room_and_tells_once(filled, landed, monkeypatch):
    told, stop = [], threading.Event()
    with monkeypatch.context() as full, ThreadPoolExecutor(1) as beside:
        full.setattr(ingest, "LEAST_FREE_BYTES", 1 << 62)
        run = ingest.IngestRun(filled.lake, ingest.Listener(alarm=told.append))
        ended = beside.submit(run.until_stopped, stop)
        try:
            eventually(lambda: told)
            time.sleep(2 * ingest.POLL_SECONDS)
            assert landed_zips(landed)
            full.undo()
            eventually(lambda: not landed_zips(landed))
        finally:
            stop.set()
        ended.result()
    assert len(told) == 1
    assert "free" in told[0]


def test_single_run_ends_and_says_why(filled, landed, monkeypatch):
    monkeypatch.setattr(ingest, "LEAST_FREE_BYTES", 1 << 62)
    with pytest.raises(LakeError, match="are free"):
        ingest.ingest_once(filled.lake)
    assert landed_zips(landed)
    monkeypatch.undo()
    ingest.ingest_once(filled.lake)
    assert not landed_zips(landed)
