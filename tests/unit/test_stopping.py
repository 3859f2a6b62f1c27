"""Asking the process that has the lake to end."""

import threading
from concurrent.futures import ThreadPoolExecutor

from spark_jobs.landing.lease import hold_lease
from spark_jobs.landing.stopping import ask_until_released, stop_when_asked
from spark_jobs.site import Site

SECONDS = 30


def test_wish_that_comes_before_the_holder_listens_is_heard(tmp_path):
    site, told = Site(tmp_path / "lake"), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        with hold_lease(site, "lake ingest"):
            asked = pool.submit(ask_until_released, site, SECONDS)
            while not (site.home / ".stop").exists():
                assert not asked.done()
            with stop_when_asked(site, told):
                assert told.wait(SECONDS)
        assert asked.result()
    assert not (site.home / ".stop").exists()


def test_wish_of_an_earlier_time_ends_nobody(tmp_path):
    site, told = Site(tmp_path / "lake"), threading.Event()
    with hold_lease(site, "lake ingest"):
        (site.home / ".stop").touch()
        with stop_when_asked(site, told):
            assert not told.wait(2)


def test_who_does_not_end_in_time_is_still_asked(tmp_path):
    site = Site(tmp_path / "lake")
    with hold_lease(site, "lake ingest"):
        assert not ask_until_released(site, 0)
        assert (site.home / ".stop").exists()


def test_nobody_is_asked_where_nobody_has_the_lake(tmp_path):
    site = Site(tmp_path / "lake")
    site.make_folders()
    assert ask_until_released(site, 0)
    assert not (site.home / ".stop").exists()
