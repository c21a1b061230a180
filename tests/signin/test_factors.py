"""Second factors under attack: codes are good once and few may be tried, passkeys answer one challenge of one origin."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from typing import Any

import pytest
import time_machine
from fido2.utils import websafe_decode
from tests.credentials.soft_authenticator import SoftAuthenticator
from tests.fixtures.browsing import Browser, Page
from tests.fixtures.crown import Account, Crown
from tests.signin.people import choose_root_password, code, root_with_app, sign_in_events, sign_in_root

from crownkeep import clock
from crownkeep.signin.sessions import FRESH_FOR

INCORRECT = "Your authentication information is incorrect. Please try again."


def options(page: Page) -> dict[str, Any]:
    found = page.form("data-passkey-status")[0]
    loaded: dict[str, Any] = json.loads(unescape(found.split('data-options="', 1)[1].split('"', 1)[0]))
    return loaded


def challenge(page: Page) -> bytes:
    return websafe_decode(options(page)["challenge"])


def key(**made: Any) -> SoftAuthenticator:
    own = {"rp_id": "localhost", "origin": "http://localhost:4747", "counter": 1, "credential_id": clock.token_bytes(32)}
    return SoftAuthenticator(**{**own, **made})


def give(browser: Browser, answer: dict[str, Any], **values: str) -> Page:
    return browser.submit({"credential": json.dumps(answer), **values}, form="data-passkey-status")


def root_with_passkey(crown: Crown) -> tuple[Account, SoftAuthenticator]:
    account, browser, device = crown.account(), Browser(crown), key()
    choose_root_password(browser, account)
    page = give(browser, device.register(challenge(browser.page)), name="key")
    assert "Recovery codes" == page.title, page.text
    return account, device


def asked(crown: Crown, account: Account) -> Browser:
    browser = Browser(crown)
    page = sign_in_root(browser, account)
    assert "Multi-factor authentication" == page.title, page.text
    return browser


def test_a_code_is_good_once(crown: Crown):
    account, _, seed = root_with_app(crown)
    used = code(seed, ahead=1)
    asked(crown, account).submit({"code": used})

    page = asked(crown, account).submit({"code": used})

    assert INCORRECT in page.text


def test_totp_replay_by_two_at_the_same_time_lets_one_in(crown: Crown):
    account, _, seed = root_with_app(crown)
    browsers = [asked(crown, account) for _ in range(4)]
    used = code(seed, ahead=1)

    with ThreadPoolExecutor(4) as threads:
        pages = list(threads.map(lambda browser: browser.submit({"code": used}), browsers))

    assert 1 == sum(page.title != "Multi-factor authentication" for page in pages), [page.title for page in pages]


def test_totp_brute_force_ends_in_a_wait(crown: Crown):
    account, _, seed = root_with_app(crown)
    browser = asked(crown, account)

    for _ in range(5):
        browser.submit({"code": "000000"})
    page = browser.submit({"code": code(seed, ahead=1)})

    assert (429, "Too many attempts") == (page.status, page.title)
    throttled = sign_in_events(account, "SignInThrottled")[0]
    assert {"ThrottledBy": "person", "WaitSeconds": 2} == throttled["additionalEventData"]


def test_a_wrong_code_is_recorded_as_a_failed_sign_in_with_its_device(crown: Crown):
    account, _, _ = root_with_app(crown)

    asked(crown, account).submit({"code": "000000"})

    failed = sign_in_events(account, "ConsoleLogin")[0]
    assert {"ConsoleLogin": "Failure"} == failed["responseElements"]
    assert (f"arn:aws:iam::{account.id}:mfa/phone", "Yes") == (
        failed["additionalEventData"]["MFAIdentifier"],
        failed["additionalEventData"]["MFAUsed"],
    )


def test_asking_for_a_factor_is_recorded_with_its_kind(crown: Crown):
    account, _ = root_with_passkey(crown)

    asked(crown, account)

    check = sign_in_events(account, "CheckMfa")[0]
    assert ({"CheckMfa": "Success"}, {"MfaType": "U2F MFA"}) == (check["responseElements"], check["additionalEventData"])


def test_a_factor_of_another_person_is_no_good(crown: Crown):
    account, _, _ = root_with_app(crown)
    _, _, others = root_with_app(crown)

    page = asked(crown, account).submit({"code": code(others, ahead=1)})

    assert INCORRECT in page.text


def test_the_step_of_a_sign_in_can_be_taken_once(crown: Crown):
    account, _, seed = root_with_app(crown)
    browser, thief = asked(crown, account), Browser(crown)
    thief.cookies, thief.page = dict(browser.cookies), browser.page
    browser.submit({"code": code(seed, ahead=1)})

    page = thief.submit({"code": code(seed, ahead=2)})

    assert "Please sign in again" == page.title


def test_a_passkey_signs_in_and_is_recorded(crown: Crown):
    account, device = root_with_passkey(crown)
    browser = asked(crown, account)
    device.counter += 1

    give(browser, device.authenticate(challenge(browser.page)))

    assert "Console home" == browser.get("/console").title
    login = sign_in_events(account, "ConsoleLogin")[0]
    assert login["additionalEventData"]["MFAIdentifier"].startswith(f"arn:aws:iam::{account.id}:u2f/root-account/key-")
    enabled = sign_in_events(account, "EnableMFADevice")[0]
    assert ("iam.amazonaws.com", "true") == (enabled["eventSource"], enabled["sessionCredentialFromConsole"])


FORGERIES = {
    "wrong origin": {"origin": "https://localhost.evil.example"},
    "wrong relying party": {"rp_id": "evil.example"},
    "inside another site's frame": {"cross_origin": True},
    "without verifying the user": {"flags": 0x01},
}


@pytest.mark.parametrize("forged", FORGERIES.values(), ids=FORGERIES.keys())
def test_webauthn_forgery_is_refused(crown: Crown, forged: dict[str, Any]):
    account, device = root_with_passkey(crown)
    browser = asked(crown, account)
    device.counter += 1
    for name, value in forged.items():
        setattr(device, name, value)

    page = give(browser, device.authenticate(challenge(browser.page)))

    assert INCORRECT in page.text
    assert "Sign in" == browser.get("/console").title


def register(crown: Crown, device: SoftAuthenticator) -> Page:
    account, browser = crown.account(), Browser(crown)
    choose_root_password(browser, account)
    return give(browser, device.register(challenge(browser.page)), name="key")


def test_webauthn_takeover_of_somebody_elses_credential_id_is_refused(crown: Crown):
    _, device = root_with_passkey(crown)

    page = register(crown, key(credential_id=device.credential_id))

    assert "This security key is registered already." in page.text
    assert "Recovery codes" != page.title


def test_webauthn_takeover_by_many_at_the_same_time_succeeds_once(crown: Crown):
    credential_id, browsers = clock.token_bytes(32), [Browser(crown) for _ in range(4)]
    for browser in browsers:
        choose_root_password(browser, crown.account())

    def enrol(browser: Browser) -> str:
        answer = key(credential_id=credential_id).register(challenge(browser.page))
        return give(browser, answer, name="key").title

    with ThreadPoolExecutor(4) as threads:
        titles = list(threads.map(enrol, browsers))

    assert 1 == titles.count("Recovery codes"), titles


@pytest.mark.parametrize(
    "odd", [{"credential_id": b""}, {"credential_id": bytes(1024)}, {"flags": 0x15}], ids=["no id", "long id", "backed up"]
)
def test_webauthn_forgery_of_a_registration_is_refused(crown: Crown, odd: dict[str, Any]):
    page = register(crown, key(**odd))

    assert "Recovery codes" != page.title
    assert 500 > page.status


def test_webauthn_wrong_challenge_is_refused(crown: Crown):
    account, device = root_with_passkey(crown)
    browser = asked(crown, account)
    device.counter += 1

    page = give(browser, device.authenticate(bytes(32)))

    assert INCORRECT in page.text


def test_webauthn_challenge_replay_is_refused(crown: Crown):
    account, device = root_with_passkey(crown)
    browser = asked(crown, account)
    first, before = challenge(browser.page), dict(browser.cookies)
    device.counter += 1
    give(browser, {**device.authenticate(first), "id": "AAAA", "rawId": "AAAA"})

    fresh = challenge(browser.page)
    browser.cookies = before
    page = give(browser, device.authenticate(first))

    assert first != fresh
    assert "Please sign in again" == page.title


def test_webauthn_cloned_counter_is_refused_and_recorded(crown: Crown):
    account, device = root_with_passkey(crown)
    browser = asked(crown, account)

    page = give(browser, device.authenticate(challenge(browser.page)))

    assert INCORRECT in page.text
    check = sign_in_events(account, "CheckMfa")[0]
    assert ({"CheckMfa": "Failure"}, "the signature counter did not grow") == (
        check["responseElements"],
        check["additionalEventData"]["Reason"],
    )


@pytest.mark.parametrize("answer", ["", "[]", "{}", '{"id": 5}', "[" * 20_000, '{"rawId": "\\ud800"}'])
def test_a_hostile_webauthn_answer_is_no_server_error(crown: Crown, answer: str):
    account, _ = root_with_passkey(crown)
    browser = asked(crown, account)

    page = browser.submit({"credential": answer}, form="data-passkey-status")

    assert page.status in (400, 403), page.text


def test_a_recovery_code_is_good_once_and_each_use_is_recorded(crown: Crown):
    account, browser, _ = root_with_app(crown)
    codes = made_codes(browser)

    first = asked(crown, account).submit({"recovery": codes[0]}, form="Recovery code")
    second = asked(crown, account).submit({"recovery": codes[0]}, form="Recovery code")

    assert "Console home" == first.title
    assert INCORRECT in second.text
    used = sign_in_events(account, "RecoveryCodeUsed")
    assert [{"RemainingRecoveryCodes": 9}] == [each["additionalEventData"] for each in used]


def test_recovery_code_used_by_many_at_the_same_time_lets_one_in(crown: Crown):
    account, browser, _ = root_with_app(crown)
    codes = made_codes(browser)
    browsers = [asked(crown, account) for _ in range(4)]

    with ThreadPoolExecutor(4) as threads:
        pages = list(threads.map(lambda each: each.submit({"recovery": codes[0]}, form="Recovery code"), browsers))

    assert 1 == sum(page.title == "Console home" for page in pages), [page.title for page in pages]


def test_new_recovery_codes_void_the_old(crown: Crown):
    account, browser, _ = root_with_app(crown)
    old = made_codes(browser)
    browser.get("/console/recovery-codes")
    made_codes(browser)

    page = asked(crown, account).submit({"recovery": old[0]}, form="Recovery code")

    assert INCORRECT in page.text


def test_only_a_passkey_will_do_where_root_must_not_be_phished(fresh_crown: Any):
    crown = fresh_crown(root_needs_phishing_resistant_mfa=True)
    account, browser, device = crown.account(), Browser(crown), key()
    page = choose_root_password(browser, account)

    token = page.form("data-passkey-status")[1]["csrf"]
    refused = browser.post("/signin/step/enrol", {"csrf": token, "name": "phone", "app": "1"})
    arrived = give(browser, device.register(challenge(browser.page)), name="key")

    assert "passkey or security key only" in page.text
    assert "Authenticator app" not in page.text
    assert "Register an MFA device" == refused.title
    assert "Recovery codes" == arrived.title


def test_a_second_device_needs_a_fresh_proof(crown: Crown):
    _, browser, seed = root_with_app(crown)

    with time_machine.travel(clock.now() + FRESH_FOR):
        asked_again = browser.get("/console/mfa/add")
        page = browser.submit({"code": code(seed)})

    assert "Confirm that it is you" == asked_again.title
    assert "Assign MFA device" == page.title


def made_codes(browser: Browser) -> list[str]:
    page = browser.submit(form="Make recovery codes")
    codes = [each.split("</li>")[0] for each in page.response.text.split('<ul class="codes">')[1].split("<li>")[1:]]
    assert 10 == len(codes)
    return codes
