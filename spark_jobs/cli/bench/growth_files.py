"""Files, and what a NameNode would hold of them: by layer of a lake, and for a day of the brief."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from spark_jobs.site import Site

BLOCK_BYTES = 128 << 20
TIMELINE = ".hoodie"
# The load that the brief states, and how it is spread over tables: each day opens a partition of two buckets a table.
ZIPS_A_DAY, ZIPS_A_SECOND, TABLES, GROUPS_A_DAY = 77_000, 3_500 / 3_600, 100, 2
WAIT_SECONDS = 60


@dataclass(frozen=True)
class Objects:
    """Files, their blocks of 128 MB, and folders: what a NameNode keeps in memory. `bytes` is what the files hold."""

    files: int = 0
    blocks: int = 0
    folders: int = 0
    bytes: int = 0

    def as_json(self) -> dict[str, int]:
        """The counts, and the objects in all."""
        return {**asdict(self), "objects": self.files + self.blocks + self.folders}


def objects_by_layer(site: Site) -> dict[str, dict[str, int]]:
    """What each layer of a lake holds; the embedded metastore's files would be a PostgreSQL database in a cluster."""
    data, timeline = (lambda path: TIMELINE not in path.parts), (lambda path: TIMELINE in path.parts)
    return {
        "landing": objects_in(site.landing).as_json(),
        "claimed": objects_in(site.claimed).as_json(),
        "vault": objects_in(site.vault).as_json(),
        "quarantine": objects_in(site.quarantine).as_json(),
        "warehouse": objects_in(site.warehouse, data).as_json(),
        "timeline": objects_in(site.warehouse, timeline).as_json(),
        "metastore": objects_in(site.metastore).as_json(),
    }


def objects_in(folder: Path, wanted: Callable[[Path], bool] = lambda path: True) -> Objects:
    """What is below `folder`, without the checksum files that only local disks have."""
    sizes: list[int] = []
    folders = 0
    for root, _, names in os.walk(folder):
        if Path(root) != folder and wanted(Path(root)):
            folders += 1
        paths = [Path(root) / name for name in names if not name.endswith(".crc")]
        sizes += [path.stat().st_size for path in paths if wanted(path)]
    return Objects(len(sizes), sum(-(-size // BLOCK_BYTES) for size in sizes), folders, sum(sizes))


def log_files(table: Path) -> int:
    """The most log files that a file group of the table has, those of cleaned slices not counted."""
    counts: dict[tuple[str, str], int] = {}
    for path in table.rglob("*.log.*"):
        if not path.name.endswith(".crc") and TIMELINE not in path.relative_to(table).parts:
            group = str(path.parent), path.name.split(".log.")[0]
            counts[group] = counts.get(group, 0) + 1
    return max(counts.values(), default=0)


def day_of_the_brief(
    bytes_of_zip: float, objects_of_group: float, timeline_of_table: float, folders_of_table: int = 1
) -> dict[str, dict[str, float]]:
    """NameNode objects by layer: what a day adds for good, and what stands at the peak and goes again.

    Measured and given: the size of a packed zip, the objects of a file group that is written to, those of a table's
    timeline. Landed and claimed zips are a file, its note, and a block each; a bundle is a file of one block, and so is
    its index.
    """
    bundles = ZIPS_A_DAY * bytes_of_zip / BLOCK_BYTES
    waiting = ZIPS_A_SECOND * WAIT_SECONDS * 4
    open_zips = BLOCK_BYTES / bytes_of_zip * 2
    groups = TABLES * GROUPS_A_DAY
    return {
        "landing": {"added": 0, "standing": round(waiting)},
        "claimed": {"added": 0, "standing": round(waiting)},
        "vault": {"added": round(bundles * 4), "standing": round(open_zips)},
        # A day's groups end as a base file and its block; the partition's folder and its mark stay too.
        "warehouse": {
            "added": groups * 2 + TABLES * (folders_of_table + 2),
            "standing": round(groups * (objects_of_group - 2)),
        },
        "timeline": {"added": 0, "standing": round(TABLES * timeline_of_table)},
        "metastore": {"added": 0, "standing": 0},
    }
