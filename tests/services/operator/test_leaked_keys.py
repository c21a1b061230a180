"""Leaked keys over the operator's API: found, stopped at once, and nobody else's business."""

from __future__ import annotations

import json

import pytest
from tests.services.iam.asking import allow, refusal
from tests.services.operator.test_accounts import code_of


@pytest.fixture
def bob(account):
    return account.user("bob", policy=allow("iam:*"))


def find(crown, key: str, *secrets: str):
    return crown.operator("POST", "/find-access-keys", {"sightings": [{"access_key_id": key, "possible_secrets": secrets}]})


def test_a_key_is_found_with_its_owner_and_whether_its_secret_was_seen(crown, account, bob):
    key = bob.credentials.access_key_id

    with_secret = find(crown, key, "x" * 40, bob.credentials.secret_access_key).json()["access_keys"]
    without = find(crown, key, "x" * 40).json()["access_keys"]

    (found,) = with_secret
    assert (key, account.id, bob.arn, "bob", "Active", True) == tuple(
        found[name] for name in ("access_key_id", "account_id", "owner_arn", "user_name", "status", "secret_seen")
    )
    assert [False] == [each["secret_seen"] for each in without]


def test_a_key_that_is_not_ours_is_not_there(crown):
    assert [] == find(crown, "AKIAIOSFODNN7EXAMPLE").json()["access_keys"]


def test_a_deactivated_key_fails_on_the_very_next_request(crown, account, bob):
    bob.client("iam").get_user()

    answer = crown.operator("POST", f"/access-keys/{bob.credentials.access_key_id}/deactivate")

    assert 204 == answer.status
    assert refusal(bob.client("iam").get_user).startswith("InvalidClientTokenId: ")
    assert "DeactivateAccessKey" == account.records()[1]["eventName"]


def test_a_quarantined_user_keeps_its_key_and_can_do_less_at_once(crown, account, bob):
    path = f"/accounts/{account.id}/users/BOB/quarantine"

    answers = [crown.operator("POST", path) for _ in range(2)]

    assert [200, 200] == [answer.status for answer in answers]
    reply = refusal(bob.client("iam").create_access_key)
    assert reply.startswith("AccessDenied: ")
    assert "explicit deny" in reply
    attached = account.client("iam").list_attached_user_policies(UserName="bob")["AttachedPolicies"]
    assert ["AWSCompromisedKeyQuarantineV3"] == [each["PolicyName"] for each in attached]


def test_what_is_not_there_is_not_found(crown, account):
    key = crown.operator("POST", "/access-keys/AKIAIOSFODNN7EXAMPLE/deactivate")
    user = crown.operator("POST", f"/accounts/{account.id}/users/nobody/quarantine")
    nowhere = crown.operator("POST", "/accounts/000000000000/users/nobody/quarantine")

    assert [(404, "ResourceNotFoundException")] * 3 == [code_of(answer) for answer in (key, user, nowhere)]


def test_no_administrator_reaches_these_operations_and_the_token_is_needed(crown, account):
    body = json.dumps({"sightings": [{"access_key_id": account.created["root"]["access_key_id"]}]}).encode()

    answer = crown.request("POST", "/operator/v1/find-access-keys", headers={"Content-Type": "application/json"}, body=body)

    assert (403, "AccessDeniedException") == code_of(answer)


def test_the_secrets_that_were_seen_are_in_no_record(crown, account, bob):
    find(crown, bob.credentials.access_key_id, bob.credentials.secret_access_key)

    recorded = str(crown.records("", limit=20))

    assert "FindAccessKeys" in recorded
    assert bob.credentials.secret_access_key not in recorded
