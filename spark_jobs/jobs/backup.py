"""Backups of a lake: a copy of its files as they were at one moment, and what the metastore alone knows of its tables.

In a folder the files stand still while nobody else has the lake, in HDFS in a snapshot, beside an ingest that goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from spark_jobs.backups.contents import Contents
from spark_jobs.backups.mirror import Distcp, Mirror
from spark_jobs.backups.points import Point, Store, is_name, name_of
from spark_jobs.errors import LakeError
from spark_jobs.hdfs import HdfsPath, NameNodes
from spark_jobs.jobs.gathering import gather
from spark_jobs.landing.files import AnyPath, Entry, entries, walk
from spark_jobs.landing.lease import one_at_a_time
from spark_jobs.site import Site
from spark_jobs.tables.access import Access
from spark_jobs.tables.held import held_tables
from spark_jobs.tables.lake import ledger_of

# What a lake cannot do without. Its metastore is made anew from these: it knows nothing else, and holds paths of this machine.
PARTS = ("landing", "claimed", "vault", "quarantine", "warehouse", "reports", "site", ".epoch")
# Schemas whose tables and views no code makes: the statements that made them are kept.
DESCRIBED = ("reports", "lake")


@dataclass(frozen=True)
class Backup:
    """A backup that was made: its point, and how many files and bytes had to be copied for it."""

    point: Point
    copied_files: int
    copied_bytes: int


def store_of(site: Site, said: str | None) -> Store:
    """The backups at the place that was named, or else where the cluster's are to go. Raises LakeError if neither is there."""
    cluster = site.cluster
    where = said or (cluster.backup if cluster else "")
    if not where:
        raise LakeError("backups", "their place was not said", "Name a folder on another disk: --to or --from FOLDER")
    if not where.startswith("hdfs://"):
        return Contents(Path(where).expanduser().absolute())
    if cluster is None or not isinstance(site.home, HdfsPath):
        raise LakeError(where, "it is reached from a cluster's hosts alone", "Name a folder.")
    place, at = urlsplit(where), site.home.at
    if place.netloc != at.service:
        at = NameNodes(place.netloc, cluster.backup_namenodes, cluster.user)
    return Mirror(
        HdfsPath(PurePosixPath(place.path), at), Distcp(cluster.distcp), partial(one_at_a_time, site, "backup")
    )


def make_backup(access: Access, store: Store) -> Backup:
    """Backs the lake up to `store`. Crash-only: killed at any line it leaves no point, and what it copied is found again.

    Raises LakeError where another process has an embedded lake, a restore has not ended, or the store is within the lake.
    """
    _refuse(access, store)
    site, name = access.site, name_of(datetime.now(UTC))
    with store.alone():
        known = store.read(store.names()[-1]).files if store.names() else {}
        gather(site)
        with _standing_still(site, name) as root:
            told = about(access, replace(site, home=root))  # before hours of copying, in which a connection may end
            found = dict(contents_of(root))
            files = store.keep(name, root, {path: entry for path, entry in found.items() if not entry.is_dir}, known)
            folders = tuple(path for path, entry in found.items() if entry.is_dir)
            point = Point(name, files, folders, told)
            store.add(point)
    new = [kept for path, kept in files.items() if known.get(path) != kept]
    return Backup(point, len(new), sum(kept.bytes for kept in new))


@contextmanager
def _standing_still(site: Site, name: str) -> Iterator[AnyPath]:
    """Where the lake's files are while nobody changes them: in HDFS a snapshot, which stays for the next backup to compare with."""
    home = site.home
    if not isinstance(home, HdfsPath):
        yield home
        return
    home.take_snapshot(name)
    yield home.snapshot(name)
    for older in home.snapshots():
        if is_name(older) and older != name:
            home.drop_snapshot(older)


def about(access: Access, kept: Site) -> dict[str, Any]:
    """What a restore needs beside the files, which are those of `kept`: how target tables are laid out, what was accounted for, statements."""
    held = {name: table for name, table in held_tables(access).items() if (kept.warehouse / "raw" / name).exists()}
    shapes = {
        name: {
            "record_key": list(table.record_key),
            "partition_by": table.partition_by,
            "index": table.index,
            "buckets": table.buckets,
        }
        for name, table in held.items()
    }
    ledger = max(ledger_of(kept).delta_commits, default="")
    return {"tables": shapes, "ledger": ledger, "statements": list(_statements(access))}


def contents_of(root: AnyPath) -> Iterator[tuple[str, Entry]]:
    """What of a lake a backup holds; not what is being written under another name at the moment.

    Folders, too, for those that are empty: Hudi expects some of its own.
    """
    for entry in entries(root):
        if entry.name in PARTS:
            yield entry.name, entry
            if entry.is_dir:
                yield from (found for found in walk(root, entry.name) if not _is_temporary(found[1].name))


def _is_temporary(name: str) -> bool:
    return name[0] == "." and name.endswith(".tmp")


def _statements(access: Access) -> Iterator[str]:
    """What makes the tables and views that no code makes: tables of reports first, then readers' views."""
    for schema in DESCRIBED:
        for row in access.records(f"SHOW TABLES IN {schema}"):
            [(statement,)] = access.ask(f"SHOW CREATE TABLE {schema}.`{row['tableName']}` AS SERDE").rows
            yield statement


def _refuse(access: Access, store: Store) -> None:
    if access.site.restoring.exists():
        raise LakeError("lake backup", "a restore was begun and has not ended", "Say it again: lake restore")
    if access.lake is None and not access.site.cluster:
        hint = "What it writes meanwhile would not fit together. First: lake ingest stop"
        raise LakeError("lake backup", "the running ingest has the lake", hint)
    if f"{store.folder}/".startswith(f"{access.site.home}/"):
        raise LakeError("lake backup", "the folder for backups is within the lake", "Take one on another disk.")


def is_empty(site: Site) -> bool:
    """Whether nothing was ever delivered to a lake, nor a rule written: what it has are at most tables without rows."""
    own = f"{site.warehouse.name}/ops"
    files = (path for path, entry in contents_of(site.home) if not entry.is_dir)
    return all(path == ".epoch" or path.startswith((f"{own}/", f"{own}.db/", "site/")) for path in files)
