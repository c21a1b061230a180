"""GetAccountAuthorizationDetails: the whole account by who may do what, in pages that cost the same whatever they hold."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.fixtures.statements import given
from tests.services.iam.policy_documents import ADMINISTRATOR, READ_ONLY, document, refusal

from crownkeep import ids
from crownkeep.storage.database import Database
from crownkeep.storage.identities import users
from crownkeep.storage.identities.owners import OwnerKind
from crownkeep.storage.identities.users import UserRow
from crownkeep.storage.policies import attachments, inline_policies
from crownkeep.storage.policies.attachments import AttachmentRow
from crownkeep.storage.policies.inline_policies import InlinePolicyRow

KINDS = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")


@pytest.fixture
def iam(account):
    return account.client("iam")


@pytest.fixture
def furnished(iam):
    """An account with one of everything."""
    own = iam.create_policy(PolicyName="own", Path="/p/", PolicyDocument=document("s3:*"), Description="d")["Policy"]["Arn"]
    iam.create_policy_version(PolicyArn=own, PolicyDocument=document("sqs:*"), SetAsDefault=True)
    iam.create_policy(PolicyName="unused", PolicyDocument=document())
    iam.create_user(UserName="bob", Path="/u/", PermissionsBoundary=READ_ONLY, Tags=[{"Key": "team", "Value": "a"}])
    iam.create_group(GroupName="all", Path="/g/")
    iam.add_user_to_group(GroupName="all", UserName="bob")
    for call, name in ((iam.attach_user_policy, {"UserName": "bob"}), (iam.attach_group_policy, {"GroupName": "all"})):
        call(**name, PolicyArn=own)
    iam.put_user_policy(UserName="bob", PolicyName="inline", PolicyDocument=document("ec2:*"))
    iam.put_group_policy(GroupName="all", PolicyName="inline", PolicyDocument=document("ec2:*", "Deny"))
    return own


def test_a_user_is_described_with_all_it_holds(account, iam, furnished):
    found = iam.get_account_authorization_details(Filter=["User"])

    admin, bob = found["UserDetailList"]
    assert "admin" == admin["UserName"]
    assert "PermissionsBoundary" not in admin
    user = iam.get_user(UserName="bob")["User"]
    assert {
        "Path": "/u/",
        "UserName": "bob",
        "UserId": user["UserId"],
        "Arn": f"arn:aws:iam::{account.id}:user/u/bob",
        "CreateDate": user["CreateDate"],
        "UserPolicyList": [{"PolicyName": "inline", "PolicyDocument": bob["UserPolicyList"][0]["PolicyDocument"]}],
        "GroupList": ["all"],
        "AttachedManagedPolicies": [{"PolicyName": "own", "PolicyArn": furnished}],
        "PermissionsBoundary": {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": READ_ONLY},
        "Tags": [{"Key": "team", "Value": "a"}],
    } == bob
    assert "ec2:*" == bob["UserPolicyList"][0]["PolicyDocument"]["Statement"][0]["Action"]


def test_a_group_is_described_with_all_it_holds(account, iam, furnished):
    (group,) = iam.get_account_authorization_details(Filter=["Group"])["GroupDetailList"]

    assert {"Path", "GroupName", "GroupId", "Arn", "CreateDate", "GroupPolicyList", "AttachedManagedPolicies"} == group.keys()
    assert f"arn:aws:iam::{account.id}:group/g/all" == group["Arn"]
    assert [{"PolicyName": "own", "PolicyArn": furnished}] == group["AttachedManagedPolicies"]
    assert "Deny" == group["GroupPolicyList"][0]["PolicyDocument"]["Statement"][0]["Effect"]


def test_a_policy_is_described_with_every_version_and_its_uses(iam, furnished):
    own, unused = iam.get_account_authorization_details(Filter=["LocalManagedPolicy"])["Policies"]

    assert ("own", "unused") == (own["PolicyName"], unused["PolicyName"])
    assert (furnished, "/p/", "v2", "d", 2) == tuple(
        own[name] for name in ("Arn", "Path", "DefaultVersionId", "Description", "AttachmentCount")
    )
    assert [("v2", True, "sqs:*"), ("v1", False, "s3:*")] == [
        (each["VersionId"], each["IsDefaultVersion"], each["Document"]["Statement"][0]["Action"])
        for each in own["PolicyVersionList"]
    ]
    assert "Description" not in unused


def test_of_the_policies_of_aws_those_in_use_are_described(iam, furnished):
    found = iam.get_account_authorization_details(Filter=["AWSManagedPolicy"])["Policies"]

    assert [(ADMINISTRATOR, 1, 0), (READ_ONLY, 0, 1)] == [
        (each["Arn"], each["AttachmentCount"], each["PermissionsBoundaryUsageCount"]) for each in found
    ]
    assert found[0]["PolicyId"].startswith("ANPA")
    assert [True] == [each["IsDefaultVersion"] for each in found[0]["PolicyVersionList"]]
    assert "*" == found[0]["PolicyVersionList"][0]["Document"]["Statement"][0]["Action"]


def test_without_a_filter_everything_is_described(iam, furnished):
    found = iam.get_account_authorization_details()

    assert found["IsTruncated"] is False
    assert [2, 1, 0, 4] == [len(found[kind]) for kind in KINDS]


@pytest.mark.parametrize("size", [1, 2, 3, 6, 7])
def test_one_marker_leads_through_all_kinds_and_meets_everything_once(iam, furnished, size):
    paginator = iam.get_paginator("get_account_authorization_details")

    pages = list(paginator.paginate(PaginationConfig={"PageSize": size}))

    sizes = [sum(len(page[kind]) for kind in KINDS) for page in pages]
    arns = [each["Arn"] for page in pages for kind in KINDS for each in page[kind]]
    assert [size] * (len(sizes) - 1) == sizes[:-1]
    assert 7 == len(arns) == len(set(arns))


def test_a_marker_serves_only_the_same_filter(iam, furnished):
    marker = iam.get_account_authorization_details(Filter=["User"], MaxItems=1)["Marker"]

    refused = refusal(iam.get_account_authorization_details, Filter=["User", "Group"], Marker=marker)

    assert "ValidationError" == refused[0]


def test_nothing_of_another_account_is_described(account, crown, furnished):
    other = crown.account().client("iam")

    found = other.get_account_authorization_details()

    assert account.id not in str([found[kind] for kind in KINDS])


def test_a_page_of_a_thousand_users_takes_as_few_queries_as_one_of_one(account, crown, iam, furnished):
    _add_users(crown, account.id, 1000)
    counts = []

    for size in (1, 1000):
        with given() as statements:
            found = iam.get_account_authorization_details(Filter=["User"], MaxItems=size)
        counts.append(len([each for each in statements if each.text.lstrip().upper().startswith("SELECT")]))

    assert 1000 == len(found["UserDetailList"])
    assert counts[1] <= counts[0] + 2 <= 20
    assert all(len(each["AttachedManagedPolicies"]) == 1 for each in found["UserDetailList"] if each["Path"] == "/many/")


def test_an_account_of_a_thousand_users_is_described_in_one_page(account, crown, iam):
    _add_users(crown, account.id, 1000)

    found = iam.get_account_authorization_details(MaxItems=1000)

    assert 1000 == len(found["UserDetailList"])


def _add_users(crown, account_id, count):
    """Put users with a policy of each kind straight into the database."""
    now = datetime.now(UTC)
    database = Database(crown.settings.database_url)
    with database.transaction() as db:
        for number in range(count):
            user_id = ids.unique_id(ids.Prefix.USER, account_id.encode() + number.to_bytes(4, "big"))
            name = f"many-{number:04}"
            users.add(db, UserRow(user_id, account_id, name, name, "/many/", now, None, None))
            attachments.add(db, AttachmentRow(account_id, user_id, OwnerKind.USER, READ_ONLY, now))
            inline = InlinePolicyRow(account_id, user_id, OwnerKind.USER, "p", "p", document(), len(document()), now)
            inline_policies.put(db, inline)
    database.close()
