"""The load of `lake bench latency`: when zips arrive, the zips made beforehand, and their landing at the due moment."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from spark_jobs.landing.agent import land
from tests.bench.arrivals import moments
from tests.bench.visits import VisitFeed, VisitZip, broken_zip

BROKEN_FEED = "visits_broken"
BROKEN_SECONDS = 2.0


@dataclass(frozen=True)
class Arrival:
    """A zip of feed `feed` that lies ready at `path` and is to land `at` seconds after the load begins."""

    at: float
    feed: str
    path: Path
    rows: int = 0


@dataclass(frozen=True)
class Landed:
    """A zip that landed at `at` (seconds of the system's clock) with so many rows."""

    zip_id: str
    feed: str
    at: float
    rows: int


@dataclass
class Load:
    """Feeds, and zips of theirs made ready in `folder`."""

    folder: Path
    feeds: dict[str, VisitFeed]
    seed: int
    _made: int = 0

    @classmethod
    def of(cls, folder: Path, feeds: int, seed: int = 1) -> Load:
        """A load of so many feeds."""
        return cls(folder, {f"visits_{n + 1:03d}": VisitFeed(n) for n in range(feeds)}, seed)

    def one_each(self) -> list[Arrival]:
        """A zip of every feed, all due at once."""
        return [self._ready(0.0, feed, self.feeds[feed].next_zip()) for feed in self.feeds]

    def at_rate(self, zips_per_hour: float, minutes: float) -> list[Arrival]:
        """Zips at that mean rate for so many minutes, as `moments` has them arrive."""
        self.seed += 1
        count = round(zips_per_hour * minutes / 60)
        due = moments(count, minutes * 60, list(self.feeds), self.seed)
        return [self._ready(at, feed, self.feeds[feed].next_zip()) for at, feed in due]

    def broken(self, minutes: float) -> list[Arrival]:
        """Broken zips of a feed that sends no others, at a steady pace."""
        count = round(minutes * 60 / BROKEN_SECONDS)
        return [self._ready(n * BROKEN_SECONDS, BROKEN_FEED, broken_zip(n)) for n in range(count)]

    def _ready(self, at: float, feed: str, visits: VisitZip) -> Arrival:
        self._made += 1
        path = self.folder / f"{self._made:06d}" / visits.name
        path.parent.mkdir(parents=True)
        path.write_bytes(visits.content)
        return Arrival(at, feed, path, visits.rows)


@dataclass
class Lander:
    """Lands zips when they are due, and remembers which and when."""

    landing: Path
    landed: list[Landed] = field(default_factory=list)
    late: float = 0.0  # seconds, the most that a zip landed after it was due

    def land_all(self, arrivals: Sequence[Arrival]) -> list[Landed]:
        """Lands each zip at its moment, counted from now."""
        return list(self._land(sorted(arrivals, key=lambda arrival: arrival.at)))

    def _land(self, arrivals: Sequence[Arrival]) -> Iterator[Landed]:
        begin = time.monotonic()
        for arrival in arrivals:
            wait = begin + arrival.at - time.monotonic()
            time.sleep(max(0.0, wait))
            self.late = max(self.late, -wait)
            # The zip gets its name some milliseconds later: counted from here, no wait is too short.
            at = time.time()
            landed = Landed(land(self.landing, arrival.feed, arrival.path).zip_id, arrival.feed, at, arrival.rows)
            self.landed.append(landed)
            yield landed
