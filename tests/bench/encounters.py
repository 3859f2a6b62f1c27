"""Zips of encounters for benchmarks: `python -m tests.bench.making` makes these and other formats."""

from __future__ import annotations

from pathlib import Path

from tests.bench.making import main, write_zips


def write_encounters(out: Path, zips: int, waves: int = 2, seed: int = 1, processes: int | None = None) -> dict:
    """`write_zips` of XML documents, one record each."""
    return write_zips(out, "xml", zips, waves, seed, processes)


if __name__ == "__main__":
    main()
