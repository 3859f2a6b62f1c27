"""The Spark session of the peers that use one: all get theirs in the same way."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession


@contextmanager
def open_session(settings: dict[str, Any], **more: str) -> Iterator[SparkSession]:
    """A session by `settings` (home, master, session) and `more` settings of Spark; the folder `home` is made anew."""
    home = Path(settings["home"])
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    builder = SparkSession.builder.master(settings["master"])
    for name, value in {**settings["session"], **more}.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    try:
        yield session
    finally:
        session.stop()
