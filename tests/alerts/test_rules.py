"""Rules: what somebody must hear of, and that looking for it costs nothing where nobody must."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crownkeep import ids
from crownkeep.alerts import rules
from crownkeep.storage.trail.events import EventRow

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ROOT = {"type": "Root", "accountId": "111122223333", "arn": "arn:aws:iam::111122223333:root"}
TAKEN_ON = ROOT | {"sessionContext": {"assumedRoot": "true"}}
USER = {"type": "IAMUser", "accountId": "111122223333", "userName": "root"}


def event(
    name: str, identity: dict[str, Any], *, username: str = "root", account: str = "111122223333", **record: Any
) -> EventRow:
    content = {"userIdentity": identity, "requestParameters": None, "responseElements": None, **record}
    event_id = ids.event_id(NOON, bytes(10))
    return EventRow(account, event_id, NOON, "x.amazonaws.com", name, "false", username, "", json.dumps(content).encode())


def says(row: EventRow) -> str | None:
    heard = rules.heard(row)
    return heard.rule.says if heard else None


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (event("ConsoleLogin", ROOT, responseElements={"ConsoleLogin": "Success"}), "The root user signed in"),
        (
            event("ConsoleLogin", ROOT, responseElements={"ConsoleLogin": "Failure"}, errorMessage="Failed authentication"),
            "Somebody failed to sign in as the root user several times",
        ),
        (event("CreateAccessKey", ROOT), "The root user got an access key"),
        (event("CreateAccessKey", ROOT, requestParameters={"userName": "root"}), "The root user got an access key"),
        (event("EnableMFADevice", ROOT, requestParameters={"userName": "111122223333"}), "The root user got a new MFA device"),
        (
            event("DeactivateMFADevice", ROOT, requestParameters={"serialNumber": "x"}),
            "An MFA device of the root user was removed",
        ),
        (event("ChangePassword", ROOT), "The root user's password was changed"),
        (event("DeactivateMFADevice", TAKEN_ON), "The organization removed an MFA device of the root user"),
        (event("DeleteAccessKey", TAKEN_ON), "The organization deleted an access key of the root user"),
        (event("DeleteLoginProfile", TAKEN_ON), "The organization took the root user's password away"),
        (event("DeleteSigningCertificate", TAKEN_ON), "The organization deleted a signing certificate of the root user"),
        (event("CreateLoginProfile", TAKEN_ON), "The organization lets the root user recover its password"),
        (
            event("EnableAWSServiceAccess", USER, username="bob", requestParameters={"servicePrincipal": "iam.amazonaws.com"}),
            "IAM got trusted access in the organization",
        ),
        (event("EnableOrganizationsRootSessions", USER, username="bob"), "Members' root users can now be taken on for tasks"),
        (event("PutAlternateContact", USER, username="bob"), "An alternate contact of the account was set"),
    ],
)
def test_an_event_that_matters_is_told(row: EventRow, said: str):
    assert said == says(row)


@pytest.mark.parametrize(
    "row",
    [
        event("ConsoleLogin", USER, responseElements={"ConsoleLogin": "Success"}),
        event(
            "ConsoleLogin", USER, username="", responseElements={"ConsoleLogin": "Failure"}, errorMessage="Failed authentication"
        ),
        event("CreateAccessKey", USER),
        event("CreateAccessKey", ROOT, requestParameters={"userName": "bob"}),
        event("CreateAccessKey", ROOT, errorCode="LimitExceeded", errorMessage="no"),
        event("EnableMFADevice", ROOT, requestParameters={"userName": "bob"}),
        event("PutAlternateContact", USER, errorCode="AccessDenied", errorMessage="no"),
        event("PasswordRecoveryRequested", {"type": "Unknown"}, username="", account=""),
        event("PasswordRecoveryRequested", ROOT, errorMessage="Rate exceeded"),
        event("ListUsers", ROOT),
        event("CreateLoginProfile", ROOT, requestParameters={"userName": "root"}),
        event("DeleteLoginProfile", TAKEN_ON, errorCode="AccessDenied", errorMessage="no"),
        event("EnableAWSServiceAccess", USER, username="bob", requestParameters={"servicePrincipal": "sso.amazonaws.com"}),
    ],
)
def test_an_event_that_does_not_matter_is_not_told(row: EventRow):
    assert says(row) is None


@pytest.mark.parametrize(("name", "username"), [("CreateUser", "root"), ("CreateAccessKey", "bob"), ("AssumeRole", "")])
def test_the_record_of_an_ordinary_request_is_not_even_read(name: str, username: str):
    row = event(name, USER, username=username)
    unreadable = EventRow(row.account_id, row.event_id, NOON, row.source, name, "false", username, "", b"not JSON")

    assert rules.heard(unreadable) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.text(max_size=20),
    lambda inner: st.dictionaries(st.sampled_from(["userName", "accessKey", "certificate", "omitted", "x"]), inner, max_size=4),
    max_leaves=8,
)
ELEMENTS = st.none() | st.dictionaries(st.sampled_from(["userName", "accessKey", "certificate", "serialNumber", "omitted"]), JSON)


@given(st.sampled_from(sorted(rules.RULES)), ELEMENTS, ELEMENTS, st.sampled_from([ROOT, TAKEN_ON, USER, {"type": "Unknown"}, {}]))
def test_no_record_makes_a_rule_raise_for_that_would_refuse_the_request(
    name: str, asked: dict[str, Any] | None, answered: dict[str, Any] | None, identity: dict[str, Any]
):
    row = event(name, identity, requestParameters=asked, responseElements=answered)

    heard = rules.heard(row)

    assert heard is None or isinstance(rules.detail(heard.record), str)


def test_every_rule_says_what_to_do_and_fits_a_subject():
    every = [rule for each in rules.RULES.values() for rule in each]

    assert [] == [rule.says for rule in every if len(rule.says) > 70 or rule.says.endswith(".") or not rule.advice]
