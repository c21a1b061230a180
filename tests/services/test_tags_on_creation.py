"""Tags that come with something new: they ask for the permission to tag it, wherever something can be made with tags."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.fixtures.crown import Account, Crown
from tests.fixtures.organization import Organization, deny
from tests.house.test_operations import OPERATIONS
from tests.services.iam.making_certificates import authority
from tests.services.sts.saml_provider import SamlProvider

TAGS = [{"Key": "team", "Value": "red"}]
DOCUMENT = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}'
TRUST = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}'
PAIR = authority("root authority")

IN_IAM: Mapping[str, tuple[str, str, Callable[[], dict[str, Any]]]] = {
    "CreateUser": ("iam:TagUser", "user/new", lambda: {"UserName": "new"}),
    "CreateRole": ("iam:TagRole", "role/new", lambda: {"RoleName": "new", "AssumeRolePolicyDocument": TRUST}),
    "CreatePolicy": ("iam:TagPolicy", "policy/new", lambda: {"PolicyName": "new", "PolicyDocument": DOCUMENT}),
    "CreateInstanceProfile": ("iam:TagInstanceProfile", "instance-profile/new", lambda: {"InstanceProfileName": "new"}),
    "CreateVirtualMFADevice": ("iam:TagMFADevice", "mfa/new", lambda: {"VirtualMFADeviceName": "new"}),
    "CreateSAMLProvider": (
        "iam:TagSAMLProvider",
        "saml-provider/new",
        lambda: {"Name": "new", "SAMLMetadataDocument": SamlProvider().metadata()},
    ),
    "CreateOpenIDConnectProvider": (
        "iam:TagOpenIDConnectProvider",
        "oidc-provider/idp.example",
        lambda: {"Url": "https://idp.example", "ThumbprintList": ["a" * 40]},
    ),
    "UploadServerCertificate": (
        "iam:TagServerCertificate",
        "server-certificate/new",
        lambda: {"ServerCertificateName": "new", "CertificateBody": PAIR.certificate, "PrivateKey": PAIR.private_key},
    ),
}
IN_ORGANIZATIONS = {
    "CreateAccount",
    "CreateOrganizationalUnit",
    "CreatePolicy",
    "InviteAccountToOrganization",
    "PutResourcePolicy",
}
IN_SINGLE_SIGN_ON = {"CreateInstance", "CreatePermissionSet"}
TEAM: dict[str, Any] = {
    "Name": "new",
    "Description": "New.",
    "ApprovalStrategy": {"MofN": {"MinApprovalsRequired": 2}},
    "Approvers": [{"PrimaryIdentityId": "nobody", "PrimaryIdentitySourceArn": "nowhere"}],
    "Policies": [{"PolicyArn": "arn:aws:mpa:::aws:policy/crownkeep/SealedRoot/1"}],
}
OF_APPROVAL = {"CreateApprovalTeam", "CreateIdentitySource"}
OF_SESSIONS = {
    "AssumeRole": "sts:TagSession, which the trust policy must allow as well, is asked for by the handler",
    "GetFederationToken": "sts:TagSession is asked for by the handler",
    "GetWebIdentityToken": "sts:TagGetWebIdentityToken is asked for by the handler",
}


def statement(effect: str, *actions: str, **condition: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"Effect": effect, "Action": list(actions), "Resource": "*"}
    return {**made, "Condition": condition} if condition else made


def client(account: Account, name: str, *statements: dict[str, Any], service: str = "iam") -> Any:
    return account.user(name, policy={"Version": "2012-10-17", "Statement": list(statements)}).client(service)


def called(api: Any, operation: str, parameters: Mapping[str, Any]) -> str:
    """Call an operation by AWS's name of it and return the refusal, or nothing."""
    method = next(name for name, known in api.meta.method_to_api_mapping.items() if known == operation)
    try:
        getattr(api, method)(**parameters)
    except ClientError as error:
        return str(error.response["Error"]["Message"])
    return ""


@pytest.mark.parametrize("operation", IN_IAM)
def test_privilege_escalation_tags_on_creation_need_the_permission_to_tag(account: Account, operation: str):
    action, resource, parameters = IN_IAM[operation]
    without = client(account, "without", statement("Allow", f"iam:{operation}"))
    denied = client(account, "denied", statement("Allow", "*"), statement("Deny", "iam:Tag*"))
    asked = f"is not authorized to perform: {action} on resource: arn:aws:iam::{account.id}:{resource}"

    assert f"{asked} because no identity-based policy allows the {action} action" in called(
        without, operation, {**parameters(), "Tags": TAGS}
    )
    assert f"{asked} with an explicit deny" in called(denied, operation, {**parameters(), "Tags": TAGS})
    assert "" == called(without, operation, parameters())


def test_tags_on_creation_are_the_request_tags_of_the_permission_to_tag(account: Account):
    red = {"StringEquals": {"aws:RequestTag/team": "red"}, "ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}
    iam = client(account, "limited", statement("Allow", "iam:CreateUser"), statement("Allow", "iam:TagUser", **red))

    assert "" == called(iam, "CreateUser", {"UserName": "red", "Tags": TAGS})
    for tags in ([{"Key": "team", "Value": "blue"}], [*TAGS, {"Key": "admin", "Value": "true"}]):
        assert "iam:TagUser" in called(iam, "CreateUser", {"UserName": "other", "Tags": tags})


def test_an_administrator_of_a_member_can_not_tag_on_creation_what_its_organization_forbids(crown: Crown):
    organization = Organization(crown)
    member = organization.invited()
    organization.bind(deny("iam:TagUser"), member.id)

    assert "service control policy" in called(member.client("iam"), "CreateUser", {"UserName": "new", "Tags": TAGS})


@pytest.mark.parametrize("operation", sorted(IN_ORGANIZATIONS))
def test_privilege_escalation_tags_on_creation_in_an_organization_need_the_permission_to_tag(crown: Crown, operation: str):
    organization = Organization(crown)
    account = organization.management
    guest = crown.account()
    member = organization.invited()
    parameters = organized(organization, guest, member)[operation]
    may_create = statement("Allow", f"organizations:{operation}")
    without = client(account, "without", may_create, service="organizations")
    deny_tagging = statement("Deny", "organizations:TagResource")
    denied = client(account, "denied", statement("Allow", "*"), deny_tagging, service="organizations")

    for api in (without, denied):
        assert "organizations:TagResource" in called(api, operation, {**parameters, "Tags": TAGS})
    assert "" == called(without, operation, parameters)


@pytest.mark.parametrize("operation", sorted(IN_SINGLE_SIGN_ON))
def test_privilege_escalation_tags_on_creation_in_single_sign_on_need_the_permission_to_tag(crown: Crown, operation: str):
    account = Organization(crown).management
    parameters: dict[str, Any] = {}
    if operation == "CreatePermissionSet":
        parameters = {"InstanceArn": account.client("sso-admin").create_instance()["InstanceArn"], "Name": "new"}
    may_create = statement("Allow", f"sso:{operation}")
    without = client(account, "without", may_create, service="sso-admin")
    denied = client(account, "denied", statement("Allow", "*"), statement("Deny", "sso:TagResource"), service="sso-admin")

    for api in (without, denied):
        assert "sso:TagResource" in called(api, operation, {**parameters, "Tags": TAGS})
    assert "" == called(without, operation, parameters)


@pytest.mark.parametrize("operation", sorted(OF_APPROVAL))
def test_privilege_escalation_tags_on_creation_of_approval_teams_need_the_permission_to_tag(account: Account, operation: str):
    parameters: dict[str, Any] = TEAM if operation == "CreateApprovalTeam" else {"IdentitySourceParameters": {}}
    may_create = statement("Allow", f"mpa:{operation}")
    without = client(account, "without", may_create, service="mpa")
    denied = client(account, "denied", statement("Allow", "*"), statement("Deny", "mpa:TagResource"), service="mpa")

    for api in (without, denied):
        assert "mpa:TagResource" in called(api, operation, {**parameters, "Tags": {"team": "red"}})
    assert "mpa:TagResource" not in called(without, operation, parameters)


def organized(organization: Organization, guest: Account, member: Account) -> dict[str, dict[str, Any]]:
    delegated = {"Effect": "Allow", "Principal": {"AWS": member.id}, "Action": "organizations:ListRoots", "Resource": "*"}
    return {
        "CreateAccount": {"Email": f"new-{guest.id}@test.example", "AccountName": "new"},
        "CreateOrganizationalUnit": {"ParentId": organization.root_id, "Name": "new"},
        "CreatePolicy": {
            "Content": json.dumps(deny("s3:*")),
            "Name": f"new {guest.id}",
            "Description": "",
            "Type": "SERVICE_CONTROL_POLICY",
        },
        "InviteAccountToOrganization": {"Target": {"Id": guest.id, "Type": "ACCOUNT"}},
        "PutResourcePolicy": {"Content": json.dumps({"Version": "2012-10-17", "Statement": [delegated]})},
    }


def test_every_operation_that_takes_tags_says_what_permission_they_need():
    taking = [each for each in OPERATIONS if each.model.input is not None and "Tags" in each.model.input.members]
    making = {each.name: each for each in taking if not each.name.startswith("Tag")}

    without = {name for name, each in making.items() if each.tagging is None}

    assert OF_SESSIONS.keys() == without
    assert {*IN_IAM, *IN_ORGANIZATIONS, *IN_SINGLE_SIGN_ON, *OF_APPROVAL, *OF_SESSIONS} == making.keys()
