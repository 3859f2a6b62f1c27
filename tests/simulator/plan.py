"""Which zips arrive in which wave, from which facility: the brief's shares, at any scale."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tests.simulator.clock import DAY, START

SHARES = {"encounters": 0.80, "patients": 0.06, "bed_census": 0.05, "lab_results": 0.05, "claims": 0.04}
LEAST = {"encounters": 5, "patients": 2, "bed_census": 2, "lab_results": 2, "claims": 1}
REGIONS = ("NE", "NW", "SE", "SW")
# Whole zips gone wrong or sent twice, most telling first, with their share of all zips.
SPECIALS = {
    "duplicate.later_wave": 0.005,
    "duplicate.same_wave": 0.005,
    "zip.truncated": 0.001,
    "zip.no_feed": 0.001,
    "zip.no_members": 0.001,
    "zip.not_a_zip": 0.001,
    "zip.all_ignored": 0.001,
    "zip.all_quarantined": 0.001,
    "zip.only_directories": 0.0005,
    "zip.extract_time": 0.0005,
    "zip.too_many_members": 0.0,  # one, as it holds 10,001
    "zip.quarantined_again": 0.001,
}


@dataclass(frozen=True)
class Planned:
    """A zip to make: its feed, or for a special one its kind."""

    wave: int
    kind: str
    facility: str
    extract: int  # seconds

    @property
    def special(self) -> bool:
        """Whether it is a whole zip gone wrong or sent again."""
        return self.kind in SPECIALS


def facility_names(count: int) -> list[str]:
    """`NE0001`, `NW0002` and so on."""
    return [f"{REGIONS[number % 4]}{number + 1:04d}" for number in range(count)]


def make_plan(zips: int, facilities: int, waves: int, edge: bool, rng: random.Random) -> list[Planned]:
    """All zips in the order of their arrival."""
    specials = _spread_specials(zips - edge)
    counts = _spread_feeds(zips - edge - sum(specials.values()))
    names = facility_names(facilities)
    by_wave: dict[int, list[Planned]] = {wave: [] for wave in range(1, waves + 1)}
    for feed, count in counts.items():
        _plan_feed(by_wave, feed, count, names, rng)
    for wave in by_wave.values():
        rng.shuffle(wave)
    _plan_specials(by_wave, specials, names, rng)
    if edge:
        middle = (waves + 1) // 2
        by_wave[middle].append(Planned(middle, "edge", names[0], START + middle * DAY))
    return [planned for wave in by_wave.values() for planned in wave]


def _spread_specials(zips: int) -> dict[str, int]:
    room = max(0, zips - sum(LEAST.values()))
    kinds = list(SPECIALS)[:room]
    return {kind: max(1, round(SPECIALS[kind] * zips)) for kind in kinds}


def _spread_feeds(zips: int) -> dict[str, int]:
    """At least a few zips of every feed, the rest by share."""
    counts = {feed: max(LEAST[feed], int(share * zips)) for feed, share in SHARES.items()}
    counts["encounters"] += max(0, zips - sum(counts.values()))
    while (over := sum(counts.values()) - zips) > 0:
        feed = max((feed for feed in counts if counts[feed] > 1), key=counts.__getitem__, default=None)
        if feed is None:
            raise ValueError(f"{zips} zips are too few: every feed needs one. Ask for {zips + over} or more.")
        counts[feed] -= 1
    return counts


def _plan_feed(by_wave: dict[int, list], feed: str, count: int, names: list[str], rng: random.Random) -> None:
    waves = list(by_wave)
    shift = list(SHARES).index(feed)
    for wave, here in zip(waves, _per_wave(count, len(waves)), strict=True):
        for index in range(here):
            # The first facility sends two zips a wave, so that a thing can be told twice within a wave.
            facility = names[(max(0, index - 1) + shift) % len(names)]
            by_wave[wave].append(Planned(wave, feed, facility, _extract(wave, index, rng)))


def _per_wave(count: int, waves: int) -> list[int]:
    if count >= waves:
        return [count // waves + (wave < count % waves) for wave in range(waves)]
    # Too few for every wave: the first and the last have the most to tell.
    chosen = {round(index * (waves - 1) / max(1, count - 1)) for index in range(count)}
    return [int(wave in chosen) for wave in range(waves)]


def _extract(wave: int, index: int, rng: random.Random) -> int:
    """In the first wave, the first two zips of a feed have the same extract time; later, the first has an old one."""
    if index == 0 and wave > 1:
        return START + DAY // 2 - wave * 60
    if index < 2:
        return START + wave * DAY
    return START + wave * DAY + rng.randrange(60, DAY // 2)


def _plan_specials(by_wave: dict[int, list], specials: dict[str, int], names: list[str], rng: random.Random) -> None:
    for kind, count in specials.items():
        for _ in range(count):
            wave, part = _moment(kind, len(by_wave), rng)
            here = by_wave[wave]
            extract = START + wave * DAY + rng.randrange(DAY // 2)
            here.insert(round(part * len(here)), Planned(wave, kind, rng.choice(names), extract))


def _moment(kind: str, waves: int, rng: random.Random) -> tuple[int, float]:
    """The wave of a special zip and how far into it: what comes again does so when something is there to repeat."""
    if kind == "zip.quarantined_again":
        return waves, 1.0
    if kind == "duplicate.later_wave":
        return rng.randrange(min(2, waves), waves + 1), rng.random()
    return rng.randrange(1, waves + 1), 0.5 + rng.random() / 2
