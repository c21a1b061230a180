"""A policy out of recorded use: it denies nothing that was recorded, allows little more, and is small enough."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.advisor.accounts import Account as Evidenced
from tests.advisor.test_what_if import Subject, document, event
from tests.fixtures.crown import Crowns

from crownkeep.advisor import entities, least_privilege, policy_sets
from crownkeep.advisor.least_privilege import NothingRecorded
from crownkeep.advisor.recorded import RecordedEvent
from crownkeep.advisor.view import View
from crownkeep.policy import Applicable, PolicyKind, PolicyPrincipal, PolicyPrincipalKind, PolicyRequest, PolicySource, authorize

ANN = "arn:aws:iam::1:user/ann"
keys = st.text(alphabet="ab/*?${}:é ", min_size=1, max_size=12)


def did(name: str, source: str = "s3", **parameters: Any) -> RecordedEvent:
    return event(eventSource=f"{source}.amazonaws.com", eventName=name, requestParameters=parameters or None)


def may(policy: Any, action: str, resource: str = "*") -> bool:
    policies = policy_sets.of([(PolicySource(PolicyKind.IDENTITY, "x"), json.dumps(policy))])
    request = PolicyRequest(PolicyPrincipal(PolicyPrincipalKind.USER, ANN, "1"), action, resource)
    return authorize(request, Applicable(identity=policies)).allowed


@example([("GetObject", key) for key in (":", "?", "a", "/", "*", "::", ":::", "::::", ":::::")])
@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(("GetObject", "PutObject", "DeleteObject")), keys), min_size=1, max_size=25))
def test_replay_denies_nothing_and_other_buckets_stay_closed(uses: list[tuple[str, str]]):
    found = least_privilege.propose([did(name, bucketName="b", key=key) for name, key in uses], ANN)

    assert () == found.denied
    assert not any(may(found.document, f"s3:{name}", "arn:aws:s3:::other/k") for name, _ in uses)
    assert not may(found.document, "s3:PutBucketPolicy", "arn:aws:s3:::b")


def test_few_resources_are_named_one_by_one_and_a_star_in_a_name_is_only_a_star():
    found = least_privilege.propose(
        [did("GetObject", bucketName="b", key="a*"), did("GetObject", bucketName="b", key="${x}")], ANN
    )

    assert not may(found.document, "s3:GetObject", "arn:aws:s3:::b/ab")
    assert may(found.document, "s3:GetObject", "arn:aws:s3:::b/a*")


def test_many_resources_pay_for_a_pattern_of_their_folder():
    found = least_privilege.propose([did("GetObject", bucketName="b", key=f"logs/{number}") for number in range(50)], ANN)

    assert ["arn:aws:s3:::b/logs/*"] == [each["Resource"] for each in found.document["Statement"]]


def test_reading_actions_go_under_their_verb_where_that_lets_nobody_write_and_what_it_adds_is_counted():
    names = ("GetRole", "GetGroup", "GetPolicy", "GetPolicyVersion", "GetInstanceProfile", "GetAccountSummary")
    reading = [did(name, "iam") for name in names]

    found = least_privilege.propose([*reading, did("CreateUser", "iam", userName="bob")], ANN)

    assert ["iam:Get*"] == list(found.wildcards)
    assert found.wildcards["iam:Get*"] > 10
    assert may(found.document, "iam:GetSAMLProvider")
    assert not may(found.document, "iam:CreateUser", "arn:aws:iam::1:user/eve")


def test_a_policy_of_much_use_is_small_enough():
    found = least_privilege.propose(
        [did("GetObject", bucketName=f"bucket-{number % 40}", key=f"{number}/{number}") for number in range(4_000)], ANN
    )

    assert found.size <= least_privilege.LARGEST
    assert () == found.denied


def test_what_is_taken_away_is_counted():
    account = Evidenced()
    known = entities.of(View(account.evidence()))
    ann = next(each.arn for each in known.users if each.name == "ann")
    identity = {"type": "IAMUser", "arn": ann, "accountId": ann.split(":")[4], "userName": "ann", "accessKeyId": "AKIAX"}

    found = least_privilege.propose([event(userIdentity=identity)], ann, known)

    assert found.taken is not None
    assert found.taken.before > 10_000
    assert (1, True) == (found.taken.after, "iam" in found.taken.services)


def test_what_nobody_did_makes_no_policy():
    with pytest.raises(NothingRecorded):
        least_privilege.propose([event(errorCode="AccessDenied"), event(eventName="ConsoleLogin", eventSource="signin.x")], "x")


def test_a_user_with_the_proposed_policy_alone_can_do_what_it_did(crowns: Crowns):
    account = crowns.shared("sqlite").account()
    account.client("iam").create_user(UserName="target", Path="/a/b/")
    account.client("iam").create_group(GroupName="team")
    subject = Subject(account, all=document([{"Effect": "Allow", "Action": "*", "Resource": "*"}]))
    before = subject.allowed()
    found = least_privilege.propose(subject.events(), subject.user.arn, subject.known())

    account.client("iam").put_user_policy(UserName=subject.user.name, PolicyName="all", PolicyDocument=json.dumps(found.document))

    assert before == subject.allowed()
    assert not may(found.document, "iam:CreateUser")
