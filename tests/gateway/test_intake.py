"""The intake: one turn for what has come together, never before it came; accounts in turn; no neighbour's fault is felt."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from tests.fixtures import coroutines
from tests.fixtures.asgi import Response
from tests.fixtures.clients import Credentials
from tests.fixtures.crown import Account, Crown
from tests.services.iam.asking import allow, refusal

from crownkeep import errors
from crownkeep.gateway import authenticate, encode, exchange, long_reads
from crownkeep.gateway.intake import LONG_SECONDS, MOST_AT_ONCE, MOST_BESIDE, MOST_IN_COMMIT_BESIDE, MOST_KNOWN_LONG, Intake
from crownkeep.gateway.shares import Contention
from crownkeep.operations import registry
from crownkeep.operations.fair_pool import FairPool
from crownkeep.operations.invoke import Door
from crownkeep.operations.standing import Standings

POLICY = json.dumps(allow("iam:GetUser"))
FAULT = "InternalFailure: The request processing has failed because of an unknown error."


def turns_of(*, alone: int = 0, loud: int = 0, quiet: int = 0) -> list[list[str]]:
    """Return what went on in each turn, where a second account asks once the first one's requests wait."""
    turns: list[list[str]] = []

    async def ask() -> None:
        intake: Intake[str] = Intake(turns.append)
        for _ in range(alone):
            intake.add("alone", "alone")
        if quiet:
            intake.add("quiet", "quiet before")
            await asyncio.sleep(0)
        for _ in range(loud):
            intake.add("loud", "loud")
        for _ in range(quiet):
            intake.add("quiet", "quiet")
        while sum(map(len, turns)) < alone + loud + quiet + bool(quiet):
            await asyncio.sleep(0)

    coroutines.run(ask())
    return turns


def test_what_comes_together_goes_together_up_to_a_bound():
    assert [["alone"] * MOST_AT_ONCE, ["alone"] * 3] == turns_of(alone=MOST_AT_ONCE + 3)


def test_an_account_with_many_requests_makes_another_wait_for_a_few_of_them():
    turns = turns_of(loud=40, quiet=1)

    assert "quiet" in turns[1]
    assert all(turn.count("loud") <= MOST_BESIDE for turn in turns)
    assert 40 == sum(turn.count("loud") for turn in turns)


def test_an_account_whose_requests_take_long_has_one_in_a_turn_while_another_asks():
    turns: list[list[str]] = []

    async def ask() -> None:
        def carry_out(together: list[str]) -> None:
            turns.append(together)
            for account in together:
                intake.took(account, LONG_SECONDS * (3 if account == "loud" and len(turns) < 9 else 0.5))

        intake: Intake[str] = Intake(carry_out)
        for account in ("quiet", *["loud"] * 14, *["quiet"] * 12):
            intake.add(account, account)
        while sum(map(len, turns)) < 27:
            await asyncio.sleep(0)

    coroutines.run(ask())

    loud = [turn.count("loud") for turn in turns if "loud" in turn]
    # The first was not known to be long, and from the ninth turn on they are short again.
    assert [2, *[1] * 8, 2, 2] == loud


def test_accounts_whose_requests_take_long_are_remembered_in_bounded_number():
    intake: Intake[str] = Intake(lambda _: None)

    for number in range(MOST_KNOWN_LONG + 50):
        intake.took(f"account {number}", LONG_SECONDS * 2)

    assert MOST_KNOWN_LONG == len(intake._long)


def test_an_account_that_floods_fills_no_group_of_commits_while_another_asks():
    begun: list[str] = []

    async def ask() -> None:
        def carry_out(together: list[str]) -> None:
            begun.extend(together)
            for account in together:
                intake.begun(account)

        async def turns(count: int) -> None:
            for _ in range(count):
                await asyncio.sleep(0)

        intake: Intake[str] = Intake(carry_out)
        intake.add("quiet", "quiet")
        for _ in range(40):
            intake.add("loud", "loud")
        await turns(40)
        assert MOST_IN_COMMIT_BESIDE == begun.count("loud")
        intake.add("quiet", "quiet")
        await turns(2)
        assert 2 == begun.count("quiet")
        while begun.count("loud") < 40:
            before = begun.count("loud")
            intake.ended("loud")
            await turns(2)
            assert before + 1 == begun.count("loud")

    coroutines.run(ask())


def test_a_request_that_comes_while_a_turn_is_carried_out_waits_for_the_next_one():
    """Or it would read in a snapshot that was opened before it came, and not see what has been answered since."""
    turns: list[list[str]] = []

    async def ask() -> None:
        def carry_out(together: list[str]) -> None:
            turns.append(together)
            if len(turns) == 1:
                intake.add("a", "second")

        intake: Intake[str] = Intake(carry_out)
        intake.add("a", "first")
        assert [] == turns
        while len(turns) < 2:
            await asyncio.sleep(0)

    coroutines.run(ask())

    assert [["first"], ["second"]] == turns


def together(crown: Crown, credentials: list[Credentials], *, is_beside: bool = False) -> list[Response]:
    """Send one GetCallerIdentity for each of these credentials within one turn of the server's event loop."""
    served = crown._served
    caught: list[Any] = []

    class Caught(Exception):
        """Raised where a signed request would leave."""

    for each in credentials:
        client = crown.session(each, "sts")

        def catch(request: Any, **_: object) -> None:
            caught.append(request)
            raise Caught

        client.meta.events.register_first("before-send.sts", catch)
        with pytest.raises(Caught):
            client.get_caller_identity()

    async def all_at_once() -> list[Response]:
        asked = [
            (served.scope("POST", each.url, _texts(each.headers), each.body.encode()), each.body.encode()) for each in caught
        ]
        return await asyncio.gather(*(served._ask(*each) for each in asked))

    with pytest.MonkeyPatch.context() as patched:
        # Accounts of other tests on this server may have asked a moment ago: their requests would divide these into turns.
        patched.setattr(Contention, "is_beside", lambda *_: is_beside)
        return served.run(all_at_once())


def _texts(headers: Any) -> dict[str, str]:
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in headers.items()}


def keys(account: Account, count: int) -> list[Credentials]:
    return [account.user(f"u{number}").credentials for number in range(count)]


def test_a_fault_of_ours_in_one_request_is_recorded_and_keeps_no_neighbour_from_an_answer(
    crown: Crown, account: Account, monkeypatch: pytest.MonkeyPatch
):
    asking = keys(account, 3)
    known = authenticate.known_key

    def faulty(db: Any, signature: Any, **options: Any) -> Any:
        if signature.access_key_id == asking[1].access_key_id:
            raise ZeroDivisionError("a secret that nobody should read")
        return known(db, signature, **options)

    monkeypatch.setattr(authenticate, "known_key", faulty)

    answers = together(crown, asking)

    assert [200, 500, 200] == [each.status for each in answers]
    assert "InternalFailure" in answers[1].text
    assert "secret that" not in answers[1].text
    assert answers[0].text != answers[2].text


def test_a_fault_of_the_database_in_one_request_keeps_no_neighbour_from_an_answer(
    crown: Crown, account: Account, monkeypatch: pytest.MonkeyPatch
):
    asking = keys(account, 3)
    known = authenticate.known_key

    def faulty(db: Any, signature: Any, **options: Any) -> Any:
        if signature.access_key_id == asking[0].access_key_id:
            raise OperationalError("SELECT", {}, Exception("gone"))
        return known(db, signature, **options)

    monkeypatch.setattr(authenticate, "known_key", faulty)

    answers = together(crown, asking)

    assert [503, 200, 200] == [each.status for each in answers]


def test_a_request_that_can_not_even_be_refused_keeps_no_neighbour_from_an_answer(
    crown: Crown, account: Account, monkeypatch: pytest.MonkeyPatch
):
    asking = keys(account, 3)
    asking[1] = replace(asking[1], secret_access_key="wrong")

    def faulty(*_: Any) -> Any:
        raise ZeroDivisionError("a secret that nobody should read")

    monkeypatch.setattr(exchange, "refused", faulty)

    answers = together(crown, asking)

    assert [200, 503, 200] == [each.status for each in answers]


def test_requests_of_one_turn_look_their_account_s_revision_up_once(
    crown: Crown, account: Account, monkeypatch: pytest.MonkeyPatch
):
    asking = keys(account, 2)
    looked: list[str] = []
    of_account = Standings.of_account

    def noted(self: Standings, db: Any, account_id: str) -> Any:
        looked.append(account_id)
        return of_account(self, db, account_id)

    monkeypatch.setattr(Standings, "of_account", noted)

    answers = together(crown, asking)

    assert [200] * 2 == [each.status for each in answers]
    assert [account.id] == looked
    assert 2 == sum(each["eventName"] == "GetCallerIdentity" for each in account.records())


def test_a_fault_of_ours_in_writing_an_answer_is_answered_and_keeps_no_neighbour_from_theirs(
    crown: Crown, account: Account, monkeypatch: pytest.MonkeyPatch
):
    written = encode.encode
    iam = account.client("iam")

    def faulty(operation: Any, result: Any, **options: Any) -> Any:
        if operation.name in ("CreateUser", "SimulateCustomPolicy"):
            raise ZeroDivisionError("a secret that nobody should read")
        return written(operation, result, **options)

    with monkeypatch.context() as broken:
        broken.setattr(encode, "encode", faulty)
        refused = [
            refusal(lambda: iam.create_user(UserName="made")),
            refusal(lambda: iam.simulate_custom_policy(PolicyInputList=[POLICY], ActionNames=["iam:GetUser"])),
        ]

    assert [FAULT] * 2 == refused
    assert "made" == iam.get_user(UserName="made")["User"]["UserName"]


def read_apart(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Take every answer for one that took long, and note which operations are read beside the loop."""
    monkeypatch.setattr(long_reads, "LONG_BYTES", 100)
    noted: list[str] = []
    read = Door.read_apart

    def noting(self: Door, request: Any) -> Any:
        noted.append(request.operation.name)
        assert threading.current_thread() is not threading.main_thread()
        return read(self, request)

    monkeypatch.setattr(Door, "read_apart", noting)
    return noted


def test_reads_that_took_long_are_carried_out_beside_the_loop_while_others_ask_and_none_is_refused(
    crown: Crown, account: Account, monkeypatch: pytest.MonkeyPatch
):
    asking = keys(account, 1)
    noted = read_apart(monkeypatch)
    together(crown, asking, is_beside=True)

    answers = together(crown, asking * 80, is_beside=True)

    assert {200} == {each.status for each in answers}
    assert ["GetCallerIdentity"] * 80 == noted
    assert 81 == len({each["requestID"] for each in account.records() if each["eventName"] == "GetCallerIdentity"})


def test_a_read_that_took_long_is_carried_out_on_the_loop_where_the_pool_is_full(
    crown: Crown, account: Account, monkeypatch: pytest.MonkeyPatch
):
    asking = keys(account, 1)
    noted = read_apart(monkeypatch)
    together(crown, asking, is_beside=True)
    monkeypatch.setattr(FairPool, "has_room", lambda self, owner: False)

    answers = together(crown, asking * 3, is_beside=True)

    assert {200} == {each.status for each in answers}
    assert [] == noted


def test_an_account_that_is_alone_has_its_reads_on_the_loop_however_long_they_take(
    crown: Crown, account: Account, monkeypatch: pytest.MonkeyPatch
):
    asking = keys(account, 1)
    noted = read_apart(monkeypatch)

    answers = [*together(crown, asking), *together(crown, asking)]

    assert [200, 200] == [each.status for each in answers]
    assert [] == noted


def test_a_read_that_took_long_once_is_carried_out_on_the_loop_again_once_it_is_short(
    crown: Crown, account: Account, monkeypatch: pytest.MonkeyPatch
):
    asking = keys(account, 1)
    noted = read_apart(monkeypatch)
    together(crown, asking, is_beside=True)
    monkeypatch.setattr(long_reads, "LONG_BYTES", 2**16)
    monkeypatch.setattr(long_reads, "LONG_SECONDS", 60)

    for _ in range(3):
        together(crown, asking, is_beside=True)

    assert ["GetCallerIdentity"] == noted


def test_a_fault_beside_the_loop_is_answered_and_the_account_s_next_read_goes_on(
    crown: Crown, account: Account, monkeypatch: pytest.MonkeyPatch
):
    asking = keys(account, 1)
    read_apart(monkeypatch)
    together(crown, asking, is_beside=True)
    faults: list[Exception] = [
        ZeroDivisionError("a secret that nobody should read"),
        OperationalError("SELECT", {}, Exception("gone")),
        errors.Throttling("Rate exceeded"),
    ]

    def faulty(self: Door, request: Any) -> Any:
        raise faults.pop(0)

    with monkeypatch.context() as broken:
        broken.setattr(Door, "read_apart", faulty)
        refused = [together(crown, asking, is_beside=True)[0] for _ in range(3)]

    assert [500, 503, 400] == [each.status for each in refused]
    assert not any("secret that" in each.text for each in refused)
    # More than may wait for their commit at a time: each of the three has given its place back.
    assert {200} == {each.status for each in together(crown, asking * 5, is_beside=True)}


def test_operations_that_took_long_are_remembered_in_bounded_number():
    known = long_reads.LongReads()
    iam = registry.service("iam")
    assert iam is not None
    listing = iam.find("ListUsers")
    assert listing is not None

    for number in range(long_reads.MOST_KNOWN + 50):
        known.note(f"account {number}", listing)

    assert long_reads.MOST_KNOWN == len(known._known)
    assert known.holds(f"account {long_reads.MOST_KNOWN + 49}", listing)
