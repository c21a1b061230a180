"""GetAccountSummary: what the account has, and IAM's quotas."""

from __future__ import annotations

import json
from pathlib import Path

import botocore
from botocore.loaders import Loader
from tests.services.iam.asking import enrol

READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
DOCUMENT = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})


def test_every_key_of_the_model_has_a_number(account):
    model = Loader([str(Path(botocore.__file__).parent / "data")]).load_service_model("iam", "service-2")

    summary = account.client("iam").get_account_summary()["SummaryMap"]

    assert set(model["shapes"]["summaryKeyType"]["enum"]) == summary.keys()


def test_a_fresh_account_has_what_it_was_made_with(account):
    summary = account.client("iam").get_account_summary()["SummaryMap"]

    expected = {
        "Users": 1,
        "Groups": 0,
        "Policies": 0,
        "PolicyVersionsInUse": 1,
        "MFADevices": 0,
        "MFADevicesInUse": 0,
        "AccountMFAEnabled": 0,
        "AccountAccessKeysPresent": 1,
        "AccountPasswordPresent": 0,
        "UsersQuota": 5000,
        "GroupsQuota": 300,
        "AttachedPoliciesPerRoleQuota": 20,
    }
    assert expected == {key: summary[key] for key in expected}


def test_what_is_made_is_counted(account):
    iam = account.client("iam")
    iam.create_group(GroupName="staff")
    iam.create_user(UserName="bob", PermissionsBoundary=READ_ONLY)
    own = iam.create_policy(PolicyName="own", PolicyDocument=DOCUMENT)["Policy"]["Arn"]
    iam.create_policy(PolicyName="unused", PolicyDocument=DOCUMENT)
    iam.attach_group_policy(GroupName="staff", PolicyArn=own)
    iam.attach_user_policy(UserName="bob", PolicyArn=own)
    enrol(iam, "bob", "phone")
    iam.create_virtual_mfa_device(VirtualMFADeviceName="spare")

    summary = iam.get_account_summary()["SummaryMap"]

    expected = {
        "Users": 2,
        "Groups": 1,
        "Policies": 2,
        "PolicyVersionsInUse": 3,  # AdministratorAccess of `admin`, ReadOnlyAccess as a boundary, and `own`
        "MFADevices": 2,
        "MFADevicesInUse": 1,
        "AccountMFAEnabled": 0,
    }
    assert expected == {key: summary[key] for key in expected}


def test_a_deleted_root_key_is_not_present(account):
    account.root("iam").delete_access_key(AccessKeyId=account.created["root"]["access_key_id"])

    assert 0 == account.client("iam").get_account_summary()["SummaryMap"]["AccountAccessKeysPresent"]
