"""Asking the process that has the lake to end: a file it looks for, so that anyone who owns the lake can ask."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from spark_jobs.landing.lease import holder
from spark_jobs.site import Site

POLL_SECONDS = 0.5


def ask_to_stop(site: Site) -> None:
    """Leaves the wish that the holder of the lake ends. It is forgotten when that process has ended."""
    (site.home / ".stop").touch()


@contextmanager
def stop_when_asked(site: Site, told: threading.Event) -> Iterator[None]:
    """Sets `told` when someone asks; a wish that an earlier holder did not live to hear is dropped first."""
    wish = site.home / ".stop"
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


def await_release(site: Site, seconds: float) -> bool:
    """Waits until no process has the lake; False if one still has it after so many seconds."""
    deadline = time.monotonic() + seconds
    while holder(site) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
