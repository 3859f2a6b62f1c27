"""When a session is called unfit: it had executors and has none for long, or its scheduler has died."""

from types import SimpleNamespace

import pytest

from spark_jobs.tables import watch

LOOKS = 100


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """A clock that goes on while the watch sleeps, and at no other time."""
    now = [0.0]

    def sleep(seconds):
        now[0] += seconds

    monkeypatch.setattr(watch, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=sleep))


def looks_until_unfit(executors):
    """How often a session is looked at that has these executors, look by look, and the last of them from then on; it ends after LOOKS."""
    seen = []

    def count():
        seen.append(executors[min(len(seen), len(executors) - 1)])
        return seen[-1]

    watch._wait_until_unfit(SimpleNamespace(isActive=lambda: len(seen) < LOOKS), count)
    return len(seen)


def test_session_that_lost_all_executors_is_unfit_before_its_end():
    assert looks_until_unfit([0, 2, 0]) < LOOKS


@pytest.mark.parametrize("executors", [[0], [2], [2, 0, 0, 1]], ids=["none yet", "some", "others came"])
def test_session_that_may_have_executors_is_fit_to_its_end(executors):
    assert looks_until_unfit(executors) == LOOKS
