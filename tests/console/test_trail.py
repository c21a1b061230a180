"""The trail's pages: every filter of LookupEvents, what root did, and one event in words and as it was recorded."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape

import pytest
from botocore.exceptions import ClientError
from tests.console.forms import follow, send
from tests.console.members import MARKUP, administrator, member
from tests.fixtures.browsing import Browser
from tests.fixtures.crown import Account, Crown
from tests.fixtures.organization import Organization
from tests.fixtures.patience import until
from tests.signin import people
from tests.signin.browser import signed_in
from tests.trail import logs

from crownkeep.audit import notes, redact, tlog_policy
from crownkeep.console.kit import acts
from crownkeep.console.pages.trail import lookups
from crownkeep.trail import proving

TRAIL = "/console/trail"


def event_page(browser: Browser, name: str) -> str:
    """Open the newest event of a name and return its page's text."""
    listed = browser.get(f"{TRAIL}?by=EventName&value={name}").response.text
    found = re.search(r"/console/trail/event\?id=[0-9a-f-]{36}", listed)
    assert found, browser.page.text
    return browser.get(found[0]).text


def values(account: Account) -> dict[str, str]:
    """Return a value for each attribute that finds the event of making the user bob."""
    made = next(record for record in account.records() if record["eventName"] == "CreateUser" and "bob" in str(record))
    return {
        "Username": "admin",
        "EventName": "CreateUser",
        "EventSource": "iam.amazonaws.com",
        "EventId": made["eventID"],
        "ReadOnly": "false",
        "ResourceName": "bob",
        "ResourceType": "AWS::IAM::User",
        "AccessKeyId": account.created["admin"]["access_key_id"],
    }


def test_each_attribute_of_a_lookup_finds_an_event(crown: Crown):
    account, browser = administrator(crown)
    account.client("iam").create_user(UserName="bob")
    by = values(account)

    found = {key: "CreateUser" in browser.get(f"{TRAIL}?by={key}&value={value}").text for key, value in by.items()}

    assert found == dict.fromkeys(lookups.ATTRIBUTES, True)


def test_a_lookup_that_matches_nothing_says_how_far_back_it_went(crown: Crown):
    _, browser = administrator(crown)

    page = browser.get(f"{TRAIL}?by=EventName&value=NoSuchThing")

    assert "Nothing in the last 90 days matches" in page.text


def test_a_sign_in_that_failed_is_not_told_as_done(crown: Crown):
    account, browser = administrator(crown)
    people.sign_in_user(Browser(crown), account.id, "carol", password="wrong")

    page = event_page(browser, "ConsoleLogin")

    assert "by the sign-in page, without MFA. It failed: Failed authentication." in page


def test_a_refusal_names_its_code_and_its_message(crown: Crown):
    account, browser = administrator(crown)
    with pytest.raises(Exception, match="AccessDenied"):
        account.user("eve").client("iam").delete_user(UserName="carol")

    page = event_page(browser, "DeleteUser")

    assert "The user eve called DeleteUser of iam.amazonaws.com" in page
    assert "It was refused with AccessDenied: User: arn:aws:iam::" in page


def test_what_root_did_shows_what_when_from_where_with_which_credentials_and_whether_with_mfa(crown: Crown):
    account, browser, _ = people.root_with_app(crown)
    account.root("iam").create_user(UserName="made-by-root")
    browser.get("/console")
    viewer = member(account, arn="arn:aws:iam::aws:policy/ReadOnlyAccess")

    page = viewer.get(f"{TRAIL}/root").text

    assert "CreateUser userName made-by-root" in page
    assert re.search(f"access key {account.created['root']['access_key_id']} Boto3/[0-9.]+ No Done", page)
    assert "the console a browser Yes Done" in page


def test_what_root_changed_can_be_told_from_what_it_looked_at(crown: Crown):
    account, browser = administrator(crown)
    account.root("iam").list_users()
    account.root("iam").create_user(UserName="made-by-root")

    page = browser.get(f"{TRAIL}/root?changes=1").text

    assert "CreateUser" in page
    assert "ListUsers" not in page


def test_a_session_that_the_organization_took_root_on_for_is_told_apart_from_root_itself(crown: Crown):
    organization = Organization(crown)
    organization.trust_iam("RootCredentialsManagement")
    account = organization.invited()
    account.root("iam").get_account_summary()
    organization.root_of(account.id, "IAMAuditRootUserCredentials").get_user()
    browser = member(account, arn="arn:aws:iam::aws:policy/ReadOnlyAccess")

    rows = re.findall(r"<tr>.*?</tr>", browser.get(f"{TRAIL}/root").response.text, re.DOTALL)

    answer = {name: next(row for row in rows if f">{name}</a>" in row) for name in ("GetUser", "GetAccountSummary")}
    assert "Taken on centrally" in answer["GetUser"]
    assert "Taken on centrally" not in answer["GetAccountSummary"]
    assert account.created["root"]["access_key_id"] in answer["GetAccountSummary"]
    words = event_page(browser, "GetUser")
    assert "The root user, taken on centrally by the organization, called GetUser of iam.amazonaws.com" in words
    assert "Root's own password and keys were not used" in words


def test_the_call_that_took_root_on_says_of_which_account_and_for_which_task(crown: Crown):
    organization = Organization(crown)
    organization.trust_iam("RootCredentialsManagement")
    target = organization.created()
    organization.root_of(target, "IAMAuditRootUserCredentials")
    browser = member(organization.management, arn="arn:aws:iam::aws:policy/ReadOnlyAccess")

    page = event_page(browser, "AssumeRoot")

    called = "The user admin called AssumeRoot of sts.amazonaws.com"
    assert f"{called}, to take on the root user of {target} for the task IAMAuditRootUserCredentials, on " in page


def test_the_person_whom_root_was_taken_on_for_is_named_where_the_record_says_it():
    context = {"assumedRoot": "true", "sourceIdentity": "Sue"}
    identity = {"type": "Root", "accountId": "111122223333", "sessionContext": context}
    record = {"eventID": "e", "eventName": "n", "eventSource": "s", "eventTime": "2026-11-24T00:00:00Z", "userIdentity": identity}

    act = acts.of(record)

    assert act.is_central
    assert "The root user, taken on centrally by the organization for Sue," == act.who


def test_markup_in_an_event_is_shown_as_text(crown: Crown):
    account, browser = administrator(crown)
    client = account.client("account")
    client.put_alternate_contact(
        AlternateContactType="SECURITY", Name=MARKUP, Title=MARKUP, EmailAddress="a@acme.example", PhoneNumber="+49 1"
    )

    page = event_page(browser, "PutAlternateContact")

    assert "PutAlternateContact" in page
    assert "<img src=x" not in browser.page.response.text


def test_what_a_record_hides_is_no_news_in_a_table():
    record = {
        "eventID": "1",
        "eventName": "CreateUser",
        "eventSource": "identitystore.amazonaws.com",
        "eventTime": "2026-11-30T10:00:00Z",
        "requestParameters": {"userName": redact.HIDDEN, "identityStoreId": "d-1", "displayName": redact.HIDDEN},
    }

    act = acts.of(record)

    assert "identityStoreId d-1" == act.about
    assert ("userName", redact.HIDDEN) in act.parameters


def test_an_event_without_an_identity_is_read_all_the_same():
    record = {"eventID": "e", "eventName": "n", "eventSource": "s", "eventTime": "2026-11-24T00:00:00Z", "userIdentity": None}

    act = acts.of(record)

    assert ("Somebody unknown", "no credentials", "Done") == (act.who, act.credentials, act.outcome)


def test_home_says_that_the_trail_is_verified_only_once_somebody_has_recorded_that(fresh_crown: Callable[..., Crown]):
    crown = fresh_crown()
    _, browser = administrator(crown)
    before = browser.get("/console").text
    logs.settled(crown)
    crown.operator("POST", "/trail/verifications", {"size": 1, "findings": 3})
    changed = browser.get("/console").text
    crown.operator("POST", "/trail/verifications", {"size": 1, "findings": 0})
    sound = browser.get("/console").text

    assert "Not verified in full yet" in before
    assert "Trail not as it was" in changed
    assert "3 things were NOT as recorded" in changed
    assert "Trail verified" in sound
    assert "all 1 records were as recorded" in browser.get(TRAIL).text


def test_the_proof_of_an_event_is_a_file_that_anybody_can_check(crown: Crown):
    account, browser = administrator(crown)
    account.client("iam").create_user(UserName="bob")
    record = next(each for each in account.records() if each["eventName"] == "CreateUser" and "bob" in str(each))
    offered = event_page_of(browser, record["eventID"])

    until(lambda: browser.get(offered).status == 200)

    trusted = tlog_policy.trusting([notes.read_key(key) for key in logs.vkeys(crown)])
    assert record == json.loads(proving.check(browser.page.response.body, trusted).record)
    assert f'attachment; filename="{record["eventID"]}.tlog-proof"' == browser.page.response.header("content-disposition")
    assert 404 == browser.get("/console/trail/proof?id=nothing").status


def event_page_of(browser: Browser, event_id: str) -> str:
    """Return where the page of an event offers its proof."""
    found = re.search(
        r'href="(/console/trail/proof\?id=[0-9a-f-]{36})"', browser.get(f"{TRAIL}/event?id={event_id}").response.text
    )
    assert found, browser.page.text
    return found[1]


def test_changes_come_first_and_reads_are_asked_for(crown: Crown):
    account = crown.account()
    iam, browser = account.client("iam"), signed_in(account, user="admin")
    iam.create_group(GroupName="staff")
    iam.list_groups()

    changes, everything = browser.get(TRAIL).text, browser.get(f"{TRAIL}?reads=1").text

    assert "CreateGroup" in changes
    assert "ListGroups" not in changes
    assert "ListGroups" in everything


def test_failures_alone_are_shown_with_their_outcome_and_saved_as_a_file_without_formulas(crown: Crown):
    account = crown.account()
    iam, browser = account.client("iam"), signed_in(account, user="admin")
    iam.create_group(GroupName="kept")
    with pytest.raises(ClientError):
        iam.create_group(GroupName="kept")

    page, file = browser.get(f"{TRAIL}?failed=1"), browser.get(f"{TRAIL}/download?failed=1")

    assert 'data-outcome="failed"' in page.text
    assert "EntityAlreadyExists" in page.text
    assert (file.header("content-type") or "").startswith("text/csv")
    assert 1 == file.text.count("EntityAlreadyExists")
    assert [] == [line for line in file.text.splitlines() if line.startswith(("=", "+", "-", "@"))]


def test_reads_that_drew_one_page_of_the_console_are_one_line_that_names_the_page(crown: Crown):
    browser = signed_in(crown.account(), user="admin")
    browser.get("/console/account")

    page = browser.get(f"{TRAIL}?reads=1").text

    assert re.search(r"Account settings: \d+ reads</summary><div[^>]*>Drawing /console/account<", page)


def console_read(name: str, request_id: str, at: str, path: str) -> acts.Act:
    """Return what the trail says of a read of the console."""
    return acts.of(
        {
            "eventID": f"{name} at {at}",
            "eventName": name,
            "eventSource": "iam.amazonaws.com",
            "eventTime": f"2026-11-24T00:{at}Z",
            "requestID": request_id,
            "readOnly": True,
            "sessionCredentialFromConsole": "true",
            "additionalEventData": {"consolePage": path},
        }
    )


def test_a_slow_page_s_reads_are_one_line_whatever_came_between_them_and_another_page_s_are_not():
    users, home = ("page-1", "/console/users/bob"), ("page-2", "/console")
    found = [
        console_read("ListUsers", users[0], "01:30", users[1]),
        console_read("GetAccountSummary", home[0], "01:20", home[1]),
        console_read("ListGroups", users[0], "00:10", users[1]),
    ]

    lines = lookups.gathered(found)

    assert [("Users", 2), ("Console home", 1)] == [(line.page, line.count) for line in lines]


def test_a_record_names_the_console_s_page_without_its_query_and_of_no_other_page(crown: Crown):
    account = crown.account()
    browser = signed_in(account, user="admin")
    browser.get("/console/users?name=secret-in-a-query")
    account.client("iam").list_groups()

    pages = {each["eventName"]: (each.get("additionalEventData") or {}).get("consolePage") for each in account.records()}

    assert ("/console/users", None) == (pages["DescribeUsers"], pages["ListGroups"])
    assert {None, "/console", "/console/users"} >= set(pages.values())


def test_a_lookup_is_kept_under_a_name_and_leads_back_to_itself(crown: Crown):
    browser = signed_in(crown.account(), user="admin")
    kept = {"name": "Who makes users", "by": "EventName", "value": "CreateUser", "reads": "1", "failed": ""}

    page = follow(browser, send(browser, TRAIL, f"{TRAIL}/keep", **kept))
    link = re.search(r'<a href="([^"]+)" aria-current="true">Who makes users</a>', page)
    assert link
    again = browser.get(unescape(link[1])).text
    assert "Remove Who makes users" in page
    gone = follow(browser, send(browser, TRAIL, f"{TRAIL}/forget", name="Who makes users"))

    assert 'value="CreateUser"' in again
    assert "Remove Who makes users" not in gone


def test_the_trail_is_followed_only_where_new_events_would_be_its_first(crown: Crown):
    _, browser = administrator(crown)

    assert "data-tail" in browser.get(TRAIL).response.text
    for query in ("by=EventName&value=CreateUser", "last=2099-01-01"):
        assert "data-tail" not in browser.get(f"{TRAIL}?{query}").response.text
