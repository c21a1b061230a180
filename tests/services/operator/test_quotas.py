"""Quotas: set by the operator for one account, in force with its next request, and held for every kind of thing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.fixtures.crown import Account, Crown
from tests.services.iam.asking import allow, refusal
from tests.services.iam.making_certificates import certificate, rsa_key, ssh_line
from tests.services.sts.saml_provider import SamlProvider

from crownkeep import services
from crownkeep.domain import quotas

POLICY = json.dumps(allow("iam:GetUser"))
MACHINES = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [MACHINES]})
LONG_TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": f"S{number}", **MACHINES} for number in range(9)]})
MANAGED = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def settle(crown: Crown, account: Account, name: str, value: int) -> None:
    answer = crown.operator("PUT", f"/accounts/{account.id}/quotas/{name}", {"value": value})
    assert 200 == answer.status, answer.text


# For each quota: what makes one too many, once the account has a user `bob`, a group `staff`, a role `R` and a policy `P`.
EXCEEDED: dict[str, tuple[int, Callable[[Any, str], Any]]] = {
    "UsersQuota": (2, lambda iam, _: iam.create_user(UserName="more")),
    "GroupsQuota": (1, lambda iam, _: iam.create_group(GroupName="more")),
    "GroupsPerUserQuota": (0, lambda iam, _: iam.add_user_to_group(UserName="bob", GroupName="staff")),
    "AccessKeysPerUserQuota": (0, lambda iam, _: iam.create_access_key(UserName="bob")),
    "PoliciesQuota": (1, lambda iam, _: iam.create_policy(PolicyName="more", PolicyDocument=POLICY)),
    "VersionsPerPolicyQuota": (1, lambda iam, arn: iam.create_policy_version(PolicyArn=arn, PolicyDocument=POLICY)),
    "PolicySizeQuota": (256, lambda iam, _: iam.create_policy(PolicyName="more", PolicyDocument=_long())),
    "UserPolicySizeQuota": (50, lambda iam, _: iam.put_user_policy(UserName="bob", PolicyName="p", PolicyDocument=POLICY)),
    "GroupPolicySizeQuota": (
        50,
        lambda iam, _: iam.put_group_policy(GroupName="staff", PolicyName="p", PolicyDocument=POLICY),
    ),
    "RolePolicySizeQuota": (50, lambda iam, _: iam.put_role_policy(RoleName="R", PolicyName="p", PolicyDocument=POLICY)),
    "AssumeRolePolicySizeQuota": (
        256,
        lambda iam, _: iam.update_assume_role_policy(RoleName="R", PolicyDocument=LONG_TRUST),
    ),
    "AttachedPoliciesPerUserQuota": (0, lambda iam, _: iam.attach_user_policy(UserName="bob", PolicyArn=MANAGED)),
    "AttachedPoliciesPerGroupQuota": (0, lambda iam, _: iam.attach_group_policy(GroupName="staff", PolicyArn=MANAGED)),
    "AttachedPoliciesPerRoleQuota": (0, lambda iam, _: iam.attach_role_policy(RoleName="R", PolicyArn=MANAGED)),
    "RolesQuota": (1, lambda iam, _: iam.create_role(RoleName="more", AssumeRolePolicyDocument=TRUST)),
    "InstanceProfilesQuota": (0, lambda iam, _: iam.create_instance_profile(InstanceProfileName="more")),
    "ServerCertificatesQuota": (0, lambda iam, _: _server_certificate(iam)),
    "OpenIDConnectProvidersQuota": (
        0,
        lambda iam, _: iam.create_open_id_connect_provider(Url="https://a.example.org", ThumbprintList=["a" * 40]),
    ),
    "ClientIDsPerOpenIDConnectProviderQuota": (1, lambda iam, _: _provider(iam, ClientIDList=["a", "b"])),
    "ThumbprintsPerOpenIDConnectProviderQuota": (1, lambda iam, _: _provider(iam, ThumbprintList=["a" * 40, "b" * 40])),
    "SAMLProvidersQuota": (
        0,
        lambda iam, _: iam.create_saml_provider(Name="more", SAMLMetadataDocument=SamlProvider().metadata()),
    ),
    "SigningCertificatesPerUserQuota": (0, lambda iam, _: _signing_certificate(iam)),
    "SSHPublicKeysPerUserQuota": (
        0,
        lambda iam, _: _ssh_key(iam),
    ),
    "ServiceSpecificCredentialsPerUserQuota": (
        0,
        lambda iam, _: iam.create_service_specific_credential(UserName="bob", ServiceName="codecommit.amazonaws.com"),
    ),
    "TagsPerResourceQuota": (0, lambda iam, _: iam.tag_user(UserName="bob", Tags=[{"Key": "a", "Value": "b"}])),
}


def _provider(iam: Any, **options: Any) -> Any:
    return iam.create_open_id_connect_provider(**{"Url": "https://a.example.org", "ThumbprintList": ["a" * 40]} | options)


def _signing_certificate(iam: Any) -> Any:
    return iam.upload_signing_certificate(UserName="bob", CertificateBody=certificate("bob", by=None).certificate)


def _server_certificate(iam: Any) -> Any:
    made = certificate("server", by=None)
    return iam.upload_server_certificate(ServerCertificateName="c", CertificateBody=made.certificate, PrivateKey=made.private_key)


def _ssh_key(iam: Any) -> Any:
    return iam.upload_ssh_public_key(UserName="bob", SSHPublicKeyBody=ssh_line(rsa_key()))


def _long() -> str:
    return json.dumps(allow(*(f"iam:Get{number}" for number in range(60))))


@pytest.mark.parametrize("name", EXCEEDED)
def test_one_too_many_is_refused_and_allowed_again_with_the_default(crown: Crown, account: Account, name: str):
    iam = account.client("iam")
    iam.create_user(UserName="bob")
    iam.create_group(GroupName="staff")
    iam.create_role(RoleName="R", AssumeRolePolicyDocument=TRUST)
    arn = iam.create_policy(PolicyName="P", PolicyDocument=POLICY)["Policy"]["Arn"]
    value, making = EXCEEDED[name]
    settle(crown, account, name, value)

    answer = refusal(lambda: making(iam, arn))
    reset = crown.operator("DELETE", f"/accounts/{account.id}/quotas/{name}").json()

    assert answer.startswith(("LimitExceeded: ", "InvalidInput: Thumbprint list must contain fewer than 1 "))
    assert (reset["default"], False) == (reset["value"], reset["is_set"])
    making(iam, arn)


def test_every_quota_that_is_enforced_on_its_own_is_tried_here():
    services.load()

    # `MFADevicesPerUserQuota` can't be tried without devices (tests/services/iam/test_mfa_devices.py), teams not without
    # approvers (tests/services/mpa/test_teams.py), entitled groups not without people (tests/services/account_access);
    # the other is only shown.
    elsewhere = {"MFADevicesPerUserQuota", "ApprovalTeamsPerAccount", "GroupsPerEntitledRoleQuota", "PolicyVersionsInUseQuota"}
    assert {quota.name for quota in quotas.defined()} - EXCEEDED.keys() == elsewhere


def test_the_summary_shows_what_was_set(crown: Crown, account: Account):
    settle(crown, account, "UsersQuota", 20_000)
    settle(crown, account, "AttachedPoliciesPerRoleQuota", 25)

    summary = account.client("iam").get_account_summary()["SummaryMap"]

    assert (20_000, 25, 300) == (summary["UsersQuota"], summary["AttachedPoliciesPerRoleQuota"], summary["GroupsQuota"])


def test_more_than_the_default_is_room_for_more(crown: Crown, account: Account):
    account.user("bob")
    iam = account.client("iam")
    settle(crown, account, "GroupsPerUserQuota", 12)
    for number in range(12):
        iam.create_group(GroupName=f"g{number}")
        iam.add_user_to_group(UserName="bob", GroupName=f"g{number}")
    iam.create_group(GroupName="one-more")

    answer = refusal(iam.add_user_to_group, UserName="bob", GroupName="one-more")

    assert "LimitExceeded: Cannot exceed quota for GroupsPerUser: 12" == answer


def test_quotas_are_one_accounts_own(crown: Crown, account: Account):
    settle(crown, account, "UsersQuota", 1)
    other = crown.account().client("iam")

    other.create_user(UserName="bob")

    assert refusal(account.client("iam").create_user, UserName="bob").startswith("LimitExceeded: ")


def test_a_quota_holds_on_every_node_at_once(fresh_crown: Callable[..., Crown]):
    one = fresh_crown()
    two = fresh_crown(data=one.settings.data, database=one.settings.database)
    account = one.account()
    there = two.session(account.created["admin"], "iam")
    there.create_user(UserName="before")

    settle(one, account, "UsersQuota", 2)

    assert refusal(there.create_user, UserName="after").startswith("LimitExceeded: ")


def test_what_there_is_stays_where_the_quota_is_lowered(crown: Crown, account: Account):
    iam = account.client("iam")
    iam.create_user(UserName="bob")
    settle(crown, account, "UsersQuota", 0)

    assert {"admin", "bob"} == {user["UserName"] for user in iam.list_users()["Users"]}


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("UsersQuota", 100_001, 409),
        ("AccessKeysPerUserQuota", 3, 409),
        ("PolicySizeQuota", 1, 409),
        ("NoQuota", 1, 404),
        ("UsersQuota", -1, 400),
    ],
)
def test_what_a_quota_cannot_be_is_refused(crown: Crown, account: Account, name: str, value: int, status: int):
    assert status == crown.operator("PUT", f"/accounts/{account.id}/quotas/{name}", {"value": value}).status


def test_the_operator_sees_every_quota_and_that_it_was_changed(crown: Crown, account: Account):
    settle(crown, account, "RolesQuota", 7)

    shown = {each["name"]: each for each in crown.operator("GET", f"/accounts/{account.id}/quotas").json()["quotas"]}

    assert (7, 1000, True) == tuple(shown["RolesQuota"][member] for member in ("value", "default", "is_set"))
    assert (5000, False) == (shown["UsersQuota"]["value"], shown["UsersQuota"]["is_set"])
    record = next(each for each in account.records() if each["eventName"] == "SetQuota")
    assert {"account_id": account.id, "name": "RolesQuota", "value": 7}.items() <= {
        key.replace("accountId", "account_id"): value for key, value in record["requestParameters"].items()
    }.items()
    assert 404 == crown.operator("GET", "/accounts/000000000000/quotas").status
