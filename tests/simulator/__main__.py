"""`python -m tests.simulator --facilities 20 --zips 60 --seed 1 --out DIR`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from tests.simulator import population, simulate


def main() -> None:
    """Read the arguments, simulate, print the summary."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description=simulate.__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to write drop/ and truth/ to")
    parser.add_argument("--facilities", type=int, default=20)
    parser.add_argument("--zips", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--waves", type=int, default=3)
    parser.add_argument("--edge-mb", type=int, default=40, help="size of the one edge case zip, 0 for none")
    parser.add_argument("--population", type=int, help="run Synthea for so many patients, instead of the extract")
    given = parser.parse_args()
    summary = simulate(
        given.out, given.facilities, given.zips, given.seed, given.waves, given.edge_mb, _synthea(given), print
    )
    print(json.dumps(summary, indent=2, sort_keys=True, ensure_ascii=False))


def _synthea(given: argparse.Namespace) -> Path | None:
    if not given.population:
        return None
    return population(given.population, given.out / "synthea")


if __name__ == "__main__":
    main()
