"""Custodians, their keys and the seals that rest on them, changed on two nodes at once: nobody is sealed in for good."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from types import ModuleType
from typing import Any

import pytest
from tests.credentials.soft_authenticator import SoftAuthenticator
from tests.fixtures import custody
from tests.fixtures.nodes import Nodes

from crownkeep import clock, errors
from crownkeep.domain.approvals import custodianship, enrolment
from crownkeep.domain.approvals.people import ApproverIdentity
from crownkeep.storage.approvals import approver_keys, custodians, seals
from crownkeep.storage.database import Database

SECONDS_TO_GET_AHEAD = 0.5
"""For which the first waits in its midst: whoever is not made to wait gets through meanwhile."""


def begun_together(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, first: Callable[[], Any], second: Callable[[], Any]
) -> tuple[Any, Any]:
    """Let the second begin while the first is about to write, by `module.name`; return what both came to."""
    inside = Event()
    write = getattr(module, name)

    def stopped(*given: Any, **options: Any) -> Any:
        if not inside.is_set():
            inside.set()
            clock.sleep(SECONDS_TO_GET_AHEAD)
        return write(*given, **options)

    monkeypatch.setattr(module, name, stopped)
    with ThreadPoolExecutor(2) as threads:
        one = threads.submit(first)
        assert inside.wait(30)
        two = threads.submit(second)
        return one.result(60), two.result(60)


def test_a_custodian_who_is_removed_while_an_account_is_sealed_under_them_takes_the_teams_approval(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
):
    team = custody.seat(nodes.crowns[0], nodes.account.id, names=("ann", "bob"))
    path = f"/accounts/{nodes.account.id}/seal"

    sealed, removed = begun_together(
        monkeypatch,
        seals,
        "put",
        lambda: nodes.crowns[0].operator("PUT", path, {"team_arn": team.arn}),
        lambda: nodes.crowns[1].operator("DELETE", f"/custodians/{team.people[1].custodian_id}"),
    )

    assert 200 == sealed.status, sealed.text
    assert "is sealed (operator): ask its custodians" in removed.text


def test_an_account_is_not_sealed_under_a_team_that_loses_a_custodian_meanwhile(nodes: Nodes, monkeypatch: pytest.MonkeyPatch):
    team = custody.seat(nodes.crowns[0], nodes.account.id, names=("ann", "bob"))
    path = f"/accounts/{nodes.account.id}/seal"

    removed, sealed = begun_together(
        monkeypatch,
        custodians,
        "remove",
        lambda: nodes.crowns[0].operator("DELETE", f"/custodians/{team.people[1].custodian_id}"),
        lambda: nodes.crowns[1].operator("PUT", path, {"team_arn": team.arn}),
    )

    assert (204, 409) == (removed.status, sealed.status), sealed.text


def test_of_two_custodians_with_one_address_at_once_the_second_is_told_so(nodes: Nodes, monkeypatch: pytest.MonkeyPatch):
    wanted = {"name": "Ann", "email": f"ann-{clock.token_bytes(4).hex()}@acme.example"}

    first, second = begun_together(
        monkeypatch,
        custodians,
        "add",
        lambda: nodes.crowns[0].operator("POST", "/custodians", wanted),
        lambda: nodes.crowns[1].operator("POST", "/custodians", wanted),
    )

    assert (True, 409) == (first.status < 300, second.status), second.text
    assert "there is a custodian with the address" in second.text


def test_whoever_reads_a_custodians_mail_adds_no_key_at_the_moment_in_which_they_enrol_theirs(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
):
    """By the links of two teams of two accounts, neither of which holds the other's row."""
    settings = nodes.crowns[0].settings
    party, custodian_id = enrolment.party(settings), clock.token_bytes(16).hex()
    who = ApproverIdentity(custodianship.identity_of(custodian_id), "custodians", custodian_id, "Ann", "", None)

    def enrol(credential_id: bytes) -> str:
        device = SoftAuthenticator(party.id, next(iter(party.origins)), credential_id=credential_id)
        database = Database(settings.database_url)
        try:
            database.write(
                lambda db: enrolment.enrol(
                    db, settings, who, device.register(bytes(32)), challenge=bytes(32), nickname="", now=clock.now()
                )
            )
        except errors.Conflict as refused:
            return refused.message
        finally:
            database.close()
        return ""

    came_to = begun_together(
        monkeypatch, approver_keys, "add", lambda: enrol(clock.token_bytes(16)), lambda: enrol(clock.token_bytes(16))
    )

    assert ("", "You have a key already, and accept with that.") == came_to
