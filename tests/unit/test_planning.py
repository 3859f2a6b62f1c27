"""Whose turn it is: batches by what is due, large zips apart, small ones together."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from spark_jobs.batches.batch import LARGE_ZIP
from spark_jobs.jobs.planning import cut_feed, is_worth_a_turn, kind_of, urgency
from spark_jobs.jobs.troubles import Troubles
from spark_jobs.landing.agent import DeliveryNote
from spark_jobs.landing.claim import ClaimedZip
from spark_jobs.rules.model import Feed

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def feed(name="f", priority=100):
    return Feed(name, 1, name, ".*", (), priority=priority)


def landed(seconds, bytes=1000, replay=0):
    moment = (NOON + timedelta(seconds=seconds)).isoformat(timespec="microseconds")
    return ClaimedZip(DeliveryNote(f"{seconds}", "n", "f", "h", bytes, moment, replay))


def test_what_landed_first_is_served_first_among_feeds_of_one_priority():
    early, late = ((feed(name), [landed(seconds)]) for name, seconds in (("a", 5), ("b", 9)))
    assert urgency(*early, Counter()) < urgency(*late, Counter())


@given(first=st.integers(0, 300), second=st.integers(0, 300))
def test_zip_of_any_priority_is_due_before_all_that_land_late_enough(first, second):
    waiting = urgency(feed("a", priority=first), [landed(0)], Counter())
    assert waiting < urgency(feed("b", priority=second), [landed(first - second + 1)], Counter())


def test_feed_with_fewer_batches_at_work_is_served_first_and_replays_after_deliveries():
    at_work = Counter({"a": 1})
    assert urgency(feed("b"), [landed(500)], at_work) < urgency(feed("a"), [landed(0)], at_work)
    assert urgency(feed("b"), [landed(500)], at_work) < urgency(feed("c"), [landed(0, replay=1)], at_work)


@given(sizes=st.lists(st.sampled_from((1000, LARGE_ZIP + 1)), min_size=1, max_size=30), replays=st.integers(0, 3))
def test_batches_hold_every_zip_once_and_kinds_apart(sizes, replays):
    zips = [landed(n, size) for n, size in enumerate(sizes)] + [landed(100 + n, replay=1) for n in range(replays)]
    batches = list(cut_feed(feed(), zips, {}, Troubles()))
    assert sorted(z.note.zip_id for batch in batches for z in batch) == sorted(z.note.zip_id for z in zips)
    for batch in batches:
        assert len({kind_of([z]) for z in batch}) == 1
        assert kind_of(batch) != "large" or len(batch) == 1


def test_few_small_zips_are_worth_no_batch_beside_another_of_their_feed():
    assert not is_worth_a_turn([landed(n) for n in range(20)])
    assert is_worth_a_turn([landed(n) for n in range(60)])
    assert is_worth_a_turn([landed(0, bytes=9 << 20)])
