"""`lake backup`, `lake backups`, `lake restore`: a second copy of a lake, and a lake from it."""

from __future__ import annotations

import time
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Annotated

import typer

from spark_jobs.backups.points import NAME
from spark_jobs.cli.cluster import is_to_be_submitted, run_in_yarn
from spark_jobs.cli.output import HOME, HomeOption, JsonOption, Output, site
from spark_jobs.errors import LakeError
from spark_jobs.jobs.backup import make_backup, store_of
from spark_jobs.jobs.restore import Restored, bring_lake, bring_table, settle_lake, settle_table
from spark_jobs.landing.lease import compacting
from spark_jobs.site import Site
from spark_jobs.tables.access import access_of, open_access
from spark_jobs.tables.lake import RESTORE, open_lake

FromOption = Annotated[
    str | None, typer.Option("--from", help="Folder of the backups, or hdfs://…; by default the cluster's own.")
]
# A day, a moment, or the name of a backup.
MOMENTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", NAME]


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command(epilog="Example: lake backup --to /mnt/second/lake --keep 30")(backup)
    app.command(epilog="Example: lake backups --from /mnt/second/lake --verify")(backups)
    app.command(epilog=RESTORE_EXAMPLES)(restore)


def backup(
    to: Annotated[
        str | None,
        typer.Option(
            "--to", help="Folder for the backups, on another disk, or hdfs://…; by default the cluster's own."
        ),
    ] = None,
    keep: Annotated[int, typer.Option(help="Remove all but so many backups afterwards; 0 removes none.", min=0)] = 0,
    home: HomeOption = HOME,
    json: JsonOption = False,
) -> None:
    """Copies what the last backup lacks of the lake. An embedded one has to be at rest; a cluster's goes on with its work."""
    output, begun, lake = Output(json), time.monotonic(), site(home)
    store = store_of(lake, to)
    with open_access(lake, "lake backup") as access:
        made = make_backup(access, store)
    removed = 0
    if keep:
        with store.alone():
            removed = store.forget(keep)
    seconds = time.monotonic() - begun
    output.say(
        f"Backup {made.point.name}: {len(made.point.files):,} files, {made.point.bytes / 1e6:,.1f} MB, "
        f"of which {made.copied_files:,} with {made.copied_bytes / 1e6:,.1f} MB were copied, in {seconds:.1f} s."
    )
    output.result(
        {
            "backup": made.point.name,
            "files": len(made.point.files),
            "bytes": made.point.bytes,
            "copied_files": made.copied_files,
            "copied_bytes": made.copied_bytes,
            "removed": removed,
            "seconds": round(seconds, 1),
        }
    )


def backups(
    where: FromOption = None,
    verify: Annotated[bool, typer.Option("--verify", help="Read every content, and hash it.")] = False,
    json: JsonOption = False,
) -> None:
    """Lists the backups that there are; with --verify exit code 1 if a content is gone or has changed."""
    output, store = Output(json), store_of(site(HOME), where)
    points = [store.read(name) for name in store.names()]
    damaged = {point.name: store.damaged(point) if verify else [] for point in points}
    rows = [[p.name, f"{p.made_at:%Y-%m-%d %H:%M:%S}", len(p.files), f"{p.bytes / 1e6:,.1f}"] for p in points]
    output.table("Backups", ["backup", "made at, UTC", "files", "MB"], rows)
    for name, files in damaged.items():
        for file in files:
            output.say(f"[bold red]damaged[/] {name}: {file}")
    output.result(
        {
            "backups": [
                {"backup": p.name, "made_at": p.made_at, "files": len(p.files), "damaged": len(damaged[p.name])}
                for p in points
            ],
            "wrong": sum(map(len, damaged.values())),
        }
    )
    if any(damaged.values()):
        raise typer.Exit(1)


RESTORE_EXAMPLES = """Examples:

lake restore --from /mnt/second/lake --home /srv/lake

lake restore --from /mnt/second/lake --home /srv/lake --at 2026-11-24T03:00:00

lake restore --from /mnt/second/lake --table bed"""


def restore(
    where: FromOption = None,
    at: Annotated[
        datetime | None,
        typer.Option(
            formats=MOMENTS, help="Take the newest backup made up to this moment, UTC.", show_default="the newest"
        ),
    ] = None,
    table: Annotated[
        str | None, typer.Option(help="Restore this target table alone, in the lake that is there.")
    ] = None,
    brought: Annotated[bool, typer.Option("--brought", hidden=True, help="The files are there, aside.")] = False,
    home: HomeOption = HOME,
    json: JsonOption = False,
) -> None:
    """Makes a lake from a backup in an empty folder, or puts one table back and lands again what came since."""
    output, begun, lake = Output(json), time.monotonic(), site(home)
    name = table.rpartition(".")[2] if table else ""
    if not brought:
        _bring(lake, where, at, name)
    done = _settle(lake, name)
    seconds = time.monotonic() - begun
    what = f"Table {name}" if name else f"The lake in {lake.home}"
    moment = datetime.strptime(done.backup, NAME)
    output.say(
        f"{what} is as it was at {moment:%Y-%m-%d %H:%M:%S} UTC: {done.files:,} files, "
        f"{done.bytes / 1e6:,.1f} MB, in {seconds:.1f} s."
    )
    if done.landed_again:
        output.say(f"{done.landed_again:,} zips that came since were landed again: the next ingest loads them.")
    output.result({**asdict(done), "seconds": round(seconds, 1)})


def _bring(lake: Site, where: str | None, at: datetime | None, table: str) -> None:
    """The first step, on this host."""
    store = store_of(lake, where)
    if not store.names():
        raise LakeError(str(store.folder), "there are no backups", "Say where they are: --from FOLDER")
    point = store.point(at.replace(tzinfo=UTC) if at else None)
    if table:
        bring_table(store, point, lake, table)
    else:
        bring_lake(store, point, lake)


def _settle(lake: Site, table: str) -> Restored:
    """The second step, by an application of YARN in a cluster."""
    if is_to_be_submitted(lake):
        told = run_in_yarn(lake, "restore", "--brought", *(["--table", table] if table else []))
        return Restored(**{field.name: told[field.name] for field in fields(Restored)})
    with compacting(lake, RESTORE):  # nobody compacts what is exchanged
        if not table:
            return settle_lake(lake)
        with open_lake(lake, RESTORE) as opened:
            return settle_table(access_of(opened), table)
