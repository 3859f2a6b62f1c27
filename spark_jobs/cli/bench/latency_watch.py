"""Who looks on during `lake bench latency`: an analyst, a check that what is committed can be seen, and the backlog."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from threading import Event, Thread

from spark_jobs.cli.bench.latency_load import Landed
from spark_jobs.cli.bench.measuring import percentile
from spark_jobs.site import Site
from spark_jobs.tables.access import open_access

# Between two questions an analyst reads the answer.
READER_PAUSE = 1.0
SAMPLE_PAUSE = 2.0
BACKLOG_SECONDS = 5.0
QUESTION = """
    SELECT region, status, count(*) AS visits, sum(charges) AS charges, max(updated_at) AS newest
    FROM lake.{table} GROUP BY region, status ORDER BY region, status"""


@dataclass
class Backlog:
    """How many zips wait in landing and how many are claimed, every few seconds."""

    site: Site
    series: list[tuple[float, int, int]] = field(default_factory=list)
    _looks_while_landing: int | None = None

    def note_last_landing(self) -> None:
        """Notes that nothing more arrives."""
        self._looks_while_landing = len(self.series)

    def figures(self) -> dict[str, float]:
        """While zips arrived: the most that waited, the mean of each half of the time, and what waited at its end."""
        sums = [landed + claimed for _, landed, claimed in self.series][: self._looks_while_landing] or [0]
        half = (len(sums) + 1) // 2
        return {
            "backlog_max": max(sums),
            "backlog_first_half": round(statistics.mean(sums[:half]), 1),
            "backlog_second_half": round(statistics.mean(sums[half:] or sums), 1),
            "backlog_end": sums[-1],
        }

    def watch(self, done: Event) -> None:
        """Looks until `done`."""
        begin = time.monotonic()
        while not done.wait(BACKLOG_SECONDS):
            self.series.append((round(time.monotonic() - begin, 1), *self.now()))

    def now(self) -> tuple[int, int]:
        """Zips in landing and in claimed batches at this moment."""
        return sum(1 for _ in self.site.landing.glob("*/*.zip")), sum(1 for _ in self.site.claimed.glob("*/*/*.zip"))


@dataclass
class Reader:
    """An analyst who asks one table after the other through the endpoint; how long each answer took, in seconds."""

    site: Site
    tables: Sequence[str]
    seconds: list[float] = field(default_factory=list)

    def watch(self, done: Event) -> None:
        """Asks until `done`."""
        tables = cycle(self.tables)
        with open_access(self.site, "lake bench") as access:
            while not done.wait(READER_PAUSE):
                began = time.monotonic()
                access.records(QUESTION.format(table=next(tables)))
                self.seconds.append(time.monotonic() - began)


@dataclass(frozen=True)
class Seen:
    """A zip whose rows were looked for: seen at `at`, and not yet by a question asked at `blind` (0: there was none)."""

    zip: Landed
    blind: float
    at: float


@dataclass
class Sample:
    """Follows one zip after the other from its landing until SQL shows its rows."""

    site: Site
    landed: Sequence[Landed]
    seen: list[Seen] = field(default_factory=list)

    def watch(self, done: Event) -> None:
        """Looks until `done`."""
        with open_access(self.site, "lake bench") as access:

            def is_visible(one: Landed) -> bool:
                found = access.records(f"SELECT 1 AS one FROM lake.{one.feed} WHERE _zip_id = '{one.zip_id}' LIMIT 1")
                return bool(found)

            followed = None
            while not done.wait(SAMPLE_PAUSE):
                candidates = [one for one in self.landed[-50:] if one.rows]
                if candidates and candidates[-1] is not followed:
                    followed = candidates[-1]
                    self._follow(followed, is_visible, done)

    def _follow(self, one: Landed, is_visible: Callable[[Landed], bool], done: Event) -> None:
        blind = 0.0
        while not done.is_set():
            asked = time.time()
            if is_visible(one):
                self.seen.append(Seen(one, blind, time.time()))
                return
            blind = asked
            done.wait(SAMPLE_PAUSE)

    def figures(self, committed: Mapping[str, float]) -> dict[str, float]:
        """How long the followed zips waited by SQL alone, and how many were not seen although they were committed."""
        waits = [seen.at - seen.zip.at for seen in self.seen]
        late = [seen for seen in self.seen if seen.blind > committed[seen.zip.zip_id]]
        return {
            "sql_sample": len(self.seen),
            "sql_p50_s": round(percentile(waits, 0.5), 1),
            "sql_p95_s": round(percentile(waits, 0.95), 1),
            "sql_unseen_after_commit": len(late),
        }


Watcher = Backlog | Reader | Sample


@contextmanager
def watched(*watchers: Watcher) -> Iterator[None]:
    """Has all of them look on while the block runs; raises what one of them raised."""
    done = Event()
    errors: list[BaseException] = []

    def run(watch: Callable[[Event], None]) -> None:
        try:
            watch(done)
        except Exception as error:
            errors.append(error)

    threads = [Thread(target=run, args=(watcher.watch,), daemon=True) for watcher in watchers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()
    if errors:
        raise errors[0]
