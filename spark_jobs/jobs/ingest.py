"""The ingest job: takes in whatever has landed, batch by batch, until landing is empty.

Crash-only: batches that an earlier run left in `claimed/` are run again first, from their manifests; everything else
is found again in landing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from spark_jobs.batches.batch import Batch, rules_to_manifest
from spark_jobs.batches.run import BatchResult, run_batch
from spark_jobs.errors import LakeError
from spark_jobs.jobs.failures import log_failure
from spark_jobs.landing import vault
from spark_jobs.landing.claim import (
    MANIFEST,
    ClaimedZip,
    Manifest,
    claim,
    cut_batches,
    discard,
    group_by_feed,
    landed_zips,
    mark_duplicates,
    unfinished_batches,
)
from spark_jobs.landing.lease import next_epoch
from spark_jobs.rules.model import Feed, Finding
from spark_jobs.rules.revisions import RuleSet, in_force
from spark_jobs.tables.access import access_of
from spark_jobs.tables.lake import Lake
from spark_jobs.tables.ledger import Seen, seen_before
from spark_jobs.tables.rule_store import read_rows, stopped_feeds

# A commit is mostly waiting: with fewer the cores idle, and fewer batches share a ledger commit.
BATCHES_AT_ONCE = 4


@dataclass
class IngestReport:
    """What a run came to, in counts; it never holds a value from the data."""

    zips: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("loaded", "duplicate", "ignored", "quarantined"), 0)
    )
    members: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("loaded", "duplicate", "ignored", "quarantined"), 0)
    )
    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("loaded", "duplicate", "quarantined"), 0))
    batches: int = 0
    backlog: int = 0
    stopped: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    findings: Sequence[Finding] = ()

    def add(self, result: BatchResult) -> None:
        """Counts a finished batch."""
        self.batches += 1
        if result.stopped_by and result.feed:
            self.stopped[result.feed] = result.stopped_by
        for account in result.accounts:
            self.zips[account.state] += 1
            for outcome in self.members:
                self.members[outcome] += getattr(account, f"members_{outcome}")
            for outcome in self.rows:
                self.rows[outcome] += getattr(account, f"rows_{outcome}")


OnProgress = Callable[[IngestReport], None]


def ingest_once(lake: Lake, on_progress: OnProgress = lambda _: None) -> IngestReport:
    """Takes in all zips that wait, and those that a killed run left behind; returns what became of them.

    A batch that fails stays in `claimed/` and is named in `failed`; the others go on.
    """
    epoch = next_epoch(lake.site.home)
    report = IngestReport()
    left_over = [Batch.read(folder) for folder in unfinished_batches(lake.site.claimed, lake.site.landing)]
    _run_all(lake, [lambda batch=batch: batch for batch in left_over], report, on_progress, again=True)
    number = 0
    while plans := _plan_round(lake, epoch, number, report):
        number += len(plans)
        _run_all(lake, plans, report, on_progress)
    vault.pack(lake.site.vault)
    return report


Claim = Callable[[], Batch]


def _run_all(
    lake: Lake, claims: Sequence[Claim], report: IngestReport, on_progress: OnProgress, again: bool = False
) -> None:
    """Claims and runs batches side by side. Two on one target table take turns at writing it, not at reading zips."""
    with ThreadPoolExecutor(BATCHES_AT_ONCE) as pool:
        running: list[Future[BatchResult]] = [pool.submit(_claim_and_run, lake, one, again) for one in claims]
        for future in as_completed(running):
            try:
                report.add(future.result())
            except BatchFailedError as failure:
                report.failed[failure.batch] = failure.reason
            on_progress(report)


class BatchFailedError(LakeError):
    """A batch that could not be run to its end; it stays claimed and is tried again by the next run."""

    def __init__(self, batch: str, reason: str) -> None:
        super().__init__(batch, reason, "The log says more; the next run tries it again.")
        self.batch, self.reason = batch, reason


def _claim_and_run(lake: Lake, claim_batch: Claim, again: bool) -> BatchResult:
    batch = claim_batch()
    try:
        return run_batch(lake, batch, again)
    except Exception as error:
        # The error's own text may quote a row: it goes no further than its kind and place.
        log_failure(lake.site.logs, batch.name, error)
        raise BatchFailedError(batch.name, type(error).__name__) from error


def _plan_round(lake: Lake, epoch: int, number: int, report: IngestReport) -> list[Claim]:
    """What can be claimed now, by the rules in force now. Zips of feeds that are stopped or not valid wait."""
    notes = landed_zips(lake.site.landing)
    report.backlog = len(notes)
    if not notes:
        return []
    seen = seen_before(lake.session, {note.sha256 for note in notes})
    # Landed again after it was accounted for, by an agent that was killed before it removed its source.
    for note in notes:
        if note.zip_id in seen.zip_ids and not note.replay:
            discard(lake.site.landing, note)
    notes = [note for note in notes if note.replay or note.zip_id not in seen.zip_ids]
    rows = read_rows(access_of(lake))
    rules = in_force(rows)
    report.findings = rules.findings
    halted = {feed for feed, revision in stopped_feeds(access_of(lake)) if revision == _revision(rules, feed)}
    unsettled = {row["landing_folder"] for row in rows["feed"] if row["feed"] not in rules.feeds}
    groups = group_by_feed(notes, rules.feeds.values(), waiting=halted, unsettled=unsettled, busy=_still_claimed(lake))
    batches = list(_cut(rules, seen, groups))
    return [
        lambda n=number + n, feed=feed, zips=zips: _claim(lake, rules, epoch, n, feed, zips)
        for n, (feed, zips) in enumerate(batches)
    ]


def _still_claimed(lake: Lake) -> set[tuple[str | None, str]]:
    """(feed, SHA-256) of zips in batches that failed in this run: an equal zip waits until the next run tries them."""
    manifests = [Manifest.read(path.parent) for path in lake.site.claimed.glob(f"*/*/{MANIFEST}")]
    return {(manifest.feed, z.note.sha256) for manifest in manifests for z in manifest.zips}


def _revision(rules: RuleSet, feed: str) -> int | None:
    return rules.feeds[feed].revision if feed in rules.feeds else None


def _cut(
    rules: RuleSet, seen: Seen, groups: dict[str | None, list[ClaimedZip]]
) -> Iterator[tuple[Feed | None, list[ClaimedZip]]]:
    for name, zips in groups.items():
        if name is None:
            yield None, zips
            continue
        feed = rules.feeds[name]
        delivered = mark_duplicates(name, [z for z in zips if not z.note.replay], seen.loaded)
        # A replay is no duplicate, and costs more than a delivery: it goes in batches apart.
        for some in (delivered, [z for z in zips if z.note.replay]):
            for batch in cut_batches(some, feed.batch_zips, feed.batch_bytes):
                yield feed, batch


def _claim(lake: Lake, rules: RuleSet, epoch: int, number: int, feed: Feed | None, zips: list[ClaimedZip]) -> Batch:
    name = feed.feed if feed else "no_feed"
    manifest = Manifest(
        batch=f"{name}-{epoch:06d}-{number:04d}",
        epoch=epoch,
        feed=feed.feed if feed else None,
        revision=feed.revision if feed else 0,
        rules=rules_to_manifest(feed, rules.targets),
        zips=tuple(zips),
    )
    folder: Path = claim(lake.site.landing, lake.site.claimed, manifest)
    return Batch(manifest, folder, feed, rules.targets)
