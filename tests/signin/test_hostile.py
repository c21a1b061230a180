"""Hostile input at the door: each test is named after the threat that it tries."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from tests.fixtures.asgi import Response
from tests.fixtures.browsing import Browser, Page
from tests.fixtures.crown import Account, Crown
from tests.signin.people import (
    PASSWORD,
    choose_root_password,
    root_with_app,
    set_password_path,
    sign_in_events,
    sign_in_root,
    sign_in_user,
    user_with_password,
)

from crownkeep import clock
from crownkeep.credentials import passwords

SESSION = "crownkeep-session"


@pytest.fixture
def bob(account: Account) -> Browser:
    user_with_password(account)
    browser = Browser(account.crown)
    assert "Console home" == sign_in_user(browser, account.id, "bob").title
    return browser


def is_signed_in(browser: Browser) -> bool:
    return browser.get("/console").title == "Console home"


FOREIGN: dict[str, Mapping[str, str]] = {
    "another origin": {"Origin": "https://evil.example"},
    "no origin that it would name": {"Origin": "null"},
    "another site": {"Sec-Fetch-Site": "cross-site"},
    "a sibling of the host": {"Sec-Fetch-Site": "same-site", "Origin": "http://evil.localhost:4747"},
}


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN.keys())
def test_csrf_from_another_site_is_refused_even_with_the_token(bob: Browser, headers: Mapping[str, str]):
    page = bob.submit(None, form="Sign out", **headers)

    assert 403 == page.status
    assert is_signed_in(bob)


@pytest.mark.parametrize("token", ["", "0" * 64, "ä" * 64])
def test_csrf_without_the_token_is_refused(bob: Browser, token: str):
    page = bob.submit({"csrf": token}, form="Sign out")

    assert (403, "This page has expired") == (page.status, page.title)
    assert is_signed_in(bob)


def test_csrf_with_the_token_of_another_session_is_refused(account: Account, bob: Browser):
    user_with_password(account, "eve")
    eve = Browser(account.crown)
    sign_in_user(eve, account.id, "eve")
    token = eve.page.form("Sign out")[1]["csrf"]

    page = bob.submit({"csrf": token}, form="Sign out")

    assert 403 == page.status
    assert is_signed_in(bob)


def test_login_csrf_with_the_token_of_an_attackers_visit_is_refused(account: Account):
    user_with_password(account, "eve")
    attacker, victim = Browser(account.crown), Browser(account.crown)
    token = attacker.get(f"/signin/{account.id}").form("IAM username")[1]["csrf"]
    victim.get(f"/signin/{account.id}")

    page = victim.submit({"csrf": token, "account": account.id, "name": "eve", "password": PASSWORD})

    assert 403 == page.status
    assert SESSION not in victim.cookies


def test_session_fixation_the_cookie_that_was_brought_is_never_the_session(account: Account):
    user_with_password(account)
    browser = Browser(account.crown)
    browser.cookies[SESSION] = planted = "A" * 43

    sign_in_user(browser, account.id, "bob")

    assert browser.cookies[SESSION] != planted
    thief = Browser(account.crown)
    thief.cookies[SESSION] = planted
    assert not is_signed_in(thief)


def test_session_fixation_a_new_sign_in_ends_the_browsers_old_session(account: Account, bob: Browser):
    old = dict(bob.cookies)
    sign_in_user(bob, account.id, "bob")

    bob.cookies = old

    assert not is_signed_in(bob)


REDIRECTS = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example/",
    "/%5Cevil.example",
    "\\\\evil.example",
    "/console/../../evil",
    "javascript:alert(1)",
    "/console\r\nSet-Cookie: stolen=1",
    "/console\nLocation: https://evil.example/",
    "/consoleevil.example",
    " /console",
    "/console" + "a" * 5000,
    "/console?\u0130",
]


@pytest.mark.parametrize("target", REDIRECTS)
def test_open_redirect_and_response_splitting_lead_nowhere_but_here(account: Account, target: str):
    user_with_password(account)
    browser = Browser(account.crown)
    filled = browser.get(f"/signin/{account.id}").form("IAM username")[1]

    values = {**filled, "to": target, "account": account.id, "name": "bob", "password": PASSWORD}
    answer = send(browser, f"/signin/{account.id}", values)

    assert (303, "/console") == (answer.status, answer.header("location"))
    assert not any("stolen" in value or "\n" in value for _, value in answer.headers)


def test_response_splitting_by_the_remembered_account_is_not_possible(account: Account):
    browser = Browser(account.crown)
    filled = browser.get(f"/signin/{account.id}").form("IAM username")[1]

    hostile = "acme\r\nSet-Cookie: stolen=1"
    answer = send(
        browser, f"/signin/{account.id}", {**filled, "account": hostile, "name": "x", "password": "x", "remember": "on"}
    )

    assert not any("stolen" in value for _, value in answer.headers)


def send(browser: Browser, path: str, values: Mapping[str, str]) -> Response:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": browser.base}
    return browser.send("POST", path, headers, urlencode(values).encode())


@pytest.mark.parametrize(
    "path", ["/signin", "/console", "/signin/acme", "/signin/step/mfa", "/nowhere-signin", "/console/nowhere"]
)
def test_clickjacking_and_injection_are_kept_out_by_every_answer(crown: Crown, path: str):
    answer = Browser(crown).send("GET", path if path.startswith(("/signin", "/console")) else "/signin/x", {})

    policy = answer.header("content-security-policy") or ""
    assert all(
        part in policy for part in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'")
    )
    assert "unsafe" not in policy
    assert ("DENY", "nosniff", "no-store") == tuple(
        answer.header(name) for name in ("x-frame-options", "x-content-type-options", "cache-control")
    )


def test_injection_whatever_is_typed_comes_back_escaped(account: Account):
    browser = Browser(account.crown)
    browser.get("/signin/x")
    script, image = '"><script>alert(1)</script>', "<img src=x onerror=alert(1)>"

    page = browser.submit({"account": script, "name": image, "password": "x", "to": script})

    assert "<script>alert" not in page.response.text
    assert "<img src=x" not in page.response.text


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example:4747", "", "localhost:4747@evil.example", "[::1", "a" * 300]
)
def test_host_header_of_others_is_neither_served_nor_written(crown: Crown, host: str):
    browser = Browser(crown, host=host)

    answer = crown.request("GET", "/signin", headers={"Host": host, "Accept": "text/html"}, address=browser.address)

    assert 421 == answer.status
    assert "evil.example" not in answer.text
    assert "evil" not in str(answer.headers)


def test_host_header_does_not_make_the_links_of_new_accounts(crown: Crown):
    account = crown.account()

    assert account.created["set_password_url"].startswith(crown.settings.url)


def test_cookie_tossing_two_sessions_of_one_name_are_none(account: Account, bob: Browser):
    user_with_password(account, "eve")
    eve = Browser(account.crown)
    sign_in_user(eve, account.id, "eve")

    tossed = f"{SESSION}={eve.cookies[SESSION]}; {SESSION}={bob.cookies[SESSION]}"
    answer = bob.send("GET", "/console", {"Cookie": tossed})

    assert (303, "/signin?to=%2Fconsole") == (answer.status, answer.header("location"))


def test_cookies_are_hardened_over_tls(crown: Crown):
    browser = Browser(crown, scheme="https")

    answer = browser.send("GET", "/signin", {})

    cookies = [value for name, value in answer.headers if name == "set-cookie"]
    assert cookies
    assert all(each.startswith("__Host-crownkeep-") for each in cookies)
    assert all(part in each for each in cookies for part in ("Secure", "HttpOnly", "SameSite", "Path=/"))
    assert "max-age" in (answer.header("strict-transport-security") or "")


def test_timing_of_unknown_users_the_same_work_is_done(account: Account, monkeypatch: pytest.MonkeyPatch):
    user_with_password(account)
    account.user("without-password")
    work: list[object] = []
    derive = passwords._derive
    monkeypatch.setattr(passwords, "_derive", lambda *given, **named: (work.append(named["cost"]), derive(*given, **named))[1])

    done = {}
    for label, where, name in (
        ("right name", account.id, "bob"),
        ("unknown name", account.id, "nobody"),
        ("no password", account.id, "without-password"),
        ("unknown account", "999999999999", "bob"),
        ("unknown alias", "no-such-alias", "bob"),
    ):
        work.clear()
        page = sign_in_user(Browser(account.crown), where, name, "wrong")
        done[label] = (list(work), page.status, "Your authentication information is incorrect" in page.text)

    assert 1 == len({str(each) for each in done.values()}), done


def test_timing_of_unknown_roots_the_same_work_is_done(crown: Crown, monkeypatch: pytest.MonkeyPatch):
    account, _, _ = root_with_app(crown)
    work: list[object] = []
    derive = passwords._derive
    monkeypatch.setattr(passwords, "_derive", lambda *given, **named: (work.append(named["cost"]), derive(*given, **named))[1])

    done = []
    for email in (account.email, "nobody@test.example"):
        work.clear()
        browser = Browser(crown)
        browser.get("/signin?choose")
        browser.submit({"kind": "root", "email": email})
        page = browser.submit({"password": "wrong"})
        done.append((list(work), page.status, page.title))

    assert done[0] == done[1]


def test_unknown_names_are_hidden_in_the_record_since_people_type_passwords_there(account: Account):
    sign_in_user(Browser(account.crown), account.id, "hunter2-my-password", "x")

    failed = sign_in_events(account, "ConsoleLogin")[0]
    assert "hunter2" not in str(account.records())
    assert ("HIDDEN_DUE_TO_SECURITY_REASONS", "No username found in supplied account") == (
        failed["userIdentity"]["userName"],
        failed["errorMessage"],
    )


def test_link_reuse_is_refused(crown: Crown):
    account, _, _ = root_with_app(crown)

    page = Browser(crown).get(set_password_path(account))

    assert (403, "This link is not valid") == (page.status, page.title)


def test_link_reuse_from_a_page_that_was_open_is_refused(crown: Crown):
    account = crown.account()
    late, quick = Browser(crown), Browser(crown)
    late.get(set_password_path(account))
    choose_root_password(quick, account)

    page = late.submit({"new": "a thief's Password 1", "again": "a thief's Password 1"})

    assert "This link is not valid" == page.title
    assert "Register an MFA device" == sign_in_root(Browser(crown), account).title


def test_link_expiry_is_kept(crown: Crown):
    account = crown.account()

    with time_machine.travel(clock.now() + timedelta(days=7)):
        page = Browser(crown).get(set_password_path(account))

    assert "This link is not valid" == page.title


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "../../etc/passwd", "%00" * 20, "é" * 43])
def test_link_guessing_is_refused(crown: Crown, token: str):
    page = Browser(crown).get(f"/signin/set-password?token={token}")

    assert "This link is not valid" == page.title


def test_looking_at_a_link_does_not_use_it_up_since_mail_scanners_do(crown: Crown):
    account = crown.account()
    for _ in range(3):
        Browser(crown).get(set_password_path(account))

    page = choose_root_password(Browser(crown), account)

    assert "Register an MFA device" == page.title


OVERSIZED = {
    "a large field": b"csrf=" + b"a" * 70_000,
    "many fields": b"&".join(b"a=1" for _ in range(500)),
}


@pytest.mark.parametrize("body", OVERSIZED.values(), ids=OVERSIZED.keys())
def test_oversized_forms_are_refused(crown: Crown, body: bytes):
    browser = Browser(crown)
    browser.get("/signin")

    page = browser.post("/signin", body)

    assert page.status in (400, 413)


def test_oversized_forms_that_lie_about_their_size_are_refused(crown: Crown):
    browser = Browser(crown)
    browser.get("/signin")

    page = browser.post("/signin", b"a" * 70_000, **{"Content-Length": "10"})

    assert 413 == page.status


def test_odd_forms_with_a_null_character_are_refused_before_anybody_is_looked_up(crown: Crown):
    account = crown.account()
    for address in (f"/signin/{account.id}", "/signin"):
        browser = Browser(crown)
        browser.get(address)

        assert 400 == browser.submit({"name": "bo\0b", "email": "ro\0ot", "password": PASSWORD}).status


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "text/plain", "application/json", ""])
def test_forms_of_other_types_are_refused(crown: Crown, kind: str):
    browser = Browser(crown)
    browser.get("/signin")

    page = browser.post("/signin", b"{}", **{"Content-Type": kind})

    assert 400 == page.status


@pytest.mark.parametrize("body", [b"kind=root&kind=user&csrf=1", b"csrf=%ff%fe", b"csrf=1;csrf=2", b"\xff"])
def test_odd_forms_are_refused_without_a_server_error(crown: Crown, body: bytes):
    browser = Browser(crown)
    browser.get("/signin")

    page = browser.post("/signin", body)

    assert page.status in (400, 403)


LONG = {"a long name": ("n" * 10_000, "x"), "a long password": ("bob", "p" * 50_000), "a lone surrogate": ("\ud800", "x")}


@pytest.mark.parametrize(("name", "password"), LONG.values(), ids=LONG.keys())
def test_oversized_names_and_passwords_are_just_wrong(account: Account, name: str, password: str):
    user_with_password(account)
    browser = Browser(account.crown)
    filled = browser.get(f"/signin/{account.id}").form("IAM username")[1]
    values = {**filled, "account": account.id, "name": name, "password": password}

    page: Page = browser.post(f"/signin/{account.id}", urlencode(values, errors="surrogatepass").encode())

    assert page.status in (400, 403)
