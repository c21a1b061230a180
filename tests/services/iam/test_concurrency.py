"""Calls that come at the same moment, over two nodes on one database: names stay unique, quotas hold, and no update is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from tests.fixtures.nodes import AT_ONCE, Nodes, at_once, of_each
from tests.services.iam.asking import Authenticator, allow
from tests.services.iam.making_certificates import certificate
from tests.services.sts.saml_provider import SamlProvider

DOCUMENT = json.dumps(allow("iam:GetUser"))
MACHINES = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [MACHINES]})
METADATA = SamlProvider().metadata()


SERVER = certificate("server", by=None)
CREATED: dict[str, dict[str, Any]] = {
    "create_user": {"UserName": "one"},
    "create_group": {"GroupName": "one"},
    "create_role": {"RoleName": "one", "AssumeRolePolicyDocument": TRUST},
    "create_policy": {"PolicyName": "one", "PolicyDocument": DOCUMENT},
    "create_instance_profile": {"InstanceProfileName": "one"},
    "create_virtual_mfa_device": {"VirtualMFADeviceName": "one"},
    "create_saml_provider": {"Name": "one", "SAMLMetadataDocument": METADATA},
    "create_open_id_connect_provider": {"Url": "https://one.example.org", "ThumbprintList": ["a" * 40]},
    "upload_server_certificate": {
        "ServerCertificateName": "one",
        "CertificateBody": SERVER.certificate,
        "PrivateKey": SERVER.private_key,
    },
    "create_login_profile": {"UserName": "bob", "Password": "aB3$defghijklmnop"},
}


@pytest.mark.parametrize("operation", CREATED)
def test_a_name_is_given_once(nodes: Nodes, operation: str) -> None:
    nodes.iam.create_user(UserName="bob")

    came_to = at_once(*of_each(nodes.clients(), operation, CREATED[operation]))

    assert ["", *["EntityAlreadyExists"] * (AT_ONCE - 1)] == came_to


@pytest.mark.parametrize("names", [("One", "ONE", "one", "oNE", "onE", "ONe")])
def test_a_name_is_given_once_however_it_is_written(nodes: Nodes, names: tuple[str, ...]) -> None:
    for operation, member in (("create_user", "UserName"), ("create_group", "GroupName")):
        came_to = at_once(*of_each(nodes.clients(), operation, *({member: name} for name in names)))

        assert ["", *["EntityAlreadyExists"] * (AT_ONCE - 1)] == came_to


def test_an_alias_is_given_once_in_the_whole_house(nodes: Nodes) -> None:
    others = [nodes.crowns[0].account() for _ in range(3)]
    clients = [client for each in (nodes.account, *others) for client in nodes.clients(1, each)]

    came_to = at_once(*of_each(clients, "create_account_alias", {"AccountAlias": f"house-{nodes.account.id}"}))

    assert ["", *["EntityAlreadyExists"] * 3] == came_to
    assert 1 == sum(bool(client.list_account_aliases()["AccountAliases"]) for client in clients)


_MANAGED = ("ReadOnlyAccess", "SecurityAudit", "PowerUserAccess", "IAMFullAccess", "IAMReadOnlyAccess", "AdministratorAccess")
QUOTAS: dict[str, tuple[str, int, Callable[[int], dict[str, Any]]]] = {
    # The operation, the quota with room for one more, and the parameters of each call.
    "create_user": ("UsersQuota", 3, lambda number: {"UserName": f"u{number}"}),
    "create_group": ("GroupsQuota", 1, lambda number: {"GroupName": f"g{number}"}),
    "create_role": ("RolesQuota", 1, lambda number: {"RoleName": f"r{number}", "AssumeRolePolicyDocument": TRUST}),
    "create_policy": ("PoliciesQuota", 2, lambda number: {"PolicyName": f"p{number}", "PolicyDocument": DOCUMENT}),
    "create_instance_profile": ("InstanceProfilesQuota", 1, lambda number: {"InstanceProfileName": f"i{number}"}),
    "create_saml_provider": ("SAMLProvidersQuota", 1, lambda number: {"Name": f"s{number}", "SAMLMetadataDocument": METADATA}),
    "create_open_id_connect_provider": (
        "OpenIDConnectProvidersQuota",
        1,
        lambda number: {"Url": f"https://{number}.example.org", "ThumbprintList": ["a" * 40]},
    ),
    "create_access_key": ("AccessKeysPerUserQuota", 1, lambda _: {"UserName": "bob"}),
    "attach_user_policy": (
        "AttachedPoliciesPerUserQuota",
        1,
        lambda number: {"UserName": "bob", "PolicyArn": f"arn:aws:iam::aws:policy/{_MANAGED[number]}"},
    ),
    "put_user_policy": (
        "UserPolicySizeQuota",
        120,
        lambda number: {"UserName": "bob", "PolicyName": f"p{number}", "PolicyDocument": DOCUMENT},
    ),
}


@pytest.mark.parametrize("operation", QUOTAS)
def test_a_quota_is_not_exceeded(nodes: Nodes, operation: str) -> None:
    quota, value, parameters = QUOTAS[operation]
    nodes.iam.create_user(UserName="bob")
    nodes.iam.create_policy(PolicyName="there", PolicyDocument=DOCUMENT)
    nodes.settle(quota, value)

    came_to = at_once(*of_each(nodes.clients(), operation, *map(parameters, range(AT_ONCE))))

    assert ["", *["LimitExceeded"] * (AT_ONCE - 1)] == came_to


def test_the_fifth_version_of_a_policy_is_made_once(nodes: Nodes) -> None:
    arn = nodes.iam.create_policy(PolicyName="P", PolicyDocument=DOCUMENT)["Policy"]["Arn"]
    for _ in range(3):
        nodes.iam.create_policy_version(PolicyArn=arn, PolicyDocument=DOCUMENT)

    came_to = at_once(*of_each(nodes.clients(), "create_policy_version", {"PolicyArn": arn, "PolicyDocument": DOCUMENT}))

    assert ["", *["LimitExceeded"] * (AT_ONCE - 1)] == came_to
    versions = [each["VersionId"] for each in nodes.iam.list_policy_versions(PolicyArn=arn)["Versions"]]
    assert ["v1", "v2", "v3", "v4", "v5"] == sorted(versions)


def test_versions_of_a_policy_never_share_a_number(nodes: Nodes) -> None:
    nodes.settle("VersionsPerPolicyQuota", 50)
    arn = nodes.iam.create_policy(PolicyName="P", PolicyDocument=DOCUMENT)["Policy"]["Arn"]
    wanted = {"PolicyArn": arn, "PolicyDocument": DOCUMENT, "SetAsDefault": True}

    came_to = at_once(*of_each(nodes.clients(), "create_policy_version", wanted))

    versions = nodes.iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert [""] * AT_ONCE == came_to
    assert {f"v{number}" for number in range(1, AT_ONCE + 2)} == {each["VersionId"] for each in versions}
    assert [f"v{AT_ONCE + 1}"] == [each["VersionId"] for each in versions if each["IsDefaultVersion"]]


def test_a_policy_keeps_a_version_in_force_whoever_deletes_it_meanwhile(nodes: Nodes) -> None:
    arn = nodes.iam.create_policy(PolicyName="P", PolicyDocument=DOCUMENT)["Policy"]["Arn"]
    one, two = nodes.clients(2)
    for _ in range(4):
        version = nodes.iam.create_policy_version(PolicyArn=arn, PolicyDocument=DOCUMENT)["PolicyVersion"]["VersionId"]

        named = {"PolicyArn": arn, "VersionId": version}
        came_to = at_once(partial(one.set_default_policy_version, **named), partial(two.delete_policy_version, **named))

        assert came_to in (["", "DeleteConflict"], ["", "NoSuchEntity"])
        assert nodes.iam.get_policy_version(
            PolicyArn=arn, VersionId=nodes.iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        )["PolicyVersion"]["IsDefaultVersion"]


def enabling(device: dict[str, Any]) -> dict[str, str]:
    """Return what enables a device: its serial number and two codes of it."""
    app = Authenticator(device["Base32StringSeed"])
    codes = {"AuthenticationCode1": app.code(-1), "AuthenticationCode2": app.code()}
    return {"SerialNumber": device["SerialNumber"], **codes}


def test_one_device_more_is_enabled_once(nodes: Nodes) -> None:
    nodes.iam.create_user(UserName="bob")
    nodes.settle("MFADevicesPerUserQuota", 1)
    calls = []
    for number, client in enumerate(nodes.clients(4)):
        made = nodes.iam.create_virtual_mfa_device(VirtualMFADeviceName=f"d{number}")["VirtualMFADevice"]
        calls.append(partial(client.enable_mfa_device, UserName="bob", **enabling(made)))

    came_to = at_once(*calls)

    assert ["", *["LimitExceeded"] * 3] == came_to
    assert 1 == len(nodes.iam.list_mfa_devices(UserName="bob")["MFADevices"])


def test_a_device_is_enabled_for_one_user(nodes: Nodes) -> None:
    made = nodes.iam.create_virtual_mfa_device(VirtualMFADeviceName="d")["VirtualMFADevice"]
    given = enabling(made)
    calls = []
    for number, client in enumerate(nodes.clients(4)):
        nodes.iam.create_user(UserName=f"u{number}")
        calls.append(partial(client.enable_mfa_device, UserName=f"u{number}", **given))

    came_to = at_once(*calls)

    assert 1 == came_to.count("")
    assert 1 == len(nodes.iam.list_virtual_mfa_devices(AssignmentStatus="Assigned")["VirtualMFADevices"])


TAGGED: dict[str, Callable[[Nodes], dict[str, Any]]] = {
    "user": lambda nodes: {"UserName": nodes.iam.create_user(UserName="t")["User"]["UserName"]},
    "role": lambda nodes: {"RoleName": nodes.iam.create_role(RoleName="t", AssumeRolePolicyDocument=TRUST)["Role"]["RoleName"]},
    "policy": lambda nodes: {"PolicyArn": nodes.iam.create_policy(PolicyName="t", PolicyDocument=DOCUMENT)["Policy"]["Arn"]},
    "saml_provider": lambda nodes: {
        "SAMLProviderArn": nodes.iam.create_saml_provider(Name="t", SAMLMetadataDocument=METADATA)["SAMLProviderArn"]
    },
}


@pytest.mark.parametrize("kind", TAGGED)
def test_no_tag_is_lost(nodes: Nodes, kind: str) -> None:
    named = TAGGED[kind](nodes)
    wanted = [{**named, "Tags": [{"Key": f"k{number}", "Value": "v"}]} for number in range(AT_ONCE)]

    came_to = at_once(*of_each(nodes.clients(), f"tag_{kind}", *wanted))

    tags = getattr(nodes.iam, f"list_{kind}_tags")(**named)["Tags"]
    assert [""] * AT_ONCE == came_to
    assert {f"k{number}" for number in range(AT_ONCE)} == {tag["Key"] for tag in tags}


def test_no_client_of_a_provider_is_lost(nodes: Nodes) -> None:
    made = nodes.iam.create_open_id_connect_provider(Url="https://c.example.org", ThumbprintList=["a" * 40])
    arn = made["OpenIDConnectProviderArn"]
    wanted = [{"OpenIDConnectProviderArn": arn, "ClientID": f"c{number}"} for number in range(AT_ONCE)]

    came_to = at_once(*of_each(nodes.clients(), "add_client_id_to_open_id_connect_provider", *wanted))

    kept = nodes.iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ClientIDList"]
    assert [""] * AT_ONCE == came_to
    assert {f"c{number}" for number in range(AT_ONCE)} == set(kept)


def test_changes_to_different_sides_of_a_role_are_all_kept(nodes: Nodes) -> None:
    nodes.iam.create_role(RoleName="R", AssumeRolePolicyDocument=TRUST)
    edge = nodes.iam.create_policy(PolicyName="edge", PolicyDocument=DOCUMENT)["Policy"]["Arn"]
    other = TRUST.replace("ec2.", "lambda.")
    clients = nodes.clients(5)

    came_to = at_once(
        partial(clients[0].update_role, RoleName="R", Description="changed", MaxSessionDuration=7200),
        partial(clients[1].update_assume_role_policy, RoleName="R", PolicyDocument=other),
        partial(clients[2].put_role_permissions_boundary, RoleName="R", PermissionsBoundary=edge),
        partial(clients[3].put_role_policy, RoleName="R", PolicyName="own", PolicyDocument=DOCUMENT),
        partial(clients[4].attach_role_policy, RoleName="R", PolicyArn=edge),
    )

    role = nodes.iam.get_role(RoleName="R")["Role"]
    assert [""] * 5 == came_to
    assert ("changed", 7200, json.loads(other)) == (
        role["Description"],
        role["MaxSessionDuration"],
        role["AssumeRolePolicyDocument"],
    )
    assert edge == role["PermissionsBoundary"]["PermissionsBoundaryArn"]
    assert ["own"] == nodes.iam.list_role_policies(RoleName="R")["PolicyNames"]
    assert 1 == len(nodes.iam.list_attached_role_policies(RoleName="R")["AttachedPolicies"])


def test_members_of_a_group_are_all_kept(nodes: Nodes) -> None:
    nodes.iam.create_group(GroupName="staff")
    for number in range(AT_ONCE):
        nodes.iam.create_user(UserName=f"u{number}")
    wanted = [{"GroupName": "staff", "UserName": f"u{number}"} for number in range(AT_ONCE)]

    came_to = at_once(*of_each(nodes.clients(), "add_user_to_group", *wanted))

    assert [""] * AT_ONCE == came_to
    assert AT_ONCE == len(nodes.iam.get_group(GroupName="staff")["Users"])


def test_what_is_put_into_an_entity_does_not_outlive_it(nodes: Nodes) -> None:
    for number in range(4):
        name = f"v{number}"
        nodes.iam.create_user(UserName=name)
        one, two, three, four = nodes.clients(4)

        at_once(
            partial(one.delete_user, UserName=name),
            partial(two.create_access_key, UserName=name),
            partial(three.put_user_policy, UserName=name, PolicyName="p", PolicyDocument=DOCUMENT),
            partial(four.tag_user, UserName=name, Tags=[{"Key": "k", "Value": "v"}]),
        )

        with suppress(nodes.iam.exceptions.EntityAlreadyExistsException):
            # The user went first, so that a new one by its name has nothing of it; or it is still there with what it was given.
            nodes.iam.create_user(UserName=name)
            assert [] == nodes.iam.list_access_keys(UserName=name)["AccessKeyMetadata"]
            assert [] == nodes.iam.list_user_policies(UserName=name)["PolicyNames"]
            assert [] == nodes.iam.list_user_tags(UserName=name)["Tags"]
