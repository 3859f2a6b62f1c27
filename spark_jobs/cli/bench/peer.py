"""The environment of Spark 4.3, which benchmarks are held against: its own, below `.lake/bench/`, made when first needed."""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from spark_jobs.cli.bench.measuring import FOLDER
from spark_jobs.site import REPOSITORY
from spark_jobs.tables.session import java_home

LOCK = REPOSITORY / "tests" / "bench" / "spark_4.lock"
# Spark 4 asks Java for a module that only its linear algebra uses, and that the runtime from PyPI lacks.
JAVA = """#!/bin/bash
for argument; do
    shift
    [ "$argument" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$argument"
done
exec "{java}/bin/java" "$@"
"""


@dataclass(frozen=True)
class Peer:
    """Where Spark 4.3's Python and Java are."""

    python: Path
    java_home: Path


def make_peer() -> Peer:
    """Spark 4.3 as the lock file pins it; raises CalledProcessError where pip can't install it."""
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]
    folder = FOLDER / f"spark-4-{digest}"
    peer = Peer(folder / "bin" / "python", folder / "java")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "peer.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            _install(folder, peer)
            (folder / "ready").touch()
    return peer


def _install(folder: Path, peer: Peer) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)  # noqa: S603
    pip = [peer.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    subprocess.run([*pip, "--use-pep517", "-r", LOCK], stdout=sys.stderr, check=True)  # noqa: S603
    java = peer.java_home / "bin" / "java"
    java.parent.mkdir(parents=True, exist_ok=True)
    java.write_text(JAVA.format(java=java_home()))
    java.chmod(0o755)
