"""An administrator of a member, or whoever stole a key of one, tries every way to what a policy of ours to attach protects."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.fixtures.crown import Account, Crown
from tests.fixtures.organization import Organization
from tests.services.iam.making_certificates import authority, rsa_key, ssh_line

from crownkeep.catalogue import organization_presets

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
ACCESS_ROLE = "OrganizationAccountAccessRole"
NOTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]})


def attach(organization: Organization, name: str, target_id: str) -> None:
    preset = organization_presets.preset(name)
    assert preset is not None
    organization.bind(json.loads(preset.content), target_id)


def trust(account_id: str) -> str:
    principal = {"AWS": f"arn:aws:iam::{account_id}:root"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def outcomes(attempts: Mapping[str, Callable[[], Any]]) -> dict[str, str]:
    """What became of each attempt: a code of an error, or `done`."""

    def outcome(attempt: Callable[[], Any]) -> str:
        try:
            attempt()
        except ClientError as refused:
            return str(refused.response["Error"]["Code"])
        return "done"

    return {what: outcome(attempt) for what, attempt in attempts.items()}


def refused(attempts: Mapping[str, Callable[[], Any]]) -> dict[str, str]:
    return dict.fromkeys(attempts, "AccessDenied")


@pytest.fixture
def organization(crown: Crown) -> Organization:
    return Organization(crown)


@pytest.fixture
def member(organization: Organization) -> Account:
    """A member with root's key and an administrator `admin`."""
    return organization.invited()


def test_a_members_administrator_does_not_close_the_way_in_for_emergencies(organization: Organization):
    member = organization.created()
    management = organization.administrator_of(member, "iam")
    door = "door"
    management.create_role(RoleName=door, Path="/break-glass/", AssumeRolePolicyDocument=trust(organization.management.id))
    full = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
    policy_arn = management.create_policy(PolicyName="all", Path="/break-glass/", PolicyDocument=full)["Policy"]["Arn"]
    management.attach_role_policy(RoleName=door, PolicyArn=policy_arn)
    management.create_user(UserName="boss")
    management.attach_user_policy(UserName="boss", PolicyArn=ADMINISTRATOR)
    boss = organization.crown.session(management.create_access_key(UserName="boss")["AccessKey"], "iam")
    attach(organization, "protect-break-glass", member)

    attempts: dict[str, Callable[[], Any]] = {
        "a look-alike": lambda: boss.create_role(RoleName="mine", Path="/break-glass/", AssumeRolePolicyDocument=trust(member)),
        "its policy's words": lambda: boss.create_policy_version(PolicyArn=policy_arn, PolicyDocument=NOTHING, SetAsDefault=True),
        "another policy there": lambda: boss.create_policy(PolicyName="x", Path="/break-glass/", PolicyDocument=NOTHING),
    }
    for role in (door, ACCESS_ROLE):
        attempts |= {
            f"{role} trust": lambda role=role: boss.update_assume_role_policy(RoleName=role, PolicyDocument=trust(member)),
            f"{role} detach": lambda role=role: boss.detach_role_policy(RoleName=role, PolicyArn=ADMINISTRATOR),
            f"{role} attach": lambda role=role: boss.attach_role_policy(RoleName=role, PolicyArn=READ_ONLY),
            f"{role} inline": lambda role=role: boss.put_role_policy(RoleName=role, PolicyName="no", PolicyDocument=NOTHING),
            f"{role} boundary": lambda role=role: boss.put_role_permissions_boundary(
                RoleName=role, PermissionsBoundary=READ_ONLY
            ),
            f"{role} tags": lambda role=role: boss.tag_role(RoleName=role, Tags=[{"Key": "k", "Value": "v"}]),
            f"{role} length": lambda role=role: boss.update_role(RoleName=role, MaxSessionDuration=3600),
            f"{role} end": lambda role=role: boss.delete_role(RoleName=role),
        }

    assert refused(attempts) == outcomes(attempts)
    sts = organization.crown.session(boss.create_access_key(UserName="boss")["AccessKey"], "sts")
    entering = {"by name": lambda: sts.assume_role(RoleArn=f"arn:aws:iam::{member}:role/{ACCESS_ROLE}", RoleSessionName="boss")}
    assert refused(entering) == outcomes(entering)
    organization.administrator_of(member, "iam").tag_role(RoleName=door, Tags=[{"Key": "k", "Value": "v"}])


def test_an_invited_members_administrator_does_not_make_the_role_that_is_exempt(organization: Organization, member: Account):
    iam = member.client("iam")
    attach(organization, "protect-break-glass", member.id)

    attempts = {
        "as it is": lambda: iam.create_role(RoleName=ACCESS_ROLE, AssumeRolePolicyDocument=trust(member.id)),
    }

    assert refused(attempts) == outcomes(attempts)


def test_a_members_administrator_makes_no_long_term_credential(organization: Organization, member: Account):
    iam, root = member.client("iam"), member.root("iam")
    iam.create_user(UserName="old")
    key_id = iam.create_access_key(UserName="old")["AccessKey"]["AccessKeyId"]
    iam.update_access_key(UserName="old", AccessKeyId=key_id, Status="Inactive")
    git = iam.create_service_specific_credential(UserName="old", ServiceName="codecommit.amazonaws.com")
    git_id = git["ServiceSpecificCredential"]["ServiceSpecificCredentialId"]
    iam.create_user(UserName="known")
    iam.create_login_profile(UserName="known", Password="Correct-Horse-9-Battery")
    attach(organization, "deny-users-and-keys", member.id)

    attempts: dict[str, Callable[[], Any]] = {
        "user": lambda: iam.create_user(UserName="new"),
        "key": lambda: iam.create_access_key(UserName="old"),
        "own key": lambda: iam.create_access_key(),
        "root's key": lambda: root.create_access_key(),
        "key switched on": lambda: iam.update_access_key(UserName="old", AccessKeyId=key_id, Status="Active"),
        "password": lambda: iam.create_login_profile(UserName="old", Password="Correct-Horse-9-Battery"),
        "another password": lambda: iam.update_login_profile(UserName="known", Password="Correct-Horse-8-Battery"),
        "for a service": lambda: iam.create_service_specific_credential(UserName="old", ServiceName="cassandra.amazonaws.com"),
        "for a service again": lambda: iam.reset_service_specific_credential(UserName="old", ServiceSpecificCredentialId=git_id),
        "for a service switched on": lambda: iam.update_service_specific_credential(
            UserName="old", ServiceSpecificCredentialId=git_id, Status="Active"
        ),
        "SSH key": lambda: iam.upload_ssh_public_key(UserName="old", SSHPublicKeyBody=ssh_line(rsa_key())),
        "certificate": lambda: iam.upload_signing_certificate(UserName="old", CertificateBody=authority("signing").certificate),
        "root's certificate": lambda: root.upload_signing_certificate(CertificateBody=authority("root").certificate),
    }

    assert refused(attempts) == outcomes(attempts)
    iam.delete_access_key(UserName="old", AccessKeyId=key_id)
    iam.delete_service_specific_credential(UserName="old", ServiceSpecificCredentialId=git_id)


def test_a_members_root_user_gets_no_access_key_and_switches_none_on(organization: Organization, member: Account):
    root = member.root("iam")
    key_id = root.create_access_key()["AccessKey"]["AccessKeyId"]
    root.update_access_key(AccessKeyId=key_id, Status="Inactive")
    attach(organization, "deny-root-access-keys", member.id)

    attempts = {
        "new": lambda: root.create_access_key(),
        "switched on": lambda: root.update_access_key(AccessKeyId=key_id, Status="Active"),
    }

    assert {"new": "AccessDenied", "switched on": "AccessDenied"} == outcomes(attempts)
    root.delete_access_key(AccessKeyId=key_id)


def test_a_members_root_user_does_nothing(organization: Organization, member: Account):
    attach(organization, "deny-root-user", member.id)
    iam, sts = member.root("iam"), member.root("sts")

    attempts = {
        "read": lambda: iam.list_users(),
        "write": lambda: iam.create_user(UserName="u"),
        "session": lambda: sts.get_session_token(),
        "federation": lambda: sts.get_federation_token(Name="thief"),
        "leave": lambda: member.root("organizations").leave_organization(),
    }

    assert {"AccessDenied", "AccessDeniedException"} >= set(outcomes(attempts).values())


def test_nobody_in_a_member_takes_it_out_of_the_organization(organization: Organization, member: Account):
    attach(organization, "deny-leaving", member.id)
    admin, root = member.client("organizations"), member.root("organizations")

    attempts = {
        "administrator": lambda: admin.leave_organization(),
        "root": lambda: root.leave_organization(),
        "removal": lambda: admin.remove_account_from_organization(AccountId=member.id),
        "end": lambda: admin.delete_organization(),
    }

    assert dict.fromkeys(attempts, "AccessDeniedException") == outcomes(attempts)


def test_a_stolen_key_enrols_no_second_factor(organization: Organization, member: Account):
    iam, sts = member.client("iam"), member.client("sts")
    serial = iam.create_virtual_mfa_device(VirtualMFADeviceName="thief")["VirtualMFADevice"]["SerialNumber"]
    attach(organization, "require-mfa", member.id)
    session = member.crown.session(sts.get_session_token()["Credentials"], "iam")
    code = {"SerialNumber": serial, "AuthenticationCode1": "123456", "AuthenticationCode2": "654321"}

    attempts: dict[str, Callable[[], Any]] = {
        "device": lambda: iam.create_virtual_mfa_device(VirtualMFADeviceName="second"),
        "enrolled": lambda: iam.enable_mfa_device(UserName="admin", **code),
        "by a session": lambda: session.enable_mfa_device(UserName="admin", **code),
        "password": lambda: iam.create_login_profile(UserName="admin", Password="Correct-Horse-9-Battery"),
        "role": lambda: sts.assume_role(RoleArn=f"arn:aws:iam::{member.id}:role/any", RoleSessionName="thief"),
        "federation": lambda: sts.get_federation_token(Name="thief"),
    }

    # IAM takes no sessions of users without MFA at all (API_GetSessionToken).
    assert refused(attempts) | {"by a session": "InvalidClientTokenId"} == outcomes(attempts)


def test_a_members_administrator_does_not_redirect_warnings(organization: Organization, member: Account):
    contact = {
        "AlternateContactType": "SECURITY",
        "EmailAddress": "security@test.example",
        "Name": "Security",
        "PhoneNumber": "+441632960000",
        "Title": "Officer",
    }
    member.client("account").put_alternate_contact(**contact)
    attach(organization, "deny-alternate-contacts", member.id)
    attempts: dict[str, Callable[[], Any]] = {}
    for name, account in (("administrator", member.client("account")), ("root", member.root("account"))):
        mine = contact | {"EmailAddress": "mine@test.example"}
        attempts[f"{name} changes"] = lambda account=account, mine=mine: account.put_alternate_contact(**mine)
        attempts[f"{name} deletes"] = lambda account=account: account.delete_alternate_contact(AlternateContactType="SECURITY")

    assert dict.fromkeys(attempts, "AccessDeniedException") == outcomes(attempts)
