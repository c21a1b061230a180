"""AssumeRoot: who may take on a member's root user, for which task, and what the session can and can't do."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
import time_machine
from botocore.exceptions import ClientError
from tests.fixtures.clients import Credentials
from tests.fixtures.crown import Account, Crown
from tests.fixtures.organization import RCP, Organization, allow, deny, deny_to_all
from tests.services.iam.asking import allow as for_requests
from tests.services.iam.asking import enrol
from tests.services.iam.making_certificates import certificate
from tests.services.iam.test_delegation_requests import MANAGING, Provider, released

TASKS = "arn:aws:iam::aws:policy/root-task/"
AUDIT, PASSWORD, DELETE = "IAMAuditRootUserCredentials", "IAMCreateRootUserPassword", "IAMDeleteRootUserCredentials"
BUCKET, QUEUE = "S3UnlockBucketPolicy", "SQSUnlockQueuePolicy"
CREDENTIALS, SESSIONS = "RootCredentialsManagement", "RootSessions"


@pytest.fixture
def organization(crown: Crown) -> Organization:
    made = Organization(crown)
    made.trust_iam(CREDENTIALS, SESSIONS)
    return made


def task(name: str) -> dict[str, str]:
    return {"arn": TASKS + name}


def assume(client: Any, account_id: str, name: str = AUDIT, **options: Any) -> dict[str, Any]:
    return dict(client.assume_root(TargetPrincipal=account_id, TaskPolicyArn=task(name), **options))


def root_of(organization: Organization, account_id: str, name: str, service: str = "iam") -> Any:
    """Return a client of a central session for a task."""
    return organization.crown.session(assume(organization.management.client("sts"), account_id, name)["Credentials"], service)


def refused(call: Callable[..., Any], **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


def code(call: Callable[..., Any], **parameters: Any) -> str:
    return refused(call, **parameters).partition(":")[0]


def denied(organization: Organization, account_id: str, caller: str = "user/admin") -> str:
    user = f"arn:aws:iam::{organization.management.id}:{caller}"
    return f"AccessDenied: User: {user} is not authorized to perform: sts:AssumeRoot on resource: arn:aws:iam::{account_id}:root"


# Who, and whom.


def test_the_session_is_the_members_root_for_a_quarter_of_an_hour(organization: Organization):
    member = organization.created()

    answer = assume(organization.management.client("sts"), member)

    sts = organization.crown.session(answer["Credentials"], "sts")
    who = sts.get_caller_identity()
    assert (member, member, f"arn:aws:iam::{member}:root") == (who["UserId"], who["Account"], who["Arn"])
    left = answer["Credentials"]["Expiration"] - datetime.now(UTC)
    assert timedelta(minutes=14) < left <= timedelta(minutes=15)
    assert len(answer["Credentials"]["SessionToken"]) == answer["SessionTokenSize"]
    assert "SourceIdentity" not in answer


def test_root_is_named_by_its_arn_as_well(organization: Organization):
    member = organization.created()

    answer = assume(organization.management.client("sts"), f"arn:aws:iam::{member}:root", DurationSeconds=60)

    assert answer["Credentials"]["Expiration"] - datetime.now(UTC) <= timedelta(minutes=1)


@pytest.mark.parametrize("target", ["not-an-account", "arn:aws:iam::111122223333:user/root", "arn:aws:iam::aws:root"])
def test_what_is_no_root_user_is_refused(target: str, organization: Organization):
    assert f"ValidationError: {target} is invalid" == refused(
        assume, client=organization.management.client("sts"), account_id=target
    )


def test_a_session_ends_on_time(organization: Organization):
    member = organization.created()
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        sts = organization.crown.session(assume(organization.management.client("sts"), member)["Credentials"], "sts")

        clock.shift(timedelta(minutes=15, seconds=1))

        assert "ExpiredToken" == code(sts.get_caller_identity)


def test_a_root_user_taken_on_with_lent_permissions_ends_with_them_and_tells_of_the_provider(organization: Organization):
    provider = Provider(organization.crown, for_requests("sts:AssumeRoot"))
    ann, member = organization.management.user("ann", policy=for_requests(*MANAGING, "sts:AssumeRoot")), organization.invited()
    asking = {"PolicyTemplateArn": provider.template_arn}
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        token = released(provider, ann, Permissions=asking, SessionDuration=900)
        clock.shift(timedelta(minutes=10))
        lent = provider.exchange(token)["Credentials"]

        taken = assume(organization.crown.session(lent, "sts"), member.id)["Credentials"]
        organization.crown.session(taken, "iam").get_account_summary()

    assert lent["Expiration"] == taken["Expiration"]
    record = next(each for each in member.records() if each["eventName"] == "GetAccountSummary")
    assert {"accountId": provider.account.id} == record["userIdentity"]["invokedByDelegate"]


def test_a_session_of_a_purged_members_root_is_nobody_in_the_account_that_has_its_id_next(organization: Organization):
    crown, member = organization.crown, organization.created()
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        credentials = assume(organization.management.client("sts"), member)["Credentials"]
        crown.operator("DELETE", f"/accounts/{member}")
        clock.shift(timedelta(seconds=2))
        again = {"email": f"next-{member}@test.example", "name": "Next", "account_id": member}
        assert 201 == crown.operator("POST", "/accounts", again).status

        assert "InvalidClientTokenId" == code(crown.session(credentials, "iam").get_account_summary)


def test_a_delegated_administrator_of_iam_takes_on_root(organization: Organization):
    delegate, member = organization.invited(), organization.created()
    organization.client.register_delegated_administrator(AccountId=delegate.id, ServicePrincipal="iam.amazonaws.com")

    answer = assume(delegate.client("sts"), member)

    assert answer["Credentials"]["AccessKeyId"].startswith("ASIA")


def test_another_member_takes_on_nobodys_root(organization: Organization):
    stranger, member = organization.invited(), organization.created()

    said = refused(assume, client=stranger.client("sts"), account_id=member)

    assert f"on resource: arn:aws:iam::{member}:root" in said
    assert said.startswith("AccessDenied: User: ")


def test_a_stranger_learns_nothing_of_an_organization(organization: Organization, account: Account):
    member = organization.created()

    said = [refused(assume, client=account.client("sts"), account_id=each) for each in (member, "111122223333", account.id)]

    assert 1 == len({each.rpartition("arn:aws:iam::")[0] for each in said})


def test_nobody_takes_on_root_of_the_management_account(organization: Organization):
    delegate = organization.invited()
    organization.client.register_delegated_administrator(AccountId=delegate.id, ServicePrincipal="iam.amazonaws.com")
    management = organization.management.id

    assert denied(organization, management) == refused(
        assume, client=organization.management.client("sts"), account_id=management
    )
    assert "AccessDenied" == code(assume, client=delegate.client("sts"), account_id=management)


def test_nobody_takes_on_root_of_an_account_outside_or_closed(organization: Organization, account: Account):
    closed = organization.created()
    organization.client.close_account(AccountId=closed)
    sts = organization.management.client("sts")

    said = [refused(assume, client=sts, account_id=each) for each in (account.id, "111122223333", closed)]

    assert [denied(organization, each) for each in (account.id, "111122223333", closed)] == said


def test_root_takes_on_nobodys_root(organization: Organization):
    member = organization.created()

    said = refused(assume, client=organization.management.root("sts"), account_id=member)

    assert denied(organization, member, "root") == said


def test_the_global_endpoint_has_no_such_operation(organization: Organization):
    member = organization.created()
    reply = Credentials.of(organization.management.created["admin"])
    body = f"Action=AssumeRoot&Version=2011-06-15&TargetPrincipal={member}&TaskPolicyArn.arn={TASKS}{AUDIT}"
    url = "https://sts.amazonaws.com/"
    request = botocore.awsrequest.AWSRequest("POST", url, data=body, headers={"Host": "sts.amazonaws.com"})
    request.headers["Content-Type"] = "application/x-www-form-urlencoded"
    keys = botocore.credentials.Credentials(reply.access_key_id, reply.secret_access_key)
    botocore.auth.SigV4Auth(keys, "sts", "us-east-1").add_auth(request)

    answer = organization.crown.request("POST", "/", headers=dict(request.headers.items()), body=body.encode())

    assert 400 == answer.status
    assert "<Code>InvalidAction</Code>" in answer.text


# With which permission.


def test_a_policy_may_leave_some_tasks(organization: Organization):
    member = organization.created()
    some = allow("sts:AssumeRoot")
    some["Statement"][0]["Condition"] = {"StringEquals": {"sts:TaskPolicyArn": TASKS + AUDIT}}
    user = organization.management.user("bob", policy=some)

    assume(user.client("sts"), member, AUDIT)

    said = refused(assume, client=user.client("sts"), account_id=member, name=DELETE)
    assert "because no identity-based policy allows the sts:AssumeRoot action" in said


def test_a_policy_may_leave_some_members(organization: Organization):
    first, second = organization.created(), organization.created()
    some = allow("sts:AssumeRoot")
    some["Statement"][0]["Resource"] = f"arn:aws:iam::{first}:root"
    sts = organization.management.user("bob", policy=some).client("sts")

    assume(sts, first)

    assert "AccessDenied" == code(assume, client=sts, account_id=second)


def test_a_delegates_own_organization_policies_bind_it(organization: Organization):
    delegate, member = organization.invited(), organization.created()
    organization.client.register_delegated_administrator(AccountId=delegate.id, ServicePrincipal="iam.amazonaws.com")
    organization.bind(deny("sts:AssumeRoot"), delegate.id)

    assert "service control policy" in refused(assume, client=delegate.client("sts"), account_id=member)


def test_a_members_resource_control_policy_keeps_its_root_from_being_taken_on(organization: Organization):
    member = organization.created()
    organization.enable(RCP)
    organization.bind(deny_to_all("sts:AssumeRoot"), member, type=RCP)

    assert "resource control policy" in refused(assume, client=organization.management.client("sts"), account_id=member)


@pytest.mark.parametrize(
    "arn", ["arn:aws:iam::aws:policy/AdministratorAccess", TASKS + "Other", "arn:aws:iam::111122223333:policy/x"]
)
def test_no_policy_but_the_five_is_a_task(arn: str, organization: Organization):
    member = organization.created()
    sts = organization.management.client("sts")

    said = refused(sts.assume_root, TargetPrincipal=member, TaskPolicyArn={"arn": arn})

    assert f"ValidationError: Invalid task policy ARN: {arn}" == said


def can_assume(client: Any, account_id: str, name: str) -> bool:
    try:
        assume(client, account_id, name)
    except client.exceptions.ClientError:
        return False
    return True


@pytest.mark.parametrize(("feature", "tasks"), [(CREDENTIALS, [AUDIT, PASSWORD, DELETE]), (SESSIONS, [BUCKET, QUEUE])])
def test_each_feature_opens_its_own_tasks_and_no_others(feature: str, tasks: list[str], crown: Crown):
    organization = Organization(crown)
    organization.trust_iam(feature)
    member = organization.created()
    sts = organization.management.client("sts")

    opened = [name for name in (AUDIT, PASSWORD, DELETE, BUCKET, QUEUE) if can_assume(sts, member, name)]

    assert tasks == opened


def test_without_trusted_access_nobody_is_taken_on(organization: Organization):
    member = organization.created()

    organization.client.disable_aws_service_access(ServicePrincipal="iam.amazonaws.com")

    assert "AccessDenied" == code(assume, client=organization.management.client("sts"), account_id=member)


# How long: no longer than all that it rests on.


class Taken:
    """A member's root user, taken on by a user of a delegated administrator, and by a role of the management account."""

    def __init__(self, organization: Organization) -> None:
        self.organization, self.member = organization, organization.invited()
        self.delegate = organization.invited()
        self.iam = self.delegate.client("iam")
        organization.client.register_delegated_administrator(AccountId=self.delegate.id, ServicePrincipal="iam.amazonaws.com")
        self.user = self.delegate.user("ann", policy=allow("sts:AssumeRoot"))
        self.by_user = self._root(self.user.client("sts"))

    def _root(self, sts: Any) -> Any:
        return self.organization.crown.session(assume(sts, self.member.id, AUDIT)["Credentials"], "iam")

    def by_role(self) -> Any:
        iam, management = self.organization.management.client("iam"), self.organization.management
        trust = {"Effect": "Allow", "Principal": {"AWS": management.id}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role_arn = iam.create_role(RoleName="R", AssumeRolePolicyDocument=document)["Role"]["Arn"]
        iam.put_role_policy(RoleName="R", PolicyName="x", PolicyDocument=json.dumps(allow("sts:AssumeRoot")))
        session = management.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="sue")["Credentials"]
        return self._root(self.organization.crown.session(session, "sts"))


def deactivate_key(taken: Taken) -> None:
    taken.iam.update_access_key(UserName="ann", AccessKeyId=taken.user.credentials.access_key_id, Status="Inactive")


def delete_user(taken: Taken) -> None:
    taken.iam.delete_access_key(UserName="ann", AccessKeyId=taken.user.credentials.access_key_id)
    taken.iam.delete_user_policy(UserName="ann", PolicyName="inline")
    taken.iam.delete_user(UserName="ann")


def disable_feature(taken: Taken) -> None:
    taken.organization.management.client("iam").disable_organizations_root_credentials_management()


def disable_trusted_access(taken: Taken) -> None:
    end_delegation(taken)
    taken.organization.client.disable_aws_service_access(ServicePrincipal="iam.amazonaws.com")


def end_delegation(taken: Taken) -> None:
    place = {"AccountId": taken.delegate.id, "ServicePrincipal": "iam.amazonaws.com"}
    taken.organization.client.deregister_delegated_administrator(**place)


def leave(taken: Taken) -> None:
    taken.member.client("organizations").leave_organization()


def close_administrator(taken: Taken) -> None:
    taken.organization.client.close_account(AccountId=taken.delegate.id)


@pytest.mark.parametrize(
    "ending", [deactivate_key, delete_user, disable_feature, disable_trusted_access, end_delegation, leave, close_administrator]
)
def test_a_central_session_ends_with_what_it_rests_on(ending: Callable[[Taken], None], organization: Organization):
    taken = Taken(organization)
    taken.by_user.get_account_summary()

    ending(taken)

    assert "InvalidClientTokenId" == code(taken.by_user.get_account_summary)
    assert "InvalidClientTokenId" == code(taken.by_user.delete_login_profile)


def distrust(iam: Any, member: Account) -> None:
    document = {"Effect": "Allow", "Principal": {"AWS": member.id}, "Action": "sts:AssumeRole"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [document]})
    iam.update_assume_role_policy(RoleName="R", PolicyDocument=text)


def delete_role(iam: Any, _: Account) -> None:
    iam.delete_role_policy(RoleName="R", PolicyName="x")
    iam.delete_role(RoleName="R")


@pytest.mark.parametrize("ending", [distrust, delete_role])
def test_a_central_session_that_a_role_asked_for_ends_with_the_role_s_own(
    ending: Callable[[Any, Account], None], organization: Organization
):
    taken = Taken(organization)
    by_role = taken.by_role()
    by_role.get_account_summary()

    ending(organization.management.client("iam"), taken.member)

    assert "InvalidClientTokenId" == code(by_role.get_account_summary)
    assert 0 < len(taken.by_user.get_account_summary()["SummaryMap"])


def test_a_task_goes_on_while_only_the_other_feature_is_switched_off(organization: Organization):
    taken = Taken(organization)

    organization.management.client("iam").disable_organizations_root_sessions()

    assert 0 < len(taken.by_user.get_account_summary()["SummaryMap"])


# What the session can do, and what it can't.


def test_an_audit_reads_roots_credentials_and_nothing_else(organization: Organization):
    member = organization.invited()
    iam = root_of(organization, member.id, AUDIT)
    key_id = member.created["root"]["access_key_id"]

    assert [key_id] == [each["AccessKeyId"] for each in iam.list_access_keys()["AccessKeyMetadata"]]
    assert "UserName" not in iam.get_access_key_last_used(AccessKeyId=key_id)
    assert [] == iam.list_signing_certificates()["Certificates"]
    assert [] == iam.list_mfa_devices()["MFADevices"]
    assert 0 == iam.get_account_summary()["SummaryMap"]["AccountPasswordPresent"]
    assert {"UserId", "Arn", "CreateDate"} == iam.get_user()["User"].keys() - {"PasswordLastUsed"}
    task_policy = f"with an explicit deny in a session policy: {TASKS}{AUDIT}"
    assert refused(iam.list_users).endswith(task_policy)
    assert refused(iam.delete_access_key, AccessKeyId=key_id).endswith(task_policy)
    assert refused(iam.list_access_keys, UserName="admin").endswith(task_policy)
    admin_key = member.created["admin"]["access_key_id"]
    assert refused(iam.get_access_key_last_used, AccessKeyId=admin_key).endswith(task_policy)


def test_deletion_takes_all_of_roots_credentials_and_nobody_elses(organization: Organization):
    member = organization.invited()
    serial, _ = enrol(member.root("iam"), "root", "root-device")
    body = certificate("root", by=None).certificate
    certificate_id = member.root("iam").upload_signing_certificate(CertificateBody=body)["Certificate"]["CertificateId"]
    iam = root_of(organization, member.id, DELETE)

    iam.deactivate_mfa_device(SerialNumber=serial)
    iam.delete_signing_certificate(CertificateId=certificate_id)
    iam.delete_access_key(AccessKeyId=member.created["root"]["access_key_id"])

    summary = member.client("iam").get_account_summary()["SummaryMap"]
    assert [0] * 3 == [
        summary[each] for each in ("AccountMFAEnabled", "AccountAccessKeysPresent", "AccountSigningCertificatesPresent")
    ]
    assert "InvalidClientTokenId" == code(member.root("sts").get_caller_identity)
    assert "AccessDenied" == code(iam.delete_access_key, AccessKeyId=member.created["admin"]["access_key_id"], UserName="admin")
    assert "AccessDenied" == code(iam.delete_login_profile, UserName="admin")


def test_recovery_is_allowed_once_and_taken_back(organization: Organization):
    member = organization.created()
    sts = organization.management.client("sts")
    before = code(organization.crown.session(assume(sts, member, PASSWORD)["Credentials"], "iam").get_login_profile)
    recovery = root_of(organization, member, PASSWORD)

    made = recovery.create_login_profile()["LoginProfile"]
    again = code(recovery.create_login_profile)
    shown = recovery.get_login_profile()["LoginProfile"]
    with_password = root_of(organization, member, AUDIT).get_account_summary()["SummaryMap"]["AccountPasswordPresent"]
    root_of(organization, member, DELETE).delete_login_profile()
    without = root_of(organization, member, AUDIT).get_account_summary()["SummaryMap"]["AccountPasswordPresent"]

    assert "NoSuchEntity" == before
    assert {"CreateDate", "PasswordResetRequired"} == made.keys()
    assert not made["PasswordResetRequired"]
    assert "EntityAlreadyExists" == again
    assert made["CreateDate"] == shown["CreateDate"]
    assert (1, 0) == (with_password, without)
    assert "NoSuchEntity" == code(root_of(organization, member, DELETE).delete_login_profile)


def test_the_credential_report_shows_since_when_root_may_choose_a_password(organization: Organization):
    member = organization.created()
    made = root_of(organization, member, PASSWORD).create_login_profile()["LoginProfile"]
    iam = organization.administrator_of(member, "iam")
    iam.generate_credential_report()

    _, root, *_ = iam.get_credential_report()["Content"].decode().splitlines()

    since = made["CreateDate"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert ["true", "no_information", since, "not_supported"] == root.split(",")[3:7]


def test_root_is_given_no_password_by_the_organization(organization: Organization):
    iam = root_of(organization, organization.created(), PASSWORD)

    assert "ValidationError" == code(iam.create_login_profile, Password="Chosen-By-Another-1")
    assert "ValidationError" == code(iam.create_login_profile, PasswordResetRequired=True)
    assert "AccessDenied" == code(iam.create_login_profile, UserName="somebody", Password="Chosen-By-Another-1")


def test_an_ordinary_root_session_manages_no_login_profile_of_its_own(organization: Organization):
    iam = organization.invited().root("iam")

    assert {"ValidationError"} == {
        code(iam.get_login_profile),
        code(iam.delete_login_profile),
        code(iam.create_login_profile),
    }


@pytest.mark.parametrize("name", [AUDIT, PASSWORD, DELETE, BUCKET, QUEUE])
def test_a_thief_of_a_central_session_escalates_into_no_other(name: str, organization: Organization):
    member = organization.invited()
    document = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{member.id}:root"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [document]})
    member.client("iam").create_role(RoleName="R", AssumeRolePolicyDocument=trust)
    credentials = assume(organization.management.client("sts"), member.id, name)["Credentials"]
    iam, sts = (organization.crown.session(credentials, service) for service in ("iam", "sts"))
    text = json.dumps(allow("*"))

    attempts = [
        code(sts.get_session_token),
        code(sts.get_federation_token, Name="thief", Policy=text),
        code(sts.assume_role, RoleArn=f"arn:aws:iam::{member.id}:role/R", RoleSessionName="thief"),
        code(assume, client=sts, account_id=member.id, name=DELETE),
        code(iam.create_access_key),
        code(iam.create_access_key, UserName="admin"),
        code(iam.create_user, UserName="thief"),
        code(iam.put_user_policy, UserName="admin", PolicyName="x", PolicyDocument=text),
        code(iam.update_assume_role_policy, RoleName="R", PolicyDocument=trust),
        code(organization.crown.session(credentials, "organizations").leave_organization),
        code(organization.crown.session(credentials, "account").get_account_information),
    ]

    assert {"AccessDenied", "AccessDeniedException"} >= set(attempts), attempts


def test_a_central_session_opens_no_console(organization: Organization):
    issued = assume(organization.management.client("sts"), organization.created())["Credentials"]
    session = {
        "sessionId": issued["AccessKeyId"],
        "sessionKey": issued["SecretAccessKey"],
        "sessionToken": issued["SessionToken"],
    }

    answer = organization.crown.request("GET", f"/federation?Action=getSigninToken&Session={quote(json.dumps(session))}")

    assert 400 == answer.status, answer.text
    assert "SigninToken" not in answer.text


def test_the_members_own_policies_bind_its_root_in_central_sessions_unless_they_spare_them(organization: Organization):
    member = organization.created()
    iam = root_of(organization, member, AUDIT)
    root_only = {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:root"}}
    sparing = organization.bind(deny("*", **root_only, Null={"aws:AssumedRoot": "true"}), organization.root_id)

    spared = iam.get_user()["User"]["Arn"]
    organization.detach(sparing, organization.root_id)
    organization.bind(deny("*", **root_only), organization.root_id)

    assert f"arn:aws:iam::{member}:root" == spared
    assert "service control policy" in refused(iam.get_user)


# What is recorded.


def test_both_accounts_keep_a_record_that_root_was_taken_on(organization: Organization):
    member = organization.created()
    admin = organization.management.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": organization.management.id}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role_arn = admin.create_role(RoleName="R", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    admin.put_role_policy(RoleName="R", PolicyName="x", PolicyDocument=json.dumps(allow("sts:AssumeRoot")))
    sts = organization.management.client("sts")
    session = sts.assume_role(RoleArn=role_arn, RoleSessionName="sue")["Credentials"]
    answer = assume(organization.crown.session(session, "sts"), member)
    organization.crown.session(answer["Credentials"], "iam").get_user()

    taken = next(each for each in organization.management.records() if each["eventName"] == "AssumeRoot")
    used = next(each for each in organization.crown.records(member) if each["eventName"] == "GetUser")

    key_id = answer["Credentials"]["AccessKeyId"]
    assert "AssumedRole" == taken["userIdentity"]["type"]
    assert "true" == taken["userIdentity"]["sessionContext"]["assumedRoot"]
    assert {"targetPrincipal": member, "taskPolicyArn": {"arn": TASKS + AUDIT}} == taken["requestParameters"]
    assert key_id == taken["responseElements"]["credentials"]["accessKeyId"]
    assert answer["Credentials"]["SecretAccessKey"] not in json.dumps(taken)
    assert ("Root", member, key_id) == tuple(used["userIdentity"][each] for each in ("type", "principalId", "accessKeyId"))
    assert "true" == used["userIdentity"]["sessionContext"]["assumedRoot"]
    assert "false" == used["userIdentity"]["sessionContext"]["attributes"]["mfaAuthenticated"]


def test_a_source_identity_goes_along(organization: Organization):
    member = organization.created()
    admin = organization.management.client("iam")
    actions = ["sts:AssumeRole", "sts:SetSourceIdentity"]
    trust = {"Effect": "Allow", "Principal": {"AWS": organization.management.id}, "Action": actions}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role_arn = admin.create_role(RoleName="R", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    admin.put_role_policy(RoleName="R", PolicyName="x", PolicyDocument=json.dumps(allow("sts:AssumeRoot")))
    session = organization.management.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="sue", SourceIdentity="Sue")

    answer = assume(organization.crown.session(session["Credentials"], "sts"), member)

    organization.crown.session(answer["Credentials"], "iam").get_user()
    used = next(each for each in organization.crown.records(member) if each["eventName"] == "GetUser")
    assert "Sue" == answer["SourceIdentity"]
    assert "Sue" == used["userIdentity"]["sessionContext"]["sourceIdentity"]
