"""What Terraform's AWS provider asks for each resource, call by call, as our trail recorded it (provider 5.100).

It holds without Terraform: a resource is made, read back, read again with nothing changed, and deleted; policy documents come
back as they went in; what is gone is not found.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.fixtures.crown import Account
from tests.services.iam.asking import refusal
from tests.services.sts.saml_provider import SamlProvider

READING = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Read",
            "Effect": "Allow",
            "Action": ["s3:ListBucket", "s3:GetObject"],
            "Resource": ["arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket"],
            "Condition": {"Bool": {"aws:SecureTransport": "true"}},
        }
    ],
}
DOCUMENT = json.dumps(READING)
MACHINES = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}],
}
TAGS = [{"Key": "Empty", "Value": ""}, {"Key": "Team", "Value": "blue"}]


@pytest.fixture
def iam(account: Account) -> Any:
    return account.client("iam")


def steady(operation: Any, **parameters: Any) -> dict[str, Any]:
    """Ask twice and return what came both times: a second plan must find what the first did."""
    first, second = (without_metadata(operation(**parameters)) for _ in range(2))
    assert first == second
    return second


def without_metadata(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def gone(operation: Any, **parameters: Any) -> None:
    assert refusal(operation, **parameters).startswith("NoSuchEntity: ")


def document_of(answer: str | dict[str, Any]) -> Any:
    """Return a document as Terraform compares it: decoded, and without regard to white space."""
    return json.loads(unquote(answer)) if isinstance(answer, str) else answer


def test_a_user_with_everything_it_has(account: Account, iam: Any):
    edge = iam.create_policy(PolicyName="edge", Path="/boundaries/", Description="", PolicyDocument=DOCUMENT)["Policy"]["Arn"]
    created = iam.create_user(UserName="bob", Path="/team/", PermissionsBoundary=edge, Tags=TAGS)["User"]
    iam.get_waiter("user_exists").wait(UserName="bob", WaiterConfig={"Delay": 0})
    user = steady(iam.get_user, UserName="bob")["User"]
    assert created == user
    assert {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": edge} == user["PermissionsBoundary"]
    assert (TAGS, "/team/") == (user["Tags"], user["Path"])

    iam.put_user_policy(UserName="bob", PolicyName="own", PolicyDocument=DOCUMENT)
    assert READING == document_of(steady(iam.get_user_policy, UserName="bob", PolicyName="own")["PolicyDocument"])
    key_id = iam.create_access_key(UserName="bob")["AccessKey"]["AccessKeyId"]
    iam.update_access_key(UserName="bob", AccessKeyId=key_id, Status="Inactive")
    listed = steady(iam.list_access_keys, UserName="bob")["AccessKeyMetadata"]
    assert [(key_id, "Inactive")] == [(each["AccessKeyId"], each["Status"]) for each in listed]
    iam.create_login_profile(UserName="bob", Password="aB3$defghijklmnop", PasswordResetRequired=True)
    assert steady(iam.get_login_profile, UserName="bob")["LoginProfile"]["PasswordResetRequired"]
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048).public_key()
    body = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode() + " bob"
    ssh = iam.upload_ssh_public_key(UserName="bob", SSHPublicKeyBody=body)["SSHPublicKey"]["SSHPublicKeyId"]
    shown = steady(iam.get_ssh_public_key, UserName="bob", SSHPublicKeyId=ssh, Encoding="SSH")["SSHPublicKey"]
    # Without its comment, which Terraform leaves out of the comparison, too.
    assert body.rpartition(" ")[0] == shown["SSHPublicKeyBody"]
    assert ["bob"] == [each["UserName"] for each in steady(iam.list_users, PathPrefix="/team/")["Users"]]

    iam.delete_ssh_public_key(UserName="bob", SSHPublicKeyId=ssh)
    iam.delete_user_policy(UserName="bob", PolicyName="own")
    iam.delete_access_key(UserName="bob", AccessKeyId=key_id)
    iam.delete_login_profile(UserName="bob")
    gone(iam.delete_login_profile, UserName="bob")
    _assert_bare(iam, "bob")
    iam.delete_user(UserName="bob")
    gone(iam.get_user, UserName="bob")


def _assert_bare(iam: Any, name: str) -> None:
    """Ask for all that Terraform removes of a user with `force_destroy`."""
    assert [] == iam.list_groups_for_user(UserName=name)["Groups"]
    assert [] == iam.list_user_policies(UserName=name)["PolicyNames"]
    assert [] == iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]
    assert [] == iam.list_access_keys(UserName=name)["AccessKeyMetadata"]
    assert [] == iam.list_ssh_public_keys(UserName=name)["SSHPublicKeys"]
    assert [] == iam.list_virtual_mfa_devices(AssignmentStatus="Assigned")["VirtualMFADevices"]
    assert [] == iam.list_mfa_devices(UserName=name)["MFADevices"]
    assert [] == iam.list_signing_certificates(UserName=name)["Certificates"]
    assert [] == iam.list_service_specific_credentials(UserName=name)["ServiceSpecificCredentials"]


def test_a_group_its_policies_and_its_members(account: Account, iam: Any):
    account.user("bob")
    created = iam.create_group(GroupName="staff", Path="/team/")["Group"]
    assert created == steady(iam.get_group, GroupName="staff")["Group"]
    iam.put_group_policy(GroupName="staff", PolicyName="reading", PolicyDocument=DOCUMENT)
    assert READING == document_of(steady(iam.get_group_policy, GroupName="staff", PolicyName="reading")["PolicyDocument"])
    managed = {"GroupName": "staff", "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}
    iam.attach_group_policy(**managed)
    attached = steady(iam.list_attached_group_policies, GroupName="staff")["AttachedPolicies"]
    assert [{"PolicyName": "ReadOnlyAccess", "PolicyArn": managed["PolicyArn"]}] == attached
    iam.add_user_to_group(GroupName="staff", UserName="bob")
    assert ["bob"] == [each["UserName"] for each in steady(iam.get_group, GroupName="staff")["Users"]]

    iam.remove_user_from_group(GroupName="staff", UserName="bob")
    iam.detach_group_policy(**managed)
    gone(iam.detach_group_policy, **managed)
    iam.delete_group_policy(GroupName="staff", PolicyName="reading")
    gone(iam.get_group_policy, GroupName="staff", PolicyName="reading")
    iam.delete_group(GroupName="staff")
    gone(iam.get_group, GroupName="staff")


def test_a_policy_and_its_attachment_to_a_user(account: Account, iam: Any):
    account.user("bob")
    created = iam.create_policy(PolicyName="reading", Path="/", Description="Read the bucket", PolicyDocument=DOCUMENT, Tags=TAGS)
    arn = created["Policy"]["Arn"]
    iam.get_waiter("policy_exists").wait(PolicyArn=arn, WaiterConfig={"Delay": 0})
    policy = steady(iam.get_policy, PolicyArn=arn)["Policy"]
    assert ("Read the bucket", "v1", TAGS) == (policy["Description"], policy["DefaultVersionId"], policy["Tags"])
    version = steady(iam.get_policy_version, PolicyArn=arn, VersionId="v1")["PolicyVersion"]
    assert READING == document_of(version["Document"])
    iam.attach_user_policy(UserName="bob", PolicyArn=arn)
    assert [arn] == [each["PolicyArn"] for each in steady(iam.list_attached_user_policies, UserName="bob")["AttachedPolicies"]]

    # An update: one more version, and the oldest is deleted where there are five.
    for _ in range(4):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=DOCUMENT, SetAsDefault=True)
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    oldest = min(versions, key=lambda each: int(each["VersionId"][1:]))
    iam.delete_policy_version(PolicyArn=arn, VersionId=oldest["VersionId"])
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=DOCUMENT, SetAsDefault=True)
    assert "v6" == steady(iam.get_policy, PolicyArn=arn)["Policy"]["DefaultVersionId"]

    iam.detach_user_policy(UserName="bob", PolicyArn=arn)
    for each in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
        if not each["IsDefaultVersion"]:
            iam.delete_policy_version(PolicyArn=arn, VersionId=each["VersionId"])
    iam.delete_policy(PolicyArn=arn)
    gone(iam.get_policy, PolicyArn=arn)


def test_a_role_its_policies_and_its_instance_profile(iam: Any):
    arn = iam.create_policy(PolicyName="reading", PolicyDocument=DOCUMENT)["Policy"]["Arn"]
    trust = json.dumps(MACHINES)
    made = {"Path": "/machines/", "Description": "Of the machines", "MaxSessionDuration": 7200, "PermissionsBoundary": arn}
    created = iam.create_role(RoleName="machine", AssumeRolePolicyDocument=trust, Tags=TAGS, **made)["Role"]
    iam.get_waiter("role_exists").wait(RoleName="machine", WaiterConfig={"Delay": 0})
    role = steady(iam.get_role, RoleName="machine")["Role"]
    assert MACHINES == document_of(role["AssumeRolePolicyDocument"]) == document_of(created["AssumeRolePolicyDocument"])
    assert ("Of the machines", 7200, TAGS) == (role["Description"], role["MaxSessionDuration"], role["Tags"])
    assert [] == steady(iam.list_role_policies, RoleName="machine")["PolicyNames"]
    assert [] == steady(iam.list_attached_role_policies, RoleName="machine")["AttachedPolicies"]
    iam.put_role_policy(RoleName="machine", PolicyName="reading", PolicyDocument=DOCUMENT)
    assert READING == document_of(steady(iam.get_role_policy, RoleName="machine", PolicyName="reading")["PolicyDocument"])
    iam.attach_role_policy(RoleName="machine", PolicyArn=arn)
    attached = steady(iam.list_attached_role_policies, RoleName="machine")["AttachedPolicies"]
    assert [arn] == [each["PolicyArn"] for each in attached]

    profile = iam.create_instance_profile(InstanceProfileName="machine", Path="/machines/", Tags=TAGS)["InstanceProfile"]
    assert profile == steady(iam.get_instance_profile, InstanceProfileName="machine")["InstanceProfile"]
    iam.add_role_to_instance_profile(InstanceProfileName="machine", RoleName="machine")
    iam.get_waiter("instance_profile_exists").wait(InstanceProfileName="machine", WaiterConfig={"Delay": 0})
    held = steady(iam.get_instance_profile, InstanceProfileName="machine")["InstanceProfile"]["Roles"]
    assert ["machine"] == [each["RoleName"] for each in held]
    assert ["machine"] == [each["RoleName"] for each in steady(iam.list_roles, PathPrefix="/machines/")["Roles"]]

    iam.remove_role_from_instance_profile(InstanceProfileName="machine", RoleName="machine")
    iam.delete_instance_profile(InstanceProfileName="machine")
    gone(iam.get_instance_profile, InstanceProfileName="machine")
    iam.detach_role_policy(RoleName="machine", PolicyArn=arn)
    iam.delete_role_policy(RoleName="machine", PolicyName="reading")
    assert [] == iam.list_instance_profiles_for_role(RoleName="machine")["InstanceProfiles"]
    iam.delete_role(RoleName="machine")
    gone(iam.get_role, RoleName="machine")


def test_a_role_whose_trust_policy_names_a_user_and_the_account(account: Account, iam: Any):
    bob = account.user("bob")
    named = [bob.arn, account.id]
    trust = {"Effect": "Allow", "Action": ["sts:TagSession", "sts:AssumeRole"], "Principal": {"AWS": named}}
    iam.create_role(RoleName="people", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))

    shown = document_of(steady(iam.get_role, RoleName="people")["Role"]["AssumeRolePolicyDocument"])["Statement"][0]

    # A bare account id is kept and shown as its root's ARN, as on AWS; the provider takes the two for the same.
    assert {bob.arn, f"arn:aws:iam::{account.id}:root"} == set(shown["Principal"]["AWS"])


def test_a_service_linked_role(iam: Any):
    asked = {"AWSServiceName": "autoscaling.amazonaws.com", "CustomSuffix": "blue", "Description": "Of the blue fleet"}
    name = iam.create_service_linked_role(**asked)["Role"]["RoleName"]
    role = steady(iam.get_role, RoleName=name)["Role"]
    assert ("AWSServiceRoleForAutoScaling_blue", "Of the blue fleet") == (role["RoleName"], role["Description"])

    task = iam.delete_service_linked_role(RoleName=name)["DeletionTaskId"]

    assert "SUCCEEDED" == iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"]
    gone(iam.get_role, RoleName=name)


def test_the_password_policy(iam: Any):
    rules = {
        "MinimumPasswordLength": 14,
        "RequireSymbols": True,
        "RequireNumbers": True,
        "RequireUppercaseCharacters": True,
        "RequireLowercaseCharacters": True,
        "AllowUsersToChangePassword": True,
        "MaxPasswordAge": 90,
        "PasswordReusePrevention": 24,
    }
    iam.update_account_password_policy(**rules)
    shown = steady(iam.get_account_password_policy)["PasswordPolicy"]
    assert rules == {name: shown[name] for name in rules}
    assert shown["ExpirePasswords"]

    iam.delete_account_password_policy()

    gone(iam.get_account_password_policy)


def test_the_account_alias(account: Account, iam: Any):
    alias = f"terraform-{account.id}"
    iam.create_account_alias(AccountAlias=alias)
    assert [alias] == steady(iam.list_account_aliases)["AccountAliases"]

    iam.delete_account_alias(AccountAlias=alias)

    assert [] == iam.list_account_aliases()["AccountAliases"]


def test_a_saml_provider(iam: Any):
    document = SamlProvider().metadata()
    arn = iam.create_saml_provider(Name="office", SAMLMetadataDocument=document, Tags=TAGS)["SAMLProviderArn"]
    shown = steady(iam.get_saml_provider, SAMLProviderArn=arn)
    assert (document, TAGS) == (shown["SAMLMetadataDocument"], shown["Tags"])

    iam.delete_saml_provider(SAMLProviderArn=arn)

    gone(iam.get_saml_provider, SAMLProviderArn=arn)


def test_an_open_id_connect_provider(iam: Any):
    thumbprint = "cf23df2207d99a74fbe169e3eba035e633b65d94"
    arn = iam.create_open_id_connect_provider(
        Url="https://builds.example.org/issuer",
        ClientIDList=["sts.amazonaws.com", "other"],
        ThumbprintList=[thumbprint],
        Tags=TAGS,
    )["OpenIDConnectProviderArn"]
    shown = steady(iam.get_open_id_connect_provider, OpenIDConnectProviderArn=arn)
    assert ("builds.example.org/issuer", [thumbprint], TAGS) == (shown["Url"], shown["ThumbprintList"], shown["Tags"])
    assert {"sts.amazonaws.com", "other"} == set(shown["ClientIDList"])

    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)

    gone(iam.get_open_id_connect_provider, OpenIDConnectProviderArn=arn)


def test_a_virtual_mfa_device(account: Account, iam: Any):
    made = iam.create_virtual_mfa_device(VirtualMFADeviceName="phone", Path="/team/", Tags=TAGS)["VirtualMFADevice"]
    serial = made["SerialNumber"]
    assert f"arn:aws:iam::{account.id}:mfa/team/phone" == serial
    assert made["Base32StringSeed"]
    assert made["QRCodePNG"]
    assert [serial] == [each["SerialNumber"] for each in steady(iam.list_virtual_mfa_devices)["VirtualMFADevices"]]
    assert TAGS == steady(iam.list_mfa_device_tags, SerialNumber=serial)["Tags"]

    iam.delete_virtual_mfa_device(SerialNumber=serial)

    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.list_mfa_device_tags(SerialNumber=serial)
