"""What is logged of a failed batch: kinds of errors and where they arose, never their texts, which may quote a row."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

LOG = logging.getLogger("carelake")


def log_failure(folder: Path, batch: str, error: BaseException) -> None:
    """Appends the failure of `batch` to `<folder>/lake.log`: error classes with files and lines, outermost first."""
    _log(folder).error("batch %s failed: %s", batch, " <- ".join(_places(error)))


def log_alarm(folder: Path, text: str) -> None:
    """Appends what needs a person; `text` names feeds, batches and rules only."""
    _log(folder).critical(text)


def _log(folder: Path) -> logging.Logger:
    if not LOG.handlers:
        handler = logging.FileHandler(folder / "lake.log")
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        LOG.addHandler(handler)
        LOG.propagate = False
    return LOG


def _places(error: BaseException | None) -> list[str]:
    places = []
    while error is not None:
        frames = traceback.extract_tb(error.__traceback__)
        where = ", ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames[-6:])
        kind = getattr(error, "getErrorClass", lambda: None)() or _java_class(error) or type(error).__name__
        places.append(f"{kind} at {where}")
        error = error.__cause__
    return places


def _java_class(error: BaseException) -> str | None:
    """The class of the Java exception behind a py4j error, which alone tells what went wrong in Spark or Hudi."""
    java = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    return str(java.getClass().getName()) if java is not None else None
