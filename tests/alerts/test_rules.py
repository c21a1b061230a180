"""Rules: what somebody must hear of, and that looking for it costs nothing where nobody must."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crownkeep import ids
from crownkeep.alerts import built_in, detectors, observer
from crownkeep.alerts.filters import compile_filter
from crownkeep.alerts.rule_set import RuleSet
from crownkeep.storage.trail.events import EventRow

RULES = RuleSet(built_in.RULES.values())
NAMES = sorted({name for rule in built_in.RULES.values() if rule.filter for name in rule.filter.event_names or ()})
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ROOT = {"type": "Root", "accountId": "111122223333", "arn": "arn:aws:iam::111122223333:root"}
TAKEN_ON = ROOT | {"sessionContext": {"assumedRoot": "true"}}
OPERATOR = {"type": "AWSService", "invokedBy": "crownkeep operator"}
ASKED = "Somebody asks for permissions in the account, or has been given them"
WEAK = "The password policy is weaker than the CIS benchmark asks for"
USER = {"type": "IAMUser", "accountId": "111122223333", "userName": "root"}


def event(
    name: str, identity: dict[str, Any], *, username: str = "root", account: str = "111122223333", **record: Any
) -> EventRow:
    content = {"eventName": name, "userIdentity": identity, "requestParameters": None, "responseElements": None, **record}
    event_id = ids.event_id(NOON, bytes(10))
    return EventRow(account, event_id, NOON, "x.amazonaws.com", name, "false", username, "", json.dumps(content).encode())


def policy(**asked: int) -> EventRow:
    return event("UpdateAccountPasswordPolicy", USER, eventSource="iam.amazonaws.com", requestParameters=asked)


def attached(policy_arn: str) -> EventRow:
    return event("AttachUserPolicy", USER, eventSource="iam.amazonaws.com", requestParameters={"policyArn": policy_arn})


def says(row: EventRow) -> str | None:
    fired = RULES.fired(row)
    return fired[0].subject if fired else None


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (event("ConsoleLogin", ROOT, responseElements={"ConsoleLogin": "Success"}), "The root user signed in"),
        (
            event("ConsoleLogin", ROOT, responseElements={"ConsoleLogin": "Failure"}, errorMessage="Failed authentication"),
            "Somebody failed to sign in as the root user",
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
        (event("ListUsers", ROOT, eventType="AwsApiCall"), "The root user's access key was used"),
        (event("CreateUser", ROOT, eventType="AwsApiCall", errorCode="AccessDenied"), "The root user's access key was used"),
        (event("GetUser", TAKEN_ON, eventType="AwsApiCall"), "The organization acts as the root user"),
        (event("DeleteLoginProfile", TAKEN_ON, errorCode="AccessDenied"), "The organization acts as the root user"),
        (event("AssumeRoot", USER), "The organization took on the root user for a task"),
        (
            event("PutContactInformation", USER, eventSource="account.amazonaws.com"),
            "The primary contact of the account was changed",
        ),
        (event("CloseAccount", ROOT), "The account was closed"),
        (
            event("LeaveOrganization", USER, eventSource="organizations.amazonaws.com"),
            "An account left the organization",
        ),
        (event("DetachPolicy", USER, eventSource="organizations.amazonaws.com"), "A policy of the organization no longer binds"),
        (event("SwitchOffAlertRule", OPERATOR, username=""), "The operator switched an alert off"),
        (event("DeleteAlertReceiver", USER), "The recipients of the account's alerts were changed"),
        (event("SilenceAlertRule", OPERATOR), "The recipients of the account's alerts were changed"),
        (event("StopLogging", USER, eventSource="cloudtrail.amazonaws.com"), "A trail of the account was stopped or deleted"),
        (event("PutEventSelectors", USER, eventSource="cloudtrail.amazonaws.com"), "A trail of the account was changed"),
        (event("DeactivateMFADevice", USER, requestParameters={"userName": "bob"}), "Somebody's MFA device was removed"),
        (event("DeleteAccountPasswordPolicy", USER, eventSource="iam.amazonaws.com"), WEAK),
        (policy(minimumPasswordLength=8, passwordReusePrevention=24), WEAK),
        (policy(minimumPasswordLength=14), WEAK),
        (attached("arn:aws:iam::aws:policy/AdministratorAccess"), "Somebody was made an administrator"),
        (event("CreateDelegationRequest", USER, requestParameters={"ownerAccountId": "2"}), ASKED),
        (event("AssociateDelegationRequest", USER), ASKED),
        (
            event("SetQuota", OPERATOR, username="", readOnly=False),
            "The operator of this server changed something in the account",
        ),
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
        # For whoever takes it up: it concerns nobody yet.
        event("CreateDelegationRequest", USER),
        event("CreateAccessKey", ROOT, requestParameters={"userName": "bob"}),
        event("CreateAccessKey", ROOT, errorCode="LimitExceeded", errorMessage="no"),
        event("EnableMFADevice", ROOT, requestParameters={"userName": "bob"}),
        event("PutAlternateContact", USER, errorCode="AccessDenied", errorMessage="no"),
        event("PasswordRecoveryRequested", ROOT, errorMessage="Rate exceeded"),
        event("ListUsers", ROOT),
        event("CreateLoginProfile", ROOT, requestParameters={"userName": "root"}),
        event("EnableAWSServiceAccess", USER, username="bob", requestParameters={"servicePrincipal": "sso.amazonaws.com"}),
        event("ListUsers", ROOT, eventType="AwsApiCall", sessionCredentialFromConsole="true"),
        event("GetAccount", OPERATOR, username="", readOnly=True),
        event("SilenceAlertRule", USER, errorCode="AccessDeniedException"),
        policy(minimumPasswordLength=14, passwordReusePrevention=24),
        attached("arn:aws:iam::aws:policy/ReadOnlyAccess"),
    ],
)
def test_an_event_that_does_not_matter_is_not_told(row: EventRow):
    assert says(row) is None


@pytest.mark.parametrize(("name", "username"), [("CreateUser", "root"), ("CreateAccessKey", "bob"), ("AssumeRole", "")])
def test_the_record_of_an_ordinary_request_is_not_even_read(name: str, username: str):
    row = event(name, USER, username=username)
    unreadable = EventRow(row.account_id, row.event_id, NOON, row.source, name, "false", username, "", b"not JSON")

    assert [] == RULES.fired(unreadable)


JSON = st.recursive(
    st.none() | st.booleans() | st.text(max_size=20),
    lambda inner: st.dictionaries(st.sampled_from(["userName", "accessKey", "certificate", "omitted", "x"]), inner, max_size=4),
    max_leaves=8,
)
ELEMENTS = st.none() | st.dictionaries(st.sampled_from(["userName", "accessKey", "certificate", "serialNumber", "omitted"]), JSON)


@given(st.sampled_from(NAMES), ELEMENTS, ELEMENTS, st.sampled_from([ROOT, TAKEN_ON, USER, {"type": "Unknown"}, {}]))
def test_no_record_makes_a_rule_raise_for_that_would_refuse_the_request(
    name: str, asked: dict[str, Any] | None, answered: dict[str, Any] | None, identity: dict[str, Any]
):
    row = event(name, identity, requestParameters=asked, responseElements=answered)

    RULES.fired(row)

    assert isinstance(observer.detail(json.loads(row.record)), str)


def test_every_rule_says_what_to_do_and_fits_a_subject():
    every = built_in.RULES.values()

    assert [] == [rule.name for rule in every if len(rule.subject) > 75 or rule.subject.endswith(".") or not rule.advice]


def test_every_rule_about_root_contacts_alerts_and_the_trail_is_protected():
    named = ("root-", "alternate-contact", "primary-contact", "alert", "trail-", "receiver-", "account-closed", "operator-")

    assert [] == [rule.name for rule in built_in.RULES.values() if rule.name.startswith(named) and not rule.is_protected]


def test_no_use_of_root_is_ever_summed_up_before_it_is_a_flood():
    used = [name for name in built_in.RULES if name.startswith("root-") and name not in ABOUT_STRANGERS]

    assert [] == [name for name in used if not built_in.RULES[name].is_critical]


ABOUT_STRANGERS = {"root-sign-in-failed", "root-password-recovery-requested"}
"""What anybody can bring about who knows root's address, as often as they like."""


def written(document: object, name: str = "PutRolePolicy", **record: Any) -> EventRow:
    text = document if isinstance(document, str) else json.dumps({"Version": "2012-10-17", "Statement": document})
    return event(name, USER, requestParameters={"policyDocument": text}, **record)


ALL: dict[str, Any] = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@pytest.mark.parametrize(
    "row",
    [
        written(ALL),
        written([{"Effect": "Deny", "Action": "*", "Resource": "*"}, ALL | {"Action": ["s3:GetObject", "IAM:*"]}]),
        written({"Effect": "Allow", "NotAction": "s3:*", "NotResource": "arn:aws:s3:::x"}, "CreatePolicyVersion"),
    ],
)
def test_a_policy_that_makes_an_administrator_is_told(row: EventRow):
    assert detectors.makes_administrator(row)


@pytest.mark.parametrize(
    "row",
    [
        written(ALL | {"Resource": "arn:aws:s3:::x/*"}),
        written(ALL | {"Action": "s3:*"}),
        written(ALL | {"Effect": "Deny"}),
        written(ALL, errorCode="AccessDenied"),
        written(ALL, "GetRolePolicy"),
        written("not JSON"),
        written('["*"]'),
        event("PutUserPolicy", USER),
    ],
)
def test_a_policy_that_makes_no_administrator_is_not_told(row: EventRow):
    assert not detectors.makes_administrator(row)


@pytest.mark.parametrize(
    "pattern",
    [
        '{ $.errorCode = "Refused*" }',
        "{ $.errorCode EXISTS }",
        '{ $.awsRegion = "eu-*" && $.errorCode != "x" }',
        "{ $.requestParameters.flag IS TRUE }",
        "{ $.requestParameters.note IS NULL }",
        "{ $.requestParameters.count >= 3 }",
        "{ $.requestParameters.count = 3 || $.errorMessage EXISTS }",
        "{ $.requestParameters['odd \u00e9'] = 1 }",
        "{ $.requestParameters.list[1] = b }",
        "{ $.nowhere NOT EXISTS && $.errorCode = %^Ref% }",
    ],
)
def test_a_rule_of_any_event_is_looked_for_in_every_record_that_it_matches(pattern: str):
    asked = {"flag": True, "note": None, "count": 3, "odd \u00e9": 1, "list": ["a", "b"]}
    row = event("CreateUser", USER, requestParameters=asked, errorCode="RefusedHere", awsRegion="eu-west-1")
    made = replace(built_in.RULES["mfa-removed"], pattern=pattern, filter=compile_filter(pattern))

    assert [made] == RuleSet([made]).fired(row)
