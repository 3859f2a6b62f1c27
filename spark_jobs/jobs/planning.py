"""What can be claimed now: landed zips by feed, cut into batches, in the order in which they are to be served."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from spark_jobs.batches.batch import has_large
from spark_jobs.jobs.troubles import Troubles
from spark_jobs.landing.agent import DeliveryNote
from spark_jobs.landing.claim import (
    MANIFEST,
    ClaimedZip,
    Manifest,
    cut_batches,
    discard,
    group_by_feed,
    mark_duplicates,
)
from spark_jobs.landing.files import AnyPath
from spark_jobs.rules.model import Feed, Finding
from spark_jobs.rules.revisions import RuleSet
from spark_jobs.tables.lake import Lake
from spark_jobs.tables.ledger import Seen, seen_before
from spark_jobs.tables.standing import standing, stopped

# A zip is handed to its reader whole, as one cell of a batch: Spark takes none of 2 GB, and memory has to hold it.
LARGEST_ZIP = 1 << 30
# Fewer zips, and fewer bytes, wait while a batch of their feed is written: they are a commit cheaper then.
WORTH_ZIPS = 50
WORTH_BYTES = 8 << 20


@dataclass(frozen=True)
class Planned:
    """A batch that can be claimed now; `feed` is None for zips that no feed takes."""

    feed: Feed | None
    zips: list[ClaimedZip]

    @property
    def feed_name(self) -> str | None:
        """The feed's name."""
        return self.feed.feed if self.feed else None


@dataclass(frozen=True)
class Plan:
    """What can be claimed, the most urgent first, and the rules in force."""

    batches: list[Planned]
    rules: RuleSet
    halted: Collection[str]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong with the rules."""
        return self.rules.findings


def make_plan(lake: Lake, notes: list[DeliveryNote], troubles: Troubles, running: Counter[str | None]) -> Plan:
    """Plans by the rules in force now. Zips of feeds that are stopped, pausing or not valid wait.

    `running` counts batches at work by feed: feeds with fewer are served first. Claimed batches are looked at before the
    ledger is asked: one that ends in between is then found in the ledger.
    """
    claimed, busy = _claimed(lake)
    seen = seen_before(lake.known_zips, {note.sha256 for note in notes})
    # Landed again after it was accounted for, by an agent that was killed before it removed its source.
    for note in notes:
        if note.zip_id in seen.zip_ids and not note.replay:
            discard(lake.site.landing, note)
    notes = [note for note in notes if note.replay or note.zip_id not in seen.zip_ids]
    # Landed again while it is worked on: then it waits until the ledger has it.
    notes = [note for note in notes if note.zip_id not in claimed]
    now, stops = standing(lake), stopped(lake)
    rules = now.rules
    halted = {name for name, feed in rules.feeds.items() if (name, feed.revision) in stops}
    waiting = halted | troubles.waiting()
    groups = group_by_feed(notes, rules.feeds.values(), waiting=waiting, unsettled=now.unsettled, busy=busy)
    batches = sorted(
        _cut(rules, seen, groups, troubles), key=lambda planned: urgency(planned.feed, planned.zips, running)
    )
    return Plan(batches, rules, halted)


def _claimed(lake: Lake) -> tuple[set[str], set[tuple[str | None, str]]]:
    """Ids and (feed, SHA-256) of zips in claimed batches: an equal zip waits until it is known what became of them."""
    zips = [(manifest.feed, z.note) for manifest in _manifests(lake.site.claimed) for z in manifest.zips]
    return {note.zip_id for _, note in zips}, {(feed, note.sha256) for feed, note in zips}


def _manifests(claimed: AnyPath) -> Iterator[Manifest]:
    """Of the batches that are claimed now; of those that go meanwhile, the ledger tells."""
    for path in claimed.glob(f"*/*/{MANIFEST}"):
        with suppress(FileNotFoundError):
            yield Manifest.read(path.parent)


def kind_of(zips: Sequence[ClaimedZip]) -> Literal["usual", "large", "replay"]:
    """What kind of batch these zips are; zips of different kinds are in no batch together."""
    if any(z.note.replay for z in zips):
        return "replay"
    return "large" if has_large(zips) else "usual"


def is_worth_a_turn(zips: Sequence[ClaimedZip]) -> bool:
    """Whether they are so many that their batch is begun beside another of their feed, and not left to grow meanwhile."""
    return len(zips) >= WORTH_ZIPS or sum(z.note.bytes for z in zips) >= WORTH_BYTES


def urgency(feed: Feed | None, zips: Sequence[ClaimedZip], running: Counter[str | None]) -> tuple[int, bool, datetime]:
    """The earliest due first: a zip is due its feed's `priority` in seconds after it landed, so that none waits for ever.

    Replays landed long ago, and would else hold up what is delivered now. `running` counts batches at work by feed.
    """
    name, priority = (feed.feed, feed.priority) if feed else (None, 0)
    landed = min(datetime.fromisoformat(z.note.landed_at) for z in zips)
    return running[name], kind_of(zips) == "replay", landed + timedelta(seconds=priority)


def cut_feed(
    feed: Feed, zips: Sequence[ClaimedZip], loaded: Mapping[tuple[str, str], str], troubles: Troubles
) -> Iterator[list[ClaimedZip]]:
    """The batches of a feed's zips; `loaded` maps (feed, sha256) to the id of a zip that was loaded."""
    # A replay is no duplicate, and costs more than a delivery: it goes in batches apart. Large zips go alone.
    replays = [z for z in zips if z.note.replay]
    delivered = mark_duplicates(feed.feed, [z for z in zips if not z.note.replay], loaded)
    usual = [z for z in delivered if kind_of([z]) == "usual"]
    large = [[z] for z in delivered if kind_of([z]) == "large"]
    for some in (usual, *large, replays):
        marked = [_refused_if_hopeless(feed.feed, z, troubles) for z in some]
        yield from cut_batches(marked, troubles.most_zips(feed.feed, feed.batch_zips), feed.batch_bytes)


def _cut(
    rules: RuleSet, seen: Seen, groups: dict[str | None, list[ClaimedZip]], troubles: Troubles
) -> Iterator[Planned]:
    for name, zips in groups.items():
        if name is None:
            yield Planned(None, zips)
        else:
            feed = rules.feeds[name]
            yield from (Planned(feed, batch) for batch in cut_feed(feed, zips, seen.loaded, troubles))


def _refused_if_hopeless(feed: str, z: ClaimedZip, troubles: Troubles) -> ClaimedZip:
    """A zip that is too large to be handed to a reader, or that made the batches fail in which it was alone."""
    if z.note.bytes > LARGEST_ZIP:
        return replace(z, refusal=f"zip.too_large: more than {LARGEST_ZIP >> 20} MB packed")
    if troubles.is_to_blame(feed, z.note.zip_id):
        return replace(z, refusal="zip.failed: its batch failed each time that it was tried alone; the log says where")
    return z
