"""Inline policies of users and groups: kept byte for byte, in force at once, within AWS's quotas of size."""

from __future__ import annotations

import pytest
from tests.services.iam.policy_documents import document, document_of_size, refusal

QUOTAS = {"user": 2048, "group": 5120}


@pytest.fixture
def iam(account):
    return account.client("iam")


@pytest.fixture(params=["user", "group"])
def kind(request):
    return request.param


@pytest.fixture
def holder(iam, kind):
    """An entity's calls by their names without the kind, bound to a fresh one."""
    name = {f"{kind.capitalize()}Name": "holder"}
    getattr(iam, f"create_{kind}")(**name)

    def call(verb, **parameters):
        return getattr(iam, verb.format(kind))(**name, **parameters)

    return call


def test_a_policy_is_answered_as_it_was_put(holder, kind):
    holder("put_{}_policy", PolicyName="Inline", PolicyDocument=document("s3:*"))

    found = holder("get_{}_policy", PolicyName="Inline")

    del found["ResponseMetadata"]
    assert {f"{kind.capitalize()}Name", "PolicyName", "PolicyDocument"} == found.keys()
    assert ("holder", "Inline") == (found[f"{kind.capitalize()}Name"], found["PolicyName"])
    assert "s3:*" == found["PolicyDocument"]["Statement"][0]["Action"]


def test_a_policy_takes_the_place_of_one_with_its_name(holder):
    holder("put_{}_policy", PolicyName="one", PolicyDocument=document("s3:*"))

    holder("put_{}_policy", PolicyName="One", PolicyDocument=document("sqs:*"))

    assert ["One"] == holder("list_{}_policies")["PolicyNames"]
    found = holder("get_{}_policy", PolicyName="ONE")
    assert ("One", "sqs:*") == (found["PolicyName"], found["PolicyDocument"]["Statement"][0]["Action"])


def test_names_are_listed_in_pages_without_regard_to_case(holder):
    for name in ("b", "A", "c", "_"):
        holder("put_{}_policy", PolicyName=name, PolicyDocument=document())

    first = holder("list_{}_policies", MaxItems=3)
    second = holder("list_{}_policies", MaxItems=3, Marker=first["Marker"])

    assert (["_", "A", "b"], ["c"]) == (first["PolicyNames"], second["PolicyNames"])
    assert (True, False) == (first["IsTruncated"], second["IsTruncated"])


def test_all_of_an_entitys_policies_share_one_quota_without_white_space(holder, kind):
    quota = QUOTAS[kind]
    holder("put_{}_policy", PolicyName="first", PolicyDocument=document_of_size(500))
    holder("put_{}_policy", PolicyName="second", PolicyDocument=document_of_size(quota - 500).replace(" ", "\n   \t"))

    refused = refusal(holder, verb="put_{}_policy", PolicyName="third", PolicyDocument=document())
    again = refusal(holder, verb="put_{}_policy", PolicyName="first", PolicyDocument=document_of_size(501))
    holder("put_{}_policy", PolicyName="first", PolicyDocument=document_of_size(499))

    assert ("LimitExceeded", f"Maximum policy size of {quota} bytes exceeded for {kind} holder") == refused == again


def test_a_faulty_document_is_refused_and_changes_nothing(holder):
    holder("put_{}_policy", PolicyName="one", PolicyDocument=document("s3:*"))

    refused = refusal(holder, verb="put_{}_policy", PolicyName="one", PolicyDocument='{"Version":"2012-10-17"')

    assert ("MalformedPolicyDocument", "Syntax errors in policy.") == refused
    assert "s3:*" == holder("get_{}_policy", PolicyName="one")["PolicyDocument"]["Statement"][0]["Action"]


def test_a_policy_that_does_not_exist_is_not_found(holder, kind):
    refused = [refusal(holder, verb=verb, PolicyName="nothing") for verb in ("get_{}_policy", "delete_{}_policy")]

    assert [("NoSuchEntity", f"The {kind} policy with name nothing cannot be found.")] * 2 == refused


def test_a_deleted_policy_is_gone(holder):
    holder("put_{}_policy", PolicyName="one", PolicyDocument=document())

    holder("delete_{}_policy", PolicyName="ONE")

    assert [] == holder("list_{}_policies")["PolicyNames"]


def test_an_entity_that_does_not_exist_is_not_found(iam, kind):
    name = {f"{kind.capitalize()}Name": "nobody"}

    refused = [
        refusal(getattr(iam, f"put_{kind}_policy"), **name, PolicyName="p", PolicyDocument=document()),
        refusal(getattr(iam, f"get_{kind}_policy"), **name, PolicyName="p"),
        refusal(getattr(iam, f"delete_{kind}_policy"), **name, PolicyName="p"),
        refusal(getattr(iam, f"list_{kind}_policies"), **name),
    ]

    assert [("NoSuchEntity", f"The {kind} with name nobody cannot be found.")] * 4 == refused


def test_an_entity_with_inline_policies_is_not_deleted(holder):
    holder("put_{}_policy", PolicyName="one", PolicyDocument=document())

    refused = refusal(holder, verb="delete_{}")

    assert ("DeleteConflict", "Cannot delete entity, must delete policies first.") == refused


def test_what_is_put_and_deleted_is_in_force_on_the_next_request(account, iam):
    bob = account.user("bob").client("iam")

    before = refusal(bob.list_users)[0]
    iam.put_user_policy(UserName="bob", PolicyName="p", PolicyDocument=document("iam:ListUsers"))
    bob.list_users()
    iam.put_user_policy(UserName="bob", PolicyName="p", PolicyDocument=document("iam:ListUsers", "Deny"))
    denied = refusal(bob.list_users)
    iam.delete_user_policy(UserName="bob", PolicyName="p")
    after = refusal(bob.list_users)

    assert "AccessDenied" == before
    assert "with an explicit deny in an identity-based policy" in denied[1]
    assert "because no identity-based policy allows the iam:ListUsers action" in after[1]
