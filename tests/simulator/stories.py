"""What happens to an encounter, patient, bed, result or claim over the waves, and in which order it is told."""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.simulator.clock import DAY, HOUR, SECOND, START


class Step(NamedTuple):
    """A version of the thing: waves after its first mention, hours after that wave's day began, and what it says.

    `here` tells it in the same zip, right after the step before; else it waits for its facility's next zip.
    """

    wave: int
    hour: int
    phase: str  # new, change, close, delete or move (a change that also moves to another partition)
    here: bool = False


class Chapter(NamedTuple):
    """Where a thing's story stands."""

    thing: Any
    story: tuple[Step, ...]
    at: int  # the step to tell next
    born: int  # wave of the first mention
    jitter: int  # microseconds added to every step's time


class Message(NamedTuple):
    """A version of a thing that a zip tells."""

    thing: Any
    micros: int  # source time
    phase: str


USUAL = (
    (Step(0, 1, "new"), Step(1, 25, "change"), Step(2, 49, "close")),
    (Step(0, 2, "new"), Step(0, 5, "change"), Step(1, 30, "close")),
    (Step(0, 3, "new"), Step(1, 33, "close")),
    (Step(0, 3, "new"), Step(0, 6, "change"), Step(0, 9, "close")),
    (Step(0, 4, "new"), Step(1, 28, "change"), Step(2, 55, "delete")),
)
SPECIAL = (
    (Step(0, 20, "change"), Step(1, 10, "new")),  # an older version arrives later
    (Step(0, 20, "change"), Step(0, 10, "new", True)),  # so it does within one zip
    (Step(0, 20, "change"), Step(1, 5, "delete")),  # a late delete must not delete
    (Step(0, 1, "new"), Step(1, 25, "delete"), Step(2, 50, "change")),  # back after a delete
    (Step(0, 1, "new"), Step(0, 8, "delete"), Step(1, 32, "change")),
    (Step(0, 1, "new"), Step(1, 30, "delete"), Step(2, 20, "change")),  # a late re-insert stays deleted
    (Step(0, 1, "new"), Step(0, 9, "delete", True), Step(1, 5, "change")),
    (Step(0, 23, "delete"),),  # nothing there to delete
    (Step(0, 22, "delete"), Step(1, 10, "new")),
    (Step(0, 10, "new"), Step(1, 10, "change")),  # a tie, by extract time
    (Step(0, 10, "new"), Step(0, 10, "change")),  # a tie in the next zip, which may bear the same extract time
    (Step(0, 10, "new"), Step(0, 10, "change", True)),  # a tie within one zip
    (Step(0, 11, "new"), Step(0, 11, "delete")),
    (Step(0, 1, "new"), Step(1, 25, "move")),  # moves to another partition
    (Step(0, 20, "move"), Step(1, 10, "change")),  # a late older version of before the move
    (Step(0, 20, "move"), Step(0, 10, "new", True)),
    (Step(0, 1, "new"), Step(0, 6, "move", True), Step(1, 26, "change")),  # moves back
    (Step(0, 1, "new"), Step(1, 25, "move"), Step(2, 50, "delete")),  # deleted under its old partition
)


@dataclass
class Dealer:
    """Deals rare kinds: each one soon, every `every` times it is asked, later on at random at `rate`."""

    kinds: tuple
    rng: random.Random
    every: int
    rate: float
    still: Callable[[], bool] = lambda: False

    def __post_init__(self) -> None:
        self._first = deque(self.kinds)
        self._asked = 0

    @property
    def pending(self) -> bool:
        """Whether some kind has not been dealt yet."""
        return bool(self._first)

    def deal(self) -> Any:
        """A kind, or None most of the time."""
        if self.still():
            return None
        self._asked += 1
        if self._first and self._asked % self.every == 0:
            return self._first.popleft()
        if self.kinds and self.rng.random() < self.rate:
            return self.rng.choice(self.kinds)
        return None


class Stream:
    """The messages of one facility in one feed: steps that have become due first, then new things."""

    def __init__(self, new_thing: Callable[[], Any], rng: random.Random, specials: Dealer) -> None:
        self.new_thing, self.rng, self.specials = new_thing, rng, specials
        self.due: dict[int, deque] = defaultdict(deque)

    def take(self, count: int, wave: int) -> list[Message]:
        """About `count` messages for a zip of this wave."""
        waiting = deque(item for past in range(1, wave + 1) for item in self.due.pop(past, ()))
        messages: list[Message] = []
        while len(messages) < count:
            self._tell(messages, wave, waiting.popleft() if waiting else self._begin(wave))
        self.due[wave].extendleft(reversed(waiting))
        return messages

    def _begin(self, wave: int) -> Chapter:
        story = self.specials.deal() or self.rng.choice(USUAL)
        jitter = self.rng.randrange(HOUR) * SECOND
        if self.rng.random() < 0.7:
            digits = self.rng.randrange(1, 7)
            jitter += self.rng.randrange(10**digits) * 10 ** (6 - digits)
        return Chapter(self.new_thing(), story, 0, wave, jitter)

    def _tell(self, messages: list[Message], wave: int, chapter: Chapter) -> None:
        thing, story, at, born, jitter = chapter
        while True:
            seconds = START + (born - 1) * DAY + story[at].hour * HOUR
            messages.append(Message(thing, seconds * SECOND + jitter, story[at].phase))
            at += 1
            if at == len(story):
                return
            if not story[at].here:
                self.due[max(wave, born + story[at].wave)].append(Chapter(thing, story, at, born, jitter))
                return
