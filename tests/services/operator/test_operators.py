"""Operators by name: each token does what it was given for, until it ends, and the trail says whose it was."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from crownkeep import app, data_directory, models, services
from crownkeep.operations import operator_scopes, registry
from crownkeep.operations.call import Origin, Request
from crownkeep.operations.invoke import perform_now
from crownkeep.principals import Operator
from crownkeep.settings import Settings

services.load()
NOW = datetime(2026, 11, 24, tzinfo=UTC)
OPERATOR = next(each for each in registry.services() if each.name == "operator")


class Person:
    """An operator with a token of their own."""

    def __init__(self, crown: Any, told: dict[str, Any]) -> None:
        self.crown, self.created, self.token = crown, told, told["token"]

    def __call__(self, method: str, path: str, body: str = "") -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        return self.crown.request(method, f"/operator/v1{path}", headers=headers, body=body.encode())


def add(crown: Any, name: str, *scopes: str, **more: Any) -> Person:
    wanted = {"name": name, **({"scopes": list(scopes)} if scopes else {}), **more}
    answer = crown.operator("POST", "/operators", wanted)
    assert 201 == answer.status, answer.text
    return Person(crown, answer.json())


def test_the_record_names_the_operator_whose_token_was_used(crown):
    account, alice = crown.account(), add(crown, "alice-acts", "accounts")

    assert 200 == alice("POST", f"/accounts/{account.id}/close").status

    record = account.records()[0]
    identity = {"type": "AWSService", "invokedBy": "crownkeep operator", "userName": "alice-acts"}
    assert identity | {"credentialId": alice.created["token_id"]} == record["userIdentity"]
    assert {"operatorScope": "accounts:write"} == record["additionalEventData"]


def test_an_operator_without_scopes_only_reads(crown):
    account, reader = crown.account(), add(crown, "reader")

    assert ["read"] == reader.created["scopes"]
    assert 200 == reader("GET", f"/accounts/{account.id}").status
    assert 403 == reader("POST", f"/accounts/{account.id}/close").status
    # Mail holds one-time links: reading it is taking accounts over.
    assert 403 == reader("GET", "/notices").status


def test_a_token_out_of_scope_is_refused_and_the_refusal_names_its_operator(fresh_crown):
    crown = fresh_crown()
    account, carol = crown.account(), add(crown, "carol", "trail:read", "accounts:write")

    refused = carol("DELETE", f"/accounts/{account.id}")

    assert 403 == refused.status
    assert "operator `carol` may not call PurgeAccount: its token lacks the scope `accounts:purge`" in refused.text
    record = crown.records("")[0]
    assert ("PurgeAccount", "carol") == (record["eventName"], record["userIdentity"]["userName"])
    assert "AccessDenied" == record["errorCode"]


def test_an_expired_token_is_refused_and_the_refusal_names_its_operator(fresh_crown):
    crown = fresh_crown()
    with time_machine.travel(NOW, tick=False) as clock:
        dave = add(crown, "dave", "all", expires_at="2026-11-25T00:00:00Z")
        clock.shift(timedelta(days=1, seconds=-1))
        assert 200 == dave("GET", "/accounts").status
        clock.shift(timedelta(seconds=1))

        refused = dave("GET", "/accounts")

        assert "EXPIRED" == crown.operator("GET", "/operators").json()["operators"][0]["state"]
    assert 403 == refused.status
    assert "the token of operator `dave` expired at 2026-11-25T00:00:00Z" in refused.text
    (record,) = [each for each in crown.records("") if each.get("errorCode")]
    assert "dave" == record["userIdentity"]["userName"]


def test_a_removed_operators_token_is_void_on_the_very_next_request(crown):
    erin = add(crown, "erin", "all")
    assert 200 == erin("GET", "/operators").status

    assert 204 == crown.operator("DELETE", "/operators/erin").status

    assert 403 == erin("GET", "/operators").status
    assert 404 == crown.operator("DELETE", "/operators/erin").status


def test_a_rotated_token_is_void_and_the_new_one_may_do_the_same(crown):
    frank = add(crown, "frank", "accounts:read")

    rotated = Person(crown, crown.operator("POST", "/operators/frank/rotate", {}).json())

    assert frank.token != rotated.token
    assert 403 == frank("GET", "/accounts").status
    assert 200 == rotated("GET", "/accounts").status
    assert 403 == rotated("GET", "/events").status


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/operators", '{"name": "puppet", "scopes": ["accounts"]}'),
        ("/operators", '{"name": "puppet", "scopes": ["all"]}'),
        ("/operators/mighty/rotate", "{}"),
        ("/operators", '{"name": "puppet", "scopes": ["operators"], "expires_at": "2026-12-03T00:00:00Z"}'),
        ("/operators/grace/rotate", '{"expires_at": "2026-12-03T00:00:00Z"}'),
    ],
    ids=["a wider scope", "all", "a wider operator's token", "a longer life", "a longer life of its own"],
)
def test_no_operator_hands_out_more_than_it_holds(fresh_crown, path, body):
    crown = fresh_crown()
    with time_machine.travel(NOW, tick=False):
        add(crown, "mighty", "all")
        grace = add(crown, "grace", "operators", "accounts:read", expires_at="2026-12-01T00:00:00Z")

        refused = grace("POST", path, body)
        within = grace("POST", "/operators", '{"name": "helper", "scopes": ["accounts:read"]}')

    assert 403 == refused.status
    assert (201, "2026-12-01T00:00:00Z") == (within.status, within.json()["expires_at"])
    assert 403 == grace("DELETE", "/operators/mighty").status


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "heidi", "scopes": ["everything"]}, 400),
        ({"name": "heidi", "scopes": []}, 400),
        ({"name": "Heidi"}, 400),
        ({"name": "heidi", "expires_at": "2020-01-01T00:00:00Z"}, 409),
        ({"name": "heidi", "expires_at": "2999-01-01T00:00:00Z"}, 409),
    ],
)
def test_an_operator_asked_for_wrongly_is_refused(crown, body, status):
    assert status == crown.operator("POST", "/operators", body).status


def test_a_name_is_given_once(crown):
    add(crown, "ivan")

    assert 409 == crown.operator("POST", "/operators", {"name": "ivan"}).status


def test_no_token_of_an_operator_is_in_a_log_a_record_or_the_database(fresh_crown, caplog):
    crown = fresh_crown()
    caplog.set_level(logging.DEBUG)
    judy = add(crown, "judy", "accounts:read")
    judy("GET", "/accounts")
    judy("GET", "/events")
    rotated = Person(crown, crown.operator("POST", "/operators/judy/rotate", {}).json())
    judy("GET", "/accounts")

    written = f"{caplog.text}{crown.records('')}{crown.operator('GET', '/operators').text}"
    kept = b"".join(path.read_bytes() for path in crown.settings.data_directory.glob("crownkeep.db*"))

    for token in (judy.token, rotated.token):
        assert token[-43:] not in written
        assert token[-43:].encode() not in kept


@pytest.mark.parametrize("given", ["ckop_aaaaaaaaaaaaaaaa_" + "A" * 43, "ckop_", "ckop_" + "a" * 5000, "", "é"])
def test_a_token_that_nobody_has_is_refused(crown, given):
    headers = {"Authorization": f"Bearer {given}".encode().decode("latin-1")}

    assert 403 == crown.request("GET", "/operator/v1/accounts", headers=headers).status


def test_the_right_id_with_another_secret_is_refused(crown):
    mallory = add(crown, "kim", "all")
    mallory.token = mallory.token[:-43] + "A" * 43

    assert 403 == mallory("GET", "/accounts").status


def test_a_named_operators_token_opens_no_metrics_and_no_account(crown):
    lara = add(crown, "lara", "all")
    headers = {"Authorization": f"Bearer {lara.token}"}

    assert 200 != crown.request("GET", "/metrics", headers=headers).status
    assert 403 == crown.request("POST", "/", headers=headers, body=b"Action=ListUsers&Version=2010-05-08").status


def test_an_operator_who_was_removed_meanwhile_changes_nothing(tmp_path):
    settings = Settings(data=str(tmp_path / "data"))
    database, wiring = app.open_wiring(settings, data_directory.prepare(settings))
    (operation,) = [each for each in (OPERATOR.find("AddOperator"),) if each is not None]
    origin = Origin(source_ip="127.0.0.1", user_agent="test", region="us-east-1", request_id="1")
    # As authentication knew her a moment ago.
    gone = Operator("nora", "aaaaaaaaaaaaaaaa", ("all",), NOW + timedelta(days=1))

    refused = perform_now(database, Request(operation, {"name": "olga"}, gone, origin, NOW), wiring)

    assert refused.error is not None
    assert "operator `nora` has been removed" in refused.error.message
    database.close()


def test_every_operation_of_the_operator_has_a_scope_of_its_own():
    served = OPERATOR.served()

    assert [] == [name for name in served if operator_scopes.of_operation(name) == operator_scopes.ALL]


def test_the_model_knows_every_scope_and_no_other():
    members = models.service("operator").shapes["OperatorScope"]

    assert set(operator_scopes.SCOPES) == set(members.enum)
