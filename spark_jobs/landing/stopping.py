"""Asking the process that has the lake to end: a file it looks for, so that anyone who owns the lake can ask."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from spark_jobs.landing.files import AnyPath
from spark_jobs.landing.lease import holder
from spark_jobs.site import Site

POLL_SECONDS = 0.5


def ask_until_released(site: Site, seconds: float) -> bool:
    """Asks whoever has the lake to end, until nobody has it; False if somebody still has it after so many seconds.

    The wish is made again and again: a process that has only just got the lake drops what it finds when it begins to listen.
    """
    wish = _wish(site)
    deadline = time.monotonic() + seconds
    while holder(site) is not None:
        wish.touch()
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    wish.unlink(missing_ok=True)
    return True


@contextmanager
def stop_when_asked(site: Site, told: threading.Event) -> Iterator[None]:
    """Sets `told` when someone asks; a wish that an earlier holder did not live to hear is dropped first."""
    wish = _wish(site)
    wish.unlink(missing_ok=True)
    ended = threading.Event()

    def listen() -> None:
        while not ended.wait(POLL_SECONDS):
            if wish.exists():
                told.set()

    listener = threading.Thread(target=listen, name="stop", daemon=True)
    listener.start()
    try:
        yield
    finally:
        ended.set()
        listener.join()
        wish.unlink(missing_ok=True)


def _wish(site: Site) -> AnyPath:
    return site.home / ".stop"
