"""Whether the vault's bundles still hold what their index says: every zip is read and hashed again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from spark_jobs.landing.files import AnyPath, names
from spark_jobs.landing.vault import read_index

CHUNK = 1 << 20


@dataclass(frozen=True)
class Defect:
    """A zip of a bundle whose bytes are not those that were packed; `zip_id` is None where it is the whole bundle."""

    bundle: str
    zip_id: str | None
    problem: str


@dataclass(frozen=True)
class Checked:
    """What was read, in bundles, zips and bytes, and what was wrong with it."""

    bundles: int
    zips: int
    bytes: int
    defects: tuple[Defect, ...]


def check_vault(vault: AnyPath, part: int = 1, parts: int = 1) -> Checked:
    """Reads the bundles of one of so many equal parts of the vault, counted from 1; bundles belong to parts by their names.

    Beside a running ingest too: a bundle never changes once its index is there.
    """
    bundles = {name for name in names(vault) if name.endswith(".zips") and name[0] != "."}
    # In this order: a bundle that has no index yet has a plan, and the plan goes after the index has come.
    is_packing = (vault / "packing.json").exists()
    indexed = {name.removesuffix(".parquet") for name in names(vault / "index") if name[0] != "."}
    strays = set() if is_packing else bundles - indexed
    chosen = sorted(name for name in indexed | strays if _part_of(name, parts) == part)
    zips, size, defects = 0, 0, []
    for name in chosen:
        if name in strays:
            defects.append(Defect(name, None, "it has no index"))
            continue
        rows = read_index(vault / "index" / f"{name}.parquet")
        zips, size = zips + len(rows), size + sum(row["length"] for row in rows)
        defects += _check_bundle(vault / name, rows)
    return Checked(len(chosen), zips, size, tuple(defects))


def _part_of(bundle: str, parts: int) -> int:
    """Names of bundles are hashes, which spread evenly."""
    return int(bundle[:8], 16) % parts + 1


def _check_bundle(path: AnyPath, rows: list[dict[str, Any]]) -> Iterator[Defect]:
    if not path.exists():
        yield Defect(path.name, None, f"it is gone, with {len(rows)} zips")
        return
    with path.open("rb") as file:
        for row in rows:
            if _hash(file, row["offset"], row["length"]) != row["sha256"]:
                yield Defect(path.name, row["zip_id"], "its bytes are not those that were packed")
    if path.stat().st_size != max((row["offset"] + row["length"] for row in rows), default=0):
        yield Defect(path.name, None, "it is longer or shorter than its index says")


def _hash(file: BinaryIO, offset: int, length: int) -> str:
    """SHA-256 of a part of an open file, read in chunks: a zip may have gigabytes."""
    digest = hashlib.sha256()
    file.seek(offset)
    while length and (chunk := file.read(min(CHUNK, length))):
        digest.update(chunk)
        length -= len(chunk)
    return digest.hexdigest()
