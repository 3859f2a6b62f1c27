"""Restoring a lake, or one of its tables, from a backup.

The metastore is made anew from the files: so a lake may be restored to another folder or machine. Crash-only: killed at any
line, the same command goes on, and ends the same.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spark_jobs.backups.store import Point, Store
from spark_jobs.errors import LakeError
from spark_jobs.jobs.backup import is_empty
from spark_jobs.jobs.replay import Replay, land_replays, plan_zip
from spark_jobs.landing.files import write_json
from spark_jobs.landing.lease import hold_lease
from spark_jobs.site import Site
from spark_jobs.tables.access import Access
from spark_jobs.tables.hudi import HudiTable, sync_metastore
from spark_jobs.tables.lake import RESTORE, Lake, open_lake
from spark_jobs.tables.rule_store import read_rules

# Plain tables of Hive: their files are put in place after the metastore has the tables, which it makes in empty folders alone.
PLAIN = ("warehouse/rules.db/", "warehouse/ops.db/", "warehouse/reports.db/")


@dataclass(frozen=True)
class Restored:
    """What a restore came to: files and bytes of the point, and for one table the zips that were landed again."""

    point: Point
    files: int
    bytes: int
    landed_again: int = 0


def restore_lake(store: Store, point: Point, site: Site) -> Restored:
    """Makes the lake of `point` in `site`, which is empty or holds what an ended restore of the same point has left.

    Raises LakeError if it is not, or if a content in the store is damaged: each is checked by its hash on the way.
    """
    with hold_lease(site, RESTORE):  # the JVM of a killed restore has ended then
        _begin(site, point)
    shutil.rmtree(site.metastore, ignore_errors=True)
    for part in PLAIN:
        shutil.rmtree(site.home / part, ignore_errors=True)
    for folder in point.folders:
        if not folder.startswith(tuple(part.rstrip("/") for part in PLAIN)):
            (site.home / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
    plain = {path for path in point.files if path.startswith(PLAIN)}
    _put(store, point, site, set(point.files) - plain)
    with open_lake(site, RESTORE) as lake:
        _make_known(lake, point)
        _put(store, point, site, plain)
        for table in _report_tables(point):
            lake.session.sql(f"MSCK REPAIR TABLE {table}")
    site.restoring.unlink()
    return Restored(point, len(point.files), point.bytes)


def restore_table(access: Access, store: Store, point: Point, name: str) -> Restored:
    """Puts target table `name` back to what it was, and lands every zip again that was accounted for since then.

    The next ingest, or the one that runs, loads those zips into all their tables once more, which changes no row but those
    that the table lacks. Raises LakeError where another process has the lake, or the point has no such table.
    """
    lake = access.lake
    if lake is None:
        raise LakeError(RESTORE, "the running ingest has the lake", "First: lake ingest stop")
    if name not in point.about["tables"]:
        known = ", ".join(sorted(point.about["tables"]))
        raise LakeError(f"table {name}", "the backup has no such target table", f"It has: {known}.")
    table = _table(lake.site, name, point)
    prefix = f"{table.path.relative_to(lake.site.home)}/"
    files = [path for path in point.files if path.startswith(prefix)]
    _swap(lake.site, store, point, table, files)
    sync_metastore(lake.session, table)
    landed = _land_since(access, point, name)
    return Restored(point, len(files), sum(point.files[path].bytes for path in files), landed)


def _begin(site: Site, point: Point) -> None:
    mark = site.restoring
    if mark.exists():
        begun = json.loads(mark.read_bytes())
        if begun != point.name:
            raise LakeError(
                str(site.home), f"a restore of {begun} was begun there", "End that one, or take an empty folder."
            )
        return
    if not is_empty(site):
        raise LakeError(
            str(site.home), "there is a lake already", "Restore to an empty folder, or one table by --table."
        )
    site.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_json(mark, point.name)


def _put(store: Store, point: Point, site: Site, paths: set[str]) -> None:
    for path in sorted(paths):
        store.put(point.files[path], site.home / path)


def _make_known(lake: Lake, point: Point) -> None:
    """Tells the metastore of the tables and views that the files alone hold: it knows the lake's own by now."""
    for name in sorted(point.about["tables"]):
        sync_metastore(lake.session, _table(lake.site, name, point))
    for statement in point.about["statements"]:
        lake.session.sql(statement)


def _report_tables(point: Point) -> list[str]:
    """The tables of reports, whose partitions are found among their files."""
    names = {path.split("/")[2] for path in point.files if path.startswith("warehouse/reports.db/")}
    return [f"reports.`{name}`" for name in sorted(names)]


def _table(site: Site, name: str, point: Point) -> HudiTable:
    shape: dict[str, Any] = point.about["tables"][name]
    return HudiTable(
        database="raw",
        name=name,
        path=site.warehouse / "raw" / name,
        record_key=tuple(shape["record_key"]),
        partition_by=shape["partition_by"],
        global_index=shape["index"] == "global",
        buckets=shape["buckets"],
    )


def _swap(site: Site, store: Store, point: Point, table: HudiTable, files: list[str]) -> None:
    """Puts the table's files aside, whole and checked, then in its place. What was there is removed last."""
    # Named by the point: what a restore of another one has left is of no use.
    aside, replaced = (site.home / f"{site.restoring.name}.{table.name}.{point.name}.{what}" for what in ("new", "old"))
    for left in {*site.home.glob(f"{site.restoring.name}.{table.name}.*")} - {aside, replaced}:
        shutil.rmtree(left)
    if not (replaced.exists() and not aside.exists()):  # else killed after the exchange
        for path in files:
            store.put(point.files[path], aside / Path(path).relative_to(table.path.relative_to(site.home)))
        shutil.rmtree(replaced, ignore_errors=True)
        if table.path.exists():
            table.path.rename(replaced)
        aside.rename(table.path)
    shutil.rmtree(replaced, ignore_errors=True)


def _land_since(access: Access, point: Point, name: str) -> int:
    """Lands the zips again that were accounted for after the backup, and whose feeds fill the table."""
    feeds = {feed.feed: feed for feed in read_rules(access).feeds.values() if name in feed.targets}
    if not feeds:
        return 0
    named = ", ".join(f"'{feed}'" for feed in sorted(feeds))
    rows = access.records(
        "SELECT zip_id, name, folder, sha256, bytes, unix_micros(landed_at) AS landed_micros, feed, revision,"
        " coalesce(replay, 0) AS replay FROM ops.ledger WHERE state = 'loaded'"
        f" AND _hoodie_commit_time > '{point.about['ledger']}' AND feed IN ({named}) ORDER BY landed_at, zip_id"
    )
    replay = Replay()
    for row in rows:
        plan_zip(replay, row, feeds, same_rules=True)
    return land_replays(access.site, replay)
