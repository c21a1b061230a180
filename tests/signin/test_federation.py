"""Console federation as stock scripts do it: STS's credentials, a sign-in token, an address; and what is tried against that."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import time_machine
from tests.fixtures.asgi import Response
from tests.fixtures.crown import Account, Crown
from tests.signin.browser import Browser, signed_in

ALL = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


@pytest.fixture
def credentials(account: Account) -> dict[str, Any]:
    """Credentials of a session of the role `auditor`, taken on by a user."""
    return role_credentials(account)


@pytest.fixture
def browser(account: Account) -> Browser:
    """A browser in which nobody is signed in."""
    return Browser(account.crown)


def test_a_stock_script_signs_a_role_in_at_the_console(account: Account, browser: Browser, credentials: dict[str, Any]):
    token = exchange(account, credentials, SessionDuration="3600").json()["SigninToken"]

    answer = browser.get(login(token, Issuer="Example.org", Destination=f"{account.crown.settings.url}/console"))

    assert (303, "/console") == (answer.status, answer.header("location"))
    assert f"arn:aws:sts::{account.id}:assumed-role/auditor/ann" in browser.get("/console").text


def test_a_federated_user_signs_in_at_the_console(account: Account, browser: Browser):
    sts = account.client("sts")
    given = sts.get_federation_token(Name="guest", Policy=json.dumps(ALL))["Credentials"]

    browser.get(login(exchange(account, given).json()["SigninToken"]))

    assert f"arn:aws:sts::{account.id}:federated-user/guest" in browser.get("/console").text


def test_credentials_may_come_in_a_form_instead_of_an_address(account: Account, credentials: dict[str, Any]):
    body = urlencode({"Action": "getSigninToken", "Session": session_text(credentials)}).encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}

    answer = account.crown.request("POST", "/federation", headers=headers, body=body)

    assert 200 == answer.status
    assert ["SigninToken"] == list(answer.json())


def test_both_steps_are_recorded_as_the_role(account: Account, browser: Browser, credentials: dict[str, Any]):
    browser.get(login(exchange(account, credentials).json()["SigninToken"]))

    signed, exchanged = account.records()[:2]
    assert ["GetSigninToken", "ConsoleLogin"] == [exchanged["eventName"], signed["eventName"]]
    assert ["AssumedRole", "AssumedRole"] == [exchanged["userIdentity"]["type"], signed["userIdentity"]["type"]]
    shown = {"credentials": {"accessKeyId": credentials["AccessKeyId"]}, "GetSigninToken": "Success"}
    assert shown == exchanged["responseElements"]
    assert {"ConsoleLogin": "Success"} == signed["responseElements"]
    assert "AwsConsoleSignIn" == signed["eventType"]


@pytest.mark.parametrize(("seconds", "status"), [("899", 400), ("900", 200), ("43200", 200), ("43201", 400), ("soon", 400)])
def test_a_session_lasts_from_a_quarter_of_an_hour_to_twelve_hours(
    account: Account, credentials: dict[str, Any], seconds: str, status: int
):
    assert status == exchange(account, credentials, SessionDuration=seconds).status


def test_a_session_lasts_as_long_as_was_asked_and_outlives_the_credentials(
    account: Account, browser: Browser, credentials: dict[str, Any]
):
    browser.get(login(exchange(account, credentials, SessionDuration="900").json()["SigninToken"]))

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=16)):
        ended = browser.get("/console")

    assert (303, "/signin?to=%2Fconsole") == (ended.status, ended.header("location"))


def test_without_a_duration_the_session_ends_with_the_credentials(account: Account, browser: Browser):
    short = role_credentials(account, DurationSeconds=900)
    browser.get(login(exchange(account, short).json()["SigninToken"]))

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=16)):
        ended = browser.get("/console")

    assert 303 == ended.status


def test_no_duration_is_taken_with_credentials_of_get_federation_token(account: Account):
    given = account.client("sts").get_federation_token(Name="guest")["Credentials"]

    refused = exchange(account, given, SessionDuration="3600")

    assert 400 == refused.status
    assert "GetFederationToken" in refused.text


def test_no_duration_is_taken_with_credentials_of_a_chained_role(account: Account, credentials: dict[str, Any]):
    trust = {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": {"AWS": account.id}, "Action": "sts:AssumeRole"},
    }
    account.client("iam").create_role(RoleName="second", AssumeRolePolicyDocument=json.dumps(trust))
    sts = account.crown.session(credentials, "sts")
    arn = f"arn:aws:iam::{account.id}:role/second"
    chained = sts.assume_role(RoleArn=arn, RoleSessionName="xx")["Credentials"]

    refused = exchange(account, chained, SessionDuration="3600")

    assert [400, 200] == [refused.status, exchange(account, chained).status]


def test_no_duration_is_taken_with_scoped_credentials(account: Account, browser: Browser, credentials: dict[str, Any]):
    scoped = account.crown.session(credentials, "sts").get_scoped_credentials(DurationSeconds=900)["Credentials"]

    refused = exchange(account, scoped, SessionDuration="3600")

    assert [400, 200] == [refused.status, exchange(account, scoped).status]
    browser.get(login(exchange(account, scoped).json()["SigninToken"]))
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=16)):
        assert 303 == browser.get("/console").status


def test_a_roles_own_limit_ends_its_console_session(account: Account, browser: Browser, credentials: dict[str, Any]):
    account.client("iam").update_role(RoleName="auditor", MaxSigninSessionDuration=3600)
    browser.get(login(exchange(account, credentials, SessionDuration="43200").json()["SigninToken"]))
    began = datetime.now(UTC)
    with time_machine.travel(began + timedelta(minutes=40)):
        browser.get("/console")

    with time_machine.travel(began + timedelta(minutes=61)):
        ended = browser.get("/console")

    assert 303 == ended.status


def test_credentials_of_get_session_token_are_refused(account: Account):
    given = account.client("sts").get_session_token()["Credentials"]

    assert 400 == exchange(account, given).status


def test_the_console_session_of_a_role_ends_when_the_role_no_longer_trusts(
    account: Account, browser: Browser, credentials: dict[str, Any]
):
    browser.get(login(exchange(account, credentials).json()["SigninToken"]))

    other = account.crown.account().id
    account.client("iam").update_assume_role_policy(RoleName="auditor", PolicyDocument=json.dumps(trusting(other)))

    assert 303 == browser.get("/console").status


def test_logging_out_ends_the_session(account: Account, browser: Browser, credentials: dict[str, Any]):
    browser.get(login(exchange(account, credentials).json()["SigninToken"]))
    stolen = dict(browser.cookies)

    browser.get("/federation?Action=logout")

    browser.cookies = stolen
    assert 303 == browser.get("/console").status


# Threats.


def test_login_csrf_via_federation_signs_nobody_in_without_asking(
    account: Account, browser: Browser, credentials: dict[str, Any]
):
    token = exchange(account, credentials).json()["SigninToken"]

    page = browser.get(login(token, Issuer="https://evil.example"), sec_fetch_site="cross-site")

    assert "assumed-role/auditor" in page.text
    assert 303 == browser.get("/console").status
    browser.submit(page, "/signin/step/federated")
    assert 200 == browser.get("/console").status


def test_login_csrf_via_federation_does_not_replace_a_session_unasked(account: Account, credentials: dict[str, Any]):
    browser = signed_in(account)
    token = exchange(account, credentials).json()["SigninToken"]

    browser.get(login(token))

    assert f"arn:aws:iam::{account.id}:root" in browser.get("/console").text


def test_csrf_on_the_confirmation_signs_nobody_in(account: Account, browser: Browser, credentials: dict[str, Any]):
    token = exchange(account, credentials).json()["SigninToken"]

    answer = browser.post("/signin/step/federated", {"token": token, "to": "/console"}, origin="https://evil.example")

    assert 403 == answer.status


def test_logout_csrf_ends_no_session_unasked(account: Account):
    browser = signed_in(account)

    browser.get("/federation?Action=logout", sec_fetch_site="cross-site")

    assert 200 == browser.get("/console").status


@pytest.mark.parametrize(
    "destination",
    [
        "https://evil.example/console",
        "//evil.example/console",
        "/\\evil.example",
        "https://console.aws.amazon.com/",
        "javascript:alert(1)",
        "http://127.0.0.1:4747.evil.example/console",
        "/console\r\nSet-Cookie: a=b",
    ],
)
def test_a_foreign_destination_becomes_the_console(
    account: Account, browser: Browser, credentials: dict[str, Any], destination: str
):
    token = exchange(account, credentials).json()["SigninToken"]

    answer = browser.get(login(token, Destination=destination))

    assert (303, "/console") == (answer.status, answer.header("location"))


def test_a_destination_on_this_server_is_gone_to(account: Account, browser: Browser, credentials: dict[str, Any]):
    token = exchange(account, credentials).json()["SigninToken"]

    answer = browser.get(login(token, Destination=f"{account.crown.settings.url}/console/security?a=b"))

    assert "/console/security?a=b" == answer.header("location")


def test_a_sign_in_link_that_leaked_is_worth_nothing_once_it_was_used(
    account: Account, browser: Browser, credentials: dict[str, Any]
):
    token = exchange(account, credentials).json()["SigninToken"]
    browser.get(login(token))

    second = Browser(account.crown).get(login(token))

    assert 403 == second.status
    assert {"ConsoleLogin": "Failure"} == account.records()[0]["responseElements"]


def test_a_sign_in_token_is_good_for_a_quarter_of_an_hour(account: Account, browser: Browser, credentials: dict[str, Any]):
    token = exchange(account, credentials).json()["SigninToken"]

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=15, seconds=1)):
        answer = browser.get(login(token))

    assert 400 == answer.status


@pytest.mark.parametrize("change", ["secret", "token", "key", "empty", "not json", "list", "long"])
def test_forged_credentials_are_refused_in_the_same_words(account: Account, credentials: dict[str, Any], change: str):
    good = json.loads(session_text(credentials))
    texts = {
        "secret": json.dumps(good | {"sessionKey": "A" * 40}),
        "token": json.dumps(good | {"sessionToken": good["sessionToken"][:-8] + "AAAAAAA="}),
        "key": json.dumps(good | {"sessionId": "ASIA" + "A" * 16}),
        "empty": "",
        "not json": "{",
        "list": "[]",
        "long": json.dumps(good | {"sessionToken": "A" * 20_000}),
    }

    before = refused_exchanges(account.crown)

    refused = exchange(account, texts[change])

    assert 400 == refused.status
    assert "the credentials in `Session` are not valid" in refused.text
    assert before + 1 == refused_exchanges(account.crown)


def test_flooding_the_trail_with_forged_credentials_ends_after_a_while_and_keeps_nobody_out(
    fresh_crown: Callable[..., Crown],
):
    crown = fresh_crown(sign_in_attempts=1)
    account = crown.account()

    for _ in range(20):
        exchange(account, "{}")

    assert 0 < refused_exchanges(crown) < 20
    assert 200 == exchange(account, role_credentials(account)).status


@pytest.mark.parametrize("token", ["", "x", "A" * 200, "é", "=" * 10])
def test_a_forged_sign_in_token_signs_nobody_in(browser: Browser, token: str):
    answer = browser.get(login(token))

    assert 400 == answer.status
    assert "crownkeep-session" not in browser.cookies


def test_a_parameter_that_comes_twice_is_refused(account: Account, credentials: dict[str, Any]):
    text = quote(session_text(credentials))

    answer = account.crown.request("GET", f"/federation?Action=getSigninToken&Session={text}&Session={text}")

    assert 400 == answer.status


def test_a_stranger_s_session_that_nests_beyond_all_use_is_refused_as_any_other(account: Account):
    answers = [exchange(account, f'{{"x":{"[" * 5_000}'), exchange(account, f'{{"sessionId":{"[" * 5_000}')]

    assert [400, 400] == [answer.status for answer in answers]
    assert answers[0].text == exchange(account, "{}").text


def test_a_program_is_told_what_actions_there_are(account: Account):
    answers = [account.crown.request("GET", "/federation"), account.crown.request("POST", "/federation?Action=login")]

    assert [400, 400] == [answer.status for answer in answers]


def role_credentials(account: Account, **options: Any) -> dict[str, Any]:
    """Make the role `auditor`, and answer credentials of its session `ann`."""
    iam = account.client("iam")
    iam.create_role(RoleName="auditor", AssumeRolePolicyDocument=json.dumps(trusting(account.id)))
    iam.put_role_policy(RoleName="auditor", PolicyName="all", PolicyDocument=json.dumps(ALL))
    arn = f"arn:aws:iam::{account.id}:role/auditor"
    given: dict[str, Any] = account.client("sts").assume_role(RoleArn=arn, RoleSessionName="ann", **options)["Credentials"]
    return given


def refused_exchanges(crown: Crown) -> int:
    """Return how many exchanges of nobody's credentials are recorded, in the operator's trail."""
    return sum(each["eventName"] == "GetSigninToken" for each in crown.records("", limit=10_000))


def trusting(account_id: str) -> dict[str, Any]:
    """Return a trust policy that trusts an account."""
    statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account_id}:root"}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": statement}


def session_text(credentials: dict[str, Any]) -> str:
    """Return the parameter `Session`, as AWS's sample scripts write it."""
    return json.dumps(
        {
            "sessionId": credentials["AccessKeyId"],
            "sessionKey": credentials["SecretAccessKey"],
            "sessionToken": credentials["SessionToken"],
        }
    )


def exchange(account: Account, credentials: dict[str, Any] | str, **parameters: str) -> Response:
    """Ask for a sign-in token, as AWS's sample scripts do."""
    text = credentials if isinstance(credentials, str) else session_text(credentials)
    query = urlencode({"Action": "getSigninToken", **parameters, "Session": text})
    return account.crown.request("GET", f"/federation?{query}")


def login(token: str, **parameters: str) -> str:
    """Return the address that AWS's sample scripts print."""
    return f"/federation?{urlencode({'Action': 'login', **parameters, 'SigninToken': token})}"
