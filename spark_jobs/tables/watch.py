"""Ending a session that can do nothing more: whoever waits for a job of it gets an error at once, and the next run begins it again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from py4j.protocol import Py4JError, Py4JJavaError
from pyspark.sql import SparkSession

LOOK_SECONDS = 5.0
# How long a session may go on without executors after it has lost all that it had, and how long one that is stopped may take to
# its end after its scheduler has ended.
LOST_SECONDS, STOP_SECONDS = 120.0, 30.0
# The exit code of the JVM.
UNFIT = 70


def end_when_unfit(session: SparkSession) -> None:
    """Ends the JVM of `session` where it would wait for good; returns at once, a thread looks at it until it is stopped.

    So it is when the thread that schedules jobs has died: an OutOfMemoryError kills it, and Spark 3.5 leaves the driver as it is
    (SPARK-27900, SPARK-47279). And when all executors are lost for good: a ResourceManager that takes over while a host is dead
    never hears of that host's executors, so it never says that they have ended, and Spark, which waits to be told, asks for
    no others until the host is back.
    A JVM that is ended is what every job expects: what it began is begun again, by YARN's next attempt or the next run.
    """
    assert session._jvm is not None
    context = session.sparkContext
    scala = context._jsc.sc()
    halt = session._jvm.java.lang.Runtime.getRuntime().halt

    def executors() -> int:
        try:
            return int(scala.getExecutorMemoryStatus().size()) - 1  # the driver is among them
        except Py4JJavaError:  # Spark is being stopped, or does not answer itself
            return 0

    def look() -> None:
        with suppress(Py4JError):  # the JVM has ended
            _wait_until_unfit(scala.dagScheduler().eventProcessLoop(), executors)
            if context._jsc is not None:  # nobody has stopped the session
                halt(UNFIT)

    threading.Thread(target=look, name="watch", daemon=True).start()


def _wait_until_unfit(scheduler: Any, executors: Callable[[], int]) -> None:
    had_some, last_seen = False, time.monotonic()  # an embedded lake has none, and a job in a full queue none yet
    while scheduler.isActive():
        if executors():
            had_some, last_seen = True, time.monotonic()
        elif had_some and time.monotonic() > last_seen + LOST_SECONDS:
            return
        time.sleep(LOOK_SECONDS)
    time.sleep(STOP_SECONDS)
