"""Writes the truth to files."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.simulator.columns import TARGETS
from tests.simulator.truth import OUTCOMES, Truth

ZIP_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("folder", "feed", "name")),
        ("wave", pa.int32()),
        *((name, pa.string()) for name in ("sha256", "state", "rule")),
        *((name, pa.int64()) for name in ("members", *(f"members_{outcome}" for outcome in OUTCOMES))),
        *((f"rows_{outcome}", pa.int64()) for outcome in OUTCOMES if outcome != "ignored"),
        ("warnings", pa.string()),
    ]
)
QUARANTINE_SCHEMA = pa.schema(
    [
        ("folder", pa.string()), ("name", pa.string()), ("member_index", pa.int32()), ("member", pa.string()),
        ("row", pa.int64()), ("target", pa.string()), ("rule", pa.string()),
    ]
)  # fmt: skip


def write_truth(truth: Truth, out: Path) -> dict:
    """Write all truth files under `out` and return the summary."""
    for folder in (out, out / "tables", out / "deleted"):
        folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist([line.line() for line in truth.zips], ZIP_SCHEMA), out / "zips.parquet")
    pq.write_table(_quarantine(truth), out / "quarantine.parquet")
    pq.write_table(_members(truth), out / "members.parquet")
    pq.write_table(_rows(truth), out / "rows.parquet")
    counts = {part: _write_tables(truth, out / part) for part in ("tables", "deleted")}
    (out / "identifiers.txt").write_text("".join(f"{text}\n" for text in sorted(truth.identifiers)), encoding="utf-8")
    summary = _summarise(truth) | counts
    (out / "summary.json").write_text(json.dumps(summary, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return summary


def _write_tables(truth: Truth, out: Path) -> dict[str, int]:
    """Write the rows that readers see, or the keys of the deleted ones; returns how many there are of each table."""
    counts = {}
    for name, versions in truth.versions.items():
        table = versions.deleted() if out.name == "deleted" else versions.table()
        pq.write_table(table, out / f"{name}.parquet")
        counts[name] = table.num_rows
    return counts


def _quarantine(truth: Truth) -> pa.Table:
    names = ("zip", "member_index", "member", "row", "target", "rule")
    entries = [dict(zip(names, entry, strict=True)) for entry in truth.quarantine]
    for entry in entries:
        line = truth.zips[entry.pop("zip")]
        entry |= {"folder": line.folder, "name": line.name}
    return pa.Table.from_pylist(entries, QUARANTINE_SCHEMA)


def _members(truth: Truth) -> pa.Table:
    zips, indexes, outcomes = truth.member_columns
    return pa.table(
        {
            **_zip_columns(truth, zips),
            "member_index": pa.array(indexes, pa.int32()),
            "member": pa.array(truth.member_names, pa.string()),
            "outcome": _named(outcomes, OUTCOMES),
        }
    )


def _rows(truth: Truth) -> pa.Table:
    zips, indexes, targets, numbers, outcomes = truth.row_columns
    return pa.table(
        {
            **_zip_columns(truth, zips),
            "member_index": pa.array(indexes, pa.int32()),
            "target": _named(targets, TARGETS),
            "row": pa.array(numbers, pa.int64()),
            "outcome": _named(outcomes, OUTCOMES),
        }
    )


def _zip_columns(truth: Truth, zips) -> dict[str, pa.Array]:
    return {
        "folder": _named(zips, [line.folder for line in truth.zips]),
        "name": _named(zips, [line.name for line in truth.zips]),
    }


def _named(numbers, names) -> pa.Array:
    indices = pa.array(numbers, pa.int32())
    return pa.DictionaryArray.from_arrays(indices, pa.array(list(names), pa.string())).cast(pa.string())


def _summarise(truth: Truth) -> dict:
    members, rows = Counter(), Counter()
    for line in truth.zips:
        members.update(line.members)
        rows.update(line.rows)
    return {
        "zips": dict(Counter(line.state for line in truth.zips)),
        "members": dict(members),
        "rows": dict(rows),
        "quarantine": dict(Counter(entry[-1] for entry in truth.quarantine)),
        "kinds": dict(truth.kinds),
    }
