"""`lake tables`: how the Hudi tables lie on disk, and compacting them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from spark_jobs.cli.output import HOME, HomeOption, JsonOption, Output, site
from spark_jobs.jobs.table_services import compact_tables, find_table, table_storage
from spark_jobs.tables.access import open_access
from spark_jobs.tables.storage import Storage, storage_of

app = typer.Typer(no_args_is_help=True)
TableArgument = Annotated[str, typer.Argument(help="Name of the table: raw.bed, lake.bed or bed.")]


@app.command("list", epilog="Example: lake tables list")
def list_tables(home: HomeOption = HOME, json: JsonOption = False) -> None:
    """Lists the tables, that with the largest debt first: what a read opens, and what a compaction would merge."""
    output = Output(json)
    with open_access(site(home), "lake tables list") as access:
        found = table_storage(access)
    header = [
        *("table", "base files", "MB", "small", "log files", "log MB", "debt", "read amplification", "commits since"),
        *("pending", "last compaction", "last commit"),
    ]
    output.table("Tables", header, [_line(storage) for storage in found])
    output.say(
        "Debt: bytes of log files for each byte of base files. Read amplification: files opened for each file group."
    )
    output.result({"tables": [_as_dict(storage) for storage in found]})


@app.command(epilog="Example: lake tables show bed")
def show(table: TableArgument, home: HomeOption = HOME, json: JsonOption = False) -> None:
    """Shows how one table lies on disk, partition by partition, and how far its next compaction is."""
    output = Output(json)
    with open_access(site(home), "lake tables show") as access:
        hudi = find_table(access, table)
        found = storage_of(hudi)
    facts = {
        "files": hudi.path,
        "record key": ", ".join(hudi.record_key),
        "index": f"global, {hudi.buckets} buckets" if hudi.global_index else f"{hudi.buckets} buckets a partition",
        "file groups": found.groups,
        "base files": f"{found.base_files:,}, {_mb(found.base_bytes)} MB, {found.small_files:,} of them small",
        "log files": f"{found.log_files:,}, {_mb(found.log_bytes)} MB",
        "old files": f"{found.old_files:,}, {_mb(found.old_bytes)} MB: the cleaner keeps them for queries that run",
        "debt": _ratio(found.debt),
        "read amplification": _ratio(found.read_amplification),
        "pending compactions": ", ".join(found.pending) or "none",
        "last compaction": _time(found.last_compaction),
        "commits since": f"{found.commits:,}; one is planned every {hudi.compact_after}",
        "last commit": _time(found.last_commit),
    }
    output.table(found.table, ["", ""], [[what, str(text)] for what, text in facts.items()])
    partitions = [[p or "(none)", b, _mb(bb), n, _mb(nb)] for p, (b, bb, n, nb) in found.by_partition.items()]
    output.table("Partitions", ["partition", "base files", "MB", "log files", "log MB"], partitions)
    output.result({"table": _as_dict(found), "path": hudi.path})


@app.command(epilog="Example: lake tables compact bed\n\nExample: lake tables compact raw.encounter ops.ledger")
def compact(
    tables: Annotated[list[str], typer.Argument(help="Names of the tables.")],
    home: HomeOption = HOME,
    json: JsonOption = False,
) -> None:
    """Carries out the pending compactions of tables, or plans and carries out one; none while an ingest has the lake."""
    output = Output(json)
    with open_access(site(home), "lake tables compact") as access:
        done = compact_tables(access, tables)
    output.table("Compactions", ["table", "carried out"], done.items())
    output.result({"compactions": done})


def _line(found: Storage) -> list[object]:
    return [
        found.table, found.base_files, _mb(found.base_bytes), found.small_files, found.log_files, _mb(found.log_bytes),
        _ratio(found.debt), _ratio(found.read_amplification), found.commits, len(found.pending),
        _time(found.last_compaction), _time(found.last_commit),
    ]  # fmt: skip


def _as_dict(found: Storage) -> dict[str, Any]:
    return {**asdict(found), "debt": found.debt, "read_amplification": found.read_amplification}


def _mb(count: int) -> str:
    return f"{count / 1e6:,.1f}"


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _time(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else "none in the timeline"
