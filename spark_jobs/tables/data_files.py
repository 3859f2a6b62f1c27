"""The data files of a table, told by their names, and those of them that belong to nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spark_jobs.landing.files import entries

if TYPE_CHECKING:
    from spark_jobs.tables.hudi import HudiTable

_BASE = re.compile(r"(?P<group>[^_.]+)_[^_]+_(?P<instant>\d+)\.parquet")
_LOG = re.compile(r"\.(?P<group>[^_.]+)_(?P<instant>\d+)\.log\.\d+_[\d-]+")


@dataclass(frozen=True)
class File:
    """A data file: its name, the file group (partition, id) it belongs to, the instant of its base file, its size in bytes."""

    name: str
    group: tuple[str, str]
    instant: str
    bytes: int
    is_log: bool


def data_files(table: HudiTable) -> Iterator[File]:
    """The base files and log files of `table`, whatever they are worth. One listing a partition."""
    for partition in table.partitions or ("",):
        for entry in entries(table.path / partition):
            match = _BASE.fullmatch(entry.name) or _LOG.fullmatch(entry.name)
            if match:
                yield File(
                    entry.name, (partition, match["group"]), match["instant"], entry.bytes, entry.name.startswith(".")
                )


def orphans_of(table: HudiTable) -> list[File]:
    """Data files of `table` that no instant of its timeline accounts for, as a task leaves them that outlives its writer.

    The timeline is read after the files, whose instants are in it before they are made. Of instants that are archived, or
    may be by now, nothing is known, and so nothing is said: those files are the table's to every reader.
    """
    if not table.has_commits:
        return []
    files = list(data_files(table))
    known, oldest = table.instants, table.oldest_kept
    return [file for file in files if file.instant >= oldest and file.instant not in known]


def remove_orphans(table: HudiTable) -> list[File]:
    """Removes the orphans of `table` and returns them. Beside a writer and a compaction, too: what these make is in the timeline."""
    orphans = orphans_of(table)
    for file in orphans:
        (table.path / file.group[0] / file.name).unlink(missing_ok=True)
    return orphans
