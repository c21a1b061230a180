"""Sealed acts: done only once enough custodians have approved exactly this, by exactly this caller, once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from botocore.exceptions import ClientError
from tests.credentials.soft_authenticator import SoftAuthenticator
from tests.fixtures import custody
from tests.fixtures.crown import Account, Crown
from tests.fixtures.custody import Custody, key_row
from tests.fixtures.nodes import Nodes, at_once
from tests.fixtures.organization import Organization, allow
from tests.fixtures.single_sign_on import SingleSignOn
from tests.fixtures.statements import given

from crownkeep.credentials import approval_proofs
from crownkeep.credentials.approval_requests import ApprovalDecision
from crownkeep.domain.approvals import enrolment, sessions
from crownkeep.operations import sealed_acts
from crownkeep.services.approvals import decisions
from crownkeep.storage.approvals import approver_keys, approvers, teams

RULE = {"Name": "users-made", "Pattern": '{ $.eventName = "CreateUser" }'}
ACT = "alerts:PutAlertRule"


class Story:
    """An account of which alert rules are sealed, its administrator, and the custodians."""

    def __init__(self, crown: Crown, **options: Any) -> None:
        self.account: Account = crown.account()
        self.team: Custody = custody.seat(crown, self.account.id, **options)
        self.team.seal(what=["alerts"])
        self.alerts = self.account.client("alerts")
        self.asking = self.account.client("approvals")
        self.ann, self.bob, self.cid = self.team.people

    def ask(self, **options: Any) -> str:
        wanted = {"Action": ACT, "Parameters": json.dumps(RULE), "Reason": "watch users"}
        return str(self.asking.request_approval(**{**wanted, **options})["Request"]["RequestId"])

    def state(self, request_id: str) -> str:
        return str(self.asking.get_request(RequestId=request_id)["Request"]["State"])

    def is_refused(self, **changes: Any) -> bool:
        return "is sealed (alerts)" in refused(self.alerts.put_alert_rule, **{**RULE, **changes})


@pytest.fixture
def story(crown: Crown) -> Story:
    return Story(crown)


def refused(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return str(caught.value.response["Error"]["Message"])


def test_a_sealed_act_takes_the_approval_of_two_for_exactly_it_and_once(story: Story) -> None:
    answer = refused(story.alerts.put_alert_rule, **RULE)
    request_id = story.ask()
    story.team.approve(story.ann, request_id)
    after_one = story.is_refused()
    approved = story.team.approve(story.bob, request_id)
    other = story.is_refused(Name="users-gone")
    story.alerts.put_alert_rule(**RULE)

    assert "RequestApproval of the service `approvals`" in answer
    assert after_one
    assert other
    assert "approved" == approved["State"]
    assert story.is_refused()
    assert "used" == story.state(request_id)
    record = next(each for each in story.account.records() if each["eventName"] == "PutAlertRule" and "errorCode" not in each)
    assert request_id == record["additionalEventData"]["approvalRequestId"]


def test_the_trail_keeps_each_vote_with_its_assertion_and_the_proof_is_verified_offline(story: Story) -> None:
    request_id = story.ask(Ticket="OPS-1")
    story.team.approve(story.ann, request_id)
    story.team.approve(story.cid, request_id)

    proof = approval_proofs.read(story.asking.get_request(RequestId=request_id)["Proof"].encode())

    assert {"ann", "cid"} == {each.name for each in approval_proofs.verify(proof)}
    assert ("OPS-1", ACT) == (proof.request.ticket, proof.request.action)
    kept = [each["additionalEventData"] for each in story.account.records() if each["eventName"] == "Approve"]
    assert {story.ann.identity, story.cid.identity} == {each["approver"] for each in kept}
    assert {vote.assertion.document()["signature"] for vote in proof.votes} == {
        each["approvalAssertion"]["signature"] for each in kept
    }


def test_nobody_approves_twice_nor_with_an_assertion_for_something_else(story: Story) -> None:
    request_id, other = story.ask(), story.ask(Reason="another")
    approvals = story.team.crown.session(None, "approvals")
    replayed = story.team.answer(story.ann, request_id)
    approvals.approve(RequestId=request_id, Assertion=replayed)
    turned = story.team.answer(story.bob, request_id, ApprovalDecision.REFUSE)

    assert "already" in refused(approvals.approve, RequestId=request_id, Assertion=replayed)
    assert "proves no decision" in refused(approvals.approve, RequestId=other, Assertion=replayed)
    assert "proves no decision" in refused(approvals.approve, RequestId=request_id, Assertion=turned)
    assert "proves no decision" in refused(approvals.approve, RequestId=request_id, Assertion="[]")
    assert story.is_refused()


def test_a_person_whom_the_directory_has_disabled_decides_nothing_by_a_key_they_still_have(story: Story, crown: Crown) -> None:
    sso = SingleSignOn(crown)
    user = sso.user("ann")
    whose = f"person:{sso.store['IdentityStoreId']}/{user}"
    story.team.change(lambda db: approvers.change(db, story.team.team_id, story.ann.approver_id, identity=whose))
    story.team.change(
        lambda db: [
            approver_keys.change(db, each.key_id, identity=whose) for each in approver_keys.of_identity(db, story.ann.identity)
        ]
    )
    directory = sso.management.client("sso-directory")
    first, second = story.ask(), story.ask()
    story.team.approve(story.ann, first)
    story.team.approve(story.bob, first)
    answer = story.team.answer(story.ann, second)

    directory.disable_user(**sso.store, UserId=user)

    approve = story.team.crown.session(None, "approvals").approve
    assert story.is_refused(), "the vote from before counts for nothing meanwhile"
    assert "of nobody in the team" in refused(approve, RequestId=second, Assertion=answer)
    directory.enable_user(**sso.store, UserId=user)
    story.alerts.put_alert_rule(**RULE)


def test_a_key_of_nobody_in_the_team_decides_nothing(story: Story, crown: Crown) -> None:
    outsider = custody.seat(crown, story.account.id).people[0]
    request_id = story.ask()

    answer = story.team.answer(story.ann, request_id, device=outsider.device)

    assert "nobody in the team" in refused(crown.session(None, "approvals").approve, RequestId=request_id, Assertion=answer)


def test_an_approval_is_void_once_a_key_is_revoked_or_somebody_left_or_the_team_changed(story: Story) -> None:
    def approved() -> str:
        request_id = story.ask()
        for person in (story.ann, story.bob):
            story.team.approve(person, request_id)
        return request_id

    first = approved()
    story.team.change(lambda db: approver_keys.remove_all(db, story.bob.identity))
    assert "void" == story.state(first)
    assert story.is_refused()
    fresh = SoftAuthenticator(story.bob.device.rp_id, story.bob.device.origin, credential_id=b"bob's new key")
    party = enrolment.party(story.team.crown.settings)
    story.team.change(lambda db: approver_keys.add(db, key_row(story.bob, fresh, party, datetime.now(UTC))))
    answer = story.team.answer(story.bob, story.ask(), device=fresh)
    assert answer  # a key enrolled after a request was made does not decide on it
    story.team.change(lambda db: teams.change(db, story.team.team_id, version_id="f" * 32))
    assert story.is_refused()
    story.team.change(lambda db: teams.change(db, story.team.team_id, version_id=story.team.version_id))
    story.team.change(lambda db: approvers.invalidate(db, story.ann.identity))
    assert story.is_refused()


def test_a_key_enrolled_after_the_request_does_not_decide_on_it(story: Story) -> None:
    request_id = story.ask()
    fresh = SoftAuthenticator(story.ann.device.rp_id, story.ann.device.origin, credential_id=request_id.encode())
    row = key_row(story.ann, fresh, enrolment.party(story.team.crown.settings), datetime.now(UTC) + timedelta(seconds=1))
    story.team.change(lambda db: approver_keys.add(db, row))

    answer = story.team.answer(story.ann, request_id, device=fresh)

    approvals = story.team.crown.session(None, "approvals")
    assert "enrolled after" in refused(approvals.approve, RequestId=request_id, Assertion=answer)


def test_two_refusals_of_three_end_a_request_and_one_does_not(story: Story) -> None:
    request_id = story.ask()

    one = story.team.refuse(story.ann, request_id)
    two = story.team.refuse(story.bob, request_id)

    assert ("waiting", "refused") == (one["State"], two["State"])
    assert story.is_refused()


@pytest.mark.parametrize(
    ("action", "parameters"),
    [
        (ACT, '{"Name": "\\ud800"}'),
        (ACT, '{"Name": {"\\ud800": 1}}'),
        (ACT, '{"Name": "a\\u0000b"}'),
        (ACT, '{"Name": {"\\u0000": 1}}'),
        (ACT, '{"Name": ' + "[" * 40 + "]" * 40 + "}"),
        (ACT, '{"Name": ' + "[" * 900 + "]" * 900 + "}"),
        (ACT, '{"Name": ' + "9" * 5000 + "}"),
        ("sts:AssumeRoot", '{"TargetPrincipal": "\\ud800"}'),
        ("organizations:CloseAccount", '{"AccountId": "1\\u0000"}'),
        ("cloudtrail:DeleteTrail", '{"Name": "\\u0000"}'),
    ],
)
def test_denial_of_service_parameters_that_nobody_could_sign_or_keep_are_refused_and_no_fault(
    story: Story, action: str, parameters: str
) -> None:
    with pytest.raises(ClientError) as caught:
        story.asking.request_approval(Action=action, Parameters=parameters, Reason="x")

    assert "ValidationException" == caught.value.response["Error"]["Code"]


def test_a_stranger_and_another_user_neither_cancel_nor_stall_a_request(story: Story) -> None:
    """The attacks on Vault's single slot (CVE-2026-5807): starting, cancelling and crowding out without being asked."""
    crown, account = story.team.crown, story.account
    request_id = story.ask()
    other = account.user(
        "mallory", policy={"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    )
    anonymous, mallory = crown.session(None, "approvals"), other.client("approvals")

    with pytest.raises(ClientError):
        anonymous.cancel_request(RequestId=request_id)
    with pytest.raises(ClientError):
        anonymous.request_approval(Action=ACT, Reason="me first")
    assert "whoever has asked" in refused(mallory.cancel_request, RequestId=request_id)
    for _ in range(20):
        mallory.request_approval(Action=ACT, Parameters=json.dumps(RULE), Reason="crowding")
    assert "20 of your requests are open" in refused(mallory.request_approval, Action=ACT, Reason="one more")
    for person in (story.ann, story.bob):
        story.team.approve(person, request_id)

    assert "is sealed" in refused(other.client("alerts").put_alert_rule, **RULE)
    story.alerts.put_alert_rule(**RULE)


def test_many_requesters_push_neither_a_first_request_nor_the_named_one_off_a_custodians_page(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Crowding out by many principals: each has few requests open, and all together fill what a custodian is shown."""
    monkeypatch.setattr(decisions, "_MOST_SHOWN", 4)
    request_id = story.ask()
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    for name in ("mallory", "mary", "max", "mo", "moll"):
        client = story.account.user(name, policy=everything).client("approvals")
        for number in range(2):
            client.request_approval(Action=ACT, Parameters=json.dumps(RULE), Reason=f"{name} {number}")
    by_operator = story.team.crown.operator(
        "POST",
        f"/accounts/{story.account.id}/approval-requests",
        {"action": "operator:DeleteAlertReceiver", "parameters": json.dumps({"account_id": story.account.id}), "reason": "old"},
    ).json()["request_id"]
    for number in range(5):
        story.ask(Reason=f"again {number}")

    shown = story.team.listed(story.ann)
    named = story.team.listed(story.ann, RequestId=request_id)

    assert [4, by_operator] == [len(shown), shown[0]["RequestId"]]
    assert 4 == len({each["Requester"] for each in shown})
    assert [5, request_id] == [len(named), named[0]["RequestId"]]
    assert [] == [each for each in story.team.listed(story.ann, RequestId="0" * 32) if each["RequestId"] == "0" * 32]


def test_asking_and_cancelling_again_and_again_floods_no_custodians_mailbox(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MOST_WITHIN_HOUR", 3)
    for _ in range(3):
        story.asking.cancel_request(RequestId=story.ask())

    assert "times within an hour" in refused(
        story.asking.request_approval, Action=ACT, Parameters=json.dumps(RULE), Reason="more"
    )


def test_a_change_of_the_team_that_its_requester_cancels_bars_no_other_change(story: Story) -> None:
    mpa, wanted = story.account.client("mpa"), {"Arn": story.team.arn, "Description": "Another."}
    mpa.update_approval_team(**wanted)
    asked = mpa.get_approval_team(Arn=story.team.arn)["UpdateSessionArn"].rpartition("/")[2]

    story.asking.cancel_request(RequestId=asked)
    mpa.update_approval_team(**wanted)
    again = mpa.get_approval_team(Arn=story.team.arn)["UpdateSessionArn"].rpartition("/")[2]
    for person in (story.ann, story.bob):
        story.team.approve(person, again)

    assert "Another." == mpa.get_approval_team(Arn=story.team.arn)["Description"]
    assert "there is nothing to cancel" in refused(story.asking.cancel_request, RequestId=again)


def test_the_requester_cancels_and_nothing_approved_before_can_be_used(story: Story) -> None:
    request_id = story.ask()
    for person in (story.ann, story.bob):
        story.team.approve(person, request_id)

    story.asking.cancel_request(RequestId=request_id)

    assert "cancelled" == story.state(request_id)
    assert story.is_refused()


def test_alone_after_a_delay_unless_anybody_vetoes(fresh_crown: Callable[..., Crown]) -> None:
    story = Story(fresh_crown(), alone_after_hours=24)
    quiet, vetoed = story.ask(Hours=48), story.ask(Hours=48, Parameters=json.dumps({**RULE, "Name": "other"}))
    story.team.refuse(story.cid, vetoed)
    now = datetime.now(UTC)

    with time_machine.travel(now + timedelta(hours=23)):
        assert story.is_refused()
    with time_machine.travel(now + timedelta(hours=25)):
        assert story.is_refused(Name="other")
        story.alerts.put_alert_rule(**RULE)
        assert "used" == story.state(quiet)
        assert story.is_refused()


def test_an_approval_that_is_not_used_in_time_is_over(fresh_crown: Callable[..., Crown]) -> None:
    story = Story(fresh_crown())
    request_id = story.ask(Hours=1)
    for person in (story.ann, story.bob):
        story.team.approve(person, request_id)

    with time_machine.travel(datetime.now(UTC) + timedelta(hours=2)):
        assert story.is_refused()
        assert "expired" == story.state(request_id)


def test_central_root_of_a_sealed_member_is_taken_on_with_approval_and_linked_to_it(crown: Crown) -> None:
    organization = Organization(crown)
    organization.trust_iam("RootCredentialsManagement", "RootSessions")
    member = organization.invited()
    team = custody.seat(crown, member.id)
    team.seal(what=["root-sessions"])
    sts, asking = organization.management.client("sts"), organization.management.client("approvals")
    task = {"arn": "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"}
    wanted = {"TargetPrincipal": member.id, "TaskPolicyArn": task}

    assert "is sealed (root-sessions)" in refused(sts.assume_root, **wanted)
    asked = asking.request_approval(Action="sts:AssumeRoot", Parameters=json.dumps(wanted), Reason="yearly audit")["Request"]
    for person in team.people[:2]:
        team.approve(person, asked["RequestId"])
    taken = sts.assume_root(**wanted)["Credentials"]
    crown.session(taken, "iam").get_account_summary()

    assert "is sealed (root-sessions)" in refused(sts.assume_root, **wanted)
    done = next(each for each in member.records() if each["eventName"] == "GetAccountSummary")
    assert asked["RequestId"] == done["userIdentity"]["sessionContext"]["approvalRequestId"]


def test_an_administrator_alone_switches_no_guard_off(crown: Crown) -> None:
    account = crown.account()
    custody.seat(crown, account.id).seal(what=["guardrails"])
    client = account.client("account-security")
    client.update_last_way_in_guard(Enabled=True)

    assert "is sealed (guardrails)" in refused(client.update_last_way_in_guard, Enabled=False)
    assert client.get_last_way_in_guard()["Enabled"]


def test_an_administrator_alone_attaches_no_policy_that_would_widen_what_members_may_do(crown: Crown) -> None:
    organization = Organization(crown)
    member = organization.invited()
    organization.bind(allow("iam:List*"), member.id)
    custody.seat(crown, organization.management.id).seal(what=["attach-policies"])
    everything = {"PolicyId": "p-FullAWSAccess", "TargetId": member.id}

    organization.client.detach_policy(**everything)

    assert "is sealed (attach-policies)" in refused(organization.client.attach_policy, **everything)


def test_a_custodian_of_several_seals_is_removed_with_the_approval_of_the_oldest(crown: Crown) -> None:
    accounts = [crown.account() for _ in range(3)]
    teams_of = [custody.seat(crown, each.id) for each in accounts]
    shared = teams_of[1].people[0]
    teams_of[2].change(
        lambda db: approvers.change(db, teams_of[2].team_id, teams_of[2].people[0].approver_id, identity=shared.identity)
    )
    for each, what in zip(teams_of, (["operator"], ["alerts"], ["operator"]), strict=True):
        each.seal(what=what)

    answers = [
        crown.operator("DELETE", f"/custodians/{each}") for each in (shared.custodian_id, teams_of[1].people[1].custodian_id)
    ]

    assert [403, 204] == [each.status for each in answers]
    assert f"account {accounts[2].id} is sealed (operator)" in answers[0].text


def test_a_bucket_of_a_sealed_trail_is_not_taken_away_by_one_operator(crown: Crown) -> None:
    account, other = crown.account(), crown.account()
    custody.seat(crown, account.id).seal(what=["trail"])
    for each in (account, other):
        assert 201 == crown.operator("POST", "/trail-buckets", {"name": f"logs-{each.id}", "account_id": each.id}).status

    answers = [crown.operator("DELETE", f"/trail-buckets/logs-{each.id}") for each in (account, other)]

    assert [403, 200] == [each.status for each in answers]
    assert f"account {account.id} is sealed (trail)" in answers[0].text


def test_the_sealing_key_is_rotated_with_the_approval_of_the_oldest_seal_that_covers_it(
    fresh_crown: Callable[..., Crown],
) -> None:
    crown = fresh_crown()
    accounts = [crown.account() for _ in range(3)]
    before = crown.operator("POST", "/key-rotations", {})
    for each, what in zip(accounts, (["alerts"], ["operator"], ["operator"]), strict=True):
        custody.seat(crown, each.id).seal(what=what)

    answer = crown.operator("POST", "/key-rotations", {})

    assert (204, 403) == (before.status, answer.status)
    assert f"account {accounts[1].id} is sealed (operator)" in answer.text


def test_auditors_find_every_operation_that_a_seal_covers_in_the_document() -> None:
    text = (Path(__file__).parents[3] / "docs" / "sealed-root.md").read_text(encoding="utf-8")
    rows = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `")}
    rows["unseal"] = text.partition("Three acts are sealed wherever there is a seal")[2].partition("\n\n")[0]

    missing = [
        name
        for name, found in sealed_acts.OPERATIONS.items()
        if not re.search(rf"[`:]{name.partition(':')[2]}`", rows[found.act.value])
    ]

    assert [] == missing


def test_an_account_without_a_seal_pays_one_look_for_what_can_be_sealed_and_none_for_anything_else(crown: Crown) -> None:
    account = crown.account()
    iam, alerts = account.client("iam"), account.client("alerts")
    iam.list_users()
    about = ("seals", "approval_sessions", "approval_votes", "approver_keys", "approval_team")

    with given() as free:
        iam.create_user(UserName="ann")
        iam.list_users()
        alerts.list_alert_rules()
    with given() as sealable:
        alerts.put_alert_rule(**RULE)

    assert [] == [each.text for each in free if any(f"FROM {table}" in each.text for table in about)]
    looks = [each.text for each in sealable if any(f"FROM {table}" in each.text for table in about)]
    assert len(looks) <= 1, looks
    assert all("FROM seals" in each for each in looks), looks


def test_a_seal_refuses_teams_that_could_not_act(crown: Crown) -> None:
    account = crown.account()
    keyless = custody.seat(crown, account.id)
    keyless.change(lambda db: [approver_keys.remove_all(db, each.identity) for each in keyless.people[:2]])
    inactive = custody.seat(crown, account.id)
    inactive.change(lambda db: teams.change(db, inactive.team_id, status="INACTIVE"))
    single = custody.seat(crown, account.id, least=1)

    answers = [
        crown.operator("PUT", f"/accounts/{account.id}/seal", {"team_arn": each.arn}) for each in (keyless, inactive, single)
    ]

    assert [409, 409, 409] == [each.status for each in answers]
    assert 404 == crown.operator("GET", f"/accounts/{account.id}/seal").status


def test_a_team_that_seals_an_account_is_not_deleted(story: Story) -> None:
    mpa, keeper = story.account.client("mpa"), custody.seat(story.team.crown, story.account.id)
    mpa.start_active_approval_team_deletion(Arn=keeper.arn)
    asked = mpa.get_approval_team(Arn=keeper.arn)["UpdateSessionArn"].rpartition("/")[2]
    keeper.seal(story.team.crown.account().id)
    for person in keeper.people[:2]:
        keeper.approve(person, asked)

    answer = refused(mpa.start_active_approval_team_deletion, Arn=story.team.arn)
    since = mpa.get_approval_team(Arn=keeper.arn)

    assert "The team seals an account." in answer
    assert ("ACTIVE", "DELETE_FAILED_VALIDATION") == (since["Status"], since["StatusCode"])


def test_a_team_that_seals_an_account_is_not_changed_into_one_that_could_not_act(story: Story) -> None:
    mpa, three = story.account.client("mpa"), {"MofN": {"MinApprovalsRequired": 3}}
    mpa.update_approval_team(Arn=story.team.arn, ApprovalStrategy=three)
    asked = mpa.get_approval_team(Arn=story.team.arn)["UpdateSessionArn"].rpartition("/")[2]
    story.team.change(lambda db: approver_keys.remove_all(db, story.cid.identity))
    for person in (story.ann, story.bob):
        story.team.approve(person, asked)

    found = mpa.get_approval_team(Arn=story.team.arn)
    answer = refused(mpa.update_approval_team, Arn=story.team.arn, ApprovalStrategy=three)

    assert ("ACTIVE", {"MofN": {"MinApprovalsRequired": 2}}) == (found["Status"], found["ApprovalStrategy"])
    assert "UPDATE_FAILED_VALIDATION" == found["PendingUpdate"]["StatusCode"]
    assert "too few of its approvers" in answer


def test_an_account_whose_team_seals_another_is_not_purged(crown: Crown) -> None:
    keeper, account = crown.account(), crown.account()
    custody.seat(crown, keeper.id).seal(account.id)

    answer = crown.operator("DELETE", f"/accounts/{keeper.id}")

    assert (409, True) == (answer.status, account.id in answer.text)


def test_two_nodes_use_an_approval_once(nodes: Nodes) -> None:
    crown = nodes.crowns[0]
    team = custody.seat(crown, nodes.account.id)
    team.seal(what=["alerts"])
    asking = nodes.account.client("approvals")
    request_id = asking.request_approval(Action=ACT, Parameters=json.dumps(RULE), Reason="once")["Request"]["RequestId"]
    for person in team.people[:2]:
        team.approve(person, request_id)

    ended = at_once(*(lambda client=client: client.put_alert_rule(**RULE) for client in nodes.clients(4, service="alerts")))

    assert 1 == ended.count("")
