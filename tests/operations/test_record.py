"""What is kept of a request: whose trail it is in, who is named, what an error is called, and what a copy leaves out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.operations.inside import operation, request, session

from crownkeep import errors, models, services
from crownkeep.operations import record
from crownkeep.operations.call import Notes
from crownkeep.principals import Anonymous, FederatedIdentity, Operator, Principal, PrincipalKind
from crownkeep.storage.trail.events import EventRow

services.load()

ACCOUNT, OTHER = "111122223333", "444455556666"
BOB = Principal(PrincipalKind.USER, ACCOUNT, "AIDAX", "bob", "/", "AKIAX")
WEB_IDENTITY = "AssumeRoleWithWebIdentity"
ROLE: dict[str, object] = {"RoleArn": f"arn:aws:iam::{OTHER}:role/guest", "RoleSessionName": "visit"}


def kept(row: EventRow) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row.record)
    return found


def of_call(service: str, name: str, caller: Any, *, notes: Notes | None = None, error: Any = None, **more: Any) -> EventRow:
    asked = request(service, name, caller, more.pop("parameters", {}), **more)
    return record.of_call(asked, notes or Notes(), result={}, error=error, account_alias="")


def test_a_call_of_a_user_is_in_the_trail_of_its_account():
    row = of_call("iam", "CreateUser", BOB, parameters={"UserName": "eve"})

    assert (ACCOUNT, "iam.amazonaws.com", "CreateUser", "false", "bob", "AKIAX") == (
        row.account_id,
        row.source,
        row.name,
        row.read_only,
        row.username,
        row.access_key_id,
    )
    assert {"userName": "eve"} == kept(row)["requestParameters"]
    assert str(row.event_id) == kept(row)["eventID"]


def test_what_a_stranger_tried_is_in_no_tenants_trail_and_takes_little_room():
    asked = {"RoleArn": ROLE["RoleArn"], "RoleSessionName": "n" * 64, "WebIdentityToken": "t" * 20_000}

    row = of_call(
        "sts",
        WEB_IDENTITY,
        Anonymous(),
        parameters=asked,
        error=errors.AccessDenied("no"),
        notes=Notes(account_id=OTHER),
    )

    assert record.NOBODY == row.account_id
    assert len(row.record) < 2_000
    assert "tttt" not in row.record.decode()


def test_whom_an_identity_provider_vouched_for_is_in_the_accounts_trail_even_where_it_is_refused():
    ann = FederatedIdentity("WebIdentityUser", "idp.example:app:ann", "ann", "idp.example")
    notes = Notes(account_id=OTHER, federated=ann)

    row = of_call("sts", WEB_IDENTITY, Anonymous(), notes=notes, parameters=ROLE, error=errors.AccessDenied("no"))

    assert OTHER == row.account_id
    assert {
        "type": "WebIdentityUser",
        "principalId": "idp.example:app:ann",
        "userName": "ann",
        "identityProvider": "idp.example",
    } == (kept(row)["userIdentity"])


@pytest.mark.parametrize(("error", "trail"), [(None, OTHER), (errors.AccessDenied("no"), record.NOBODY)])
def test_what_the_operator_did_to_an_account_is_in_that_accounts_trail(error: Any, trail: str):
    row = of_call("operator", "CloseAccount", Operator(), notes=Notes(account_id=OTHER), error=error)

    assert trail == row.account_id


def test_a_copy_for_another_account_names_the_caller_by_account_and_id_alone():
    asked = request("sts", "AssumeRole", BOB, ROLE)

    own, copy = record.copies_of_call(asked, Notes(shared_with=OTHER), result={}, error=None, account_alias="harbour")

    assert (ACCOUNT, OTHER) == (own.account_id, copy.account_id)
    assert own.event_id != copy.event_id
    assert kept(own)["sharedEventID"] == kept(copy)["sharedEventID"]
    assert {"type": "AWSAccount", "principalId": "AIDAX", "accountId": ACCOUNT} == kept(copy)["userIdentity"]
    assert ("", "") == (copy.username, copy.access_key_id)
    assert [] == [word for word in ("bob", "AKIAX", "harbour") if word in copy.record.decode()]


@pytest.mark.parametrize("notes", [Notes(shared_with=""), Notes(shared_with=ACCOUNT)])
def test_nothing_is_copied_into_the_trail_of_ones_own(notes: Notes):
    assert 1 == len(
        record.copies_of_call(request("sts", "AssumeRole", BOB, ROLE), notes, result={}, error=None, account_alias="")
    )


def test_a_refusal_is_copied_to_nobody():
    asked = request("sts", "AssumeRole", BOB, ROLE)

    rows = record.copies_of_call(asked, Notes(shared_with=OTHER), result={}, error=errors.AccessDenied("no"), account_alias="")

    assert [ACCOUNT] == [row.account_id for row in rows]


@pytest.mark.parametrize(
    ("service", "error", "name"),
    [
        ("iam", errors.NoSuchEntity("no"), "NoSuchEntityException"),
        ("iam", errors.AccessDenied("no"), "AccessDenied"),
        ("ec2", errors.AccessDenied("no"), "Client.UnauthorizedOperation"),
        ("ec2", errors.SignatureDoesNotMatch("no"), "Client.AuthFailure"),
        (None, errors.AccessDenied("no"), "AccessDenied"),
    ],
)
def test_an_error_is_called_what_detection_rules_look_for(service: str | None, error: errors.AwsError, name: str):
    assert name == record.error_name(error, models.service(service) if service else None)


def test_an_answer_is_kept_only_of_what_was_carried_out():
    asked = request("iam", "CreateAccessKey", BOB, {"UserName": "eve"})
    answer = {"AccessKey": {"UserName": "eve", "AccessKeyId": "AKIAEVE", "SecretAccessKey": "s3cret", "Status": "Active"}}

    done = record.of_call(asked, Notes(), result=answer, error=None, account_alias="")
    refused = record.of_call(asked, Notes(), result=answer, error=errors.LimitExceeded("too many"), account_alias="")

    assert "AKIAEVE" in done.record.decode()
    assert "s3cret" not in done.record.decode()
    assert None is kept(refused).get("responseElements")
    assert ("LimitExceededException", "too many") == (kept(refused)["errorCode"], kept(refused)["errorMessage"])


def test_a_record_has_the_id_that_its_handler_was_told():
    noted = Notes(event_id="01890000-0000-7000-8000-000000000001")

    row = of_call("iam", "CreateUser", BOB, notes=noted, parameters={"UserName": "eve"})

    assert noted.event_id == str(row.event_id)


def test_an_event_of_sign_in_names_the_person_and_not_the_session():
    at_browser = Principal(PrincipalKind.USER, ACCOUNT, "AIDAX", "bob", access_key_id="ASIAX", session=session(from_console=True))
    of_role = Principal(PrincipalKind.ROLE, ACCOUNT, "AROAX", "guest", access_key_id="ASIAX", session=session(name="visit"))

    person, role = record.as_person(at_browser), record.as_person(of_role)

    assert (None, "") == (person.session, person.access_key_id)
    assert of_role == role


def test_a_member_s_root_user_is_marked_as_taken_on_in_the_record_of_that_too():
    by_session = Principal(PrincipalKind.USER, ACCOUNT, "AIDAX", "bob", access_key_id="ASIAX", session=session(mfa_serial="m"))

    row = of_call("sts", "AssumeRoot", by_session, notes=Notes(assumed_root=True), parameters={"TargetPrincipal": OTHER})

    assert "true" == kept(row)["userIdentity"]["sessionContext"]["assumedRoot"]


def test_an_operation_that_reads_is_recorded_as_one():
    assert ["true", "false"] == [of_call("iam", name, BOB).read_only for name in ("ListUsers", "DeleteAccountAlias")]
    assert operation("iam", "ListUsers").is_read_only
