"""Whole zips gone wrong, and deliveries of the same bytes again."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.simulator import member_faults
from tests.simulator.delivery import Delivery, Member
from tests.simulator.feed import Feed
from tests.simulator.zipper import Entry, build_zip

TOO_MANY = 10_001
LARGEST = 2 << 20  # bytes of a zip that may come again
PAGE = b"<html><head><title>502 Bad Gateway</title></head><body>%s</body></html>\n"


def _truncated(delivery: Delivery, feed: Feed, rng: random.Random) -> None:
    members = [feed.sample(delivery) for _ in range(40)]
    whole = build_zip([member.entry for member in members])
    delivery.data, delivery.refused = whole[: len(whole) * 7 // 10], "zip.damaged"


def _not_a_zip(delivery: Delivery, feed: Feed, rng: random.Random) -> None:
    delivery.data, delivery.refused = PAGE % rng.randbytes(12_000).hex().encode("ascii"), "zip.damaged"


def _no_members(delivery: Delivery, feed: Feed, rng: random.Random) -> None:
    delivery.data, delivery.refused = build_zip([]), "zip.empty"


def _only_directories(delivery: Delivery, feed: Feed, rng: random.Random) -> None:
    delivery.data = build_zip([Entry(name, b"", "directory") for name in ("export/", "export/2026/")])
    delivery.refused = "zip.empty"


def _no_feed(delivery: Delivery, feed: Feed, rng: random.Random) -> None:
    members = [feed.sample(delivery) for _ in range(25)]
    delivery.data, delivery.refused = build_zip([member.entry for member in members]), "zip.no_feed"
    delivery.feed, delivery.name = None, f"export-{delivery.name.rpartition('_')[2]}"


def _extract_time(delivery: Delivery, feed: Feed, rng: random.Random) -> None:
    _no_feed(delivery, feed, rng)
    facility, serial = delivery.facility, delivery.name.partition("-")[2]
    delivery.feed, delivery.name = feed.name, f"{feed.prefix}_{facility}_20260231250000_{serial}"
    delivery.refused = "zip.extract_time"


def _too_many_members(delivery: Delivery, feed: Feed, rng: random.Random) -> None:
    delivery.members = [Member(Entry(f"{number}.xml", b"<Encounter/>")) for number in range(TOO_MANY)]
    delivery.data = build_zip([member.entry for member in delivery.members])
    delivery.refused = "zip.too_many_members"


def _all_ignored(delivery: Delivery, feed: Feed, rng: random.Random) -> None:
    for name in ("README.md", "__MACOSX/._README", "docs/changes.md"):
        delivery.members.append(Member(Entry(name, rng.randbytes(9_000).hex().encode("ascii")), ignored=True))
    delivery.data = build_zip([member.entry for member in delivery.members])


def _all_quarantined(delivery: Delivery, feed: Feed, rng: random.Random) -> None:
    kinds = [kind for kind in member_faults.kinds_of(feed.name) if kind.startswith("member.")]
    delivery.members = [member_faults.make(kind, feed, delivery) for kind in kinds * 2]
    delivery.data = build_zip([member.entry for member in delivery.members])


BROKEN: dict[str, Callable[[Delivery, Feed, random.Random], None]] = {
    "zip.truncated": _truncated,
    "zip.not_a_zip": _not_a_zip,
    "zip.no_members": _no_members,
    "zip.only_directories": _only_directories,
    "zip.no_feed": _no_feed,
    "zip.extract_time": _extract_time,
    "zip.too_many_members": _too_many_members,
    "zip.all_ignored": _all_ignored,
    "zip.all_quarantined": _all_quarantined,
}
REPEATED = ("duplicate.later_wave", "duplicate.same_wave", "zip.quarantined_again")


class Past:
    """Deliveries made so far that may come again; only a few are kept."""

    KEPT = 40

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.loaded: list[Delivery] = []
        self.refused: list[Delivery] = []

    def keep(self, delivery: Delivery, state: str) -> None:
        """Remember a delivery that may come again."""
        kept = self.loaded if state == "loaded" else self.refused if delivery.refused == "zip.damaged" else None
        if kept is None or len(delivery.data) > LARGEST:
            return
        delivery.members = []  # the bytes will do
        if len(kept) < self.KEPT:
            kept.append(delivery)
        else:
            kept[self.rng.randrange(self.KEPT)] = delivery

    def pick(self, kind: str, wave: int) -> Delivery | None:
        """A delivery to come again, from the wave that the kind asks for if there is one."""
        pool = self.refused if kind == "zip.quarantined_again" else self.loaded
        same = kind == "duplicate.same_wave"
        fitting = [past for past in pool if (past.wave == wave) == same]
        return self.rng.choice(fitting or pool) if pool else None


def repeat_kind(kind: str, wave: int, past: Delivery) -> str:
    """What a repetition turned out to be: at small scale it may come from another wave than was asked for."""
    if kind == "zip.quarantined_again":
        return kind
    return "duplicate.same_wave" if past.wave == wave else "duplicate.later_wave"
