"""Long reads give way to the event loop, and go on."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from crownkeep import clock
from crownkeep.operations import giving_way
from crownkeep.operations.giving_way import MOST_ASIDE, SECONDS_ASIDE, SECONDS_AT_ONCE, GivingWay


@dataclass
class FakeThread:
    """A thread that computes as long as a test says."""

    slept: list[float] = field(default_factory=list)
    computed: float = 0.0


@pytest.fixture
def thread(monkeypatch: pytest.MonkeyPatch) -> FakeThread:
    thread = FakeThread()
    monkeypatch.setattr(clock, "sleep", thread.slept.append)
    monkeypatch.setattr(clock, "cpu_seconds", lambda: thread.computed)
    # Other servers of this process may be at work.
    monkeypatch.setattr(giving_way, "_turns", [])
    return thread


def test_a_long_read_stands_aside_while_the_loop_carries_out_requests(thread: FakeThread) -> None:
    pace = GivingWay()

    with giving_way.turn_of_the_loop():
        pace.pause()
    within = list(thread.slept)
    pace.pause()

    assert {SECONDS_ASIDE} == set(within)
    assert within == thread.slept


def test_a_loop_that_is_never_idle_ends_no_long_read(thread: FakeThread) -> None:
    pace = GivingWay()

    with giving_way.turn_of_the_loop():
        for _ in range(1_000):
            thread.computed += SECONDS_AT_ONCE / 10
            pace.pause()

    aside = sum(each for each in thread.slept if each == SECONDS_ASIDE)
    assert aside <= SECONDS_AT_ONCE + MOST_ASIDE * thread.computed + SECONDS_ASIDE


def test_a_turn_that_fails_keeps_no_long_read_aside(thread: FakeThread) -> None:
    with pytest.raises(ZeroDivisionError), giving_way.turn_of_the_loop():
        _ = 1 // 0
    GivingWay().pause()

    assert [] == thread.slept
