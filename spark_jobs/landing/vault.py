"""The vault: every zip that went through, kept as it came, packed into large bundles.

Zips wait in `vault/open/` until there are enough of them for a bundle; `vault/index/` tells where each packed one lies.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from spark_jobs.landing.files import AnyPath, copy, entries, move, names, sync, write_json, write_whole

# Bundles of this size keep the number of files (and of NameNode objects) small: about 300 a day at the brief's load.
BUNDLE_BYTES = 128 << 20

INDEX = pa.schema(
    [
        ("zip_id", pa.string()),
        ("sha256", pa.string()),
        ("bundle", pa.string()),
        ("offset", pa.int64()),
        ("length", pa.int64()),
    ]
)


@dataclass(frozen=True)
class Location:
    """Where a zip's bytes are: `length` bytes from `offset` in the file `path`, a bundle or the zip itself."""

    path: AnyPath
    offset: int
    length: int

    def read(self) -> bytes:
        """The zip's bytes."""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return file.read(self.length)


def keep(vault: AnyPath, zip_path: AnyPath) -> None:
    """Takes a zip that was accounted for into the vault. A retry finds it there and is content."""
    folder = vault / "open"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    move(zip_path, folder / zip_path.name)


def pack(vault: AnyPath, bundle_bytes: int = BUNDLE_BYTES) -> int:
    """Packs waiting zips into bundles of at least `bundle_bytes`; returns the number of bundles made.

    Crash-only: a plan is written first and removed last; each step in between can be done again with the same result,
    and a zip leaves `open/` only when the index says where it is.
    """
    packed = 0
    plan_path = vault / "packing.json"
    if plan_path.exists():
        _carry_out(vault, json.loads(plan_path.read_bytes()))
        packed += 1
    while plan := _plan(vault, bundle_bytes):
        write_json(plan_path, plan)
        _carry_out(vault, plan)
        packed += 1
    return packed


def locate(vault: AnyPath, zip_ids: Collection[str]) -> dict[str, Location]:
    """Where those of `zip_ids` are that the vault has.

    A zip leaves `open/` after the index names it: looked for in that order, it is found even while it is packed.
    """
    found = {}
    for zip_id in zip_ids:
        path = vault / "open" / f"{zip_id}.zip"
        if path.exists():
            found[zip_id] = Location(path, 0, path.stat().st_size)
    wanted = [zip_id for zip_id in zip_ids if zip_id not in found]
    if wanted:
        for row in _indexed(vault / "index", wanted):
            found[row["zip_id"]] = Location(vault / row["bundle"], row["offset"], row["length"])
    return found


def read_index(path: AnyPath, zip_ids: Collection[str] | None = None) -> list[dict[str, Any]]:
    """The rows of a bundle's index, of all its zips or of those of `zip_ids`, as dicts by the columns of `INDEX`."""
    wanted = None if zip_ids is None else [("zip_id", "in", zip_ids)]
    with path.open("rb") as file:
        rows: list[dict[str, Any]] = pq.read_table(file, schema=INDEX, filters=wanted).to_pylist()
    return rows


def _indexed(index: AnyPath, zip_ids: Collection[str]) -> Iterator[dict[str, Any]]:
    for name in names(index):
        if name.endswith(".parquet"):
            yield from read_index(index / name, zip_ids)


def find(vault: AnyPath, zip_id: str) -> bytes | None:
    """The bytes of a zip in the vault, or None if it is not there."""
    location = locate(vault, [zip_id]).get(zip_id)
    if location is None:
        return None
    try:
        return location.read()
    except FileNotFoundError:  # packed since it was located
        return locate(vault, [zip_id])[zip_id].read()


def _plan(vault: AnyPath, bundle_bytes: int) -> list[str]:
    """Names of the waiting zips for the next bundle, or none while there are too few bytes for one."""
    planned, size = [], 0
    for entry in sorted(entries(vault / "open"), key=lambda entry: entry.name):
        if entry.name.endswith(".zip"):
            planned.append(entry.name)
            size += entry.bytes
        if size >= bundle_bytes:
            return planned
    return []


def _carry_out(vault: AnyPath, packed: list[str]) -> None:
    bundle = hashlib.sha256("\n".join(packed).encode()).hexdigest()[:32] + ".zips"
    index = vault / "index" / f"{bundle}.parquet"
    if not index.exists():
        rows = _write_bundle(vault, bundle, packed)
        index.parent.mkdir(exist_ok=True, mode=0o700)
        written = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pylist(rows, INDEX), written)
        write_whole(index, written.getvalue())
    for name in packed:
        (vault / "open" / name).unlink(missing_ok=True)
    (vault / "packing.json").unlink()


def _write_bundle(vault: AnyPath, bundle: str, packed: list[str]) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    temporary = vault / f".{bundle}.tmp"
    with temporary.open("wb") as out:
        offset = 0
        for name in packed:
            sha256, length = copy(vault / "open" / name, out)
            zip_id = name.removesuffix(".zip")
            rows.append({"zip_id": zip_id, "sha256": sha256, "bundle": bundle, "offset": offset, "length": length})
            offset += length
        sync(out)  # before the zips that it holds are removed
    temporary.replace(vault / bundle)  # type: ignore[arg-type]
    return rows
