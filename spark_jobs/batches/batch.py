"""A batch: the zips of one feed that were claimed together, and the rules they are read by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from spark_jobs.landing.agent import DeliveryNote
from spark_jobs.landing.claim import ClaimedZip, Manifest
from spark_jobs.landing.files import AnyPath, write_whole
from spark_jobs.rules.model import Feed, TargetTable
from spark_jobs.rules.rows import feed_from_rows, feed_rows, target_from_row, target_rows

# The rows of zips of so few bytes are read and counted by one task: more would cost more than they save.
SMALL_BYTES = 2 << 20
# A larger zip may take minutes: the others of its feed do not wait for it, nor do all batches at once hold such zips.
LARGE_ZIP = 16 << 20
NO_FEED = "zip.no_feed: no feed in force takes it"
WRITING, BEGINNINGS = "writing", "beginnings"


@dataclass(frozen=True)
class Batch:
    """A claimed batch in `folder`. `feed` is None where no feed takes the zips."""

    manifest: Manifest
    folder: AnyPath
    feed: Feed | None
    targets: Mapping[str, TargetTable]

    @classmethod
    def read(cls, folder: AnyPath) -> Batch:
        """The batch whose manifest is in `folder`, by the rules that were in force when it was claimed."""
        manifest = Manifest.read(folder)
        return cls(manifest, folder, *rules_from_manifest(manifest.rules))

    @property
    def name(self) -> str:
        """The batch's id, which its rows carry."""
        return self.manifest.batch

    @property
    def order(self) -> str:
        """Ordering field of the batch's ledger and quarantine rows: a later run of the job wins, in it a later batch.

        Rows of before had the epoch alone, which sorts before every batch of the same epoch.
        """
        number = int(self.name.rpartition("-")[2])
        return f"{self.manifest.epoch:012d}{number:08d}"

    @property
    def beginnings(self) -> int:
        """How often it was begun."""
        path = self.folder / BEGINNINGS
        return int(path.read_bytes()) if path.exists() else 0

    def begin(self) -> None:
        """Counts an attempt, which may end this process."""
        write_whole(self.folder / BEGINNINGS, str(self.beginnings + 1).encode())

    @property
    def began_to_write(self) -> bool:
        """Whether an attempt came as far as its first upsert: from then on its rows may be in a table."""
        return (self.folder / WRITING).exists()

    def begin_to_write(self) -> None:
        """Notes that from now on rows of the batch may be in a table; to be called before the first upsert."""
        (self.folder / WRITING).touch()

    @property
    def notes(self) -> Sequence[DeliveryNote]:
        """The delivery notes of its zips."""
        return [z.note for z in self.manifest.zips]

    @cached_property
    def to_open(self) -> Sequence[ClaimedZip]:
        """The zips that are opened: those that are no duplicates, and not refused beforehand."""
        return [z for z in self.manifest.zips if z.duplicate_of is None and z.refusal is None and self.feed]

    @cached_property
    def replayed(self) -> Sequence[str]:
        """Ids of the zips that were taken in before and are replayed."""
        return [z.note.zip_id for z in self.manifest.zips if z.note.replay]

    @cached_property
    def duplicates(self) -> Sequence[ClaimedZip]:
        """The zips whose bytes were loaded before."""
        return [z for z in self.manifest.zips if z.duplicate_of is not None and z.refusal is None]

    @cached_property
    def refused(self) -> Sequence[ClaimedZip]:
        """The zips that are refused without being opened: no feed takes them, or the manifest says why."""
        if self.feed is None:
            return [replace(z, refusal=NO_FEED) for z in self.manifest.zips]
        return [z for z in self.manifest.zips if z.refusal is not None]


def is_small(zips: Iterable[ClaimedZip]) -> bool:
    """Whether these zips are work for one task."""
    return sum(z.note.bytes for z in zips) <= SMALL_BYTES


def has_large(zips: Iterable[ClaimedZip]) -> bool:
    """Whether one of these zips may keep its reader busy for minutes."""
    return any(z.note.bytes > LARGE_ZIP for z in zips)


def rules_to_manifest(feed: Feed | None, targets: Mapping[str, TargetTable]) -> dict[str, Any]:
    """Rule rows for the manifest: all that a re-run needs, whatever is in force by then."""
    if feed is None:
        return {}
    rows = [target_rows(targets[name])["target_table"][0] for name in feed.targets]
    return {**feed_rows(feed), "target_table": rows}


def rules_from_manifest(rules: Mapping[str, Any]) -> tuple[Feed | None, dict[str, TargetTable]]:
    """What `rules_to_manifest` wrote."""
    if not rules:
        return None, {}
    feed = feed_from_rows(rules["feed"][0], rules["feed_member"], rules["feed_column"], rules["feed_check"])
    targets = [target_from_row(row) for row in rules["target_table"]]
    return feed, {target.target: target for target in targets}
