"""The life of one request: each step asks the standing and the door for one thing, once, and nothing goes back to them for it."""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from tests.fixtures.crown import Account

from crownkeep.gateway import long_reads
from crownkeep.operations import invoke, standing

CLASSES: dict[type, str] = {
    invoke.Door: "",
    standing.Standing: "standing.",
    standing.Standings: "standings.",
    standing.SeenStandings: "seen.",
}
READ = {
    "read",
    "reading",
    "seen.of_account",
    "standing.signing_key",
    "standing.permissions",
    "standing.membership",
    "standing.alias",
}
WRITE = (READ - {"read", "reading"}) | {"writing", "standings.held", "standing.confirm", "standing.is_guarded"}
TURN = {"snapshot", "put"}
"""Once for all requests of a turn of the event loop."""


@pytest.fixture
def entered(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count which methods of the door and of standings are called from other modules than their own, where nothing takes long."""
    # A read after one that took long, as the first of a cold server does, is carried out beside the loop while others ask.
    monkeypatch.setattr(long_reads, "LONG_SECONDS", math.inf)
    counted: Counter[str] = Counter()

    def counting(own: str, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            if sys._getframe(1).f_code.co_filename != own:
                counted[name] += 1
            return method(*given, **named)

        return call

    for kind, prefix in CLASSES.items():
        own = sys.modules[kind.__module__].__file__
        assert own is not None
        for name, method in list(vars(kind).items()):
            if callable(method) and not name.startswith("_"):
                monkeypatch.setattr(kind, name, counting(own, prefix + name, method))
    return counted


def test_a_read_visits_the_door_and_the_standing_once_for_each_thing(account: Account, entered: Counter[str]):
    iam = account.client("iam")
    iam.get_user(UserName="admin")
    entered.clear()

    iam.get_user(UserName="admin")

    assert Counter(READ | TURN) == entered


def test_a_write_visits_the_door_and_the_standing_once_for_each_thing(account: Account, entered: Counter[str]):
    iam = account.client("iam")
    iam.create_user(UserName="bob")
    entered.clear()

    iam.create_user(UserName="eve")

    assert Counter(WRITE | TURN) == entered
