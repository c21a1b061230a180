"""What a signed-in person does to an account's security is decided like any call: by every policy, and with a record."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.alerts.office import Mailbox
from tests.console.members import administrator, member
from tests.fixtures.browsing import Browser, Page
from tests.fixtures.crown import Account, Crown
from tests.fixtures.organization import Organization, deny
from tests.services.iam.asking import allow, refusal
from tests.signin.command_line import CROSS_DEVICE, LOOPBACK, SAME_DEVICE, CommandLine
from tests.signin.people import PASSWORD, code, root_with_app, sign_in_root, user_with_password

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


def _refused_at(page: Page, account: Account, event: str, *, by: str) -> bool:
    """Tell whether a page says by which policy an act was refused, and the act's record says so as well."""
    (record,) = recorded(account, event)
    return 403 == page.status and by in page.text and by in record["errorMessage"] and "AccessDenied" == record["errorCode"]


BY_ORGANIZATION = "explicit deny in a service control policy"


def test_root_of_a_member_changes_its_address_past_no_service_control_policy(crown: Crown):
    organization, account, root = joined(crown)
    root.get("/console/email")
    organization.bind(deny("account:StartPrimaryEmailUpdate"), account.id)

    page = root.submit({"email": f"new-{account.id}@acme.example"}, form="Send a code")

    assert _refused_at(page, account, "EmailUpdateRequested", by=BY_ORGANIZATION)
    assert [] == Mailbox(crown, f"new-{account.id}@acme.example").subjects()


def test_a_code_that_was_sent_changes_no_address_once_a_policy_denies_it(crown: Crown):
    organization, account, root = joined(crown)
    email = f"new-{account.id}@acme.example"
    root.get("/console/email")
    root.submit({"email": email}, form="Send a code")
    sent = str(Mailbox(crown, email).wait("Your code is")["Subject"]).rpartition(" ")[2]
    domain = {"StringEquals": {"account:EmailTargetDomain": "acme.example"}}
    organization.bind(deny("account:AcceptPrimaryEmailUpdate", **domain), account.id)

    page = root.submit({"code": sent}, form="Change the email address</button>")

    assert _refused_at(page, account, "EmailUpdated", by=BY_ORGANIZATION)
    assert sent not in str(account.records())


def test_root_of_a_member_changes_its_password_past_no_service_control_policy(crown: Crown):
    organization, account, root = joined(crown)
    chosen = "another Horse battery 9 of mine"
    root.get("/console/password")
    organization.bind(deny("account-security:ChangeRootPassword"), account.id)

    page = root.submit({"old": PASSWORD, "new": chosen, "again": chosen})

    assert 403 == page.status
    assert BY_ORGANIZATION in page.text
    assert [{"PasswordUpdated": "Failure"}, {"PasswordUpdated": "Success"}] == [
        record["responseElements"] for record in recorded(account, "PasswordUpdated")
    ]


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("start_root_email_update", {"Email": "new@acme.example"}),
        ("accept_root_email_update", {"Otp": "aaaaaa"}),
        ("change_root_password", {"OldPassword": PASSWORD, "NewPassword": "another Horse battery 9 of mine"}),
    ],
)
def test_what_root_does_to_itself_is_done_by_no_user_and_by_no_signed_call(
    crown: Crown, operation: str, parameters: dict[str, Any]
):
    account, _, _ = root_with_app(crown)

    by_user = refusal(getattr(account.client("account-security"), operation), **parameters)
    by_key = refusal(getattr(account.root("account-security"), operation), **parameters)

    assert "AccessDeniedException: Only the root user changes its" in by_user
    assert by_key.startswith("AccessDeniedException: ")
    assert not any(str(value) in str(recorded(account, "PasswordUpdated")) for value in parameters.values())


def test_root_changes_its_password_on_the_page_and_its_other_sessions_end(crown: Crown):
    account, root, seed = root_with_app(crown)
    other, chosen = Browser(crown), "another Horse battery 9 of mine"
    sign_in_root(other, account)
    other.submit({"code": code(seed, ahead=1)})
    root.get("/console/password")

    page = root.submit({"old": PASSWORD, "new": chosen, "again": chosen})

    assert "account-security:ChangeRootPassword" in page.text
    assert ("Console home", "Sign in") == (root.get("/console").title, other.get("/console").title)
    record = recorded(account, "PasswordUpdated")[0]
    assert ("AwsConsoleSignIn", None, {"PasswordUpdated": "Success"}) == (
        record["eventType"],
        record["requestParameters"],
        record["responseElements"],
    )


def test_a_weak_password_of_root_is_refused_with_its_reason_and_costs_no_attempt(crown: Crown):
    _, root, _ = root_with_app(crown)

    pages = []
    for _ in range(7):
        root.get("/console/password")
        pages.append(root.submit({"old": PASSWORD, "new": "Summer2026!", "again": "Summer2026!"}))

    assert {400} == {page.status for page in pages}
    assert "Password should not be easy to guess" in pages[-1].text


def test_a_command_line_is_authorised_past_no_service_control_policy(crown: Crown):
    organization, account, root = joined(crown)
    line = CommandLine(crown)
    root.get(line.address())
    organization.bind(deny("signin:AuthorizeOAuth2Access"), account.id)

    page = root.submit({"allow": "yes"}, form='name="allow"')

    assert _refused_at(page, account, "AuthorizeOAuth2Access", by=BY_ORGANIZATION)


def test_an_identity_policy_may_name_the_clients_that_may_act(account: Account):
    only = {"StringEquals": {"signin:OAuthClientId": CROSS_DEVICE}}
    browser = member(account, policy=allow("signin:AuthorizeOAuth2Access", **only))
    browser.get(CommandLine(account.crown).address())

    page = browser.submit({"allow": "yes"}, form='name="allow"')

    assert _refused_at(page, account, "AuthorizeOAuth2Access", by="no identity-based policy allows")


def test_a_command_line_is_authorised_in_a_browser_alone_and_its_code_is_in_no_record(account: Account):
    line = CommandLine(account.crown)
    browser = member(account, policy=allow("signin:*"))
    asked = {"client_id": SAME_DEVICE, "redirect_uri": LOOPBACK, "code_challenge": "c" * 43, "scope": "openid"}

    refused = refusal(account.client("account-security").authorize_o_auth2_access, **asked)
    browser.get(line.address())
    page = browser.submit({"allow": "yes"}, form='name="allow"')

    assert "AccessDeniedException: A command line acts within a browser's session" in refused
    record = recorded(account, "AuthorizeOAuth2Access")[0]
    assert ("signin.amazonaws.com", "AwsApiCall", None) == (
        record["eventSource"],
        record["eventType"],
        record["responseElements"],
    )
    assert (SAME_DEVICE, LOOPBACK) == (record["requestParameters"]["client_id"], record["requestParameters"]["redirect_uri"])
    code = parse_qs(urlsplit(page.path).query)["code"][0]
    assert code not in str(account.records())
