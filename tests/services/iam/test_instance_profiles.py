"""Instance profiles: each holds one role at most, which whoever puts it in must be allowed to pass."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.fixtures.crown import Account

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
)


@pytest.fixture
def iam(account: Account) -> Any:
    client = account.client("iam")
    client.create_instance_profile(InstanceProfileName="ip", Path="/x/")
    client.create_role(RoleName="R", AssumeRolePolicyDocument=TRUST)
    return client


def refusal(call: Any, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_profile_is_shown_with_its_role(account: Account, iam: Any):
    iam.add_role_to_instance_profile(InstanceProfileName="ip", RoleName="R")

    profile = iam.get_instance_profile(InstanceProfileName="IP")["InstanceProfile"]

    assert f"arn:aws:iam::{account.id}:instance-profile/x/ip" == profile["Arn"]
    assert profile["InstanceProfileId"].startswith("AIPA")
    assert [] == profile["Tags"]
    (role,) = profile["Roles"]
    assert "R" == role["RoleName"]
    assert not {"MaxSessionDuration", "RoleLastUsed", "Description"} & role.keys()
    listed = iam.list_instance_profiles(PathPrefix="/x/")["InstanceProfiles"]
    assert [["R"]] == [[each["RoleName"] for each in one["Roles"]] for one in listed]
    assert "Tags" not in listed[0]
    of_role = iam.list_instance_profiles_for_role(RoleName="R")["InstanceProfiles"]
    assert ["ip"] == [each["InstanceProfileName"] for each in of_role]


def test_a_new_profile_has_tags_only_where_some_were_given(iam: Any):
    tags = [{"Key": "k", "Value": "v"}]

    plain = iam.create_instance_profile(InstanceProfileName="plain")["InstanceProfile"]
    tagged = iam.create_instance_profile(InstanceProfileName="tagged", Tags=tags)["InstanceProfile"]

    assert "Tags" not in plain
    assert (tags, []) == (tagged["Tags"], tagged["Roles"])


def test_a_profile_holds_one_role(iam: Any):
    iam.create_role(RoleName="S", AssumeRolePolicyDocument=TRUST)
    iam.add_role_to_instance_profile(InstanceProfileName="ip", RoleName="R")

    second = refusal(iam.add_role_to_instance_profile, InstanceProfileName="ip", RoleName="S")

    assert ("LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1") == second


def test_putting_a_role_in_needs_the_permission_to_pass_it(account: Account, iam: Any):
    def policy(*actions: str) -> dict[str, Any]:
        return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}

    unable = account.user("unable", policy=policy("iam:AddRoleToInstanceProfile")).client("iam")
    able = account.user("able", policy=policy("iam:AddRoleToInstanceProfile", "iam:PassRole")).client("iam")

    code, message = refusal(unable.add_role_to_instance_profile, InstanceProfileName="ip", RoleName="R")
    able.add_role_to_instance_profile(InstanceProfileName="ip", RoleName="R")

    assert "AccessDenied" == code
    assert f"is not authorized to perform: iam:PassRole on resource: arn:aws:iam::{account.id}:role/R" in message


def test_faults_are_named_as_aws_names_them(iam: Any):
    missing = ("NoSuchEntity", "Instance Profile absent cannot be found.")

    assert missing == refusal(iam.get_instance_profile, InstanceProfileName="absent")
    assert missing == refusal(iam.delete_instance_profile, InstanceProfileName="absent")
    assert missing == refusal(iam.add_role_to_instance_profile, InstanceProfileName="absent", RoleName="R")
    assert missing == refusal(iam.list_instance_profile_tags, InstanceProfileName="absent")
    assert ("EntityAlreadyExists", "Instance Profile IP already exists.") == refusal(
        iam.create_instance_profile, InstanceProfileName="IP"
    )
    assert ("NoSuchEntity", "Role R in Instance Profile ip cannot be found.") == refusal(
        iam.remove_role_from_instance_profile, InstanceProfileName="ip", RoleName="R"
    )


def test_a_profile_with_a_role_is_not_deleted(iam: Any):
    iam.add_role_to_instance_profile(InstanceProfileName="ip", RoleName="R")

    conflict = refusal(iam.delete_instance_profile, InstanceProfileName="ip")
    iam.remove_role_from_instance_profile(InstanceProfileName="ip", RoleName="R")
    iam.delete_instance_profile(InstanceProfileName="ip")

    assert ("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.") == conflict
    assert [] == iam.list_instance_profiles()["InstanceProfiles"]


def test_tags_are_put_listed_and_taken(iam: Any):
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]

    iam.tag_instance_profile(InstanceProfileName="ip", Tags=tags)
    iam.untag_instance_profile(InstanceProfileName="ip", TagKeys=["a"])

    assert [{"Key": "b", "Value": "2"}] == iam.list_instance_profile_tags(InstanceProfileName="ip")["Tags"]
