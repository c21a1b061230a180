"""What if on the pages: what was recorded is decided again before a change is made, within bounds."""

from __future__ import annotations

import json
import re
import threading
import time
from typing import Any
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError
from tests.console.members import ADMINISTRATOR, administrator
from tests.console.members import member as signed_in
from tests.fixtures.crown import Account, Crown, Crowns
from tests.fixtures.organization import FULL, SCP, Organization, allow

from crownkeep.console.pages.simulation import control_changes
from crownkeep.console.pages.simulation import what_if as what_if_page
from crownkeep.gateway.shares import Shares
from crownkeep.principals import Principal
from crownkeep.services.trail import recorded

ALLOW_IAM = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*"}]}
DENY_IAM = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "iam:ListUsers", "Resource": "*"}]}


@pytest.fixture
def crown(crowns: Crowns) -> Crown:
    return crowns.shared("sqlite")


def asked(browser: Any, **given: str) -> str:
    browser.get("/console/what-if?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in given.items()))
    return str(browser.page.text)


def test_a_key_a_policy_and_a_boundary_are_tried_before_anything_is_changed(crown: Crown):
    account, browser = administrator(crown)
    worker = account.user(
        "worker", policy={"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*"}]}
    )
    worker.client("iam").list_users()
    worker.client("iam").list_users()
    key = worker.credentials.access_key_id
    made = account.client("iam").create_policy(PolicyName="none", PolicyDocument=json.dumps(DENY_IAM))["Policy"]["Arn"]
    before = {record["eventID"] for record in account.records()}

    without_key = asked(browser, change="delete-key", key=key)
    without_policy = asked(browser, change="remove-policy", policy="inline", principal=worker.arn)
    bounded = asked(browser, change="set-boundary", holder=worker.arn, boundary=made)

    assert ["this would have denied 2 calls by 1 principal"] * 3 == [
        "this would have denied 2 calls by 1 principal" if "this would have denied 2 calls by 1 principal" in each else each
        for each in (without_key, without_policy, bounded)
    ]
    assert "iam:ListUsers" in bounded
    new = [record for record in account.records() if record["eventID"] not in before]
    assert {True} == {record["readOnly"] for record in new}
    assert {"ListRecordedEvents", "GetAccountAuthorizationDetails"} <= {record["eventName"] for record in new}


def test_a_group_and_root_s_own_credentials_are_tried_before_anything_is_changed(crown: Crown):
    account, browser = administrator(crown)
    worker, iam = account.user("worker"), account.client("iam")
    group = iam.create_group(GroupName="team")["Group"]["Arn"]
    iam.put_group_policy(GroupName="team", PolicyName="inline", PolicyDocument=json.dumps(ALLOW_IAM))
    iam.add_user_to_group(GroupName="team", UserName="worker")
    worker.client("iam").list_users()
    account.root("iam").list_users()
    told = "this would have denied 1 call by 1 principal"

    without_policy = asked(browser, change="remove-policy", policy="inline", principal=group)
    left = asked(browser, change="leave-group", user=worker.arn, group="team")
    without_root = asked(browser, change="root-off")
    nothing = asked(browser, change="leave-group", user=worker.arn, group="unheard-of")

    assert [True] * 3 == [told in each for each in (without_policy, left, without_root)]
    assert "The user gets nothing through this group." in nothing
    assert "change=leave-group" in browser.get("/console/users/worker?tab=groups").response.text
    assert "what-if?principal=" in browser.get("/console/groups/team").response.text


def test_an_answer_that_stops_at_its_bound_says_so(crown: Crown, monkeypatch: pytest.MonkeyPatch):
    account, browser = administrator(crown)
    for _ in range(4):
        account.client("iam").list_users()
    monkeypatch.setattr(recorded, "MOST_EVENTS", 3)

    text = asked(browser, change="delete-key", key=account.created["admin"]["access_key_id"])

    assert "of 3 events that were looked at" in text
    assert "There are older ones within 90 days, which were not looked at" in text


def test_heavy_questions_of_one_account_are_decided_on_where_accounts_take_turns_and_take_from_its_share(
    crown: Crown, monkeypatch: pytest.MonkeyPatch
):
    """On the threads that checkpoints are signed on, a few such pages would keep the whole installation waiting."""
    account, browser = administrator(crown)
    threads, charged = [], []
    ask, charge = what_if_page._ask, Shares.charge

    def slow(*given: Any) -> Any:
        threads.append(threading.current_thread().name)
        began = time.thread_time()
        while time.thread_time() - began < 0.2:
            pass
        return ask(*given)

    def charging(shares: Shares, principal: Principal, seconds: float) -> None:
        if principal.account_id == account.id:
            charged.append(seconds)
        charge(shares, principal, seconds)

    monkeypatch.setattr(what_if_page, "_ask", slow)
    monkeypatch.setattr(Shares, "charge", charging)

    asked(browser, change="delete-key", key=account.created["admin"]["access_key_id"])

    assert [True] == [each.startswith("long-read") for each in threads]
    assert max(charged) >= 0.2


def test_what_can_not_be_answered_is_said(crown: Crown):
    account, browser = administrator(crown)

    assert "Name the access key." in asked(browser, change="delete-key")
    assert "Nobody whom you named has this policy." in asked(browser, change="remove-policy", policy="unheard-of")
    assert "The policy can't be read." in asked(
        browser, change="set-boundary", holder=f"arn:aws:iam::{account.id}:user/admin", boundary="arn:aws:iam::aws:policy/none"
    )


def test_a_manager_sees_members_events_since_they_joined_and_nobody_else_s(crown: Crown):
    organization = Organization(crown)
    member, stranger = crown.account(), crown.account()
    member.client("iam").list_roles()
    trail = organization.management.client("trail")
    with pytest.raises(ClientError, match="AccessDenied"):
        trail.list_recorded_events(AccountId=member.id)
    member.client("organizations").accept_handshake(HandshakeId=organization.invite(member))
    member.client("iam").list_users()
    made = organization.client.create_policy(Name=f"no-{member.id}", Description="x", Type=SCP, Content=json.dumps(DENY_IAM))

    names = [
        json.loads(each["CloudTrailEvent"])["eventName"] for each in trail.list_recorded_events(AccountId=member.id)["Events"]
    ]

    assert ("ListUsers" in names, "ListRoles" in names) == (True, False)
    for one, other in ((stranger, member), (member, organization.management)):
        with pytest.raises(ClientError, match="AccessDenied"):
            one.client("trail").list_recorded_events(AccountId=other.id)
    assert policy_answer(organization, member, made["Policy"]["PolicySummary"]["Id"])


def test_a_control_policy_for_a_unit_or_the_root_is_tried_in_the_accounts_below(crown: Crown, monkeypatch: pytest.MonkeyPatch):
    organization = Organization(crown)
    unit = organization.unit("outer")
    inner = organization.unit("inner", under=unit)
    members = [organization.invited(under=unit), organization.invited(under=inner), organization.invited()]
    for each in (*members, organization.management):
        each.client("iam").list_users()
    policy_id = organization.policy(DENY_IAM)
    browser = signed_in(organization.management, arn=ADMINISTRATOR)

    answers = [asked(browser, change="attach-scp", policy=policy_id, target=each) for each in (inner, unit, organization.root_id)]
    empty = asked(browser, change="attach-scp", policy=policy_id, target=organization.unit("empty"))
    monkeypatch.setattr(control_changes, "_MOST_ACCOUNTS", 1)
    bounded = asked(browser, change="attach-scp", policy=policy_id, target=unit)

    calls = ["1 call by 1 principal", "2 calls by 2 principals", "3 calls by 3 principals"]
    assert [True] * 3 == [f"this would have denied {said}" in each for said, each in zip(calls, answers, strict=True)]
    assert "You can see no account below it" in empty
    assert "2 accounts below were looked at." in answers[1]
    assert "1 account below was looked at; there are more" in bounded
    organization.attach(policy_id, unit)
    for each, is_denied in zip(members, (True, True, False), strict=True):
        assert is_denied is is_refused(each)


def test_what_detaching_a_control_policy_or_moving_an_account_would_have_denied_is_denied_once_it_is_done(crown: Crown):
    organization = Organization(crown)
    strict, loose = organization.unit("strict"), organization.unit("loose")
    member = organization.invited(under=loose)
    alone, others = organization.bind(allow("iam:*"), loose), organization.bind(allow("organizations:*"), loose)
    organization.attach(others, strict)
    for unit in (loose, strict):
        organization.detach(FULL, unit)
    member.client("iam").list_users()
    browser = signed_in(organization.management, arn=ADMINISTRATOR)
    back = {"policy": alone, "target": loose}

    review = browser.get(f"/console/organization/policies/detach?policy={alone}&target={loose}").text
    detached = asked(browser, change="detach-scp", **back)
    moved = asked(browser, change="move-account", account=member.id, target=strict)
    to_root = asked(browser, change="move-account", account=member.id, target=organization.root_id)
    elsewhere = asked(browser, change="detach-scp", policy=alone, target=strict)

    assert "What would this have denied?" in review
    for answer in (detached, moved):
        assert "this would have denied 1 call by 1 principal" in answer
        assert "iam:ListUsers" in answer
        assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", answer)
        assert not re.search(r"\d{4}-\d\d-\d\dT\d\d:", answer)
    assert "this would have denied 0 calls" in to_root
    assert "The policy is not attached there." in elsewhere
    assert not is_refused(member)
    organization.move(member.id, to=strict)
    assert is_refused(member)
    organization.move(member.id, to=loose)
    organization.detach(alone, loose)
    assert is_refused(member)


def is_refused(account: Account) -> bool:
    try:
        account.client("iam").list_users()
    except ClientError:
        return True
    return False


def policy_answer(organization: Organization, member: Account, policy_id: str) -> bool:
    """Ask as an administrator of the management account what the policy would have denied in the member."""
    browser = signed_in(organization.management, arn=ADMINISTRATOR)
    text = asked(browser, change="attach-scp", policy=policy_id, target=member.id)
    return "this would have denied 1 call by 1 principal" in text and "iam:ListUsers" in text
