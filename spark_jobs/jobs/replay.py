"""Replays: zips with open quarantine entries, landed once more to be read by the rules in force now.

This only lands them, under the ids they have; the ingest job that runs, or the next one, takes them in. A kill at any
line leaves some landed and others not: the same command lands the rest, and none twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from spark_jobs.jobs.quarantine import ENTRIES, Selection, refuse_ambiguous
from spark_jobs.landing.agent import DeliveryNote, land_again
from spark_jobs.landing.claim import feed_of
from spark_jobs.landing.lease import one_at_a_time
from spark_jobs.landing.places import kept_bytes
from spark_jobs.rules.model import Feed
from spark_jobs.site import Site
from spark_jobs.tables.access import Access
from spark_jobs.tables.rule_store import read_rules

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Replay:
    """What is replayed, and what is not and why: delivery notes, or zip ids.

    `same_rules` were read last by the rules that are in force still; `no_feed` are taken by none; `under_way` are in
    landing or claimed; of `lost` ones neither vault nor quarantine has the bytes.
    """

    notes: list[DeliveryNote] = field(default_factory=list)
    feeds: dict[str, int] = field(default_factory=dict)
    same_rules: list[str] = field(default_factory=list)
    no_feed: list[str] = field(default_factory=list)
    under_way: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def plan_replay(access: Access, selection: Selection, same_rules: bool = False) -> Replay:
    """Which zips with entries of `selection` are to be replayed; with `same_rules` also where no rule has changed.

    Raises LakeError if the beginning of an id fits several zips.
    """
    refuse_ambiguous(access, selection)
    rows = access.records(
        "SELECT zip_id, name, folder, sha256, bytes, unix_micros(landed_at) AS landed_micros, feed, revision,"
        " coalesce(replay, 0) AS replay FROM ops.ledger"
        f" WHERE zip_id IN (SELECT zip_id FROM {ENTRIES} WHERE {selection.condition}) ORDER BY landed_at, zip_id"
    )
    feeds = read_rules(access).feeds if rows else {}
    replay = Replay()
    for row in rows:
        plan_zip(replay, row, feeds, same_rules)
    return replay


def plan_zip(replay: Replay, row: Mapping[str, Any], feeds: Mapping[str, Feed], same_rules: bool) -> None:
    """Adds to `replay` what is to be done with the zip of a ledger `row`; `feeds` are those in force, by name."""
    note = _note(row)
    found = feed_of(note, feeds.values())
    if found is None:
        replay.no_feed.append(note.zip_id)
    elif not same_rules and (found[0].feed, found[0].revision) == (row["feed"], row["revision"]):
        replay.same_rules.append(note.zip_id)
    else:
        replay.notes.append(note)
        replay.feeds[found[0].feed] = replay.feeds.get(found[0].feed, 0) + 1


def _note(row: Mapping[str, Any]) -> DeliveryNote:
    """The note of the zip's next replay: as it was delivered, for what is derived from the note must come out the same."""
    landed_at = (EPOCH + timedelta(microseconds=row["landed_micros"])).isoformat(timespec="microseconds")
    given = {name: row[name] for name in ("zip_id", "name", "folder", "sha256", "bytes")}
    return DeliveryNote(**given, landed_at=landed_at, replay=row["replay"] + 1)


def land_replays(site: Site, replay: Replay) -> int:
    """Lands the planned zips and returns how many; those that are under way or lost are noted in `replay`."""
    landed = 0
    # Two that land the same zip beside an ingest that claims it could leave a zip without its note.
    with one_at_a_time(site, "replay"):
        under_way = _under_way(site)
        for note in replay.notes:
            if note.zip_id in under_way:
                replay.under_way.append(note.zip_id)
            elif (content := kept_bytes(site, note.zip_id)) is None:
                replay.lost.append(note.zip_id)
            else:
                land_again(site.landing, note, content)
                landed += 1
    return landed


def _under_way(site: Site) -> set[str]:
    """Ids of zips that are landed or claimed. Landing is looked at first: a zip that moves on meanwhile is seen there or there."""
    landed = {path.stem for path in site.landing.glob("*/*.zip")}
    return landed | {path.stem for path in site.claimed.glob("*/*/*.zip")}
