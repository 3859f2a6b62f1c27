"""What a file, a zip, a row and a commit cost, as the kept results of the benchmarks say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

MEGABYTE = 1_000_000


def _measured(where: str, what: str) -> Any:
    return field(metadata={"where": where, "what": what})


@dataclass(frozen=True)
class Costs:
    """Measured costs; `where` of each says which result holds it. CPU in core-seconds, sizes in bytes."""

    cpu_of_file: float = _measured("day.json: cpu_seconds / files", "core-seconds a file, compactions included")
    cpu_of_commit: float = _measured(
        "growth.json: upsert.core_s of the largest table",
        "core-seconds a commit, its 6,000 rows included: too much rather than too little",
    )
    packed_of_file: float = _measured("day.json: packed_mb / files", "bytes a file takes in its zip")
    rows_of_file: float = _measured("day.json: rows / files", "rows that stay of a file: updates fill none")
    table_of_row: float = _measured("day.json: table_mb / rows", "bytes a row takes in its table, log files included")
    ledger_of_zip: float = _measured("day.json: ledger_mb / zips", "bytes a zip takes in the ledger")
    memory_of_core: float = _measured("day.json: peak_mb / cores", "bytes of memory the ingest takes for each core")
    files_of_group: float = _measured(
        "growth.json: series.most_files_of_group", "files a file group has, older ones included"
    )
    files_of_timeline: float = _measured("growth.json: series.most_timeline_files", "files a table's timeline has")


def costs_of(day: Mapping[str, Any], growth: Mapping[str, Any]) -> Costs:
    """The costs that results of `lake bench ingest --day` and `lake bench growth` tell."""
    files, rows = day["files"], day["rows"]
    largest = max(growth["upsert"], key=int)
    return Costs(
        cpu_of_file=day["cpu_seconds"] / files,
        cpu_of_commit=growth["upsert"][largest]["core_s"],
        packed_of_file=day["packed_mb"] * MEGABYTE / files,
        rows_of_file=rows / files,
        table_of_row=day["table_mb"] * MEGABYTE / rows,
        ledger_of_zip=day["ledger_mb"] * MEGABYTE / day["zips"],
        memory_of_core=day["peak_mb"] * MEGABYTE / day["cores"],
        files_of_group=growth["series"]["most_files_of_group"],
        files_of_timeline=growth["series"]["most_timeline_files"],
    )


def told(costs: Costs) -> list[dict[str, Any]]:
    """The costs one by one: name, value, meaning and where it was measured."""
    return [
        {"name": one.name, "value": float(f"{getattr(costs, one.name):.4g}"), **dict(one.metadata)}
        for one in fields(costs)
    ]
