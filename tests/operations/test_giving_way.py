"""Long reads give way to the event loop, and go on."""

import pytest

from crownkeep import clock
from crownkeep.operations import giving_way
from crownkeep.operations.giving_way import MOST_TIMES_ASIDE, SECONDS_ASIDE, GivingWay


@pytest.fixture
def slept(monkeypatch):
    """What a long read slept, of a clock on which computing takes no time."""
    slept = []
    monkeypatch.setattr(clock, "sleep", slept.append)
    monkeypatch.setattr(clock, "cpu_seconds", lambda: 0.0)
    return slept


def test_a_long_read_stands_aside_while_the_loop_carries_out_requests(slept, monkeypatch):
    monkeypatch.setattr(giving_way, "_turns", [])
    pace = GivingWay()

    with giving_way.turn_of_the_loop():
        pace.pause()
    within = list(slept)
    pace.pause()

    assert [SECONDS_ASIDE] * MOST_TIMES_ASIDE == within
    assert within == slept


def test_a_turn_that_fails_keeps_no_long_read_aside(slept, monkeypatch):
    monkeypatch.setattr(giving_way, "_turns", [])

    with pytest.raises(ZeroDivisionError), giving_way.turn_of_the_loop():
        _ = 1 // 0
    GivingWay().pause()

    assert [] == slept
