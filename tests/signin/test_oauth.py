"""Command lines that sign in through a browser: root and users get credentials, and what is tried against that fails."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from joserfc.jwk import ECKey
from tests.fixtures.asgi import Response
from tests.fixtures.clients import Credentials
from tests.fixtures.crown import Account, Crown
from tests.signin.browser import Browser, in_house, signed_in
from tests.signin.command_line import CROSS_DEVICE, CommandLine, claims, public

from crownkeep import clock
from crownkeep.storage.sign_in import browser_sessions
from crownkeep.storage.writer import Commit

DEVELOPER = "arn:aws:iam::aws:policy/SignInLocalDevelopmentAccess"


@pytest.fixture
def browser(account: Account) -> Browser:
    """A browser in which root has signed in with MFA."""
    return signed_in(account)


@pytest.fixture
def line(crown: Crown) -> CommandLine:
    """A command line on the browser's own computer."""
    return CommandLine(crown)


def test_root_gets_credentials_of_fifteen_minutes_without_any_access_key(account: Account, browser: Browser, line: CommandLine):
    tokens = line.sign_in(browser)

    identity = _client(account, tokens, "sts").get_caller_identity()
    assert f"arn:aws:iam::{account.id}:root" == identity["Arn"]
    assert ("aws_sigv4", 900) == (tokens["tokenType"], tokens["expiresIn"])
    assert f"arn:aws:iam::{account.id}:root" == claims(tokens["idToken"])["sub"]


def test_the_credentials_have_the_second_factor_of_the_browser_session(account: Account):
    account.user("ann", policy=_allowing("signin:*", "iam:*"))
    account.client("iam").put_user_policy(
        UserName="ann",
        PolicyName="mfa",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": {
                    "Effect": "Deny",
                    "Action": "iam:*",
                    "Resource": "*",
                    "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
                },
            }
        ),
    )

    with_factor = CommandLine(account.crown).sign_in(signed_in(account, user="ann"))
    without = CommandLine(account.crown).sign_in(signed_in(account, user="ann", mfa=False))

    assert _client(account, with_factor, "iam").list_users()["Users"]
    with pytest.raises(Exception, match="explicit deny"):
        _client(account, without, "iam").list_users()


def test_a_user_needs_the_managed_policy_and_is_told_what_is_missing(account: Account, line: CommandLine):
    account.user("ann")
    browser = signed_in(account, user="ann")

    refused = browser.submit(browser.get(line.address()), "/v1/authorize", allow="yes")
    account.client("iam").attach_user_policy(UserName="ann", PolicyArn=DEVELOPER)
    tokens = line.sign_in(browser)

    assert 403 == refused.status
    assert "signin:AuthorizeOAuth2Access" in refused.text
    assert f"arn:aws:iam::{account.id}:user/ann" == claims(tokens["idToken"])["sub"]


def test_a_user_whose_permission_is_taken_away_gets_no_further_credentials(account: Account, line: CommandLine):
    account.user("ann", arn=DEVELOPER)
    tokens = line.sign_in(signed_in(account, user="ann"))

    account.client("iam").detach_user_policy(UserName="ann", PolicyArn=DEVELOPER)
    refused = line.refresh(tokens["refreshToken"])

    assert "INSUFFICIENT_PERMISSIONS" == refused.json()["error"]


def test_policies_may_ask_for_the_session_that_signed_in(account: Account, line: CommandLine):
    like = {"StringLike": {"aws:SignInSessionArn": f"arn:aws:signin:*:{account.id}:session/*"}}
    statement = [
        {"Effect": "Allow", "Action": "signin:*", "Resource": "*"},
        {"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*", "Condition": like},
    ]
    user = account.user("ann", policy={"Version": "2012-10-17", "Statement": statement})

    tokens = line.sign_in(signed_in(account, user="ann"))

    assert _client(account, tokens, "iam").list_users()["Users"]
    with pytest.raises(Exception, match="AccessDenied"):
        user.client("iam").list_users()


def test_both_steps_are_recorded_as_their_person_and_hold_no_secret(account: Account, browser: Browser, line: CommandLine):
    tokens = line.sign_in(browser)

    redeemed, authorized = account.records()[:2]
    assert ["AuthorizeOAuth2Access", "CreateOAuth2Token"] == [authorized["eventName"], redeemed["eventName"]]
    assert ["Root", "Root"] == [authorized["userIdentity"]["type"], redeemed["userIdentity"]["type"]]
    assert "signin.amazonaws.com" == redeemed["eventSource"]
    text = json.dumps([redeemed, authorized])
    secrets = [tokens["refreshToken"], tokens["idToken"], tokens["accessToken"]["secretAccessKey"], line.verifier]
    assert [] == [secret for secret in secrets if secret in text]


def test_a_code_for_another_computer_is_shown_to_be_copied(crown: Crown, account: Account, browser: Browser):
    line = CommandLine(crown, CROSS_DEVICE, f"{crown.settings.url}/v1/sessions/confirmation")

    page = browser.submit(browser.get(line.address()), "/v1/authorize", allow="yes")

    shown = page.text.split('id="code">')[1].split("<")[0]
    given = parse_qs(base64.b64decode(shown).decode())
    assert [line.state] == given["state"]
    assert 200 == line.redeem(given["code"][0]).status


def test_somebody_who_is_not_signed_in_is_led_to_sign_in_and_back(crown: Crown, line: CommandLine):
    answer = Browser(crown).get(line.address())

    location = answer.header("location") or ""
    assert location.startswith("/signin?to=")
    assert [line.address()] == parse_qs(urlsplit(location).query)["to"]


def test_the_person_can_refuse_and_the_command_line_hears_of_it(browser: Browser, line: CommandLine):
    answer = browser.submit(browser.get(line.address()), "/v1/authorize", refuse="yes")

    back = parse_qs(urlsplit(answer.header("location") or "").query)
    assert {"error": ["access_denied"], "state": [line.state]} == back


def test_a_refresh_token_is_exchanged_for_the_next_one(account: Account, browser: Browser, line: CommandLine):
    tokens = line.sign_in(browser)

    refreshed = line.refresh(tokens["refreshToken"]).json()

    assert "idToken" not in refreshed
    assert refreshed["refreshToken"] != tokens["refreshToken"]
    assert account.id == _client(account, refreshed, "sts").get_caller_identity()["Account"]


def test_two_programs_that_share_a_cache_may_refresh_at_once(browser: Browser, line: CommandLine):
    tokens = line.sign_in(browser)

    answers = [line.refresh(tokens["refreshToken"]) for _ in range(2)]

    assert [200, 200] == [answer.status for answer in answers]


@pytest.mark.parametrize("what", ["password", "device", "session"])
def test_a_grant_ends_with_the_credentials_and_the_session_that_it_came_from(account: Account, line: CommandLine, what: str):
    iam = account.client("iam")
    account.user("ann", arn=DEVELOPER)
    iam.create_login_profile(UserName="ann", Password="Correct-horse-battery-1")
    browser = signed_in(account, user="ann")
    tokens = line.sign_in(browser)

    if what == "password":
        iam.update_login_profile(UserName="ann", Password="Another-horse-battery-2")
    elif what == "device":
        iam.delete_login_profile(UserName="ann")
    else:
        page = browser.get("/console")
        browser.submit(page, "/signin/step/out")
    refused = line.refresh(tokens["refreshToken"])

    assert "USER_CREDENTIALS_CHANGED" == refused.json()["error"]


def test_a_deleted_user_gets_no_further_credentials(account: Account, line: CommandLine):
    account.user("ann", policy=_allowing("signin:*"))
    tokens = line.sign_in(signed_in(account, user="ann"))
    iam = account.client("iam")
    iam.delete_user_policy(UserName="ann", PolicyName="inline")
    for key in iam.list_access_keys(UserName="ann")["AccessKeyMetadata"]:
        iam.delete_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"])

    iam.delete_user(UserName="ann")
    refused = line.refresh(tokens["refreshToken"])

    assert "USER_CREDENTIALS_CHANGED" == refused.json()["error"]


def test_a_grant_ends_with_the_twelve_hours_of_its_session(browser: Browser, line: CommandLine):
    tokens = line.sign_in(browser)

    with time_machine.travel(datetime.now(UTC) + timedelta(hours=12, minutes=1)):
        refused = line.refresh(tokens["refreshToken"])

    assert "TOKEN_EXPIRED" == refused.json()["error"]


def test_credentials_end_after_a_quarter_of_an_hour(account: Account, browser: Browser, line: CommandLine):
    tokens = line.sign_in(browser)

    with (
        time_machine.travel(datetime.now(UTC) + timedelta(minutes=16)),
        pytest.raises(Exception, match="ExpiredToken"),
    ):
        _client(account, tokens, "sts").get_caller_identity()


# Threats.


def test_authorization_code_injection_fails_for_want_of_the_verifier(account: Account, browser: Browser, line: CommandLine):
    stolen = line.code(browser)
    thief = CommandLine(line.crown)

    injected = thief.redeem(stolen)
    burnt = line.redeem(stolen)

    assert (400, "INVALID_REQUEST") == _refusal(injected)
    assert "AUTHCODE_EXPIRED" == burnt.json()["error"]
    assert "Root" == account.records()[0]["userIdentity"]["type"]


def test_a_code_that_is_redeemed_twice_ends_what_it_was_redeemed_for(browser: Browser, line: CommandLine):
    code = line.code(browser)
    tokens = line.redeem(code).json()

    again = line.redeem(code)

    assert "AUTHCODE_EXPIRED" == again.json()["error"]
    assert "TOKEN_EXPIRED" == line.refresh(tokens["refreshToken"]).json()["error"]


def test_a_code_is_good_for_ten_minutes(browser: Browser, line: CommandLine):
    code = line.code(browser)

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=10, seconds=1)):
        refused = line.redeem(code)

    assert "AUTHCODE_EXPIRED" == refused.json()["error"]


@pytest.mark.parametrize("change", ["codeVerifier", "redirectUri", "clientId"])
def test_a_code_is_redeemed_by_the_client_that_asked_for_it_and_no_other(browser: Browser, line: CommandLine, change: str):
    other = {"codeVerifier": None, "redirectUri": "http://127.0.0.1:1/oauth/callback", "clientId": CROSS_DEVICE}

    refused = line.redeem(line.code(browser), **{change: other[change]})

    assert (400, "INVALID_REQUEST") == _refusal(refused)


@pytest.mark.parametrize(
    "change",
    [
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge": "short"},
    ],
    ids=["plain", "no method", "no challenge", "short"],
)
def test_a_pkce_downgrade_is_refused(browser: Browser, line: CommandLine, change: dict[str, str | None]):
    page = browser.get(line.address(**change))

    assert 400 == page.status
    assert "PKCE" in page.text


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "https://evil.example/oauth/callback",
        "http://127.0.0.1.evil.example:80/oauth/callback",
        "http://127.0.0.1:80@evil.example/oauth/callback",
        "http://127.0.0.1:8080/oauth/callback?next=x",
        "http://127.0.0.1:8080/oauth/callback/../x",
        "http://127.0.0.1/oauth/callback",
        "http://127.0.0.1:99999/oauth/callback",
        "http://localhost:8080/oauth/callback",
        "http://127.0.0.1:8080/elsewhere",
        "javascript:alert(1)",
        "",
    ],
)
def test_an_open_redirect_is_refused_and_nothing_is_sent_there(browser: Browser, line: CommandLine, redirect_uri: str):
    page = browser.get(line.address(redirect_uri=redirect_uri))

    assert 400 == page.status
    assert None is page.header("location")
    assert "evil.example" not in page.text


def test_an_open_redirect_in_the_form_is_refused_too(browser: Browser, line: CommandLine):
    page = browser.get(line.address())

    answer = browser.submit(page, "/v1/authorize", allow="yes", redirect_uri="https://evil.example/oauth/callback")

    assert (400, None) == (answer.status, answer.header("location"))


def test_a_cross_device_client_cannot_have_its_code_sent_anywhere(browser: Browser, line: CommandLine):
    page = browser.get(line.address(client_id=CROSS_DEVICE))

    assert 400 == page.status


def test_a_parameter_that_comes_twice_is_refused(browser: Browser, line: CommandLine):
    page = browser.get(f"{line.address()}&redirect_uri=https%3A%2F%2Fevil.example")

    assert 400 == page.status


def test_csrf_on_the_consent_yields_no_code(browser: Browser, line: CommandLine):
    page = browser.get(line.address())
    fields = {**parse(line), "allow": "yes"}

    without_token = browser.post("/v1/authorize", fields, origin=line.crown.settings.url)
    of_another_site = browser.post(
        "/v1/authorize", {**fields, "csrf": "0" * 64}, origin="https://evil.example", sec_fetch_site="cross-site"
    )

    assert 200 == page.status
    assert [403, 403] == [without_token.status, of_another_site.status]


def test_opening_the_address_alone_yields_no_code(account: Account, browser: Browser, line: CommandLine):
    page = browser.get(line.address())

    assert 200 == page.status
    assert "AuthorizeOAuth2Access" not in [record["eventName"] for record in account.records()]


def test_clickjacking_the_consent_is_prevented_and_its_form_leads_to_the_client_alone(browser: Browser, line: CommandLine):
    policy = browser.get(line.address()).header("content-security-policy") or ""

    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' http://127.0.0.1:54321;" in policy


def test_a_dpop_replay_is_refused(browser: Browser, line: CommandLine):
    tokens = line.sign_in(browser)
    proof = line.proof()
    refreshed = line.refresh(tokens["refreshToken"], proof=proof).json()

    replayed = line.refresh(refreshed["refreshToken"], proof=proof)

    assert (400, "INVALID_REQUEST") == _refusal(replayed)
    assert "used before" in replayed.json()["message"]


@pytest.mark.parametrize(
    "wrong",
    ["absent", "method", "address", "old", "early", "no id", "type", "algorithm", "private", "another signer", "two"],
)
def test_a_dpop_proof_that_proves_nothing_is_refused(browser: Browser, line: CommandLine, wrong: str):
    tokens, now = line.sign_in(browser), int(clock.now().timestamp())
    proofs = {
        "absent": lambda: "",
        "method": lambda: line.proof(htm="GET"),
        "address": lambda: line.proof(htu="https://evil.example/v1/token"),
        "old": lambda: line.proof(iat=now - 301),
        "early": lambda: line.proof(iat=now + 330),
        "no id": lambda: line.proof(jti=""),
        "type": lambda: line.proof(header={"typ": "JWT"}),
        "algorithm": lambda: _unsigned(line),
        "private": lambda: line.proof(header={"jwk": {**public(line.key), "d": "AA"}}),
        "another signer": lambda: line.proof(key=ECKey.generate_key("P-256")),
        "two": lambda: f"{line.proof()}, {line.proof()}",
    }

    refused = line.refresh(tokens["refreshToken"], proof=proofs[wrong]())

    assert (400, "INVALID_REQUEST") == _refusal(refused)
    assert 200 == line.refresh(tokens["refreshToken"]).status


def test_a_dpop_proof_for_another_server_is_not_good_here_whatever_the_host_header_says(browser: Browser, line: CommandLine):
    tokens = line.sign_in(browser)
    proof = line.proof(htu="http://evil.example/v1/token")

    refused = line.refresh(tokens["refreshToken"], proof=proof, host="evil.example")

    assert (400, "INVALID_REQUEST") == _refusal(refused)
    assert "another address" in refused.json()["message"]


def test_a_dpop_proof_for_another_name_of_this_server_is_good(browser: Browser, line: CommandLine):
    tokens = line.sign_in(browser)
    proof = line.proof(htu="http://127.0.0.1:4747/v1/token")

    assert 200 == line.refresh(tokens["refreshToken"], proof=proof, host="127.0.0.1:4747").status


def test_refresh_token_theft_without_the_key_is_worth_nothing_and_ends_nothing(browser: Browser, line: CommandLine):
    tokens = line.sign_in(browser)
    thief = CommandLine(line.crown)

    refused = thief.refresh(tokens["refreshToken"])

    assert (400, "INVALID_REQUEST") == _refusal(refused)
    assert 200 == line.refresh(tokens["refreshToken"]).status


def test_reuse_of_a_refresh_token_exchanged_long_ago_ends_the_grant(browser: Browser, line: CommandLine):
    tokens = line.sign_in(browser)
    latest = line.refresh(tokens["refreshToken"]).json()

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=2)):
        reused = line.refresh(tokens["refreshToken"])
        afterwards = line.refresh(latest["refreshToken"])

    assert ["TOKEN_EXPIRED", "TOKEN_EXPIRED"] == [answer.json()["error"] for answer in (reused, afterwards)]


def test_a_session_that_ended_while_the_consent_was_open_grants_nothing(account: Account, browser: Browser, line: CommandLine):
    page = browser.get(line.address())
    _end_sessions(account)

    answer = browser.submit(page, "/v1/authorize", allow="yes")

    assert 403 == answer.status


def test_nothing_that_grants_is_stored_in_the_clear(account: Account, browser: Browser, line: CommandLine):
    code = line.code(browser)
    tokens = line.redeem(code).json()

    def work(db: Any) -> Commit[list[str]]:
        rows = [*db.exec_driver_sql("SELECT * FROM command_line_grants"), *db.exec_driver_sql("SELECT * FROM refresh_tokens")]
        return Commit([repr(tuple(row)) for row in rows], [])

    text = "".join(in_house(account.crown, work))
    assert [] == [secret for secret in (code, tokens["refreshToken"]) if secret in text]


def test_a_request_without_what_its_kind_needs_is_told_so(line: CommandLine):
    answers = [
        line.ask({"clientId": line.client_id, "grantType": "authorization_code"}),
        line.ask({"clientId": line.client_id, "grantType": "refresh_token"}),
        line.ask({"clientId": line.client_id, "grantType": "password"}),
        line.ask({"clientId": "somebody", "grantType": "refresh_token"}),
    ]

    assert [(400, "INVALID_REQUEST")] * 4 == [_refusal(answer) for answer in answers]


def parse(line: CommandLine) -> dict[str, str]:
    """Return the parameters of a command line's address as a form's fields."""
    return {name: values[0] for name, values in parse_qs(urlsplit(line.address()).query).items()}


def _refusal(answer: Response) -> tuple[int, str]:
    return answer.status, answer.json()["error"]


def _unsigned(line: CommandLine) -> str:
    head, payload, _ = line.proof().split(".")
    changed = json.loads(base64.urlsafe_b64decode(head + "==")) | {"alg": "none"}
    return f"{base64.urlsafe_b64encode(json.dumps(changed).encode()).rstrip(b'=').decode()}.{payload}.AA"


def _client(account: Account, tokens: dict[str, Any], service: str) -> Any:
    given = tokens["accessToken"]
    credentials = Credentials(given["accessKeyId"], given["secretAccessKey"], given["sessionToken"])
    return account.crown.session(credentials, service)


def _allowing(*actions: str) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": list(actions), "Resource": "*"}}


def _end_sessions(account: Account) -> None:
    def work(db: Any) -> Commit[None]:
        browser_sessions.end_others(db, account.id, account.id, but=b"", at=clock.now())
        return Commit(None, [])

    in_house(account.crown, work)
