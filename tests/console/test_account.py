"""Account settings: name, alias and contacts, changed by forms alone; markup stays text, and nobody may more than by the API."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from tests.console.members import MARKUP, NOTHING, READER, Served, administrator, member
from tests.fixtures.crown import Crown
from tests.fixtures.process import Process

Visit = Callable[..., Page]
PATH = "/console/account"
SECURITY = f"{PATH}/alternate-contacts/security"
CONTACT = {"Name": "Dana", "Title": "Head", "EmailAddress": "security@acme.example", "PhoneNumber": "+49 30 123456"}
PRIMARY = {
    "FullName": "Acme",
    "AddressLine1": "Street 1",
    "City": "Berlin",
    "StateOrRegion": "BE",
    "PostalCode": "10115",
    "CountryCode": "DE",
    "PhoneNumber": "+49 30 123456",
}
FORMS = [f"{PATH}/name", f"{PATH}/alias", f"{PATH}/alias/delete", f"{PATH}/contact", SECURITY, f"{SECURITY}/delete"]


def test_a_person_gives_the_account_an_alias_and_a_security_contact_by_clicks(visit: Visit, served: Process):
    page, account = visit(), Served(served)
    account.enter(page)
    page.goto(PATH)

    page.get_by_role("link", name="Create alias").click()
    page.get_by_role("textbox", name="Alias").fill("acme-by-clicks")
    page.get_by_role("button", name="Create alias").click()
    page.get_by_role("link", name="Add security contact").click()
    for label, text in {
        "Full name": "Dana",
        "Title": "Head",
        "Email address": "s@acme.example",
        "Phone number": "+49 30 1",
    }.items():
        page.get_by_role("textbox", name=label).fill(text)
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("/signin/acme-by-clicks")).to_be_visible()
    expect(page.get_by_text("Dana, Head")).to_be_visible()
    expect(page.get_by_text("account:PutAlternateContact").first).to_be_visible()
    assert account.iam.list_account_aliases()["AccountAliases"] == ["acme-by-clicks"]


def test_the_primary_contact_is_kept_whole(crown: Crown):
    account, browser = administrator(crown)
    browser.get(f"{PATH}/contact")
    browser.submit({**PRIMARY, "CompanyName": "Acme"}, form="Save")
    browser.get(f"{PATH}/contact")

    browser.submit({"CompanyName": ""}, form="Save")

    assert account.client("account").get_contact_information()["ContactInformation"] == PRIMARY


def test_a_contact_that_aws_refuses_is_shown_again_as_it_was_typed(crown: Crown):
    _, browser = administrator(crown)
    browser.get(f"{PATH}/contact")

    browser.submit({**PRIMARY, "StateOrRegion": ""}, form="Save")

    assert browser.page.status == 403
    assert "StateOrRegion is required" in browser.page.text
    assert 'value="Street 1"' in browser.page.response.text


def test_alias_name_and_contact_can_be_changed_and_taken_away(crown: Crown):
    account, browser = administrator(crown)
    alias = f"a-{account.id}"
    browser.get(f"{PATH}/name")
    browser.submit({"name": "Acme & Sons"}, form="Save")
    browser.get(f"{PATH}/alias")
    browser.submit({"alias": alias}, form="Create alias")
    browser.get(f"{PATH}/alias")
    browser.submit(form="Delete the alias")
    account.client("account").put_alternate_contact(AlternateContactType="SECURITY", **CONTACT)
    browser.get(SECURITY)

    browser.submit(form="Delete the contact")

    assert "Hears of leaked keys and abuse, where minutes count. None yet." in browser.page.text
    assert account.client("account").get_account_information()["AccountName"] == "Acme & Sons"
    assert account.client("iam").list_account_aliases()["AccountAliases"] == []


def test_markup_in_contacts_is_shown_as_text(crown: Crown):
    account, browser = administrator(crown)
    client = account.client("account")
    client.put_alternate_contact(AlternateContactType="SECURITY", **(CONTACT | {"Name": MARKUP, "Title": MARKUP}))
    client.put_contact_information(ContactInformation=PRIMARY | {"FullName": MARKUP, "City": MARKUP})

    pages = [browser.get(path).response.text for path in (PATH, SECURITY, f"{PATH}/contact")]

    assert all("<img src=x" not in text for text in pages)
    assert all("&lt;img src=x" in text for text in pages)


@pytest.mark.parametrize(("path", "field"), [(f"{PATH}/name", "name"), (f"{PATH}/alias", "alias"), (SECURITY, "Name")])
def test_markup_that_is_refused_comes_back_as_text(crown: Crown, path: str, field: str):
    _, browser = administrator(crown)
    browser.get(path)

    browser.submit({field: MARKUP * 3}, form="csrf")

    assert browser.page.status == 403
    assert "<img src=x" not in browser.page.response.text


@pytest.mark.parametrize("path", FORMS)
def test_a_form_without_the_session_s_token_is_refused(crown: Crown, path: str):
    account, browser = administrator(crown)

    browser.post(path, {"name": "stolen", "alias": "stolen", **CONTACT})

    assert browser.page.status == 403
    assert account.client("account").get_account_information()["AccountName"] != "stolen"


@pytest.mark.parametrize("path", FORMS)
def test_another_site_s_form_is_refused(crown: Crown, path: str):
    _, browser = administrator(crown)
    browser.get(f"{PATH}/name")
    _, filled = browser.page.form("csrf")

    browser.post(path, filled, **{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"})

    assert browser.page.status == 403


def test_a_reader_sees_what_a_reader_may_and_the_name_of_what_is_missing_for_the_rest(crown: Crown):
    account = crown.account()
    account.client("iam").create_account_alias(AccountAlias=f"r-{account.id}")
    browser = member(account, policy=READER)

    browser.get(PATH)

    assert browser.page.status == 200
    assert f"r-{account.id}" in browser.page.text
    for action in ("GetAccountInformation", "GetContactInformation", "GetAlternateContact"):
        assert f"This needs the permission account:{action}" in browser.page.text
    assert "request ID" in browser.page.text


def test_somebody_without_permissions_changes_nothing_and_is_told_what_is_missing(crown: Crown):
    account = crown.account()
    browser = member(account, policy=NOTHING)
    browser.get(f"{PATH}/alias")

    browser.submit({"alias": f"n-{account.id}"}, form="Save")

    assert browser.page.status == 403
    assert "This needs the permission iam:CreateAccountAlias" in browser.page.text
    assert account.client("iam").list_account_aliases()["AccountAliases"] == []


def test_fields_that_the_form_has_not_are_not_passed_on(crown: Crown):
    account, browser = administrator(crown)
    browser.get(SECURITY)

    browser.submit({**CONTACT, "AccountId": "123456789012", "AlternateContactType": "BILLING"}, form="Save")

    kept = account.client("account").get_alternate_contact(AlternateContactType="SECURITY")["AlternateContact"]
    assert kept == {**CONTACT, "AlternateContactType": "SECURITY"}


def test_a_kind_of_contact_that_is_none_has_no_page(crown: Crown):
    _, browser = administrator(crown)

    browser.get(f"{PATH}/alternate-contacts/SECURITY")

    assert browser.page.status == 404
