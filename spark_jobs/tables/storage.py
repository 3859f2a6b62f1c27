"""What lies on disk for a table and what that costs its readers, told from the timeline and the names and sizes of files.

Nothing is opened, so it may be asked at any time, beside a writer too: then a file that came this moment may be missing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from spark_jobs.tables.data_files import File, data_files
from spark_jobs.tables.hudi import HudiTable

SMALL_BYTES = 32 << 20  # a base file below it costs its opening more than its reading


@dataclass(frozen=True)
class Storage:
    """The files that a merged read of a table opens, and the `old` ones that only the cleaner will touch again.

    `pending` compactions are planned or begun; `commits` are the delta commits since the last one that was completed, as
    far as the timeline, which is archived in time, still has them.
    """

    table: str
    groups: int = 0
    base_files: int = 0
    base_bytes: int = 0
    small_files: int = 0
    log_files: int = 0
    log_bytes: int = 0
    old_files: int = 0
    old_bytes: int = 0
    commits: int = 0
    pending: tuple[str, ...] = ()
    last_commit: datetime | None = None
    last_compaction: datetime | None = None
    by_partition: dict[str, tuple[int, int, int, int]] = field(default_factory=dict)

    @property
    def debt(self) -> float | None:
        """Bytes of log files for each byte of base files: what a compaction would have to merge; None without base files."""
        return self.log_bytes / self.base_bytes if self.base_bytes else None

    @property
    def read_amplification(self) -> float | None:
        """Files that a read opens for each file group: 1 right after a compaction; None of an empty table."""
        return (self.base_files + self.log_files) / self.groups if self.groups else None


def storage_of(table: HudiTable) -> Storage:
    """What lies on disk for `table` now."""
    name = f"{table.database}.{table.name}"
    if not table.has_commits:
        return Storage(name)
    unfinished = {*table.pending_compactions, *table.open_commits}
    files = [file for file in data_files(table) if file.is_log or file.instant not in unfinished]
    used = [file for group in _by_group(files).values() for file in _newest_slice(group)]
    old = sum(file.bytes for file in files) - sum(file.bytes for file in used)
    bases, logs = [f for f in used if not f.is_log], [f for f in used if f.is_log]
    compactions = table.compactions
    last = compactions[-1] if compactions else ""
    return Storage(
        table=name,
        groups=len({file.group for file in used}),
        base_files=len(bases),
        base_bytes=sum(file.bytes for file in bases),
        small_files=sum(file.bytes < SMALL_BYTES for file in bases),
        log_files=len(logs),
        log_bytes=sum(file.bytes for file in logs),
        old_files=len(files) - len(used),
        old_bytes=old,
        commits=sum(instant > last for instant in table.delta_commits),
        pending=tuple(table.pending_compactions),
        last_commit=moment_of(table.commits[-1]),
        last_compaction=moment_of(last) if last else None,
        by_partition={partition: _counts(used, partition) for partition in sorted({f.group[0] for f in used})},
    )


def moment_of(instant: str) -> datetime:
    """The moment of an instant of the timeline, which counts in UTC."""
    return datetime.strptime(instant[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)


def _newest_slice(group: list[File]) -> Iterator[File]:
    """The base file that a read starts from, and the log files written since: also those that wait for a compaction."""
    newest = max((file.instant for file in group if not file.is_log), default="")
    return (file for file in group if file.instant >= newest)


def _by_group(files: list[File]) -> dict[tuple[str, str], list[File]]:
    groups: dict[tuple[str, str], list[File]] = defaultdict(list)
    for file in files:
        groups[file.group].append(file)
    return groups


def _counts(files: list[File], partition: str) -> tuple[int, int, int, int]:
    """Base files, their bytes, log files, their bytes."""
    here = [file for file in files if file.group[0] == partition]
    bases, logs = [f.bytes for f in here if not f.is_log], [f.bytes for f in here if f.is_log]
    return len(bases), sum(bases), len(logs), sum(logs)
