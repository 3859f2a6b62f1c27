"""Python environments apart from the lake's own, each made from lock files: for tools whose packages would clash with Spark's."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from spark_jobs.errors import LakeError

OUTPUT_SHOWN = 2000


def make_venv(folder: Path, *locks: Path) -> None:
    """Makes the environment, or makes it anew after a lock file changed or the checkout moved: its scripts name its folder.

    Lock files after the first only add packages to it. Raises LakeError with the end of what pip said.
    """
    folder = folder.resolve()  # a link to it may go
    made_of = b"".join(lock.read_bytes() for lock in locks) + bytes(folder)
    stamp = folder / f"stamp-{sha256(made_of).hexdigest()[:16]}"
    with folder.with_name(f".{folder.name}.lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        if stamp.exists():
            return
        _run(sys.executable, "-m", "venv", "--clear", folder)
        for lock in locks:
            pip = ("install", "--disable-pip-version-check", "--no-input", "--require-hashes", "--no-deps", "-r", lock)
            _run(folder / "bin" / "pip", *pip)
        stamp.touch()


def _run(*command: str | Path) -> None:
    words = [str(word) for word in command]
    # An environment holds nothing of a lake: its files get the machine's usual rights.
    done = subprocess.run(words, capture_output=True, text=True, check=False, umask=0o022)  # noqa: S603
    if done.returncode:
        said = (done.stderr or done.stdout)[-OUTPUT_SHOWN:].strip()
        raise LakeError(" ".join(words[:4]), f"ended with {done.returncode}: {said}")
