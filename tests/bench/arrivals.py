"""When zips arrive: a Poisson process with bursts; the same arguments give the same moments."""

from __future__ import annotations

import random
from collections.abc import Sequence

# A third of the zips come in bursts: agents that reconnect, or the top of an hour.
BURST_SHARE = 3
BURST_ZIPS = 20
BURST_SECONDS = 2.0
BURST_FEEDS = 5


def moments(count: int, seconds: float, feeds: Sequence[str], seed: int) -> list[tuple[float, str]]:
    """(second, feed) of `count` arrivals within so many seconds: of any feed, and in bursts of a few."""
    draw = random.Random(seed)
    in_bursts = count // BURST_SHARE
    due = [(draw.uniform(0, seconds), draw.choice(feeds)) for _ in range(count - in_bursts)]
    while in_bursts:
        begin = draw.uniform(0, max(0.0, seconds - BURST_SECONDS))
        some = draw.sample(feeds, min(BURST_FEEDS, len(feeds)))
        size = min(BURST_ZIPS, in_bursts)
        due += [(begin + draw.uniform(0, BURST_SECONDS), draw.choice(some)) for _ in range(size)]
        in_bursts -= size
    return sorted(due)
