"""Restoring a lake, or one of its tables, from a backup, in two steps: its files are brought aside, whole and checked; then they are
put in place, and the metastore is made anew from them, so that a lake may be restored to another folder or machine.

In a cluster the first step is for a host, which starts distcp, the second for an application of YARN, which may hold the lake. Crash-only:
killed at any line, the same command goes on, and ends the same.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any

from spark_jobs.backups.points import Point, Store
from spark_jobs.errors import LakeError
from spark_jobs.jobs.backup import PARTS, is_empty
from spark_jobs.jobs.replay import Replay, land_replays, plan_zip
from spark_jobs.landing.files import AnyPath, copy, remove_tree, sync, walk, write_json
from spark_jobs.landing.lease import hold_lease, holder, one_at_a_time
from spark_jobs.site import Site
from spark_jobs.tables.access import Access
from spark_jobs.tables.catalog import SCHEMAS, schemas_elsewhere
from spark_jobs.tables.hudi import HudiTable, sync_metastore
from spark_jobs.tables.lake import RESTORE, Lake, open_lake
from spark_jobs.tables.presto import show_in_presto
from spark_jobs.tables.rule_store import read_rules
from spark_jobs.tables.session import open_session

# Plain tables of Hive: their files are put in place after the metastore has the tables, which it makes in empty folders alone.
PLAIN = ("rules.db", "ops.db", "reports.db")


@dataclass(frozen=True)
class Restored:
    """What a restore came to: files and bytes of the point, and for one table the zips that were landed again."""

    backup: str
    files: int
    bytes: int
    landed_again: int = 0


@dataclass(frozen=True)
class Restoring:
    """A restore that has begun, of a lake or of one of its `tables`: from which point, and whether its files are all there, aside."""

    site: Site
    table: str = ""

    @property
    def mark(self) -> AnyPath:
        """Says which point; while that of a lake is there, nothing else may be done with it."""
        return self.site.restoring.with_name(f"{self.site.restoring.name}{self._ending}")

    @property
    def aside(self) -> AnyPath:
        """Where the files are brought to."""
        return self.site.home / f".restored{self._ending}"

    @property
    def replaced(self) -> AnyPath:
        """Where what was there goes until it is removed."""
        return self.site.home / f".replaced{self._ending}"

    @property
    def _ending(self) -> str:
        return f".{self.table}" if self.table else ""

    def begun(self) -> Point | None:
        """The point of the restore that was begun and has not ended."""
        return Point.of(json.loads(self.mark.read_bytes())["point"]) if self.mark.exists() else None

    @property
    def is_brought(self) -> bool:
        """Whether all files were brought."""
        return bool(json.loads(self.mark.read_bytes())["brought"])

    def begin(self, point: Point) -> None:
        """Writes the mark; what one that did not end has brought of another point is of no use."""
        remove_tree(self.aside)
        self._say(point, brought=False)

    def bring(self, store: Store, point: Point, part: str) -> None:
        """Brings the files of the folder `part` of the point, those that are not there yet."""
        store.bring(point, part, self.aside)
        self._say(point, brought=True)

    def _say(self, point: Point, brought: bool) -> None:
        write_json(self.mark, {"point": asdict(point), "brought": brought})

    def end(self) -> None:
        """Removes what the restore was known by, the mark last."""
        remove_tree(self.aside)
        remove_tree(self.replaced)
        self.mark.unlink()


def restore_lake(store: Store, point: Point, site: Site) -> Restored:
    """Makes the lake of `point` in an embedded `site`, by both steps."""
    bring_lake(store, point, site)
    return settle_lake(site)


def bring_lake(store: Store, point: Point, site: Site) -> None:
    """Brings the files of `point` aside in `site`, whose lake is empty or half restored from the same point.

    Raises LakeError if it is not, or if a content in the store is damaged: each is checked by its hash on the way.
    """
    restoring = Restoring(site)
    with _alone(site):
        _begin(restoring, point)
        if not restoring.is_brought:
            restoring.bring(store, point, "")


def settle_lake(site: Site) -> Restored:
    """Puts the files that were brought in place, and makes the metastore anew from them. Raises LakeError if none were brought."""
    restoring = Restoring(site)
    point = _brought(restoring)
    with hold_lease(site, RESTORE):
        _forget_tables(site)
        _put_in_place(restoring)
    with open_lake(site, RESTORE) as lake:
        _make_known(lake, point)
        _fill_plain(restoring)
        for table in _report_tables(point):
            lake.session.sql(f"MSCK REPAIR TABLE {table}")
    restoring.end()
    return Restored(point.name, len(point.files), point.bytes)


def restore_table(access: Access, store: Store, point: Point, name: str) -> Restored:
    """Puts target table `name` of an embedded lake back to what it was, by both steps."""
    bring_table(store, point, access.site, name)
    return settle_table(access, name)


def bring_table(store: Store, point: Point, site: Site, name: str) -> None:
    """Brings the files of target table `name` aside. Raises LakeError if the point has no such table, or a content is damaged."""
    if name not in point.about["tables"]:
        known = ", ".join(sorted(point.about["tables"]))
        raise LakeError(f"table {name}", "the backup has no such target table", f"It has: {known}.")
    restoring = Restoring(site, name)
    begun = restoring.begun()
    if begun is None or begun.name != point.name:
        restoring.begin(point)
    if not restoring.is_brought:  # else it may be in place already
        restoring.bring(store, point, _part(name))


def settle_table(access: Access, name: str) -> Restored:
    """Puts the table that was brought in place, and lands every zip again that was accounted for since then.

    The next ingest, or the one that runs, loads those zips into all their tables once more, which changes no row but those
    that the table lacks. Raises LakeError where another process has the lake, or no files were brought.
    """
    lake = access.lake
    if lake is None:
        raise LakeError(RESTORE, "the running ingest has the lake", "First: lake ingest stop")
    restoring = Restoring(lake.site, name)
    point = _brought(restoring)
    table = _table(lake.site, name, point)
    if restoring.aside.exists():  # else killed after the exchange
        remove_tree(restoring.replaced)
        if table.path.exists():
            table.path.replace(restoring.replaced)  # type: ignore[arg-type]
        restoring.aside.replace(table.path)  # type: ignore[arg-type]
    sync_metastore(lake.session, table)
    landed = _land_since(access, point, name)
    restoring.end()
    files = point.below(_part(name))
    return Restored(point.name, len(files), sum(kept.bytes for kept in files.values()), landed)


@contextmanager
def _alone(site: Site) -> Iterator[None]:
    """Does the block when no other process restores the lake. In a cluster its lease is for applications of YARN alone."""
    with one_at_a_time(site, "restore") if site.cluster else hold_lease(site, RESTORE):
        yield  # where it is embedded, the JVM of a killed restore has ended by now


def _begin(restoring: Restoring, point: Point) -> None:
    site = restoring.site
    if begun := restoring.begun():
        if begun.name != point.name:
            hint = "End that one, or take an empty folder."
            raise LakeError(str(site.home), f"a restore of {begun.name} was begun there", hint)
        return
    if not is_empty(site):
        hint = "Restore to an empty folder, or one table by --table."
        raise LakeError(str(site.home), "there is a lake already", hint)
    restoring.begin(point)
    # Whoever takes up the lake looks for the mark after that: one of both is seen. A compaction is waited for by the second step.
    if site.cluster and (by := holder(site)):
        restoring.end()
        raise LakeError(str(site.home), f"in use by {by.who} ({by.what})", "First: lake ingest stop")


def _brought(restoring: Restoring) -> Point:
    point = restoring.begun()
    if point is None or not restoring.is_brought:
        raise LakeError(RESTORE, "no files were brought", "Say where from: lake restore --from FOLDER")
    return point


def _forget_tables(site: Site) -> None:
    """Has the metastore forget the lake: what it says may be of a lake that is lost. No file goes that a restore has brought.

    Raises LakeError where the metastore has the schemas of a lake in another folder: there they are all that knows its tables.
    """
    if not site.cluster:
        shutil.rmtree(site.metastore, ignore_errors=True)
        return
    session = open_session(site)
    if others := schemas_elsewhere(session, site.home):
        named = ", ".join(f"{name} in {where}" for name, where in others.items())
        hint = "Restore to that lake's folder, or with a metastore of its own."
        raise LakeError(str(site.home), f"the metastore is another lake's: {named}", hint)
    for schema in SCHEMAS:
        session.sql(f"DROP DATABASE IF EXISTS {schema} CASCADE")


def _put_in_place(restoring: Restoring) -> None:
    """Exchanges the lake's folders for those that were brought. Plain tables stay aside: their folders are to be empty."""
    home, aside = restoring.site.home, restoring.aside
    for part in PARTS:
        if (aside / part).exists():
            for plain in PLAIN if part == restoring.site.warehouse.name else ():
                if (aside / part / plain).exists():
                    (aside / part / plain).replace(aside / plain)  # type: ignore[arg-type]
            remove_tree(home / part)
            (aside / part).replace(home / part)  # type: ignore[arg-type]
    for plain in PLAIN:  # with files that a killed restore has put there
        remove_tree(restoring.site.warehouse / plain)


def _make_known(lake: Lake, point: Point) -> None:
    """Tells the metastore of the tables and views that the files alone hold: it knows the lake's own by now."""
    tables = [_table(lake.site, name, point) for name in sorted(point.about["tables"])]
    for table in tables:
        sync_metastore(lake.session, table)
    for statement in point.about["statements"]:
        lake.session.sql(statement)
    if lake.site.cluster:
        lake.to_show.update(tables)
        with suppress(LakeError):  # Presto's views are of no use to it; the next ingest makes those that are missing
            show_in_presto(lake)


def _fill_plain(restoring: Restoring) -> None:
    """Puts the files of plain tables in place: copies, so that a restore that is killed has them still."""
    for plain in PLAIN:
        for path, entry in walk(restoring.aside / plain, ""):
            target = restoring.site.warehouse / plain / path
            if entry.is_dir:
                target.mkdir(parents=True, exist_ok=True, mode=0o770)
            else:
                with target.open("wb") as out:
                    copy(restoring.aside / plain / path, out)
                    sync(out)


def _report_tables(point: Point) -> list[str]:
    """The tables of reports, whose partitions are found among their files."""
    names = {path.split("/")[2] for path in point.files if path.startswith("warehouse/reports.db/")}
    return [f"reports.`{name}`" for name in sorted(names)]


def _part(name: str) -> str:
    return f"warehouse/raw/{name}"


def _table(site: Site, name: str, point: Point) -> HudiTable:
    shape: dict[str, Any] = point.about["tables"][name]
    return HudiTable(
        database="raw",
        name=name,
        path=site.home / _part(name),
        record_key=tuple(shape["record_key"]),
        partition_by=shape["partition_by"],
        global_index=shape["index"] == "global",
        buckets=shape["buckets"],
    )


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
