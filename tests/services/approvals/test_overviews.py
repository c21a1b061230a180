"""What an account's people see of its custody, and what was done by a request: their own alone, with few queries."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.fixtures import custody, statements
from tests.fixtures.crown import Crown
from tests.fixtures.organization import Organization

from crownkeep.domain.approvals import proving
from crownkeep.domain.approvals.custody import REHEARSED_WITHIN
from crownkeep.storage.approvals import approver_keys, approvers, sessions
from crownkeep.storage.database import Database

RULE = {"Name": "users-made", "Pattern": '{ $.eventName = "CreateUser" }'}


def test_an_account_sees_its_own_seal_teams_and_tokens_and_no_other_account_s(crown: Crown) -> None:
    account, other = crown.account(), crown.account()
    team = custody.seat(crown, account.id)
    team.seal(what=["alerts"])
    token = {"serial": f"S{account.id}", "model": "Acme", "vault": "north", "envelope": "7", "holder": "root"}
    crown.operator("POST", "/hardware-tokens", {**token, "account_id": account.id})
    mine, theirs = account.client("approvals"), other.client("approvals")

    assert (team.arn, ["alerts"]) == (mine.get_seal()["Seal"]["TeamArn"], mine.get_seal()["Seal"]["What"])
    assert "Seal" not in theirs.get_seal()
    assert [("ann", True), ("bob", True), ("cid", True)] == [
        (each["Name"], each["IsAble"]) for each in mine.list_teams()["Teams"][0]["Approvers"]
    ]
    assert [f"S{account.id}"] == [each["Serial"] for each in mine.list_tokens()["Tokens"]]
    assert ([], []) == (theirs.list_teams()["Teams"], theirs.list_tokens()["Tokens"])


def test_an_account_sealed_under_a_team_of_another_account_sees_who_can_approve(crown: Crown) -> None:
    account, keeper = crown.account(), crown.account()
    team = custody.seat(crown, keeper.id)
    team.seal(account.id)

    assert [team.arn] == [each["Arn"] for each in account.client("approvals").list_teams()["Teams"]]


def test_keys_in_one_persons_hands_people_who_are_gone_and_lapsed_rehearsals_are_told(crown: Crown) -> None:
    account = crown.account()
    team = custody.seat(crown, account.id, at=datetime.now(UTC) - REHEARSED_WITHIN - timedelta(days=1))
    _, bob, cid = team.people
    team.change(lambda db: approver_keys.remove_all(db, bob.identity))
    team.change(lambda db: approver_keys.remove_all(db, cid.identity))
    team.change(lambda db: approvers.invalidate(db, cid.identity))

    found = account.client("approvals").list_teams()["Teams"][0]

    assert (1, False, 0) == (found["Able"], found["CanAct"], found["MayBeMissing"])
    message = " ".join(found["Remarks"])
    for part in ("too few people", "one person's hands", "cid is gone", "bob has no security key", "ann has not rehearsed"):
        assert part in message


def test_requests_are_described_with_as_many_queries_as_one(crown: Crown) -> None:
    account = crown.account()
    team = custody.seat(crown, account.id)
    team.seal(what=["alerts"])
    asking = account.client("approvals")
    ids = [
        asking.request_approval(Action="alerts:PutAlertRule", Parameters=json.dumps(RULE), Reason=f"reason {number}")["Request"][
            "RequestId"
        ]
        for number in range(4)
    ]
    for person in team.people[:2]:
        team.approve(person, ids[0])

    listed = {each["RequestId"]: each for each in asking.list_requests()["Requests"]}
    one, all_of_them = _queries(crown, ids[:1]), _queries(crown, ids)

    assert ["approved", *["waiting"] * 3] == [listed[each]["State"] for each in ids]
    assert {"ann", "bob", "cid"} == set(listed[ids[1]]["Asked"])
    assert 6 == one == all_of_them


def _queries(crown: Crown, ids: list[str]) -> int:
    database = Database(crown.settings.database_url)
    with database.snapshot() as db:
        rows = [row for each in ids if (row := sessions.with_id(db, each)) is not None]
        with statements.given(here=True) as seen:
            proving.describe_each(db, rows, now=datetime.now(UTC))
    database.close()
    return len(seen)


def test_everything_done_in_an_approved_session_of_root_is_in_its_report_and_nothing_else(crown: Crown) -> None:
    organization = Organization(crown)
    organization.trust_iam("RootCredentialsManagement", "RootSessions")
    member = organization.invited()
    team = custody.seat(crown, member.id)
    team.seal(what=["root-sessions"])
    sts, asking = organization.management.client("sts"), organization.management.client("approvals")
    wanted = {
        "TargetPrincipal": member.id,
        "TaskPolicyArn": {"arn": "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"},
    }
    asked = asking.request_approval(Action="sts:AssumeRoot", Parameters=json.dumps(wanted), Reason="audit")["Request"]
    for person in team.people[:2]:
        team.approve(person, asked["RequestId"])
    taken = crown.session(sts.assume_root(**wanted)["Credentials"], "iam")
    taken.get_account_summary()
    with pytest.raises(ClientError):
        taken.list_users()
    member.client("iam").list_roles()

    report = member.client("approvals").get_request_report(RequestId=asked["RequestId"])["Report"]
    whole = crown.operator("GET", f"/approval-requests/{asked['RequestId']}/report").json()

    assert [("Approve", "ceremony"), ("Approve", "ceremony")] == _parts(report, "ceremony")
    assert [("GetAccountSummary", "session"), ("ListUsers", "session")] == _parts(report, "session")
    assert ["AccessDenied"] == [each["ErrorCode"] for each in report["Events"] if "ErrorCode" in each]
    assert {"RequestApproval", "AssumeRoot"} <= {each["event_name"] for each in whole["events"]}
    assert "ListRoles" not in json.dumps(whole)
    assert report["IsComplete"]


def _parts(report: dict[str, Any], part: str) -> list[tuple[str, str]]:
    return [(each["EventName"], each["Part"]) for each in report["Events"] if each["Part"] == part]


def test_another_account_reads_no_report(crown: Crown) -> None:
    account, other = crown.account(), crown.account()
    custody.seat(crown, account.id).seal(what=["alerts"])
    asking = account.client("approvals")
    asked = asking.request_approval(Action="alerts:PutAlertRule", Parameters=json.dumps(RULE), Reason="x")["Request"]

    with pytest.raises(ClientError, match="there is no request"):
        other.client("approvals").get_request_report(RequestId=asked["RequestId"])
