"""Approval teams through boto3's own client: made, read, listed, tagged, deleted, and everything that they refuse."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from tests.fixtures.crown import Account, Crown
from tests.fixtures.single_sign_on import SingleSignOn
from tests.services.iam.asking import refusal

POLICY = "arn:aws:mpa:::aws:policy/crownkeep/SealedRoot/1"
_numbers = itertools.count(1)


def custodians(crown: Crown, count: int = 3) -> list[dict[str, Any]]:
    """Name custodians of the installation."""
    return [named(crown) for _ in range(count)]


def named(crown: Crown, email: str = "") -> dict[str, Any]:
    number = next(_numbers)
    answer = crown.operator("POST", "/custodians", {"name": f"Carol {number}", "email": email or f"c{number}@keys.example"})
    assert 201 == answer.status, answer.text
    return dict(answer.json()["custodian"])


def approvers(account: Account, people: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Return custodians as the approvers that a team is made with."""
    source = f"arn:aws:mpa:us-east-1:{account.id}:identity-source/custodians"
    return [{"PrimaryIdentityId": each["custodian_id"], "PrimaryIdentitySourceArn": source} for each in people]


def wanted(account: Account, people: list[dict[str, Any]], **options: Any) -> dict[str, Any]:
    """Return the parameters of a team of custodians."""
    return {
        "Name": "RootQuorum",
        "Description": "Who lets root be used.",
        "ApprovalStrategy": {"MofN": {"MinApprovalsRequired": 2}},
        "Approvers": approvers(account, people),
        "Policies": [{"PolicyArn": POLICY}],
        **options,
    }


def test_a_team_waits_until_its_approvers_have_accepted(account: Account, crown: Crown):
    mpa, people = account.client("mpa"), custodians(crown)

    made = mpa.create_approval_team(**wanted(account, people, Tags={"stage": "prod"}))
    found = mpa.get_approval_team(Arn=made["Arn"])

    assert made["Arn"].startswith(f"arn:aws:mpa:us-east-1:{account.id}:approval-team/RootQuorum-")
    assert ("PENDING", "PENDING_ACTIVATION") == (found["Status"], found["StatusCode"])
    assert {"MofN": {"MinApprovalsRequired": 2}} == found["ApprovalStrategy"]
    assert {each["custodian_id"] for each in people} == {each["PrimaryIdentityId"] for each in found["Approvers"]}
    assert {"PENDING"} == {each["PrimaryIdentityStatus"] for each in found["Approvers"]}
    assert [[]] * 3 == [each["MfaMethods"] for each in found["Approvers"]]
    assert [{"PolicyArn": POLICY}] == found["Policies"]
    assert [made["Arn"]] == [each["Arn"] for each in mpa.list_approval_teams()["ApprovalTeams"]]
    assert {"stage": "prod"} == mpa.list_tags_for_resource(ResourceArn=made["Arn"])["Tags"]


def test_what_is_asked_twice_with_one_token_is_done_once(account: Account, crown: Crown):
    mpa, team = account.client("mpa"), wanted(account, custodians(crown), ClientToken="once")

    first, second = mpa.create_approval_team(**team), mpa.create_approval_team(**team)

    assert first["Arn"] == second["Arn"]
    assert "already exists" in refusal(mpa.create_approval_team, **{**team, "ClientToken": "another"})
    assert "already exists" in refusal(mpa.create_approval_team, **{**team, "Description": "Another."})


def test_a_team_that_could_not_hold_is_refused(account: Account, crown: Crown):
    mpa, people = account.client("mpa"), custodians(crown)
    two = approvers(account, people[:2])
    stranger = [*two, {**two[0], "PrimaryIdentityId": "0" * 32}]
    other_source = [
        {**each, "PrimaryIdentitySourceArn": "arn:aws:mpa:us-east-1:999999999999:identity-source/custodians"} for each in two
    ]

    answer = {
        "few": refusal(mpa.create_approval_team, **wanted(account, people[:2])),
        "one": refusal(
            mpa.create_approval_team, **wanted(account, people, ApprovalStrategy={"MofN": {"MinApprovalsRequired": 1}})
        ),
        "many": refusal(
            mpa.create_approval_team, **wanted(account, people, ApprovalStrategy={"MofN": {"MinApprovalsRequired": 4}})
        ),
        "twice": refusal(mpa.create_approval_team, **wanted(account, [*people, people[0]])),
        "nobody": refusal(mpa.create_approval_team, **wanted(account, people, Approvers=stranger)),
        "elsewhere": refusal(mpa.create_approval_team, **wanted(account, people, Approvers=other_source)),
        "policy": refusal(mpa.create_approval_team, **wanted(account, people, Policies=[{"PolicyArn": f"{POLICY}7"}])),
        "tags": refusal(mpa.create_approval_team, **wanted(account, people, Tags={"aws:stage": "prod"})),
    }

    assert {} == {name: text for name, text in answer.items() if "ValidationException" not in text}
    assert [] == mpa.list_approval_teams()["ApprovalTeams"]


def test_two_approvers_who_share_a_mailbox_are_refused(crown: Crown):
    sso = SingleSignOn(crown)
    mailbox = f"shared{next(_numbers)}@keys.example"
    user = sso.user("dora", Emails=[{"Value": mailbox.upper(), "Primary": True}])
    mpa = sso.management.client("mpa")
    source = mpa.create_identity_source(
        IdentitySourceParameters={"IamIdentityCenter": {"InstanceArn": sso.arn, "Region": "us-east-1"}}
    )["IdentitySourceArn"]
    people = [named(crown, mailbox), *custodians(crown, 2)]
    both = [*approvers(sso.management, people), {"PrimaryIdentityId": user, "PrimaryIdentitySourceArn": source}]

    assert "mailbox of their own" in refusal(mpa.create_approval_team, **wanted(sso.management, people, Approvers=both))
    assert 409 == crown.operator("POST", "/custodians", {"name": "Again", "email": mailbox.upper()}).status


def test_people_of_identity_center_may_be_approvers(crown: Crown):
    sso = SingleSignOn(crown)
    mpa, center = sso.management.client("mpa"), {"InstanceArn": sso.arn, "Region": "us-east-1"}
    users = [sso.user(name, Emails=[{"Value": f"{name}@acme.example"}]) for name in ("ann", "ben", "cy")]
    silent = sso.user("dan")

    made = mpa.create_identity_source(IdentitySourceParameters={"IamIdentityCenter": center}, Tags={"of": "people"})
    source = made["IdentitySourceArn"]
    people = [{"PrimaryIdentityId": each, "PrimaryIdentitySourceArn": source} for each in users]
    team = mpa.create_approval_team(**wanted(sso.management, [], Approvers=people))

    found = mpa.get_identity_source(IdentitySourceArn=source)
    assert ("ACTIVE", "IAM_IDENTITY_CENTER") == (found["Status"], found["IdentitySourceType"])
    assert center == {name: found["IdentitySourceParameters"]["IamIdentityCenter"][name] for name in center}
    assert {"of": "people"} == mpa.list_tags_for_resource(ResourceArn=source)["Tags"]
    assert 2 == len(mpa.list_identity_sources()["IdentitySources"])
    assert 3 == len(mpa.get_approval_team(Arn=team["Arn"])["Approvers"])
    unreachable = [*people, {"PrimaryIdentityId": silent, "PrimaryIdentitySourceArn": source}]
    assert "no e-mail address" in refusal(
        mpa.create_approval_team, **wanted(sso.management, [], Name="Silent", Approvers=unreachable)
    )
    assert "ConflictException" in refusal(mpa.delete_identity_source, IdentitySourceArn=source)
    mpa.delete_inactive_approval_team_version(Arn=team["Arn"], VersionId=team["VersionId"])
    mpa.delete_identity_source(IdentitySourceArn=source)
    assert "ResourceNotFoundException" in refusal(mpa.get_identity_source, IdentitySourceArn=source)


def test_an_identity_source_is_of_an_instance_that_the_account_may_use(crown: Crown):
    sso, stranger = SingleSignOn(crown), crown.account()
    center = {"InstanceArn": sso.arn, "Region": "us-east-1"}
    mpa = stranger.client("mpa")

    assert "ValidationException" in refusal(mpa.create_identity_source, IdentitySourceParameters={"IamIdentityCenter": center})
    assert "ConflictException" in refusal(
        mpa.delete_identity_source, IdentitySourceArn=f"arn:aws:mpa:us-east-1:{stranger.id}:identity-source/custodians"
    )


def test_a_team_of_another_account_is_not_there(account: Account, crown: Crown):
    mine, other = account.client("mpa"), crown.account()
    made = mine.create_approval_team(**wanted(account, custodians(crown)))
    theirs = other.client("mpa")

    answer = [
        refusal(theirs.get_approval_team, Arn=made["Arn"]),
        refusal(theirs.list_sessions, ApprovalTeamArn=made["Arn"]),
        refusal(theirs.delete_inactive_approval_team_version, Arn=made["Arn"], VersionId=made["VersionId"]),
        refusal(theirs.tag_resource, ResourceArn=made["Arn"], Tags={"a": "b"}),
        refusal(theirs.update_approval_team, Arn=made["Arn"], Description="Mine now."),
    ]

    assert [True] * 5 == ["ResourceNotFoundException" in each for each in answer]
    assert [] == theirs.list_approval_teams()["ApprovalTeams"]


def test_a_team_that_was_never_active_is_deleted_without_anybody(account: Account, crown: Crown):
    mpa = account.client("mpa")
    made = mpa.create_approval_team(**wanted(account, custodians(crown)))

    assert "ConflictException" in refusal(mpa.update_approval_team, Arn=made["Arn"], Description="Other.")
    assert "ConflictException" in refusal(mpa.start_approval_team_baseline, Arn=made["Arn"])
    assert "ConflictException" in refusal(mpa.start_active_approval_team_deletion, Arn=made["Arn"])
    mpa.delete_inactive_approval_team_version(Arn=made["Arn"], VersionId=made["VersionId"])

    assert "ResourceNotFoundException" in refusal(mpa.get_approval_team, Arn=made["Arn"])


def test_teams_are_listed_in_pages(account: Account, crown: Crown):
    mpa, people = account.client("mpa"), custodians(crown)
    made = [mpa.create_approval_team(**wanted(account, people, Name=f"Team{number}"))["Arn"] for number in range(3)]

    pages = [
        page["ApprovalTeams"] for page in mpa.get_paginator("list_approval_teams").paginate(PaginationConfig={"PageSize": 2})
    ]

    assert [2, 1] == [len(page) for page in pages]
    assert made == [each["Arn"] for page in pages for each in page]


def test_an_account_can_have_so_many_teams_and_no_more(account: Account, crown: Crown):
    people = custodians(crown)
    crown.operator("PUT", f"/accounts/{account.id}/quotas/ApprovalTeamsPerAccount", {"value": 1})
    account.client("mpa").create_approval_team(**wanted(account, people))

    assert "ServiceQuotaExceededException" in refusal(
        account.client("mpa").create_approval_team, **wanted(account, people, Name="Second")
    )


def test_nobody_is_flooded_with_invitations(account: Account, crown: Crown):
    mpa, people = account.client("mpa"), custodians(crown)
    for _ in range(10):
        made = mpa.create_approval_team(**wanted(account, people))
        mpa.delete_inactive_approval_team_version(Arn=made["Arn"], VersionId=made["VersionId"])

    assert "ThrottlingException" in refusal(mpa.create_approval_team, **wanted(account, people))


def test_policies_say_what_a_team_may_be_asked_for(account: Account, crown: Crown):
    mpa = account.client("mpa")
    team = mpa.create_approval_team(**wanted(account, custodians(crown)))["Arn"]

    listed = mpa.list_policies()["Policies"]
    versions = mpa.list_policy_versions(PolicyArn=listed[0]["Arn"])["PolicyVersions"]
    document = mpa.get_policy_version(PolicyVersionArn=versions[0]["Arn"])["PolicyVersion"]["Document"]
    held = mpa.list_resource_policies(ResourceArn=team)["ResourcePolicies"]
    one = mpa.get_resource_policy(ResourceArn=team, PolicyName="SealedRoot", PolicyType="AWS_MANAGED")

    assert [POLICY] == [each["Arn"] for each in versions] == [each["PolicyArn"] for each in held]
    assert "mpa:StartSession" in document == one["PolicyDocument"]
    assert "ResourceNotFoundException" in refusal(
        mpa.get_resource_policy, ResourceArn=team, PolicyName="Other", PolicyType="AWS_MANAGED"
    )


@pytest.mark.parametrize("tags", [{"Stage": "1", "stage": "2"}, {"aws:x": "y"}])
def test_tags_that_conditions_could_not_tell_apart_are_refused(account: Account, crown: Crown, tags: dict[str, str]):
    mpa = account.client("mpa")
    team = mpa.create_approval_team(**wanted(account, custodians(crown)))["Arn"]

    mpa.tag_resource(ResourceArn=team, Tags={"a": "b", "c": "d"})
    mpa.untag_resource(ResourceArn=team, TagKeys=["a", "none"])

    assert "ValidationException" in refusal(mpa.tag_resource, ResourceArn=team, Tags=tags)
    assert {"c": "d"} == mpa.list_tags_for_resource(ResourceArn=team)["Tags"]
    with pytest.raises(mpa.exceptions.TooManyTagsException):
        mpa.tag_resource(ResourceArn=team, Tags={f"key{number}": "" for number in range(50)})
