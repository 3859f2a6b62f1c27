"""File operations that survive a kill at any line: a file is whole under its name, or absent."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def write_whole(path: Path, data: bytes) -> None:
    """Writes `data` under a temporary name beside `path`, syncs it and renames it."""
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)


def write_json(path: Path, value: Any) -> None:
    """Writes `value` as JSON, whole or not at all."""
    write_whole(path, json.dumps(value, ensure_ascii=False, sort_keys=True).encode())


def move(source: Path, target: Path) -> None:
    """Renames `source` to `target`; finding it done already is success, so that a retry is safe.

    Raises FileNotFoundError when neither is there.
    """
    try:
        source.rename(target)
    except FileNotFoundError:
        if not target.exists():
            raise
