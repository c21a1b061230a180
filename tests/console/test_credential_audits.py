"""Credential audits as pages: led by clicks, removed with one's own permissions, and held to their threats."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.console.members import MARKUP, NOTHING, Served
from tests.fixtures.asgi import Response
from tests.fixtures.crown import Account
from tests.fixtures.process import Process
from tests.signin.browser import Browser, hidden, signed_in

Visit = Callable[..., Page]
PATH = "/console/credential-audits"
PASSWORD = "correct Horse battery 9"


@pytest.fixture
def browser(account: Account) -> Browser:
    account.user("bob")
    account.client("iam").create_login_profile(UserName="bob", Password=PASSWORD)
    return signed_in(account, user="admin")


def send(browser: Browser, path: str, **fields: str) -> Response:
    """Send a form with the token of the browser's own session."""
    token = hidden(browser.get("/console/credential-audits"))["csrf"]
    headers = {"origin": browser.crown.settings.url, "sec_fetch_site": "same-origin"}
    return browser.post(path, {"csrf": token, **fields}, **headers)


def start(browser: Browser, name: str = "2026 Q4") -> str:
    """Start an audit and return its page's address."""
    return (send(browser, PATH, name=name).header("location") or "").partition("?")[0]


def credentials(account: Account, address: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Return an audit's credentials by their user and kind."""
    client, audit = account.client("credential-audit"), address.rpartition("/")[2]
    found = client.list_audited_credentials(AuditId=audit)["AuditedCredentials"]
    return {(each.get("UserName", ""), each["Kind"]): each for each in found}


def keep_all(page: Page) -> None:
    """Keep all that may be decided on this page."""
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_label("Reason, for all").fill("seen by its team")
    with page.expect_navigation():
        page.get_by_role("button", name="Keep", exact=True).click()


def test_an_audit_is_led_by_clicks_from_its_start_to_its_evidence(
    visit: Visit, served: Process, faults: Callable[[Page], list[str]]
):
    page, account = visit(), Served(served)
    account.iam.create_user(UserName="jane")
    key = account.iam.create_access_key(UserName="jane")["AccessKey"]["AccessKeyId"]
    account.enter(page)
    page.goto(PATH)
    page.get_by_role("button", name="Start audit").click()
    expect(page.get_by_role("row", name="carol Password")).to_contain_text("Yours: another reviewer decides")
    assert faults(page) == []

    page.get_by_role("checkbox", name=f"Access key of jane {key}").check()
    page.get_by_label("Reason, for all").fill("left the team")
    page.get_by_role("button", name="Remove now").click()

    expect(page.get_by_role("status")).to_contain_text("Called iam:UpdateAccessKey")
    expect(page.get_by_role("row", name=f"jane Access key {key}")).to_contain_text("Removed: left the team")
    assert "Inactive" == account.iam.list_access_keys(UserName="jane")["AccessKeyMetadata"][0]["Status"]
    other = visit()
    account.enter(other, "dana")
    other.goto(page.url.partition("?")[0])
    keep_all(other)
    page.reload()
    page.get_by_role("button", name="Sign off").click()
    expect(page.get_by_text("SHA-256 of the evidence")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download evidence").click()
    assert f"credential-audit-{account.id}-" in download.value.suggested_filename


def test_a_removal_needs_the_reviewer_s_own_permission_in_iam(account: Account, browser: Browser):
    address = start(browser)
    statement = {"Effect": "Allow", "Action": "credential-audit:*", "Resource": "*"}
    account.user("reviewer", policy={"Version": "2012-10-17", "Statement": statement})
    key = credentials(account, address)["bob", "ACCESS_KEY"]["CredentialId"]

    page = send(
        signed_in(account, user="reviewer"),
        f"{address}/decide",
        credential=key,
        decision="REMOVE",
        reason="old",
        how="delete",
        typed="delete",
    )

    assert "This needs the permission iam:DeleteAccessKey" in page.text
    assert "TO_BE_REMOVED" == credentials(account, address)["bob", "ACCESS_KEY"]["State"]
    assert "Active" == account.client("iam").list_access_keys(UserName="bob")["AccessKeyMetadata"][0]["Status"]


def test_root_s_key_is_judged_by_another_and_removed_by_root_itself(account: Account, browser: Browser):
    address, root = start(browser), signed_in(account)
    key = credentials(account, address)["", "ACCESS_KEY"]["CredentialId"]
    send(browser, f"{address}/decide", credential=key, decision="REMOVE", reason="root needs no key")
    waiting = credentials(account, address)["", "ACCESS_KEY"]["State"]

    send(root, f"{address}/remove", credential=key, how="delete", typed="delete")

    removed = credentials(account, address)["", "ACCESS_KEY"]
    assert ("TO_BE_REMOVED", "REMOVED", "DeleteAccessKey") == (waiting, removed["State"], removed["RemovalName"])
    assert (f"arn:aws:iam::{account.id}:user/admin", f"arn:aws:iam::{account.id}:root") == (
        removed["DecidedBy"],
        removed["RemovedBy"],
    )


def test_mass_assignment_what_is_removed_is_read_from_the_audit_and_not_from_the_form(account: Account, browser: Browser):
    address = start(browser)
    password = credentials(account, address)["bob", "PASSWORD"]["CredentialId"]

    send(
        browser,
        f"{address}/decide",
        credential=password,
        decision="REMOVE",
        reason="old",
        UserName="admin",
        Identifier=account.created["admin"]["access_key_id"],
        DecidedBy="arn:aws:iam::123456789012:user/mallory",
    )

    bob = credentials(account, address)["bob", "PASSWORD"]
    assert ("REMOVED", "DeleteLoginProfile") == (bob["State"], bob["RemovalName"])
    assert f"arn:aws:iam::{account.id}:user/admin" == bob["DecidedBy"]


def test_nothing_is_removed_that_was_not_decided_by_somebody_else(account: Account, browser: Browser):
    address = start(browser)
    own = credentials(account, address)["admin", "ACCESS_KEY"]["CredentialId"]

    decided = send(browser, f"{address}/decide", credential=own, decision="REMOVE", reason="mine")
    carried_out = send(browser, f"{address}/remove", credential=own)

    assert 403 == decided.status
    assert 303 == carried_out.status
    assert "Active" == account.client("iam").list_access_keys(UserName="admin")["AccessKeyMetadata"][0]["Status"]


def test_the_evidence_is_what_the_api_answers_byte_for_byte(account: Account, browser: Browser):
    address = start(browser)

    answer = browser.get(f"{address}/evidence")

    reply = account.client("credential-audit").get_credential_audit_evidence(AuditId=address.rpartition("/")[2])
    assert reply["Document"].encode() == answer.body
    assert "application/json" == answer.header("content-type")
    assert (answer.header("content-disposition") or "").startswith("attachment")
    assert json.loads(answer.body)["sign_off"] is None


def test_stored_injection_markup_in_names_and_reasons_is_shown_as_text(account: Account, browser: Browser):
    address = start(browser, MARKUP)
    key = credentials(account, address)["bob", "ACCESS_KEY"]["CredentialId"]
    send(browser, f"{address}/decide", credential=key, decision="KEEP", reason=MARKUP)

    pages = [browser.get(PATH).text, browser.get(address).text, browser.get(f"{address}?user={MARKUP}").text]

    assert ["<img src=x" in page for page in pages] == [False] * 3
    assert "&lt;img src=x" in pages[1]


def test_csrf_a_form_without_the_session_s_token_decides_nothing(account: Account, browser: Browser):
    address = start(browser)
    key = credentials(account, address)["bob", "ACCESS_KEY"]["CredentialId"]

    answer = browser.post(f"{address}/decide", {"credential": key, "decision": "REMOVE", "reason": "x"})

    assert (403, "UNDECIDED") == (answer.status, credentials(account, address)["bob", "ACCESS_KEY"]["State"])


def test_somebody_without_permissions_is_told_which_are_missing(account: Account, browser: Browser):
    address = start(browser)
    account.user("nobody", policy=NOTHING)
    other = signed_in(account, user="nobody")

    pages = [other.get(PATH).text, other.get(address).text, other.get(f"{address}/evidence").text]

    assert "This needs the permission credential-audit:ListCredentialAudits" in pages[0]
    assert "This needs the permission credential-audit:GetCredentialAudit" in pages[1]
    assert "user/bob" not in "".join(pages)
    assert ">bob<" not in "".join(pages)


def test_an_audit_that_does_not_exist_is_said_to_be_missing(browser: Browser):
    page = browser.get(f"{PATH}/20260101-none")

    assert (404, True) == (page.status, "There is no such credential audit" in page.text)
