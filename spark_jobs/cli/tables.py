"""`lake tables`: how the Hudi tables lie on disk, compacting them, files that belong to nothing, and statistics."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from time import monotonic
from typing import Annotated, Any

import typer

from spark_jobs.cli.cluster import is_to_be_submitted, run_in_yarn
from spark_jobs.cli.output import HOME, HomeOption, JsonOption, Output, site
from spark_jobs.errors import LakeError
from spark_jobs.jobs.compact import compact_tables
from spark_jobs.jobs.table_services import every_table, find_table, table_storage, tables_in_debt
from spark_jobs.landing.lease import holder
from spark_jobs.site import Site
from spark_jobs.tables.access import Access, access_of, open_access
from spark_jobs.tables.data_files import orphans_of, remove_orphans
from spark_jobs.tables.hudi import HudiTable
from spark_jobs.tables.lake import open_for_compaction
from spark_jobs.tables.presto import analyze_in_presto
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


COMPACT_EXAMPLES = """Examples:

lake tables compact bed

lake tables compact raw.encounter ops.ledger

lake tables compact --due --least-debt 0.5

lake tables compact --all"""


@app.command(epilog=COMPACT_EXAMPLES)
def compact(
    tables: Annotated[list[str] | None, typer.Argument(help="Names of the tables.")] = None,
    due: Annotated[
        bool, typer.Option("--due", help="Those with a pending compaction or much debt, if there are any.")
    ] = False,
    least_debt: Annotated[float, typer.Option(help="What --due takes for much debt.", min=0)] = 0.3,
    every: Annotated[bool, typer.Option("--all", help="Every table that has log files.")] = False,
    home: HomeOption = HOME,
    json: JsonOption = False,
) -> None:
    """Carries out the pending compactions of tables, or plans and carries out one, that with the largest debt first.

    Beside a running ingest only what it has planned is carried out. That of an embedded lake does it itself: then tables that
    are named are refused, and with --due nothing is left to do.
    """
    output, here = Output(json), site(home)
    if bool(tables) + due + every != 1:
        raise LakeError("lake tables compact", "which tables was not said", "Name them, or say --due or --all")
    by_ingest = due and not here.cluster and _ingest_has(here)
    done = {} if by_ingest else _compacted(here, tables or [], 0.0 if every else least_debt)
    if by_ingest:
        output.say("The ingest that runs compacts by itself.")
    output.table("Compactions", ["table", "carried out"], done.items())
    output.result({"compactions": done, "by_ingest": by_ingest})


@app.command(epilog="Example: lake tables orphans\n\nExample: lake tables orphans --remove ops.ledger")
def orphans(
    tables: Annotated[list[str] | None, typer.Argument(help="Names of the tables; all if not given.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove them; else they are only counted.")] = False,
    home: HomeOption = HOME,
    json: JsonOption = False,
) -> None:
    """Counts data files that belong to no commit: a task leaves them that outlives its writer. No reader sees them.

    The ingest removes them itself before it archives a part of the timeline. May be asked for at any time, beside it too.
    """
    output = Output(json)
    with open_access(site(home), "lake tables orphans") as access:
        chosen = [find_table(access, name) for name in tables or []] or every_table(access)
    found = {f"{table.database}.{table.name}": (remove_orphans if remove else orphans_of)(table) for table in chosen}
    lines = [[name, len(files), _mb(sum(file.bytes for file in files))] for name, files in found.items() if files]
    output.table("Removed" if remove else "Orphans", ["table", "files", "MB"], lines)
    output.result({"orphans": {name: len(files) for name, files in found.items()}, "removed": remove})


@app.command(epilog="Example: lake tables analyze\n\nExample: lake tables analyze encounter ops.ledger")
def analyze(
    tables: Annotated[list[str] | None, typer.Argument(help="Names of the tables; all if not given.")] = None,
    home: HomeOption = HOME,
    json: JsonOption = False,
) -> None:
    """Has a cluster's Presto count rows and distinct values, by which it orders joins. Reads each table whole.

    An embedded lake has no Presto, and nothing to do. A table that fails leaves the others to be analyzed.
    """
    output, here = Output(json), site(home)
    with open_access(here, "lake tables analyze") as access:
        chosen = [find_table(access, name) for name in tables or []] or every_table(access)
    took, problems = {}, {}
    for table in chosen if here.cluster else ():
        begun, name = monotonic(), f"{table.database}.{table.name}"
        try:
            if table.has_commits:
                analyze_in_presto(here.cluster, table)
                took[name] = round(monotonic() - begun, 1)
        except LakeError as error:
            problems[name] = error.problem
        output.say(f"{name}: {problems.get(name) or 'analyzed' if table.has_commits else 'holds nothing'}")
    if problems:
        raise LakeError("Presto", f"{len(problems)} tables failed: {', '.join(problems)}", "Run it again for those.")
    output.result({"seconds": took, "no_presto": here.cluster is None})


def _ingest_has(site: Site) -> bool:
    """Whether an ingest has the lake: it alone may plan a compaction then."""
    by = holder(site)
    return by is not None and by.what.startswith("lake ingest")


def _compacted(site: Site, named: list[str], least_debt: float) -> dict[str, int]:
    if not is_to_be_submitted(site):
        with open_for_compaction(site, "lake tables compact") as lake:
            return compact_tables(lake, _chosen(access_of(lake), named, least_debt))
    with open_access(site, "lake tables compact") as access:
        chosen = _chosen(access, named, None if _ingest_has(site) else least_debt)
    names = [f"{table.database}.{table.name}" for table in chosen]
    return dict(run_in_yarn(site, "tables", "compact", *names)["compactions"]) if names else {}


def _chosen(access: Access, named: list[str], least_debt: float | None) -> list[HudiTable]:
    """The tables that are named, else those with a pending compaction or so much debt."""
    return [find_table(access, name) for name in named or tables_in_debt(access, least_debt)]


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
