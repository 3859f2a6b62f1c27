"""What the five feeds have in common: streams of messages told in members, and members gone wrong among them."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

from tests.simulator import member_faults, packing
from tests.simulator.clock import SECOND, START
from tests.simulator.delivery import Delivery, Member
from tests.simulator.people import Care, People
from tests.simulator.stories import SPECIAL, Dealer, Message, Stream
from tests.simulator.truth import Truth


@dataclass
class World:
    """What the feeds share: chance, Synthea's care, the truth and the facilities' patients."""

    seed: int
    care: Care
    truth: Truth
    people: dict[str, People] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.packings = Dealer(packing.KINDS, self.chance("packing"), 1, 0.2)

    def chance(self, purpose: str) -> random.Random:
        """Random numbers of their own for every purpose, so that one feed's do not depend on another's."""
        return random.Random(f"{self.seed}/{purpose}")


class Feed:
    """Makes the zips of one feed; a subclass says what a thing is and how members tell of it."""

    name = prefix = ""
    faults_at_once = 13

    def __init__(self, world: World) -> None:
        self.world, self.care, self.rng = world, world.care, world.chance(self.name)
        self.serial = self.documents = 0
        self.plain = False  # while it is on, nothing odd is dealt
        self._streams: dict[str, Stream] = {}
        self._stories = Dealer(SPECIAL, self.rng, 3, 0.2)
        self._member_faults = Dealer(member_faults.kinds_of(self.name), self.rng, 1, 0.1)

    def new_thing(self, facility: str):
        """A thing of the facility that messages will tell of."""
        raise NotImplementedError

    def tell(self, delivery: Delivery, messages: list[Message]) -> list[Member]:
        """Members that hold these messages."""
        raise NotImplementedError

    def people(self, facility: str) -> People:
        """The facility's patients."""
        known = self.world.people
        if facility not in known:
            known[facility] = People(self.care, self.world.chance(facility), self.world.truth.identifiers)
        return known[facility]

    def count(self, kind: str) -> None:
        """Note that something odd was put in."""
        self.world.truth.kinds[kind] += 1

    def warn(self, kind: str) -> Counter:
        """A warning that the ledger must count."""
        self.count(f"warn.{kind}")
        return Counter({kind: 1})

    def dealer(self, kinds: tuple, every: int, rate: float) -> Dealer:
        """A dealer of rare kinds that keeps still while members must be plain."""
        return Dealer(kinds, self.rng, every, rate, lambda: self.plain)

    def fill(self, delivery: Delivery, count: int) -> None:
        """Put about `count` messages in the zip, and members gone wrong: all kinds of them in the first zips."""
        stream = self._streams.get(delivery.facility)
        if stream is None:
            facility = delivery.facility
            stream = self._streams[facility] = Stream(lambda: self.new_thing(facility), self.rng, self._stories)
        delivery.members = self.tell(delivery, stream.take(count, delivery.wave))
        faults = self.faults_at_once if self._member_faults.pending else 1
        for kind in filter(None, [self._member_faults.deal() for _ in range(faults)]):
            at = self.rng.randrange(len(delivery.members) + 1)
            delivery.members.insert(at, member_faults.make(kind, self, delivery))
        packing.pack(delivery, self.world.packings.deal(), self.rng, self.count)

    def sample(self, delivery: Delivery, count: int = 1) -> Member:
        """A plain member of new things, to be spoiled: nothing else tells of them."""
        self.plain = True
        messages = [Message(self.new_thing(delivery.facility), START * SECOND, "new") for _ in range(count)]
        member = self.tell(delivery, messages)[0]
        self.plain = False
        return member
