"""Failing batches: one bad zip is found among its neighbours, a feed that never succeeds is isolated."""

from hypothesis import given, settings
from hypothesis import strategies as st

from spark_jobs.jobs.troubles import TRIES, ZIPS_TO_ISOLATE, Troubles


def run(bad, count, batch_zips, troubles):
    """Runs zips in batches; one with a bad zip fails and is given back. Returns loaded, refused, failures, isolated."""
    landed = list(range(count))
    loaded, refused, failures = set(), set(), 0
    while landed:
        to_blame = [n for n in landed if troubles.is_to_blame("f", f"z{n}")]
        refused.update(to_blame)
        landed = [n for n in landed if n not in refused]
        batch, landed = landed[: (most := troubles.most_zips("f", batch_zips))], landed[most:]
        if bad.intersection(batch):
            failures += 1
            landed = batch + landed
            if troubles.note_failure("f", "b", [f"z{n}" for n in batch], given_back=True):
                return loaded, refused, failures, True
        elif batch:
            troubles.note_success("f")
            loaded.update(batch)
    return loaded, refused, failures, False


@given(count=st.integers(1, 300), place=st.integers(0, 10_000), batch_zips=st.integers(1, 500))
@settings(deadline=None)
def test_one_bad_zip_is_refused_and_its_neighbours_are_loaded(count, place, batch_zips):
    bad = place % count
    loaded, refused, _, isolated = run({bad}, count, batch_zips, Troubles())
    assert not isolated
    assert refused == {bad}
    assert loaded == set(range(count)) - {bad}


@given(count=st.integers(3, 300), batch_zips=st.integers(1, 500))
@settings(deadline=None)
def test_feed_of_which_every_zip_fails_is_isolated_soon(count, batch_zips):
    loaded, _, failures, isolated = run(set(range(count)), count, batch_zips, Troubles())
    assert isolated
    assert not loaded
    assert failures <= 9 + TRIES * ZIPS_TO_ISOLATE


def test_batch_that_can_not_be_given_back_is_tried_again_and_then_isolates_its_feed():
    troubles = Troubles()
    answers = [troubles.note_failure("f", "b", ["z1", "z2"], given_back=False) for _ in range(TRIES)]
    assert answers == [False] * (TRIES - 1) + [True]
    assert not troubles.is_to_blame("f", "z1")


def test_feed_pauses_longer_before_each_try_of_a_zip_and_others_do_not():
    now = [0.0]
    troubles = Troubles(pause=1.0, clock=lambda: now[0])
    troubles.note_failure("f", "b", ["a"], given_back=True)
    troubles.note_failure("f", "b", ["a"], given_back=True)
    now[0] = 1.5
    assert troubles.waiting() == {"f"}
    now[0] = 2.5
    assert troubles.waiting() == set()


def test_zips_of_a_suspected_feed_are_tried_one_by_one_until_some_succeed():
    troubles = Troubles()
    troubles.suspect("f")
    assert troubles.most_zips("f", 500) == 1
    troubles.note_success("f")
    assert troubles.most_zips("f", 500) == 2
