"""Access reports: what can be accessed, and when it was, from what really happened here."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from tests.fixtures.patience import bounded
from tests.house.test_operations import OPERATIONS
from tests.services.iam.asking import allow, refusal

from crownkeep.operations.registry import Mode
from crownkeep.services.iam.reports import granted_services


def report(client, arn: str, **options):
    job = client.generate_service_last_accessed_details(Arn=arn, **options)["JobId"]
    return client.get_service_last_accessed_details(JobId=job)


def services(answer) -> dict[str, dict]:
    return {each["ServiceNamespace"]: each for each in answer["ServicesLastAccessed"]}


@pytest.fixture
def iam(account):
    return account.client("iam")


@pytest.mark.parametrize(
    "patterns",
    [[f"*:*{number}?b*" for number in range(400)], [f"ec2:*{number}?b*" for number in range(400)]],
    ids=["of every service", "of the largest service"],
)
def test_denial_of_service_a_policy_of_hundreds_of_patterns_is_not_compared_with_every_action(patterns: list[str]):
    document = json.dumps(allow(*patterns))

    with bounded():
        found = granted_services.services_of([document])

    # What was not compared passes for granted, so that a report never leaves out what somebody can access.
    assert "ec2" in found


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("*:GetBucketTagging", {"s3", "s3-outposts"}),
        ("*:AssumeR?ot", {"sts"}),
        ("*:NoSuchAction*", set()),
        ("nobody:*", set()),
        ("iam:NoSuch*", set()),
        ("iam:Get?ser", {"iam"}),
    ],
)
def test_a_pattern_gives_access_to_the_services_that_have_such_an_action(action: str, expected: set[str]):
    assert expected == set(granted_services.services_of([json.dumps(allow(action))]))


@pytest.mark.parametrize(
    "name",
    [
        "GetServiceLastAccessedDetails",
        "GetServiceLastAccessedDetailsWithEntities",
        "ListPoliciesGrantingServiceAccess",
        "GetOrganizationsAccessReport",
        "GetContextKeysForPrincipalPolicy",
        "DescribeEffectivePolicy",
        "ListEffectivePolicyValidationErrors",
    ],
)
def test_denial_of_service_what_reads_many_policies_does_not_hold_up_the_event_loop(name: str):
    assert Mode.LONG_READ is next(each.mode for each in OPERATIONS if each.name == name)


def test_a_user_is_shown_what_it_can_access_and_what_it_did_even_in_vain(account, iam):
    bob = account.user("bob", policy=allow("iam:GetUser", "s3:GetObject", "sts:*"))
    refusal(bob.client("iam").list_users)

    answer = report(iam, bob.arn)

    found = services(answer)
    assert ["iam", "s3", "sts"] == list(found)
    used = found["iam"]
    assert (1, bob.arn, "us-east-1") == (
        used["TotalAuthenticatedEntities"],
        used["LastAuthenticatedEntity"],
        used["LastAuthenticatedRegion"],
    )
    assert "AWS Identity and Access Management" in used["ServiceName"]
    assert {"ServiceName", "ServiceNamespace", "TotalAuthenticatedEntities"} == found["s3"].keys()
    assert ("COMPLETED", "SERVICE_LEVEL", False) == (answer["JobStatus"], answer["JobType"], answer["IsTruncated"])


def test_an_action_level_report_names_the_actions_that_are_served_and_granted(account, iam):
    bob = account.user("bob", policy=allow("iam:GetUser", "iam:ListUsers", "iam:NoSuchAction", "sqs:*"))
    bob.client("iam").get_user()

    found = services(report(iam, bob.arn, Granularity="ACTION_LEVEL"))

    actions = {each["ActionName"]: each for each in found["iam"]["TrackedActionsLastAccessed"]}
    assert ["GetUser", "ListUsers"] == list(actions)
    assert bob.arn == actions["GetUser"]["LastAccessedEntity"]
    assert {"ActionName"} == actions["ListUsers"].keys()
    assert "TrackedActionsLastAccessed" not in found["sqs"]


def test_a_group_is_shown_its_members_uses_and_a_policy_those_of_whoever_holds_it(account, iam):
    group = iam.create_group(GroupName="crew")["Group"]["Arn"]
    policy = iam.create_policy(PolicyName="p", PolicyDocument=json.dumps(allow("iam:Get*")))["Policy"]["Arn"]
    iam.attach_group_policy(GroupName="crew", PolicyArn=policy)
    idle, busy = account.user("idle"), account.user("busy")
    for name in ("idle", "busy"):
        iam.add_user_to_group(GroupName="crew", UserName=name)
    busy.client("iam").get_user()

    for about in (group, policy):
        job = iam.generate_service_last_accessed_details(Arn=about)["JobId"]
        found = services(iam.get_service_last_accessed_details(JobId=job))
        entities = iam.get_service_last_accessed_details_with_entities(JobId=job, ServiceNamespace="iam")["EntityDetailsList"]

        assert (["iam"], busy.arn, 1) == (
            list(found),
            found["iam"]["LastAuthenticatedEntity"],
            found["iam"]["TotalAuthenticatedEntities"],
        )
        assert [busy.arn, idle.arn] == [each["EntityInfo"]["Arn"] for each in entities]
        assert [True, False] == ["LastAuthenticated" in each for each in entities]
        assert "USER" == entities[0]["EntityInfo"]["Type"]


def test_everything_not_excluded_is_granted_and_what_is_denied_as_a_whole_is_not(account, iam):
    statements = [
        {"Effect": "Allow", "NotAction": ["iam:*", "s3:Put*"], "Resource": "*"},
        {"Effect": "Deny", "Action": ["sts:*"], "Resource": "*"},
        {"Effect": "Deny", "Action": ["ec2:*"], "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
    ]
    bob = account.user("bob", policy={"Version": "2012-10-17", "Statement": statements})
    job = iam.generate_service_last_accessed_details(Arn=bob.arn)["JobId"]

    found: list[str] = []
    page: dict = {"IsTruncated": True}
    while page["IsTruncated"]:
        marker = {"Marker": page["Marker"]} if "Marker" in page else {}
        page = iam.get_service_last_accessed_details(JobId=job, MaxItems=200, **marker)
        found += services(page)

    assert sorted(found) == found
    assert len(found) > 400
    assert {"s3", "ec2"} <= set(found)
    assert {"iam", "sts"}.isdisjoint(found)


def test_what_was_long_ago_is_forgotten_and_a_report_can_be_fetched_for_a_while_only(account, iam):
    bob = account.user("bob", policy=allow("iam:GetUser"))
    bob.client("iam").get_user()
    job = iam.generate_service_last_accessed_details(Arn=bob.arn)["JobId"]

    with time_machine.travel(datetime.now(UTC) + timedelta(days=401), tick=True):
        later = services(report(iam, bob.arn))
        answer = refusal(iam.get_service_last_accessed_details, JobId=job)

    assert 0 == later["iam"]["TotalAuthenticatedEntities"]
    assert f"NoSuchEntity: The job with id {job} cannot be found." == answer


def test_a_report_is_for_whoever_asked_for_it_alone(account, crown, iam):
    job = iam.generate_service_last_accessed_details(Arn=f"arn:aws:iam::{account.id}:user/admin")["JobId"]

    for other in (account.root("iam"), crown.account().client("iam")):
        answer = refusal(other.get_service_last_accessed_details, JobId=job)
        assert f"NoSuchEntity: The job with id {job} cannot be found." == answer


def test_the_policies_that_grant_a_service_are_named_with_how_they_are_held(account, iam):
    bob = account.user("bob", policy=allow("s3:Get*"), arn="arn:aws:iam::aws:policy/IAMReadOnlyAccess")
    iam.create_group(GroupName="crew")
    iam.put_group_policy(GroupName="crew", PolicyName="all", PolicyDocument=json.dumps(allow("*")))
    iam.add_user_to_group(GroupName="crew", UserName="bob")

    (s3, of_iam) = iam.list_policies_granting_service_access(Arn=bob.arn, ServiceNamespaces=["s3", "iam"])[
        "PoliciesGrantingServiceAccess"
    ]

    group_policy = {"PolicyName": "all", "PolicyType": "INLINE", "EntityType": "GROUP", "EntityName": "crew"}
    inline = {"PolicyName": "inline", "PolicyType": "INLINE", "EntityType": "USER", "EntityName": "bob"}
    attached = {
        "PolicyName": "IAMReadOnlyAccess",
        "PolicyType": "MANAGED",
        "PolicyArn": "arn:aws:iam::aws:policy/IAMReadOnlyAccess",
    }
    assert ("s3", "iam") == (s3["ServiceNamespace"], of_iam["ServiceNamespace"])
    by_name = [sorted(each["Policies"], key=lambda found: found["PolicyName"].lower()) for each in (s3, of_iam)]
    assert [[group_policy, inline], [group_policy, attached]] == by_name


@pytest.mark.parametrize("about", ["root", "user/nobody", "policy/none", "mfa/device"])
def test_a_report_on_what_is_not_there_is_refused(account, iam, about):
    answer = refusal(iam.generate_service_last_accessed_details, Arn=f"arn:aws:iam::{account.id}:{about}")

    assert answer.partition(":")[0] in {"NoSuchEntity", "InvalidInput"}


def test_an_unknown_service_is_refused(account, iam):
    bob = account.user("bob")

    answer = refusal(iam.list_policies_granting_service_access, Arn=bob.arn, ServiceNamespaces=["nothing"])

    assert "InvalidInput: The service namespace nothing is not valid." == answer


def test_whoever_may_not_ask_learns_nothing(account):
    bob = account.user("bob")
    asked = {"Arn": f"arn:aws:iam::{account.id}:user/admin"}

    generated = refusal(bob.client("iam").generate_service_last_accessed_details, **asked)
    listed = refusal(bob.client("iam").list_policies_granting_service_access, **asked, ServiceNamespaces=["iam"])

    assert [True, True] == [answer.startswith("AccessDenied: ") for answer in (generated, listed)]


def test_without_an_organization_there_are_no_reports_on_one(iam):
    answer = refusal(iam.generate_organizations_access_report, EntityPath="o-a1b2c3d4e5/r-f6g7h8/123456789012")
    fetched = refusal(iam.get_organizations_access_report, JobId="12345678-1234-1234-1234-123456789012")

    assert "OrganizationNotFoundException: The request was rejected because no organization is associated with your account." == (
        answer
    )
    assert "NoSuchEntity: The job with id 12345678-1234-1234-1234-123456789012 cannot be found." == fetched
