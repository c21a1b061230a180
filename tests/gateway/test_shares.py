"""Fair shares: a flood is told so in AWS's words, and takes from nobody but its own account."""

import asyncio
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError
from tests.fixtures import coroutines

from crownkeep import clock, errors
from crownkeep.gateway.shares import Shares
from crownkeep.operations.token_buckets import MOST_BUCKETS, SECONDS_HELD, Buckets
from crownkeep.principals import Principal, PrincipalKind


def _principal(account="111122223333", unique_id="AIDA1"):
    return Principal(PrincipalKind.USER, account, unique_id, "bob", "/")


@pytest.fixture
def now(monkeypatch):
    moments = [1_000.0]
    monkeypatch.setattr(clock, "monotonic", lambda: moments[0])

    def pass_(span: timedelta) -> None:
        moments[0] += span.total_seconds()

    return pass_


def _taken(shares, principal, most=100_000):
    """Return how many requests somebody gets through beside others who ask."""
    for rival in ("999900001111", "999900002222"):
        shares.require(_principal(account=rival))
    for number in range(most):
        try:
            shares.require(principal)
        except errors.Throttling:
            return number
    return most


def test_a_principal_s_flood_is_refused_and_its_account_s_others_are_not(now):
    shares = Shares(of_account=20, of_principal=5)

    assert 5 * SECONDS_HELD == _taken(shares, _principal())
    assert 5 * SECONDS_HELD == _taken(shares, _principal(unique_id="AIDA2"))


def test_who_asks_alone_may_have_it_all(now):
    shares = Shares(of_account=20, of_principal=5)

    for _ in range(5_000):
        shares.require(_principal())
        shares.charge(_principal(), 0.01)


def test_a_flood_that_began_alone_is_not_held_against_an_account_when_others_come(now):
    shares = Shares(of_account=20, of_principal=5)
    for _ in range(5_000):
        shares.require(_principal())

    assert 5 * SECONDS_HELD == _taken(shares, _principal())


def test_many_principals_share_what_their_account_has(now):
    shares = Shares(of_account=20, of_principal=5)

    taken = [_taken(shares, _principal(unique_id=f"AIDA{number}")) for number in range(6)]

    assert 20 * SECONDS_HELD == sum(taken)
    assert 5 * SECONDS_HELD == _taken(shares, _principal(account="444455556666"))


def test_a_share_fills_again_with_time(now):
    shares = Shares(of_account=20, of_principal=5)
    _taken(shares, _principal())

    now(timedelta(seconds=2))
    assert 10 == _taken(shares, _principal())
    now(timedelta(days=1))
    assert 5 * SECONDS_HELD == _taken(shares, _principal())


def test_heavy_requests_count_for_what_they_cost(now):
    shares = Shares(of_account=20, of_principal=10)
    shares.require(_principal(account="999900001111"))

    shares.charge(_principal(), 0.0005)
    shares.charge(_principal(), 0.091)

    assert 10 == _taken(shares, _principal())


def test_nothing_is_refused_where_the_operator_sets_no_rate(now):
    assert 500 == _taken(Shares(of_account=0, of_principal=0), _principal(), most=500)


def test_buckets_of_ever_new_principals_do_not_grow_the_memory(now):
    buckets = Buckets(1)

    for number in range(MOST_BUCKETS + 10):
        buckets.take(number, 1, clock.monotonic())

    assert MOST_BUCKETS == len(buckets)


def test_a_refused_flood_is_slowed_down(now, monkeypatch):
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    shares = Shares(of_account=20, of_principal=1)
    _taken(shares, _principal())

    coroutines.run(shares.delay(_principal()))

    assert [pytest.approx(1.0)] == slept


@pytest.fixture
def at_once(now, monkeypatch):
    """A clock that stands, and no delays: what is refused depends on what was asked alone."""
    monkeypatch.setattr("crownkeep.gateway.shares.LONGEST_DELAY_SECONDS", 0.0)


@pytest.mark.usefixtures("at_once")
def test_a_flood_of_requests_is_throttled_in_each_service_s_own_words(fresh_crown):
    crown = fresh_crown(requests_per_second_of_principal=1)
    account, other = crown.account(), crown.account()
    other.client("sts").get_caller_identity()
    while not _refusal(account.client("sts").get_caller_identity):
        pass

    answer = {
        (service, operation): _refusal(getattr(account.client(service), operation), **asked)
        for service, operation, asked in (
            ("iam", "get_user", {}),
            ("sts", "get_caller_identity", {}),
            ("organizations", "describe_organization", {}),
            ("account", "list_regions", {}),
            ("cloudtrail", "lookup_events", {}),
            ("accessanalyzer", "validate_policy", {"policyDocument": "{}", "policyType": "IDENTITY_POLICY"}),
        )
    }

    assert {
        ("iam", "get_user"): "Throttling: Rate exceeded",
        ("sts", "get_caller_identity"): "Throttling: Rate exceeded",
        ("organizations", "describe_organization"): "TooManyRequestsException: Rate exceeded",
        ("account", "list_regions"): "TooManyRequestsException: Rate exceeded",
        ("cloudtrail", "lookup_events"): "ThrottlingException: Rate exceeded",
        ("accessanalyzer", "validate_policy"): "ThrottlingException: Rate exceeded",
    } == answer


def _refusal(ask, **asked):
    try:
        ask(**asked)
    except ClientError as error:
        return f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
    return ""


@pytest.mark.usefixtures("at_once")
def test_a_throttled_flood_fills_no_trail_and_takes_from_no_other_account(fresh_crown):
    crown = fresh_crown(requests_per_second_of_principal=1)
    account, other = crown.account(), crown.account()
    sts = account.client("sts")
    other.client("sts").get_caller_identity()

    refused = [_refusal(sts.get_caller_identity) for _ in range(3 * SECONDS_HELD)]

    assert 2 * SECONDS_HELD <= refused.count("Throttling: Rate exceeded")
    assert SECONDS_HELD == sum(each.get("errorCode") == "Throttling" for each in account.records())
    assert other.id == other.client("sts").get_caller_identity()["Account"]
