"""What refusals say of the thing that was asked about: what the caller has written, and nothing that it may not know."""

from __future__ import annotations

from typing import Any

import pytest
from tests.fixtures.crown import Account, Crown
from tests.services.iam.asking import allow, refusal
from tests.services.iam.making_certificates import authority

TRUST = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}'
PAIR = authority("root authority")
ASKED = {
    "get_user": ("UserName", "user {}"),
    "create_access_key": ("UserName", "user {}"),
    "put_user_permissions_boundary": ("UserName", "user {}"),
    "delete_user_policy": ("UserName", "user {}"),
    "delete_service_specific_credential": ("UserName", "user {}"),
    "get_group": ("GroupName", "group {}"),
    "get_role": ("RoleName", "role {}"),
    "list_role_tags": ("RoleName", "role {}"),
    "attach_role_policy": ("RoleName", "role {}"),
    "get_instance_profile": ("InstanceProfileName", "instance profile {}"),
    "get_server_certificate": ("ServerCertificateName", "server certificate {}"),
}
FURTHER = {
    "put_user_permissions_boundary": {"PermissionsBoundary": "arn:aws:iam::aws:policy/ReadOnlyAccess"},
    "delete_user_policy": {"PolicyName": "inline"},
    "delete_service_specific_credential": {"ServiceSpecificCredentialId": "ACCAQQQQQQQQQQQQQQQQQ"},
    "attach_role_policy": {"PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"},
}


@pytest.fixture
def furnished(account: Account) -> Account:
    """An account with one thing of each kind, called `Target`, under a path."""
    iam = account.client("iam")
    iam.create_user(UserName="Target", Path="/secret/")
    iam.create_group(GroupName="Target", Path="/secret/")
    iam.create_role(RoleName="Target", Path="/secret/", AssumeRolePolicyDocument=TRUST)
    iam.create_instance_profile(InstanceProfileName="Target", Path="/secret/")
    pem = {"CertificateBody": PAIR.certificate, "PrivateKey": PAIR.private_key}
    iam.upload_server_certificate(ServerCertificateName="Target", Path="/secret/", **pem)
    return account


def test_user_enumeration_by_refusals_tells_neither_existence_nor_spelling_nor_path(furnished: Account):
    nobody = furnished.user("nobody").client("iam")

    for operation, (member, shown) in ASKED.items():
        for name in ("Target", "TARGET", "absent"):
            answer = refusal(getattr(nobody, operation), **{member: name}, **FURTHER.get(operation, {}))
            assert f"on resource: {shown.format(name)} because no identity-based policy allows" in answer, operation
            assert "secret" not in answer


def test_a_refusal_to_pass_a_role_tells_no_path(furnished: Account):
    iam = furnished.user("filler", policy=allow("iam:AddRoleToInstanceProfile")).client("iam")

    answer = refusal(iam.add_role_to_instance_profile, InstanceProfileName="Target", RoleName="TARGET")

    assert f"iam:PassRole on resource: arn:aws:iam::{furnished.id}:role/TARGET because" in answer


def test_a_refusal_about_a_device_tells_it_as_it_was_typed(account: Account):
    made = account.client("iam").create_virtual_mfa_device(VirtualMFADeviceName="Phone")
    typed = made["VirtualMFADevice"]["SerialNumber"].replace("Phone", "PHONE")

    answer = refusal(account.user("nobody").client("iam").delete_virtual_mfa_device, SerialNumber=typed)

    assert f"on resource: {typed} because" in answer


def test_a_refusal_about_a_key_tells_neither_whose_it_is_nor_whether_there_is_one(account: Account, crown: Crown):
    keys = [account.user("owner").credentials.access_key_id, account.created["root"]["access_key_id"]]
    keys += [crown.account().created["admin"]["access_key_id"], "AKIAIOSFODNN7EXAMPLE"]
    nobody = account.user("nobody").client("iam")

    answer = {refusal(nobody.get_access_key_last_used, AccessKeyId=key).replace(key, "KEY") for key in keys}

    denied = "iam:GetAccessKeyLastUsed on resource: access key KEY because no identity-based policy allows"
    caller = f"AccessDenied: User: arn:aws:iam::{account.id}:user/nobody is not authorized to perform: "
    assert {f"{caller}{denied} the iam:GetAccessKeyLastUsed action"} == answer


def reports(client: Any, job_id: str) -> str:
    return refusal(client.get_service_last_accessed_details, JobId=job_id)


def test_a_report_is_told_to_nobody_who_may_no_longer_ask_for_it(account: Account):
    iam = account.client("iam")
    ask = "iam:GenerateServiceLastAccessedDetails"
    reader = account.user("reader", policy=allow("iam:GetServiceLastAccessedDetails*", ask))
    arn = f"arn:aws:iam::{account.id}:user/admin"
    job_id = reader.client("iam").generate_service_last_accessed_details(Arn=arn)["JobId"]
    reader.client("iam").get_service_last_accessed_details(JobId=job_id)
    iam.put_user_policy(
        UserName="reader",
        PolicyName="inline",
        PolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Allow",'
        '"Action":"iam:GetServiceLastAccessedDetails*","Resource":"*"}]}',
    )

    answer = reports(reader.client("iam"), job_id)

    assert f"{ask} on resource: {arn} because no identity-based policy allows" in answer
    with_entities = reader.client("iam").get_service_last_accessed_details_with_entities
    assert ask in refusal(with_entities, JobId=job_id, ServiceNamespace="iam")
