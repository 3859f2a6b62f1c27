"""Makes the deliveries of a simulated day in waves, and the truth about them."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from tests.simulator import clock
from tests.simulator.bed_census import BedCensus
from tests.simulator.broken_zips import BROKEN, REPEATED, Past, repeat_kind
from tests.simulator.claims import Claims
from tests.simulator.delivery import Delivery
from tests.simulator.edge_case import make_edge
from tests.simulator.encounters import Encounters
from tests.simulator.feed import Feed, World
from tests.simulator.lab_results import LabResults
from tests.simulator.patients import Patients
from tests.simulator.people import Care
from tests.simulator.plan import Planned, make_plan
from tests.simulator.report import write_truth
from tests.simulator.truth import Truth

FEEDS = (Encounters, Patients, BedCensus, LabResults, Claims)
# Messages in a zip, from least to most, and how strongly towards the most: 240 documents on average, which leaves room
# for a few members gone wrong below 300.
SIZES = {
    "encounters": (20, 292, 4.2), "patients": (280, 900, 1), "bed_census": (1_600, 3_200, 1),
    "lab_results": (600, 1_400, 1), "claims": (500, 3_000, 0.4),
}  # fmt: skip

Progress = Callable[[str], None]


def simulate(
    out: Path, facilities: int, zips: int, seed: int, waves: int = 3, edge_mb: int = 40,
    synthea: Path | None = None, progress: Progress = lambda line: None, each_wave: bool = False,
) -> dict:  # fmt: skip
    """Write `zips` deliveries to `out/drop` and what must become of them to `out/truth`; return the summary.

    With `each_wave`, `out/truth/after/<wave>` has what must have become of the waves up to that one. The same arguments give the same bytes. `synthea` is a folder of Synthea's CSV files instead of the small extract.
    """
    _clear(out)
    world = World(seed, Care(synthea), Truth())
    run = _Run(out / "drop", world, edge_mb)
    plan = make_plan(zips, facilities, waves, edge_mb > 0, world.chance("plan"))
    for wave in range(1, waves + 1):
        here = [planned for planned in plan if planned.wave == wave]
        for planned in here:
            run.deliver(planned)
        if each_wave and wave < waves:
            write_truth(world.truth, out / "truth" / "after" / str(wave))
        progress(f"wave {wave}: {len(here)} zips, {run.bytes_written / 1e6:,.1f} MB so far")
    return write_truth(world.truth, out / "truth") | {"bytes": run.bytes_written}


def _clear(out: Path) -> None:
    for part in ("drop", "truth"):
        shutil.rmtree(out / part, ignore_errors=True)


class _Run:
    """The deliveries made so far."""

    def __init__(self, drop: Path, world: World, edge_mb: int) -> None:
        self.drop, self.world, self.edge_mb = drop, world, edge_mb
        self.feeds: dict[str, Feed] = {feed.name: feed(world) for feed in FEEDS}
        self.rng = world.chance("run")
        self.past = Past(self.rng)
        self.serial = self.bytes_written = 0

    def deliver(self, planned: Planned) -> None:
        """Make one zip, write it and note the truth of it."""
        self.serial += 1
        if planned.kind in REPEATED:
            self._repeat(planned)
        elif planned.kind in BROKEN:
            feed = self._feed_for(planned.kind)
            delivery = self._begin(planned, feed)
            BROKEN[planned.kind](delivery, feed, self.rng)
            self._count(planned.kind)
            self._finish(delivery)
        elif planned.kind == "edge":
            self._deliver_edge(planned)
        else:
            self._deliver_usual(planned)

    def _feed_for(self, kind: str) -> Feed:
        only_xml = kind in ("zip.all_ignored", "zip.too_many_members", "zip.all_quarantined")
        return self.feeds["encounters"] if only_xml else self.rng.choice(list(self.feeds.values()))

    def _begin(self, planned: Planned, feed: Feed) -> Delivery:
        name = f"{feed.prefix}_{planned.facility}_{clock.stamp(planned.extract)}_{self.serial:06d}.zip"
        return Delivery(feed.name, feed.name, name, planned.wave, planned.extract, planned.facility)

    def _deliver_usual(self, planned: Planned) -> None:
        feed = self.feeds[planned.kind]
        delivery = self._begin(planned, feed)
        least, most, lean = SIZES[feed.name]
        count = round(most - (most - least) * self.rng.random() ** lean)
        feed.fill(delivery, count)
        self._finish(delivery)

    def _repeat(self, planned: Planned) -> None:
        past = self.past.pick(planned.kind, planned.wave)
        if past is None:  # nothing there yet to come again
            self._deliver_usual(Planned(planned.wave, "encounters", planned.facility, planned.extract))
            return
        delivery = self._begin(planned, self.feeds[past.feed])
        delivery.data, delivery.refused = past.data, past.refused
        self._count(repeat_kind(planned.kind, planned.wave, past))
        self._finish(delivery)

    def _deliver_edge(self, planned: Planned) -> None:
        feed = self.feeds["claims"]
        delivery = self._begin(planned, feed)
        make_edge(delivery, self.rng, feed.people(planned.facility), self.edge_mb)
        self._count("zip.edge")
        self._finish(delivery)

    def _count(self, kind: str) -> None:
        self.world.truth.kinds[kind] += 1

    def _finish(self, delivery: Delivery) -> None:
        path = self.drop / str(delivery.wave) / delivery.folder / delivery.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(delivery.data)
        # The order of arrival is the order of these times.
        arrived = clock.START + delivery.wave * clock.DAY + self.serial
        os.utime(path, (arrived, arrived))
        self.bytes_written += len(delivery.data)
        line = self.world.truth.add(delivery, hashlib.sha256(delivery.data).hexdigest())
        self.past.keep(delivery, line.state)
