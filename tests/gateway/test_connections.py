"""Which connection goes when there are too many or it takes too long; by the rules alone, without a socket."""

from __future__ import annotations

import pytest

from crownkeep.gateway.connections import SECONDS_TO_TAKE_AN_ANSWER, ConnectionLimits, Connections, Ended, Stage
from crownkeep.gateway.http import Edge

LIMITS = ConnectionLimits(total=6, per_address=3, idle=75, head=20, body=60)


class Fake:
    """A connection that only notes how it was ended."""

    def __init__(self, every: Connections, address: str, stage: Stage = Stage.HEAD) -> None:
        self.every = every
        self.stage = stage
        self.since = every.tick
        self.waiting_bytes = 0
        self.ended: Ended | None = None
        self.is_in = every.admit(self, address)

    def end(self, reason: Ended) -> None:
        self.ended = reason
        self.every.count(reason)
        self.every.forget(self)

    def unsent(self) -> int:
        return self.waiting_bytes


@pytest.fixture
def every() -> Connections:
    return Connections(LIMITS, is_exempt=Edge(("10.0.0.0/8",)).speaks_for_many)


def pass_time(every: Connections, seconds: int) -> None:
    for _ in range(seconds):
        every.look()


@pytest.mark.parametrize(
    ("stage", "seconds", "reason"),
    [
        (Stage.HEAD, LIMITS.head, Ended.HEAD_TOO_SLOW),
        (Stage.BODY, LIMITS.body, Ended.BODY_TOO_SLOW),
        (Stage.IDLE, LIMITS.idle, Ended.IDLE),
    ],
)
def test_a_connection_that_takes_too_long_is_ended(every: Connections, stage: Stage, seconds: int, reason: Ended):
    slow = Fake(every, "192.0.2.1", stage)

    pass_time(every, seconds)
    before = slow.ended
    pass_time(every, 1)

    assert (None, reason) == (before, slow.ended)
    assert 0 == len(every)


def test_a_request_that_is_being_served_may_take_its_time(every: Connections):
    served = Fake(every, "192.0.2.1", Stage.SERVED)

    pass_time(every, 10_000)

    assert served.ended is None


def test_denial_of_service_a_client_that_does_not_take_its_answer_is_ended(every: Connections):
    stuck = Fake(every, "192.0.2.1", Stage.SERVED)
    stuck.waiting_bytes = 1

    pass_time(every, SECONDS_TO_TAKE_AN_ANSWER + 2)

    assert Ended.ANSWER_NOT_TAKEN is stuck.ended


def test_denial_of_service_one_address_gets_so_many_connections_and_loses_its_own_oldest(every: Connections):
    other = Fake(every, "192.0.2.2")
    pass_time(every, 1)
    own = [Fake(every, "192.0.2.1") for _ in range(LIMITS.per_address)]

    newest = Fake(every, "192.0.2.1")

    assert newest.is_in
    assert [Ended.MADE_ROOM, None, None] == [each.ended for each in own]
    assert other.ended is None


def test_an_address_whose_requests_are_all_being_served_gets_no_further_connection(every: Connections):
    own = [Fake(every, "192.0.2.1", Stage.SERVED) for _ in range(LIMITS.per_address)]

    refused = Fake(every, "192.0.2.1")

    assert not refused.is_in
    assert [None] * LIMITS.per_address == [each.ended for each in own]
    assert {Ended.TOO_MANY_OF_ADDRESS: 1} == every.ended


def test_an_ipv6_network_of_one_subscriber_counts_as_one_address(every: Connections):
    first = Fake(every, "2001:db8::1")
    rest = [Fake(every, f"2001:db8::{number}:1") for number in range(2, 5)]
    neighbour = Fake(every, "2001:db8:0:1::1")

    assert Ended.MADE_ROOM is first.ended
    assert [None] * 4 == [each.ended for each in (*rest, neighbour)]


def test_an_ipv4_address_in_ipv6_s_clothes_is_that_address(every: Connections):
    first = Fake(every, "192.0.2.1")
    for _ in range(LIMITS.per_address):
        Fake(every, "::ffff:192.0.2.1")

    assert Ended.MADE_ROOM is first.ended


@pytest.mark.parametrize("address", ["10.1.2.3", "127.0.0.1", "::1"])
def test_trusted_proxies_and_this_computer_have_no_limit_of_their_own(every: Connections, address: str):
    many = [Fake(every, address, Stage.SERVED) for _ in range(LIMITS.total)]

    assert all(each.is_in for each in many)


def test_denial_of_service_the_connection_that_waits_longest_makes_room_for_a_new_one(every: Connections):
    waiting = [Fake(every, f"192.0.2.{number}") for number in range(LIMITS.total)]
    pass_time(every, 5)
    waiting[0].since = every.tick  # It has just been served, and is idle anew.
    waiting[1].stage = Stage.SERVED

    newest = Fake(every, "198.51.100.1")

    assert newest.is_in
    assert [None, None, Ended.MADE_ROOM, None, None, None] == [each.ended for each in waiting]
    assert LIMITS.total == len(every)


def test_a_proxy_s_connections_make_room_last(every: Connections):
    proxy = Fake(every, "10.0.0.1", Stage.IDLE)
    pass_time(every, 5)
    others = [Fake(every, f"192.0.2.{number}") for number in range(LIMITS.total - 1)]

    Fake(every, "198.51.100.1")

    assert proxy.ended is None
    assert Ended.MADE_ROOM is others[0].ended


def test_where_all_are_being_served_a_new_connection_is_refused(every: Connections):
    for number in range(LIMITS.total):
        Fake(every, f"192.0.2.{number}", Stage.SERVED)

    refused = Fake(every, "198.51.100.1")

    assert not refused.is_in
    assert {Ended.TOO_MANY: 1} == every.ended


def test_addresses_are_forgotten_with_their_last_connection(every: Connections):
    for number in range(200):
        connection = Fake(every, f"192.0.2.{number}")
        every.forget(connection)

    assert 0 == len(every)
    assert not every._by_address
    assert not every._addresses
