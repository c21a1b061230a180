"""Managed policies on users and groups: in force at once, gone at once, within AWS's quotas."""

from __future__ import annotations

import json

import pytest
from tests.services.iam.policy_documents import ADMINISTRATOR, READ_ONLY, document, refusal

LIST_USERS = document("iam:ListUsers")


@pytest.fixture
def iam(account):
    return account.client("iam")


@pytest.fixture(params=["user", "group"])
def kind(request):
    return request.param


@pytest.fixture
def holder(iam, kind):
    """An entity's calls by their names without the kind, bound to a fresh one."""
    name = {f"{kind.capitalize()}Name": "holder"}
    getattr(iam, f"create_{kind}")(**name)

    def call(verb, **parameters):
        return getattr(iam, verb.format(kind))(**name, **parameters)

    return call


def make(iam, name, **options):
    return iam.create_policy(PolicyName=name, PolicyDocument=LIST_USERS, **options)["Policy"]["Arn"]


def test_what_is_attached_is_listed_by_name(iam, holder):
    arns = [make(iam, name, Path=path) for name, path in (("b", "/z/"), ("C", "/"), ("a", "/z/y/"))]
    for arn in (*arns, READ_ONLY):
        holder("attach_{}_policy", PolicyArn=arn)

    listed = holder("list_attached_{}_policies")

    assert listed["IsTruncated"] is False
    assert ["a", "b", "C", "ReadOnlyAccess"] == [each["PolicyName"] for each in listed["AttachedPolicies"]]
    assert {"PolicyName": "ReadOnlyAccess", "PolicyArn": READ_ONLY} == listed["AttachedPolicies"][-1]


def test_the_list_can_be_limited_by_path_and_comes_in_pages(iam, holder):
    for name, path in (("a", "/"), ("b", "/team/"), ("c", "/team/x/"), ("d", "/teammates/")):
        holder("attach_{}_policy", PolicyArn=make(iam, name, Path=path))

    first = holder("list_attached_{}_policies", MaxItems=3)
    second = holder("list_attached_{}_policies", MaxItems=3, Marker=first["Marker"])
    limited = holder("list_attached_{}_policies", PathPrefix="/team/")

    assert (["a", "b", "c"], ["d"]) == tuple(
        [each["PolicyName"] for each in page["AttachedPolicies"]] for page in (first, second)
    )
    assert ["b", "c"] == [each["PolicyName"] for each in limited["AttachedPolicies"]]


def test_attaching_once_more_changes_nothing(holder):
    holder("attach_{}_policy", PolicyArn=READ_ONLY)

    holder("attach_{}_policy", PolicyArn=READ_ONLY)

    assert 1 == len(holder("list_attached_{}_policies")["AttachedPolicies"])


def test_no_more_than_ten_policies_can_be_attached(iam, kind, holder):
    for number in range(10):
        holder("attach_{}_policy", PolicyArn=make(iam, f"policy-{number}"))

    refused = refusal(holder, verb="attach_{}_policy", PolicyArn=READ_ONLY)
    holder("attach_{}_policy", PolicyArn=f"{make(iam, 'x')[:-1]}policy-3")

    assert ("LimitExceeded", f"Cannot exceed quota for PoliciesPer{kind.capitalize()}: 10") == refused


def test_a_policy_that_does_not_exist_can_not_be_attached(account, holder):
    arn = f"arn:aws:iam::{account.id}:policy/nobody"

    refused = [refusal(holder, verb="attach_{}_policy", PolicyArn=each) for each in (arn, f"{ADMINISTRATOR}X")]

    assert [
        ("NoSuchEntity", f"Policy {each} does not exist or is not attachable.") for each in (arn, f"{ADMINISTRATOR}X")
    ] == refused


def test_a_policy_of_service_linked_roles_can_not_be_attached(kind, holder):
    arn = "arn:aws:iam::aws:policy/aws-service-role/AWSSupportServiceRolePolicy"

    refused = refusal(holder, verb="attach_{}_policy", PolicyArn=arn)

    assert ("PolicyNotAttachable", f"Cannot attach a Service Role Policy to a Customer {kind.capitalize()}.") == refused


def test_what_is_not_attached_can_not_be_detached(holder):
    holder("attach_{}_policy", PolicyArn=READ_ONLY)
    holder("detach_{}_policy", PolicyArn=READ_ONLY)

    refused = refusal(holder, verb="detach_{}_policy", PolicyArn=READ_ONLY)

    assert ("NoSuchEntity", f"Policy {READ_ONLY} was not found.") == refused


def test_an_entity_that_does_not_exist_is_not_found(iam, kind):
    name = {f"{kind.capitalize()}Name": "nobody"}

    refused = [
        refusal(getattr(iam, f"attach_{kind}_policy"), **name, PolicyArn=READ_ONLY),
        refusal(getattr(iam, f"detach_{kind}_policy"), **name, PolicyArn=READ_ONLY),
        refusal(getattr(iam, f"list_attached_{kind}_policies"), **name),
    ]

    assert [("NoSuchEntity", f"The {kind} with name nobody cannot be found.")] * 3 == refused


def test_what_is_attached_and_detached_is_in_force_on_the_next_request(account, iam):
    bob = account.user("bob").client("iam")
    arn = make(iam, "lister")

    before = refusal(bob.list_users)[0]
    iam.attach_user_policy(UserName="BOB", PolicyArn=arn)
    bob.list_users()
    iam.detach_user_policy(UserName="bob", PolicyArn=arn)
    after = refusal(bob.list_users)[0]

    assert ("AccessDenied", "AccessDenied") == (before, after)


def test_a_groups_policies_are_its_members(account, iam):
    bob = account.user("bob").client("iam")
    iam.create_group(GroupName="listers")
    iam.attach_group_policy(GroupName="listers", PolicyArn=make(iam, "lister"))

    before = refusal(bob.list_users)[0]
    iam.add_user_to_group(GroupName="listers", UserName="bob")
    bob.list_users()
    iam.remove_user_from_group(GroupName="listers", UserName="bob")
    after = refusal(bob.list_users)[0]

    assert ("AccessDenied", "AccessDenied") == (before, after)


def test_an_entity_of_the_same_name_inherits_nothing_from_a_deleted_one(iam, kind, holder):
    holder("attach_{}_policy", PolicyArn=READ_ONLY)
    code, message = refusal(holder, verb="delete_{}")
    holder("detach_{}_policy", PolicyArn=READ_ONLY)

    holder("delete_{}")
    holder("create_{}")

    assert ("DeleteConflict", "Cannot delete entity, must detach all policies first.") == (code, message)
    assert [] == holder("list_attached_{}_policies")["AttachedPolicies"]


def test_a_delegate_who_may_attach_only_one_policy_can_not_attach_another(account, iam, kind, holder):
    condition = {"ArnEquals": {"iam:PolicyARN": READ_ONLY}}
    policy = json.loads(document(f"iam:*{kind.capitalize()}Policy", Condition=condition))
    delegate = account.user("delegate", policy=policy).client("iam")
    name = {f"{kind.capitalize()}Name": "holder"}

    getattr(delegate, f"attach_{kind}_policy")(**name, PolicyArn=READ_ONLY)
    attach = refusal(getattr(delegate, f"attach_{kind}_policy"), **name, PolicyArn=ADMINISTRATOR)[0]
    detach = refusal(getattr(delegate, f"detach_{kind}_policy"), **name, PolicyArn=ADMINISTRATOR)[0]

    assert ("AccessDenied", "AccessDenied") == (attach, detach)


def test_a_delegate_who_may_grant_only_within_a_boundary_can_not_grant_to_a_user_without_it(account, iam):
    boundary = make(iam, "boundary")
    condition = {"StringEquals": {"iam:PermissionsBoundary": boundary}}
    delegate = account.user("delegate", policy=json.loads(document("iam:*UserPolicy", Condition=condition))).client("iam")
    iam.create_user(UserName="bounded", PermissionsBoundary=boundary)
    iam.create_user(UserName="free")

    delegate.attach_user_policy(UserName="bounded", PolicyArn=ADMINISTRATOR)
    delegate.put_user_policy(UserName="bounded", PolicyName="p", PolicyDocument=document("*"))
    refused = [
        refusal(delegate.attach_user_policy, UserName="free", PolicyArn=ADMINISTRATOR)[0],
        refusal(delegate.put_user_policy, UserName="free", PolicyName="p", PolicyDocument=document("*"))[0],
        refusal(delegate.attach_user_policy, UserName="delegate", PolicyArn=ADMINISTRATOR)[0],
    ]

    assert ["AccessDenied"] * 3 == refused


def test_an_attachment_is_recorded_with_the_entity_and_the_policy(account, holder, kind):
    holder("attach_{}_policy", PolicyArn=READ_ONLY)

    events = account.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": f"Attach{kind.capitalize()}Policy"}]
    )["Events"]

    resources = {(each["ResourceType"], each["ResourceName"]) for each in events[0]["Resources"]}
    assert {(f"AWS::IAM::{kind.capitalize()}", "holder"), ("AWS::IAM::Policy", READ_ONLY)} == resources
