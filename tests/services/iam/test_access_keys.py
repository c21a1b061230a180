"""Access keys of users and of root: told once, two at most, and void on the next request."""

from __future__ import annotations

import pytest
from tests.services.iam.asking import allow, refusal, status

from crownkeep.credentials import access_keys as minted


def test_a_new_key_signs_at_once_and_carries_its_account(account):
    iam = account.client("iam")
    iam.create_user(UserName="bob")

    key = iam.create_access_key(UserName="bob")["AccessKey"]

    assert {"UserName", "AccessKeyId", "Status", "SecretAccessKey", "CreateDate"} == key.keys()
    assert (account.id, 40, "Active") == (minted.account_of(key["AccessKeyId"]), len(key["SecretAccessKey"]), key["Status"])
    identity = account.crown.session(key, "sts").get_caller_identity()
    assert f"arn:aws:iam::{account.id}:user/bob" == identity["Arn"]


def test_a_list_tells_no_secret(account):
    account.user("bob")

    (listed,) = account.client("iam").list_access_keys(UserName="bob")["AccessKeyMetadata"]

    assert {"UserName", "AccessKeyId", "Status", "CreateDate"} == listed.keys()


def test_keys_are_listed_page_by_page_the_oldest_first(account):
    iam = account.client("iam")
    first = account.user("bob").credentials.access_key_id
    second = iam.create_access_key(UserName="bob")["AccessKey"]["AccessKeyId"]

    pages = iam.get_paginator("list_access_keys").paginate(UserName="bob", PaginationConfig={"PageSize": 1})

    assert [first, second] == [key["AccessKeyId"] for page in pages for key in page["AccessKeyMetadata"]]


@pytest.mark.parametrize("who", ["user", "root"])
def test_inactive_keys_count_against_the_quota_of_two(account, who):
    iam = account.root("iam") if who == "root" else account.user("bob", policy=allow("iam:*")).client("iam")
    second = iam.create_access_key()["AccessKey"]["AccessKeyId"]
    iam.update_access_key(AccessKeyId=second, Status="Inactive")

    answer = refusal(iam.create_access_key)

    assert "LimitExceeded: Cannot exceed quota for AccessKeysPerUser: 2" == answer


def test_without_a_user_name_roots_own_keys_are_meant_and_name_nobody(account):
    root = account.root("iam")

    key = root.create_access_key()["AccessKey"]

    assert "UserName" not in key
    identity = account.crown.session(key, "sts").get_caller_identity()
    assert f"arn:aws:iam::{account.id}:root" == identity["Arn"]
    assert {key["AccessKeyId"], account.created["root"]["access_key_id"]} == {
        listed["AccessKeyId"] for listed in root.list_access_keys()["AccessKeyMetadata"]
    }


def test_roots_last_key_deletes_itself_and_fails_on_the_very_next_call(account):
    root = account.root("iam")

    root.delete_access_key(AccessKeyId=account.created["root"]["access_key_id"])

    answer = refusal(root.list_access_keys)
    assert "InvalidClientTokenId: The security token included in the request is invalid." == answer


def test_an_inactive_key_is_refused_until_it_is_active_again(account):
    iam = account.client("iam")
    bob = account.user("bob")
    which = {"UserName": "bob", "AccessKeyId": bob.credentials.access_key_id}
    bob.client("sts").get_caller_identity()

    iam.update_access_key(Status="Inactive", **which)

    assert 403 == status(bob.client("sts").get_caller_identity)
    iam.update_access_key(Status="Active", **which)
    bob.client("sts").get_caller_identity()


def test_a_key_has_no_status_that_only_aws_can_set(account):
    key = account.user("bob").credentials.access_key_id

    answer = refusal(account.client("iam").update_access_key, UserName="bob", AccessKeyId=key, Status="Expired")

    assert answer.startswith("InvalidInput: ")


def test_another_users_key_is_not_among_ones_own(account):
    key = account.user("carol").credentials.access_key_id
    bob = account.user("bob", policy=allow("iam:*")).client("iam")

    for operation, more in ((bob.delete_access_key, {}), (bob.update_access_key, {"Status": "Inactive"})):
        answer = refusal(operation, AccessKeyId=key, **more)
        assert f"NoSuchEntity: The Access Key with id {key} cannot be found." == answer


def test_a_key_of_another_account_cannot_be_touched_by_root_even_by_its_id(account, crown):
    key = crown.account().created["root"]["access_key_id"]

    answer = refusal(account.root("iam").delete_access_key, AccessKeyId=key)

    assert f"NoSuchEntity: The Access Key with id {key} cannot be found." == answer


def test_the_first_use_of_a_key_is_remembered(account):
    iam = account.client("iam")
    bob = account.user("bob")
    key = bob.credentials.access_key_id

    before = iam.get_access_key_last_used(AccessKeyId=key)
    bob.client("sts", region="eu-central-1").get_caller_identity()
    after = iam.get_access_key_last_used(AccessKeyId=key)

    assert ("bob", {"ServiceName": "N/A", "Region": "N/A"}) == (before["UserName"], before["AccessKeyLastUsed"])
    used = after["AccessKeyLastUsed"]
    assert ("sts", "eu-central-1", True) == (used["ServiceName"], used["Region"], "LastUsedDate" in used)


def test_asking_for_a_foreign_key_tells_no_more_than_asking_for_one_that_does_not_exist(account, crown):
    foreign, unknown = crown.account().created["admin"]["access_key_id"], "AKIAIOSFODNN7EXAMPLE"
    clients = {"admin": account.client("iam"), "nobody": account.user("nobody").client("iam")}

    answer = {
        who: {refusal(client.get_access_key_last_used, AccessKeyId=key).replace(key, "KEY") for key in (foreign, unknown)}
        for who, client in clients.items()
    }

    caller = f"AccessDenied: User: arn:aws:iam::{account.id}:user/"
    denied = "iam:GetAccessKeyLastUsed on resource: access key KEY because no identity-based policy allows the "
    assert {
        "admin": {f"{caller}admin is not authorized to perform iam:GetAccessKeyLastUsed on resource: access key KEY"},
        "nobody": {f"{caller}nobody is not authorized to perform: {denied}iam:GetAccessKeyLastUsed action"},
    } == answer


def test_a_deleted_users_key_cannot_come_back_with_the_name(account):
    iam = account.client("iam")
    bob = account.user("bob")
    iam.delete_access_key(UserName="bob", AccessKeyId=bob.credentials.access_key_id)
    iam.delete_user(UserName="bob")
    iam.create_user(UserName="bob")

    answer = refusal(bob.client("sts").get_caller_identity)

    assert answer.startswith("InvalidClientTokenId: ")


def test_the_secret_of_a_new_key_is_in_no_record(account):
    key = account.client("iam").create_access_key()["AccessKey"]

    recorded = str(account.records())

    assert key["AccessKeyId"] in recorded
    assert key["SecretAccessKey"] not in recorded
