"""What a signed-in person does to an account's security is decided like any call: by every policy, and with a record."""

from __future__ import annotations

from typing import Any

import pytest
from tests.console.members import administrator
from tests.fixtures.browsing import Browser
from tests.fixtures.crown import Account, Crown
from tests.fixtures.organization import Organization, deny
from tests.services.iam.asking import allow, refusal
from tests.signin.people import root_with_app, user_with_password

CLOSE = "/console/account/close"


def name_of(account: Account) -> str:
    return str(account.client("account").get_account_information()["AccountName"])


def joined(crown: Crown) -> tuple[Organization, Account, Browser]:
    """An account that joined an organization, with root signed in by an app."""
    organization = Organization(crown)
    account, root, _ = root_with_app(crown)
    account.client("organizations").accept_handshake(HandshakeId=organization.invite(account))
    return organization, account, root


def recorded(account: Account, name: str) -> list[dict[str, Any]]:
    return [record for record in account.records() if record["eventName"] == name]


@pytest.mark.parametrize("action", ["account:CloseAccount", "*"])
def test_root_of_a_member_does_not_close_its_account_past_a_service_control_policy(crown: Crown, action: str):
    organization, account, root = joined(crown)
    name = name_of(account)
    root.get(CLOSE)
    organization.bind(deny(action), account.id)

    page = root.submit({"name": name}, form="Close the account")

    assert 403 == page.status
    assert "explicit deny in a service control policy" in page.text
    assert "ACTIVE" == organization.client.describe_account(AccountId=account.id)["Account"]["State"]
    (record,) = recorded(account, "CloseAccount")
    assert "AccessDenied" == record["errorCode"]


def test_closing_takes_a_browser_and_a_fresh_proof_whoever_signs_the_call(crown: Crown):
    account, _, _ = root_with_app(crown)

    refused = refusal(account.root("account-security").close_account, AccountName=name_of(account))

    assert refused.startswith("AccessDeniedException: ")
    assert account.client("iam").list_users()["Users"]


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("update_sign_in_settings", {"UsersNeedMfa": True}),
        ("update_user_sign_in_settings", {"UserName": "bob", "NeedsMfa": True}),
        ("send_test_alert", {"AlternateContactType": "SECURITY"}),
    ],
)
def test_a_deny_reaches_each_act_by_identity_policy_and_by_service_control_policy(
    crown: Crown, operation: str, parameters: dict[str, Any]
):
    organization, account, _ = joined(crown)
    user_with_password(account)
    action = "account-security:" + "".join(word.title() for word in operation.split("_"))
    denied = {**allow("*"), "Statement": [*allow("*")["Statement"], *deny(action)["Statement"]]}
    carol = account.user("carol", policy=denied)
    assert "explicit deny in an identity-based policy" in refusal(
        getattr(carol.client("account-security"), operation), **parameters
    )

    organization.bind(deny(action), account.id)

    refused = refusal(getattr(account.client("account-security"), operation), **parameters)
    assert "explicit deny in a service control policy" in refused
    assert all(record["errorCode"] == "AccessDenied" for record in recorded(account, action.partition(":")[2]))


def test_a_user_s_settings_are_named_in_the_record_and_tags_of_the_user_decide(account: Account):
    user_with_password(account)
    account.client("iam").tag_user(UserName="bob", Tags=[{"Key": "team", "Value": "red"}])
    tagged = {"StringEquals": {"aws:ResourceTag/team": "blue"}}
    carol = account.user("carol", policy=allow("account-security:*", **tagged))

    refused = refusal(carol.client("account-security").update_user_sign_in_settings, UserName="BOB", NeedsMfa=True)
    account.client("account-security").update_user_sign_in_settings(UserName="BOB", NeedsMfa=True)

    assert "user/bob" in refused
    assert f"arn:aws:iam::{account.id}:user/bob" == recorded(account, "UpdateUserSignInSettings")[0]["resources"][0]["ARN"]
    assert account.client("account-security").get_user_sign_in_settings(UserName="bob")["NeedsMfa"]


def test_the_page_asks_by_the_same_door_as_the_api(crown: Crown):
    account, browser = administrator(crown)
    browser.get("/console/account")

    browser.submit(form="Require MFA for all users")

    assert account.client("account-security").get_sign_in_settings()["UsersNeedMfa"]
    assert {"usersNeedMfa": True} == recorded(account, "UpdateSignInSettings")[0]["requestParameters"]
