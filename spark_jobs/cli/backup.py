"""`lake backup`, `lake backups`, `lake restore`: a second copy of a lake, and a lake from it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from spark_jobs.backups.store import NAME, Store
from spark_jobs.cli.output import HOME, HomeOption, JsonOption, Output, site
from spark_jobs.errors import LakeError
from spark_jobs.jobs.backup import make_backup, refuse_cluster
from spark_jobs.jobs.restore import restore_lake, restore_table
from spark_jobs.tables.access import open_access

FromOption = Annotated[Path, typer.Option("--from", help="Folder of the backups.")]
# A day, a moment, or the name of a backup.
MOMENTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", NAME]


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command(epilog="Example: lake backup --to /mnt/second/lake --keep 30")(backup)
    app.command(epilog="Example: lake backups --from /mnt/second/lake --verify")(backups)
    app.command(epilog=RESTORE_EXAMPLES)(restore)


def backup(
    to: Annotated[Path, typer.Option("--to", help="Folder for the backups, on another disk.")],
    keep: Annotated[int, typer.Option(help="Remove all but so many backups afterwards; 0 removes none.", min=0)] = 0,
    home: HomeOption = HOME,
    json: JsonOption = False,
) -> None:
    """Copies the lake's files, those that the last backup lacks; needs the lake for itself. Each content is kept once."""
    output, begun, lake = Output(json), time.monotonic(), site(home)
    refuse_cluster(lake, "lake backup")
    with open_access(lake, "lake backup") as access:
        made = make_backup(access, to.expanduser().absolute())
    removed = Store(to).forget(keep) if keep else 0
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
            "removed_objects": removed,
            "seconds": round(seconds, 1),
        }
    )


def backups(
    where: FromOption,
    verify: Annotated[bool, typer.Option("--verify", help="Read every content, and hash it.")] = False,
    json: JsonOption = False,
) -> None:
    """Lists the backups in a folder; with --verify exit code 1 if a content is gone or has changed."""
    output, store = Output(json), Store(where.expanduser().absolute())
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
    where: FromOption,
    at: Annotated[
        datetime | None,
        typer.Option(
            formats=MOMENTS, help="Take the newest backup made up to this moment, UTC.", show_default="the newest"
        ),
    ] = None,
    table: Annotated[
        str | None, typer.Option(help="Restore this target table alone, in the lake that is there.")
    ] = None,
    home: HomeOption = HOME,
    json: JsonOption = False,
) -> None:
    """Makes a lake from a backup in an empty folder, or puts one table back and lands again what came since."""
    output, begun = Output(json), time.monotonic()
    store, lake = Store(where.expanduser().absolute()), site(home)
    refuse_cluster(lake, "lake restore")
    if not store.names():
        raise LakeError(str(store.folder), "there are no backups", "Say where they are: --from FOLDER")
    point = store.point(at.replace(tzinfo=UTC) if at else None)
    if table is None:
        done = restore_lake(store, point, lake)
    else:
        with open_access(lake, "lake restore") as access:
            done = restore_table(access, store, point, table.rpartition(".")[2])
    seconds = time.monotonic() - begun
    what = f"Table {table}" if table else f"The lake in {lake.home}"
    output.say(
        f"{what} is as it was at {point.made_at:%Y-%m-%d %H:%M:%S} UTC: {done.files:,} files, "
        f"{done.bytes / 1e6:,.1f} MB, in {seconds:.1f} s."
    )
    if done.landed_again:
        output.say(f"{done.landed_again:,} zips that came since were landed again: the next ingest loads them.")
    output.result(
        {
            "backup": point.name,
            "files": done.files,
            "bytes": done.bytes,
            "landed_again": done.landed_again,
            "seconds": round(seconds, 1),
        }
    )
