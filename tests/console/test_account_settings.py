"""Account settings beyond name and contacts: root's own part, Regions, session tokens, MFA for all, notices and test alerts."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from playwright.sync_api import Page, expect
from tests.alerts.office import Mailbox, link_in, settle
from tests.console.members import MARKUP, NOTHING, READER, Served, administrator, member
from tests.fixtures.browsing import Browser
from tests.fixtures.crown import Account, Crown
from tests.fixtures.process import Process
from tests.signin.people import root_with_app, sign_in_events

from crownkeep import clock
from crownkeep.signin import last_notices
from crownkeep.signin.sessions import FRESH_FOR

Visit = Callable[..., Page]
PATH = "/console/account"
NOTICES = f"{PATH}/notices"
REGIONS = f"{PATH}/regions"
TOKENS = f"{PATH}/session-tokens"
TEST = f"{PATH}/alternate-contacts/security/test"
FORMS = [REGIONS, TOKENS, TEST, "/console/sign-in-settings", f"{PATH}/close"]


def named(account: Account, email: str = "") -> str:
    """Give the account a security contact and return its address."""
    email = email or f"security-{account.id}@acme.example"
    account.client("account").put_alternate_contact(
        AlternateContactType="SECURITY", Name="Dana", Title="Head", EmailAddress=email, PhoneNumber="+49 30 1"
    )
    return email


def event_of(browser: Browser) -> str:
    """Return the id of the event that the page names."""
    found = re.search(r"trail is ([0-9a-f-]{36})", browser.page.text)
    assert found, browser.page.text
    return found[1]


def test_root_finds_its_address_and_its_forms_and_others_are_not_told_it(crown: Crown):
    account, root, _ = root_with_app(crown)

    shown = root.get(PATH)
    other = member(account, arn="arn:aws:iam::aws:policy/AdministratorAccess").get(PATH)

    assert account.email in shown.text
    assert all(path in shown.response.text for path in ('href="/console/email"', 'href="/console/password"'))
    assert account.email not in other.response.text
    assert "Only the root user sees and changes its email address" in other.text


def test_a_region_is_enabled_and_disabled_and_the_page_names_the_event(crown: Crown):
    account, browser = administrator(crown)
    browser.get(REGIONS)

    browser.submit(form='value="eu-south-1"')
    enabled, event_id = account.client("account").get_region_opt_status(RegionName="eu-south-1"), event_of(browser)
    browser.submit(form='value="eu-south-1"')

    assert "ENABLED" == enabled["RegionOptStatus"]
    assert event_id == next(each["eventID"] for each in account.records() if each["eventName"] == "EnableRegion")
    assert "DISABLED" == account.client("account").get_region_opt_status(RegionName="eu-south-1")["RegionOptStatus"]


@pytest.mark.parametrize("present", ["", "old"])
def test_an_alias_that_was_given_or_taken_away_is_brought_back_by_one_click(crown: Crown, present: str):
    account, browser = administrator(crown)
    before = f"{present}-{account.id}" if present else ""
    if before:
        account.client("iam").create_account_alias(AccountAlias=before)
    browser.get(f"{PATH}/alias")
    browser.submit({"alias": f"new-{account.id}"}, form='name="alias"')

    browser.submit(form="Undo")

    assert ([before] if before else []) == account.client("iam").list_account_aliases()["AccountAliases"]


def test_a_deleted_contact_a_new_name_and_a_region_are_brought_back_by_one_click(crown: Crown):
    account, browser = administrator(crown)
    email, name = named(account), account.client("account").get_account_information()["AccountName"]

    browser.get(f"{PATH}/alternate-contacts/security")
    browser.submit(form="Delete the contact")
    browser.submit(form="Undo")
    browser.get(f"{PATH}/name")
    browser.submit({"name": "another"}, form='name="name"')
    browser.submit(form="Undo")
    browser.get(REGIONS)
    browser.submit(form='value="eu-south-1"')
    browser.submit(form="Undo")

    client = account.client("account")
    assert email == client.get_alternate_contact(AlternateContactType="SECURITY")["AlternateContact"]["EmailAddress"]
    assert name == client.get_account_information()["AccountName"]
    assert "DISABLED" == client.get_region_opt_status(RegionName="eu-south-1")["RegionOptStatus"]


def test_a_region_that_can_not_be_chosen_is_refused_in_aws_s_words(crown: Crown):
    _, browser = administrator(crown)
    browser.get(REGIONS)

    browser.submit({"region": "us-east-1", "to": "DISABLED"}, form='value="eu-south-1"')

    assert browser.page.status == 403
    assert "enabled by default" in browser.page.text


def test_the_version_of_session_tokens_is_chosen(crown: Crown):
    account, browser = administrator(crown)
    before = account.client("iam").get_account_summary()["SummaryMap"]["GlobalEndpointTokenVersion"]
    browser.get(PATH)

    browser.submit({"version": f"v{3 - before}Token"}, form="the version")

    assert 3 - before == account.client("iam").get_account_summary()["SummaryMap"]["GlobalEndpointTokenVersion"]
    assert "iam:SetSecurityTokenServicePreferences" in browser.page.text


def test_requiring_mfa_of_all_users_is_told_with_its_event(crown: Crown):
    account, browser = administrator(crown)
    browser.get(PATH)

    browser.submit(form="Require MFA for all users")

    assert "Stop requiring MFA" in browser.page.text
    (record,) = sign_in_events(account, "UpdateSignInSettings")
    assert (event_of(browser), {"usersNeedMfa": True}) == (record["eventID"], record["requestParameters"])


def test_an_unattended_browser_mfa_for_all_users_is_not_given_up_without_a_fresh_proof(crown: Crown):
    account, browser = administrator(crown)
    browser.get(PATH)
    _, filled = browser.page.form("Require MFA for all users")

    with time_machine.travel(clock.now() + FRESH_FOR + timedelta(seconds=1)):
        asked = browser.post("/console/sign-in-settings", {"csrf": filled["csrf"], "free": "1"})

    assert "Confirm that it is you" == asked.title
    assert not sign_in_events(account, "UpdateSignInSettings")


def test_a_test_alert_reaches_the_contact_and_its_delivery_is_shown(crown: Crown):
    account, browser = administrator(crown)
    email = named(account)
    browser.get(PATH)

    browser.submit(form="Send a test alert")
    message = Mailbox(crown, email).wait("A test:")
    settle(crown)
    browser.get(NOTICES)

    assert account.id in str(message["Subject"])
    assert re.search(rf"Test alert {email} \S+ \S+ UTC Sent ", browser.page.text)
    (record,) = sign_in_events(account, "SendTestAlert")
    assert {"alternateContactType": "SECURITY"} == record["requestParameters"]


def test_notices_that_can_not_be_delivered_say_why(crown: Crown):
    account, browser = administrator(crown)
    named(account, "a.@acme.example")
    browser.get(PATH)

    browser.submit(form="Send a test alert")

    assert "Failed : no mail is sent to an address of this kind" in browser.page.text


def test_mail_bombing_a_contact_by_test_alerts_stops_after_a_few(crown: Crown):
    account, browser = administrator(crown)
    email = named(account)

    for _ in range(last_notices.MOST_TESTS + 1):
        browser.get(PATH)
        browser.submit(form="Send a test alert")

    assert browser.page.status == 403
    assert "test alerts are sent within an hour" in browser.page.text
    sent = [subject for subject in Mailbox(crown, email).subjects() if subject.startswith("A test:")]
    assert last_notices.MOST_TESTS == len(sent)


def test_notices_do_not_tell_an_administrator_root_s_address(crown: Crown):
    account, root, _ = root_with_app(crown)
    named(account)
    settle(crown)
    browser = member(account, arn="arn:aws:iam::aws:policy/AdministratorAccess")

    shown = browser.get(NOTICES).response.text

    assert account.email not in shown
    assert "An address that only root sees" in shown
    assert account.email in root.get(NOTICES).response.text


def test_an_alert_says_what_it_was_about_and_leads_to_its_event(crown: Crown):
    _, root, _ = root_with_app(crown)
    settle(crown)

    root.get(NOTICES)

    found = re.search(r'<a href="(/console/trail/event\?id=[0-9a-f-]{36})">The root user signed in</a>', root.page.response.text)
    assert found, root.page.text
    assert "ConsoleLogin" in root.get(found[1]).text


def test_a_notice_that_opens_something_shows_nothing_of_what_it_said(crown: Crown):
    account, root, _ = root_with_app(crown)
    stranger = Browser(crown)
    stranger.get("/signin/recover/password")
    stranger.submit({"email": account.email}, form="email")
    link = link_in(Mailbox(crown, account.email).wait("Choose a new password"))
    settle(crown)

    shown = root.get(NOTICES).response.text

    assert "Link for a new root password" in shown
    assert link.partition("token=")[2] not in shown


def test_who_may_not_see_the_security_contact_sees_no_notices(crown: Crown):
    account = crown.account()
    named(account)
    browser = member(account, policy=READER)

    browser.get(NOTICES)

    assert "This needs the permission account:GetAlternateContact" in browser.page.text
    assert "security-" not in browser.page.text


@pytest.mark.parametrize(
    ("path", "values", "permission"),
    [
        (REGIONS, {"region": "eu-south-1", "to": "ENABLED"}, "account:EnableRegion"),
        (TOKENS, {"version": "v2Token"}, "iam:SetSecurityTokenServicePreferences"),
        (TEST, {}, "account-security:SendTestAlert"),
        ("/console/sign-in-settings", {"required": "1"}, "account-security:UpdateSignInSettings"),
    ],
)
def test_without_the_permission_nothing_changes_and_the_page_names_it(
    crown: Crown, path: str, values: dict[str, str], permission: str
):
    account = crown.account()
    named(account)
    browser = member(account, policy=NOTHING)
    browser.get(f"{PATH}/name")
    _, filled = browser.page.form("csrf")

    browser.post(path, {"csrf": filled["csrf"], **values})

    assert browser.page.status == 403
    assert f"This needs the permission {permission}" in browser.page.text


@pytest.mark.parametrize("path", FORMS)
def test_csrf_a_form_without_the_session_s_token_is_refused(crown: Crown, path: str):
    account, browser = administrator(crown)
    named(account)

    browser.post(path, {"region": "eu-south-1", "to": "ENABLED", "version": "v1Token", "required": "1", "name": "x"})

    assert browser.page.status == 403
    assert not {"EnableRegion", "SendTestAlert", "UpdateSignInSettings", "CloseAccount"} & {
        each["eventName"] for each in account.records()
    }


def test_injection_markup_in_a_region_or_version_is_shown_as_text(crown: Crown):
    _, browser = administrator(crown)
    browser.get(REGIONS)
    _, filled = browser.page.form("csrf")

    refused = browser.post(REGIONS, {"csrf": filled["csrf"], "region": MARKUP, "to": MARKUP})
    again = browser.post(TOKENS, {"csrf": filled["csrf"], "version": MARKUP})

    assert 403 == refused.status == again.status
    assert "<img src=x" not in refused.response.text + again.response.text


def test_the_account_s_pages_have_no_serious_barrier_and_fit_the_screen(
    visit: Visit, served: Process, faults: Callable[[Page], list[str]], overflow: Callable[[Page], list[str]]
):
    page, account = visit(), Served(served)
    account.contacts.put_alternate_contact(
        AlternateContactType="SECURITY", Name=MARKUP, Title="t" * 50, EmailAddress=f"{'s' * 60}@acme.example", PhoneNumber="1"
    )
    account.enter(page)
    found = []

    for path in (PATH, NOTICES, REGIONS, f"{PATH}/close"):
        page.goto(path)
        found += overflow(page) + [f"{path}: {fault}" for fault in faults(page)]

    assert not found, "\n".join(found)


def test_a_person_sends_a_test_alert_without_javascript(visit: Visit, served: Process):
    page, account = visit(java_script_enabled=False), Served(served)
    account.contacts.put_alternate_contact(
        AlternateContactType="BILLING", Name="Bo", Title="t", EmailAddress="bo@acme.example", PhoneNumber="1"
    )
    account.enter(page)
    page.goto(PATH)

    page.get_by_role("button", name="Send a test alert to the billing contact").click()

    expect(page.get_by_role("rowheader", name="Test alert")).to_be_visible()
    expect(page.get_by_role("status").get_by_text("account-security:SendTestAlert")).to_be_visible()
