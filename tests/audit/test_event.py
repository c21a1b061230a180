"""CloudTrail's record: its fields, its limits, and who it says was asking."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.audit import facts as shared
from tests.audit.facts import ACCOUNT, BOB, NOON, SESSION

from crownkeep.audit import event
from crownkeep.principals import Anonymous, Principal, PrincipalKind

ROOT = Principal(PrincipalKind.ROOT, ACCOUNT, ACCOUNT, access_key_id="AKIAROOT")
FACTS = replace(
    shared.FACTS,
    api_version="2010-05-08",
    parameters={"userName": "carol"},
    response={"user": {"userName": "carol"}},
)


def test_a_record_has_cloudtrails_fields_in_cloudtrails_order() -> None:
    fields = list(event.record(FACTS))

    assert [
        "eventVersion",
        "userIdentity",
        "eventTime",
        "eventSource",
        "eventName",
        "awsRegion",
        "sourceIPAddress",
        "userAgent",
        "requestParameters",
        "responseElements",
        "requestID",
        "eventID",
        "readOnly",
        "eventType",
        "apiVersion",
        "managementEvent",
        "recipientAccountId",
        "eventCategory",
    ] == fields


def test_a_time_is_written_in_utc_to_the_second() -> None:
    record = event.record(FACTS)

    assert record["eventTime"] == "2026-11-24T12:00:00Z"


def test_a_refusal_names_its_code_and_message() -> None:
    record = event.record(replace(FACTS, error_code="AccessDenied", error_message="no", response=None))

    assert ("AccessDenied", "no", None) == (record["errorCode"], record["errorMessage"], record["responseElements"])


@pytest.mark.parametrize(
    ("caller", "expected"),
    [
        (ROOT, {"type": "Root", "principalId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root", "accessKeyId": "AKIAROOT"}),
        (
            BOB,
            {"type": "IAMUser", "principalId": "AIDABOB", "arn": f"arn:aws:iam::{ACCOUNT}:user/division/bob", "userName": "bob"},
        ),
        (
            Principal(PrincipalKind.ROLE, ACCOUNT, "AROAX", "deployer", "/", "ASIAX", SESSION),
            {"type": "AssumedRole", "principalId": "AROAX:deploy", "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/deploy"},
        ),
        (
            Principal(PrincipalKind.FEDERATED_USER, ACCOUNT, "AIDABOB", "bob", "/", "ASIAX", SESSION),
            {"type": "FederatedUser", "principalId": f"{ACCOUNT}:deploy", "arn": f"arn:aws:sts::{ACCOUNT}:federated-user/deploy"},
        ),
        (Anonymous(), {"type": "AWSAccount", "accountId": "ANONYMOUS_PRINCIPAL"}),
        (None, {"type": "Unknown"}),
    ],
)
def test_the_identity_says_who_asked(caller: Principal | None, expected: dict[str, str]) -> None:
    identity = event.identity(caller)

    assert expected.items() <= identity.items()


def test_root_is_called_by_the_accounts_alias_where_there_is_one() -> None:
    assert event.identity(ROOT, "acme")["userName"] == "acme"
    assert "userName" not in event.identity(ROOT)


def test_a_session_with_a_second_factor_is_marked_so() -> None:
    with_factor = replace(BOB, session=replace(SESSION, mfa_serial="arn:mfa", mfa_at=NOON))

    context = event.identity(with_factor)["sessionContext"]

    assert {"creationDate": "2026-11-24T12:00:00Z", "mfaAuthenticated": "true"} == context["attributes"]  # type: ignore[index]


def test_a_role_session_names_the_role_that_issued_it() -> None:
    holder = Principal(PrincipalKind.ROLE, ACCOUNT, "AROAX", "deployer", "/ci/", "ASIAX", SESSION)

    context = event.identity(holder)["sessionContext"]

    assert {
        "type": "Role",
        "principalId": "AROAX",
        "arn": f"arn:aws:iam::{ACCOUNT}:role/ci/deployer",
        "accountId": ACCOUNT,
        "userName": "deployer",
    } == context["sessionIssuer"]  # type: ignore[index]


def test_what_a_browser_does_is_marked_as_the_consoles() -> None:
    caller = replace(BOB, session=replace(SESSION, from_console=True))

    assert event.record(replace(FACTS, caller=caller))["sessionCredentialFromConsole"] == "true"
    assert "sessionCredentialFromConsole" not in event.record(FACTS)


@pytest.mark.parametrize(("caller", "name"), [(ROOT, "root"), (BOB, "bob"), (None, ""), (Anonymous(), "")])
def test_lookups_find_an_event_by_the_callers_name(caller: Principal | None, name: str) -> None:
    assert name == event.username(caller)


def test_huge_parameters_cannot_bloat_the_trail() -> None:
    record = event.record(replace(FACTS, parameters={"policyDocument": "x" * 200_000}))

    assert record["requestParameters"]["reason"] == "event_size_exceeds_limit"  # type: ignore[index]
    assert len(event.encode(record)) < 2_000


def test_a_huge_user_agent_cannot_bloat_the_trail() -> None:
    record = event.record(replace(FACTS, user_agent="x" * 50_000, error_code="E", error_message="m" * 50_000))

    assert 1024 == len(str(record["userAgent"])) == len(str(record["errorMessage"]))


@given(st.text(st.characters(categories=None)))
def test_whatever_text_a_client_sends_a_record_can_be_kept_and_read(text: str) -> None:
    record = event.record(replace(FACTS, parameters={"userName": text}, user_agent=text))

    read = json.loads(event.encode(record))

    assert "CreateUser" == read["eventName"]
