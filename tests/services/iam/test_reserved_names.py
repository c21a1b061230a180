"""Paths and names that policies exempt, because they are AWS's services' own: nobody steps out of a policy by having one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.fixtures.crown import Account, Crown
from tests.fixtures.organization import Organization, deny
from tests.services.iam.making_certificates import authority

LINKED = "Path prefix '/aws-service-role/' can only be used for AWS Service linked Roles"
RESERVED = "Path prefix '/aws-reserved/' is reserved for AWS services"
NAMES = {
    "AWSServiceRoleForMischief": "Name prefix 'AWSServiceRoleFor' can only be used for AWS Service linked Roles",
    "awsserviceroleforecs": "Name prefix 'AWSServiceRoleFor' can only be used for AWS Service linked Roles",
    "AWSReservedSSO_Admin_0123456789abcdef": "Name prefix 'AWSReservedSSO_' is reserved for AWS services",
}
PATHS = {
    "/aws-service-role/": LINKED,
    "/aws-service-role/config.amazonaws.com/": LINKED,
    "/AWS-Service-Role/x/": LINKED,
    "/aws-reserved/": RESERVED,
    "/aws-reserved/sso.amazonaws.com/eu-west-1/": RESERVED,
}
ALLOW = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}]})


def trust(account_id: str) -> str:
    principal = {"AWS": f"arn:aws:iam::{account_id}:root"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def refusal(call: Any, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.mark.parametrize("path", PATHS)
def test_a_reserved_path_is_nobodys_to_make_anything_under(account: Account, path: str):
    iam = account.client("iam")
    pair = authority("reserved")
    uploaded = {"CertificateBody": pair.certificate, "PrivateKey": pair.private_key}

    refused = [
        refusal(iam.create_role, RoleName="r", Path=path, AssumeRolePolicyDocument=trust(account.id)),
        refusal(iam.create_user, UserName="u", Path=path),
        refusal(iam.create_group, GroupName="g", Path=path),
        refusal(iam.create_instance_profile, InstanceProfileName="i", Path=path),
        refusal(iam.create_policy, PolicyName="p", Path=path, PolicyDocument=ALLOW),
        refusal(iam.upload_server_certificate, ServerCertificateName="c", Path=path, **uploaded),
        refusal(iam.create_virtual_mfa_device, VirtualMFADeviceName="m", Path=path),
    ]

    assert [("InvalidInput", PATHS[path])] * 7 == refused


@pytest.mark.parametrize("path", PATHS)
def test_a_reserved_path_is_nobodys_to_move_anything_under(account: Account, path: str):
    iam = account.client("iam")
    pair = authority("reserved")
    iam.create_user(UserName="u")
    iam.create_group(GroupName="g")
    iam.upload_server_certificate(ServerCertificateName="c", CertificateBody=pair.certificate, PrivateKey=pair.private_key)

    refused = [
        refusal(iam.update_user, UserName="u", NewPath=path),
        refusal(iam.update_group, GroupName="g", NewPath=path),
        refusal(iam.update_server_certificate, ServerCertificateName="c", NewPath=path),
    ]

    assert [("InvalidInput", PATHS[path])] * 3 == refused
    assert "/" == iam.get_user(UserName="u")["User"]["Path"]


@pytest.mark.parametrize("name", NAMES)
def test_a_reserved_name_is_no_principals(account: Account, name: str):
    iam = account.client("iam")
    iam.create_user(UserName="u")

    refused = [
        refusal(iam.create_role, RoleName=name, AssumeRolePolicyDocument=trust(account.id)),
        refusal(iam.create_user, UserName=name),
        refusal(iam.update_user, UserName="u", NewUserName=name),
    ]

    assert [("InvalidInput", NAMES[name])] * 3 == refused


def test_a_reserved_path_is_not_reached_by_a_doubled_slash(account: Account):
    iam = account.client("iam")

    refused = refusal(iam.create_role, RoleName="r", Path="//aws-service-role/x/", AssumeRolePolicyDocument=trust(account.id))

    assert ("InvalidInput", LINKED) == refused


@pytest.mark.parametrize("path", ["/service-role/", "/team/aws-service-role/", "/aws-service-roles/", "/aws-reserved-not/"])
def test_other_paths_are_free(account: Account, path: str):
    iam = account.client("iam")

    role = iam.create_role(RoleName="r", Path=path, AssumeRolePolicyDocument=trust(account.id))["Role"]

    assert path == role["Path"]


@pytest.mark.parametrize("name", ["AWSServiceRoleForMischief", "AWSReservedSSO_Admin_0123456789abcdef"])
def test_an_organization_makes_no_access_role_of_a_reserved_name(crown: Crown, name: str):
    organization = Organization(crown)
    email = f"reserved-{organization.id}@test.example"

    refused = refusal(organization.client.create_account, Email=email, AccountName="x", RoleName=name)

    assert "InvalidInputException" == refused[0]


@pytest.mark.parametrize("path", ["/aws-service-role/config.amazonaws.com/", "/aws-reserved/sso.amazonaws.com/"])
def test_a_members_administrator_does_not_step_out_of_a_policy_that_exempts_services_roles(crown: Crown, path: str):
    organization = Organization(crown)
    member = organization.created()
    exempt = {"aws:PrincipalArn": f"arn:aws:iam::*:role{path}*"}
    organization.bind(deny("iam:CreateUser", ArnNotLike=exempt), member)
    iam = organization.administrator_of(member, "iam")

    refused = refusal(iam.create_role, RoleName="stepout", Path=path, AssumeRolePolicyDocument=trust(member))

    assert "InvalidInput" == refused[0]
    assert "AccessDenied" == refusal(iam.create_user, UserName="u")[0]
