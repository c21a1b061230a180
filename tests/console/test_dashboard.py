"""The dashboard: what is open in an account, from its real state, and the way to set it right; hostile names stay text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta

import time_machine
from playwright.sync_api import Page
from tests.console.members import ADMINISTRATOR, MARKUP, NOTHING, READER, Served, administrator, member
from tests.fixtures.browsing import Browser
from tests.fixtures.crown import Account, Crown
from tests.fixtures.organization import Organization
from tests.fixtures.process import Process
from tests.signin import people
from tests.signin.people import PASSWORD

from crownkeep import clock
from crownkeep.advisor import posture
from crownkeep.console.pages.posture import activity

Visit = Callable[..., Page]
CONTACT = {"Name": "Dana", "Title": "Head", "EmailAddress": "security@acme.example", "PhoneNumber": "+49 30 123456"}


def status(browser: Browser, slug: str) -> str:
    """Return how a recommendation stands on the page."""
    after = browser.page.response.text.partition(f'<li id="{slug}">')[2]
    return after.partition('class="advice ')[2].partition('"')[0]


def test_a_fresh_account_shows_what_is_open(crown: Crown):
    _, browser = administrator(crown)

    browser.get("/console")

    states = {
        slug: status(browser, slug) for slug in ("administrator", "password-policy", "alias", "security-contact", "root-mfa")
    }
    assert states == {
        "administrator": "done",
        "password-policy": "open",
        "alias": "open",
        "security-contact": "open",
        "root-mfa": "open",
    }
    assert status(browser, "root-keys") == "open"
    assert "carol signs in with a password alone" in browser.page.text


def test_what_was_set_right_is_ticked_off(crown: Crown):
    account, browser = administrator(crown)
    iam = account.client("iam")
    iam.update_account_password_policy(MinimumPasswordLength=14)
    iam.create_account_alias(AccountAlias=f"d-{account.id}")
    account.client("account").put_alternate_contact(AlternateContactType="SECURITY", **CONTACT)
    account.root("iam").delete_access_key(AccessKeyId=account.created["root"]["access_key_id"])

    browser.get("/console")

    assert {"done"} == {status(browser, slug) for slug in ("password-policy", "alias", "security-contact", "root-keys")}


def test_root_with_a_device_is_told_so_and_led_to_its_keys_which_it_deletes_by_clicks(crown: Crown):
    account, browser, _ = people.root_with_app(crown)
    browser.get("/console")
    assert status(browser, "root-mfa") == "done"
    assert 'href="/console/security#keys">Delete root' in browser.page.response.text
    browser.get("/console/security")
    browser.submit(form=">Deactivate<")

    asked = browser.submit(form=">Delete<")
    browser.submit({"typed": account.created["root"]["access_key_id"]}, form="Delete access key")

    assert "Delete this access key?" in asked.text
    assert "iam:DeleteAccessKey" in browser.page.text
    assert browser.get("/console").status == 200
    assert status(browser, "root-keys") == "done"
    assert account.client("iam").get_account_summary()["SummaryMap"]["AccountAccessKeysPresent"] == 0


def test_the_address_of_root_s_keys_leads_root_to_them_and_nobody_else_to_keys_of_their_own(crown: Crown):
    account, root, _ = people.root_with_app(crown)
    other = member(account, arn=ADMINISTRATOR)

    titles = [browser.get("/console/root-keys").title for browser in (root, other)]

    assert ["My security credentials", "Console home"] == titles


def test_nothing_is_deleted_by_the_address_of_root_s_keys(crown: Crown):
    account, browser = administrator(crown)
    key = account.client("iam").list_access_keys(UserName="carol")["AccessKeyMetadata"][0]["AccessKeyId"]
    browser.get("/console/account/alias")
    _, filled = browser.page.form("csrf")

    browser.post("/console/root-keys", {**filled, "key": key})

    assert 405 == browser.page.status
    assert len(account.client("iam").list_access_keys(UserName="carol")["AccessKeyMetadata"]) == 1


def test_somebody_without_permissions_sees_one_sentence_and_their_own_credentials(crown: Crown):
    browser = member(crown.account(), policy=NOTHING)

    browser.get("/console")

    assert browser.page.status == 200
    assert "Console home" in browser.page.title
    assert "You have no permissions to look at this account" in browser.page.text
    assert "My security credentials" in browser.page.text
    assert "This needs the permission" not in browser.page.text
    for action in ("iam:GetAccountSummary", "iam:ListAccountAliases", "account:GetAlternateContact", "cloudtrail:LookupEvents"):
        assert action in browser.page.text


def test_a_reader_sees_what_a_reader_may(crown: Crown):
    browser = member(crown.account(), policy=READER)

    browser.get("/console")

    assert status(browser, "password-policy") == "open"
    assert status(browser, "security-contact") == "unknown"


def test_markup_in_a_contact_s_name_is_shown_as_text(crown: Crown):
    account, browser = administrator(crown)
    account.client("account").put_alternate_contact(AlternateContactType="SECURITY", **(CONTACT | {"Name": MARKUP}))

    browser.get("/console")

    assert "<img src=x" not in browser.page.response.text
    assert "&lt;img src=x" in browser.page.response.text


def test_the_picture_shows_on_how_many_days_root_was_used_and_how_many_sign_ins_failed(crown: Crown):
    account, browser = administrator(crown)
    account.root("iam").list_users()
    people.sign_in_user(Browser(crown), account.id, "carol", password="wrong")

    browser.get("/console")

    assert "Root was used on 1 of the last 90 days." in browser.page.text
    assert "1 sign-in failed in the last 90 days." in browser.page.text
    assert re.search(r"Day \(UTC\) Use of root Failed sign-ins \d{4}-\d\d-\d\d \d+ 1 ", browser.page.text)


def test_a_user_called_root_is_not_taken_for_the_root_user(crown: Crown):
    account, browser = administrator(crown)
    account.user("root", policy=READER).client("iam").list_users()

    browser.get("/console")

    assert "Root was not used in the last 90 days." in browser.page.text
    assert "Not used in the last 90 days, this session aside." in browser.page.text


def test_a_session_that_the_organization_took_root_on_for_is_no_use_of_root_s_own_credentials(crown: Crown):
    organization = Organization(crown)
    organization.trust_iam("RootCredentialsManagement")
    account = organization.invited()
    organization.root_of(account.id, "IAMAuditRootUserCredentials").get_user()
    browser = member(account, arn=ADMINISTRATOR)

    browser.get("/console")

    assert "Root was not used in the last 90 days." in browser.page.text
    assert "The organization took root on for a task on 1 day" in browser.page.text
    assert "Not used in the last 90 days, this session aside. Taken on centrally by the organization" in browser.page.text
    assert "done" == status(browser, "root-use")


def test_many_events_of_a_user_called_root_do_not_hide_what_root_did(crown: Crown):
    account, browser = administrator(crown)
    account.root("iam").list_users()
    namesake = account.user("root", policy=READER).client("iam")
    for _ in range(activity.ROOT.parameters["MaxResults"] + 1):  # type: ignore[operator]  # a number, among the parameters
        namesake.get_account_summary()

    browser.get("/console")

    assert "Root was used on 1 of the last 90 days." in browser.page.text
    # The newest fifty are all the namesake's: that root was not used before them is not claimed.
    assert "as far back as the lookups reached" in browser.page.text
    assert "unknown" == status(browser, "root-use")


def lookups_of_root(account: Account) -> list[str]:
    """Return what was looked up of root."""
    asked = [json.dumps(record["requestParameters"]) for record in account.records() if record["eventName"] == "LookupEvents"]
    return [each for each in asked if '"root"' in each]


def test_a_busy_trail_costs_a_bounded_number_of_lookups_and_says_how_far_they_reach(crown: Crown):
    account, browser = administrator(crown)
    root = account.root("iam")
    for _ in range(activity.ROOT.parameters["MaxResults"] + 1):  # type: ignore[operator]  # a number, among the parameters
        root.get_account_summary()
    before = len(lookups_of_root(account))

    browser.get("/console")

    assert "Root was used on 1 of the last 90 days." in browser.page.text
    assert 3 == len(lookups_of_root(account)) - before


def test_the_first_page_asks_a_few_things_only_however_many_users_there_are(crown: Crown):
    account, browser = administrator(crown)
    iam = account.client("iam")
    for number in range(20):
        iam.create_user(UserName=f"user-{number}")
        iam.create_login_profile(UserName=f"user-{number}", Password=PASSWORD)
    before = len(account.records())

    browser.get("/console")

    assert len(account.records()) - before <= 38
    assert "sign in with a password alone" in browser.page.text


def test_the_kind_of_root_s_device_is_told_to_an_administrator_too(crown: Crown):
    account, browser, _ = people.root_with_app(crown)
    answer = browser.get("/console").text
    other = member(account, arn=ADMINISTRATOR)

    other.get("/console")

    assert "Root has an authenticator app." in answer
    assert "Root has an authenticator app." in other.page.text


def test_contacts_that_are_missing_are_named_and_the_button_leads_to_the_first(crown: Crown):
    account, browser = administrator(crown)
    for kind in ("BILLING", "SECURITY"):
        account.client("account").put_alternate_contact(AlternateContactType=kind, **CONTACT)

    browser.get("/console")

    assert status(browser, "contacts") == "open"
    assert "Nobody is named for owner and operations." in browser.page.text
    assert 'href="/console/account/contact">Add contact' in browser.page.response.text


def test_root_used_with_a_long_term_key_is_open_and_root_used_by_a_person_is_not(crown: Crown):
    account, *_ = people.root_with_app(crown)
    browser = member(account, arn=ADMINISTRATOR)
    browser.get("/console")
    by_person = status(browser, "root-use")
    account.root("iam").list_users()

    browser.get("/console")

    assert by_person == "done"
    assert status(browser, "root-use") == "open"
    assert f"by access key {account.created['root']['access_key_id']}: ListUsers" in browser.page.text


def test_a_report_says_who_has_an_unused_or_old_credential_and_without_one_nothing_is_claimed(crown: Crown):
    _, browser = administrator(crown)
    browser.get("/console")
    without = status(browser, "credentials")
    browser.get("/console/credential-report")
    browser.submit(form="Generate")

    browser.get("/console")

    assert without == "unknown"
    assert status(browser, "credentials") == "done"


def sign_off_an_audit(account: Account) -> None:
    """Start an audit, keep every credential, each by somebody whose it isn't, and sign it off."""
    audits, other = account.client("credential-audit"), account.user("reviewer", arn=ADMINISTRATOR).client("credential-audit")
    audit = audits.start_credential_audit(Name="Q")["CredentialAudit"]["AuditId"]
    for row in audits.list_audited_credentials(AuditId=audit)["AuditedCredentials"]:
        client = other if row.get("UserName") == "admin" else audits
        client.decide_credentials(AuditId=audit, CredentialIds=[row["CredentialId"]], Decision="KEEP", Reason="seen")
    audits.sign_off_credential_audit(AuditId=audit, Statement="all seen")


def test_an_audit_is_recommended_once_a_quarter_has_passed_and_its_age_is_told(crown: Crown):
    account, browser = administrator(crown)
    young = browser.get("/console").text
    before = status(browser, "credential-audit")
    sign_off_an_audit(account)

    browser.get("/console")

    assert "No audit is due yet: the first is on" in young
    assert ("not-applicable", "done") == (before, status(browser, "credential-audit"))
    assert "Last credential audit today." in browser.page.text
    assert 'href="/console/credential-audits">View audits' in browser.page.response.text


def test_the_count_counts_what_applies_and_urgent_things_come_first(crown: Crown):
    account, browser, _ = people.root_with_app(crown)
    account.root("iam").detach_user_policy(UserName="admin", PolicyArn=ADMINISTRATOR)

    page = browser.get("/console").text

    assert "not-applicable" == status(browser, "credential-audit")
    order = [
        page.index(text) for text in ("Urgent", "Create an administrator who isn't root", "To do", "Ask for strong passwords")
    ]
    assert sorted(order) == order
    assert "of 11 done" in page


def test_an_account_without_an_audit_is_told_so_once_it_is_a_quarter_old(crown: Crown):
    account = crown.account()

    with time_machine.travel(clock.now() + posture.QUARTER + timedelta(hours=1)):
        browser = member(account, arn=ADMINISTRATOR)
        browser.get("/console")

    assert "open" == status(browser, "credential-audit")
    assert "There was no credential audit yet." in browser.page.text


def test_whoever_may_not_see_audits_is_told_of_the_permission(crown: Crown):
    browser = member(crown.account(), policy=READER)

    browser.get("/console")

    assert status(browser, "credential-audit") == "unknown"
    assert "This needs the permission credential-audit:ListCredentialAudits" in browser.page.text


def test_a_form_without_the_session_s_token_is_refused(crown: Crown):
    _, browser, _ = people.root_with_app(crown)

    assert browser.post("/console/security/keys", {"key": "AKIA", "to": "Deleted"}).status == 403


def test_every_recommendation_leads_to_a_page_that_is_there(visit: Visit, served: Process):
    page, account = visit(), Served(served)
    account.enter(page)
    page.goto("/console")
    paths = page.locator(".offers a, .side a, .counts a").evaluate_all("all => all.map(a => a.getAttribute('href'))")

    answers = {path: response.status for path in set(paths) if (response := page.goto(path)) is not None}

    assert answers == dict.fromkeys(answers, 200)
