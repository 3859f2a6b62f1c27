"""Backups of a lake: a copy of its files, made while nobody writes, and what the metastore alone knows of its tables."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from spark_jobs.backups.store import Point, Store, name_of
from spark_jobs.errors import LakeError
from spark_jobs.site import Site
from spark_jobs.tables.access import Access
from spark_jobs.tables.held import held_tables

# What a lake cannot do without. Its metastore is made anew from these: it knows nothing else, and holds paths of this machine.
PARTS = ("landing", "claimed", "vault", "quarantine", "warehouse", "reports")
EPOCH = ".epoch"
# Schemas whose tables and views no code makes: the statements that made them are kept.
DESCRIBED = ("reports", "lake")


@dataclass(frozen=True)
class Backup:
    """A backup that was made: its point, and how many files and bytes had to be copied for it."""

    point: Point
    copied_files: int
    copied_bytes: int


def make_backup(access: Access, folder: Path) -> Backup:
    """Backs the lake up to `folder`. Crash-only: killed at any line it leaves no point, and what it copied is found again.

    Raises LakeError where another process has the lake, or `folder` is within it.
    """
    _refuse(access, folder)
    store, home = Store(folder), access.site.home
    name = name_of(datetime.now(UTC))
    with store.alone():
        known = store.read(store.names()[-1]).files if store.names() else {}
        files = store.keep_tree(home, files_of(home), known)
        point = Point(name, files, tuple(_folders(home)), about(access))
        store.add(point)
    new = [kept for path, kept in files.items() if known.get(path) != kept]
    return Backup(point, len(new), sum(kept.bytes for kept in new))


def about(access: Access) -> dict[str, Any]:
    """What a restore needs beside the files: how target tables are laid out, what was accounted for, and statements."""
    assert access.lake is not None
    held = held_tables(access)
    shapes = {
        name: {
            "record_key": list(table.record_key),
            "partition_by": table.partition_by,
            "index": table.index,
            "buckets": table.buckets,
        }
        for name, table in held.items()
    }
    ledger = access.lake.ledger.delta_commits
    return {"tables": shapes, "ledger": ledger[-1], "statements": list(_statements(access))}


def files_of(home: Path) -> Iterator[Path]:
    """The files of a lake that a backup holds; not what is being written under another name at the moment."""
    for part in PARTS:
        for folder, _, names in os.walk(home / part):
            for name in sorted(names):
                if not (name[0] == "." and name.endswith(".tmp")):
                    yield Path(folder) / name
    if (home / EPOCH).exists():
        yield home / EPOCH


def _folders(home: Path) -> Iterator[str]:
    """Folders, for those that are empty: Hudi expects some of its own."""
    for part in PARTS:
        for folder, _, _ in os.walk(home / part):
            yield str(Path(folder).relative_to(home))


def _statements(access: Access) -> Iterator[str]:
    """What makes the tables and views that no code makes: tables of reports first, then readers' views."""
    for schema in DESCRIBED:
        for row in access.records(f"SHOW TABLES IN {schema}"):
            [(statement,)] = access.ask(f"SHOW CREATE TABLE {schema}.`{row['tableName']}` AS SERDE").rows
            yield statement


def refuse_cluster(site: Site, what: str) -> None:
    """Refuses a lake in HDFS, which is not copied file by file. Raises LakeError."""
    if site.cluster:
        raise LakeError(what, "it is made for a lake in a folder", "In HDFS, take a snapshot and copy that.")


def _refuse(access: Access, folder: Path) -> None:
    if access.lake is None:
        hint = "What it writes meanwhile would not fit together. First: lake ingest stop"
        raise LakeError("lake backup", "the running ingest has the lake", hint)
    if folder.resolve().is_relative_to(access.site.home.resolve()):
        raise LakeError("lake backup", "the folder for backups is within the lake", "Take one on another disk.")


def is_empty(site: Site) -> bool:
    """Whether nothing of a lake is in its folder."""
    return not any(any((site.home / part).rglob("*")) for part in (*PARTS, "metastore"))
