"""What becomes of batches that fail: the zip that is to blame is found, or the feed is set aside; the others go on.

A batch that failed before it wrote anything is given back and tried in halves, down to one zip. A zip that fails alone
is tried again and then refused unread. A feed of which zip after zip fails, without a success in between, is isolated.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

# A zip alone in its batch is tried so often: a fault of the machine has mostly passed by then.
TRIES = 3
# A batch that was begun so often, and each time the process ended before it wrote anything, is taken apart.
BEGINNINGS = 5
# So many zips in a row that fail are no accident of theirs: the rules, the table or the machine are to blame.
ZIPS_TO_ISOLATE = 3


@dataclass
class _FeedTroubles:
    most_zips: int | None = None  # in a batch; None: as many as the rules say
    hopeless: int = 0  # zips, or batches that can't be given back, in a row
    not_before: float = 0.0
    tries: Counter[str] = field(
        default_factory=Counter
    )  # of a zip that was alone, or of a batch that can't be given back


@dataclass
class Troubles:
    """Failures of this run, by feed. It is forgotten with the process: a new one begins with whole batches again.

    `pause` is how many seconds a feed waits before a zip that failed alone is tried again; it doubles with each try.
    """

    pause: float = 1.0
    clock: Callable[[], float] = time.monotonic
    _feeds: dict[str, _FeedTroubles] = field(default_factory=dict)

    def note_failure(self, feed: str, batch: str, zip_ids: Sequence[str], given_back: bool) -> bool:
        """Counts a failed batch; `given_back` if its zips are in landing again. Returns whether to isolate the feed.

        An isolated feed begins anew when it is set going again: what was tried by rules that failed says nothing then.
        """
        own = self._feeds.setdefault(feed, _FeedTroubles())
        if given_back and len(zip_ids) > 1:
            own.most_zips = len(zip_ids) // 2
            return False
        tried = zip_ids[0] if given_back else batch
        own.tries[tried] += 1
        if own.tries[tried] < TRIES:
            own.not_before = self.clock() + self.pause * 2 ** (own.tries[tried] - 1)
            return False
        own.hopeless += 1
        if given_back and own.hopeless < ZIPS_TO_ISOLATE:
            return False
        del self._feeds[feed]
        return True

    def suspect(self, feed: str) -> None:
        """Has the feed's zips tried one by one: some batch of it ended the process again and again."""
        self._feeds.setdefault(feed, _FeedTroubles()).most_zips = 1

    def note_success(self, feed: str) -> None:
        """Counts a batch that ran to its end: the feed's next ones may be twice as large again."""
        own = self._feeds.get(feed)
        if own:
            own.hopeless, own.not_before = 0, 0.0
            own.most_zips = own.most_zips and own.most_zips * 2

    def most_zips(self, feed: str, usual: int) -> int:
        """How many zips the feed's next batch may have."""
        return min(usual, self._feeds.get(feed, _FeedTroubles()).most_zips or usual)

    def is_to_blame(self, feed: str, zip_id: str) -> bool:
        """Whether a zip failed alone so often that it is not to be opened again, by the feed's rules as they are."""
        return self._feeds.get(feed, _FeedTroubles()).tries[zip_id] >= TRIES

    def waiting(self) -> set[str]:
        """Feeds that pause after a failure."""
        return {feed for feed, own in self._feeds.items() if own.not_before > self.clock()}
