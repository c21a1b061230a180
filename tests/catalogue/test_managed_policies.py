"""The catalogue of AWS's managed policies: complete, readable by the policy engine, and opened quickly and lazily."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from crownkeep import policy
from crownkeep.catalogue import managed_policies
from crownkeep.policy import PolicyKind

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


def test_a_policy_is_found_by_its_arn() -> None:
    found = managed_policies.with_arn(ADMINISTRATOR)

    assert found is not None
    assert (found.name, found.path, found.default_version) == ("AdministratorAccess", "/", 1)
    assert found.created_at == datetime(2015, 2, 6, 18, 39, 46, tzinfo=UTC)
    assert json.loads(found.document) == {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    }


def test_a_document_is_laid_out_as_people_write_it() -> None:
    found = managed_policies.with_arn(ADMINISTRATOR)

    assert found is not None
    assert found.document.splitlines()[:4] == ["{", '  "Version": "2012-10-17",', '  "Statement": [', "    {"]


@pytest.mark.parametrize("arn", ["arn:aws:iam::aws:policy/NoSuchPolicy", "arn:aws:iam::aws:policy/administratoraccess", ""])
def test_an_unknown_arn_is_not_found(arn: str) -> None:
    assert managed_policies.with_arn(arn) is None


def test_what_is_aws_own_is_told_by_the_arn() -> None:
    assert managed_policies.is_aws_managed("arn:aws:iam::aws:policy/job-function/Billing")
    assert not managed_policies.is_aws_managed("arn:aws:iam::123456789012:policy/AdministratorAccess")


@pytest.mark.parametrize(
    "name",
    [
        "root-task/IAMAuditRootUserCredentials",
        "root-task/IAMCreateRootUserPassword",
        "root-task/IAMDeleteRootUserCredentials",
        "root-task/S3UnlockBucketPolicy",
        "root-task/SQSUnlockQueuePolicy",
    ],
)
def test_the_task_policies_of_root_are_there_and_only_deny(name: str) -> None:
    found = managed_policies.with_arn(f"arn:aws:iam::aws:policy/{name}")

    assert found is not None
    assert {statement["Effect"] for statement in json.loads(found.document)["Statement"]} == {"Deny"}


def test_policies_of_service_linked_roles_are_told_apart() -> None:
    linked = [each for each in managed_policies.listed_from("") if each.is_of_service_linked_roles]

    assert len(linked) > 300
    assert all(each.arn.startswith("arn:aws:iam::aws:policy/aws-service-role/") for each in linked)


def test_the_list_is_in_the_order_of_names_and_begins_at_any_name() -> None:
    everything = [each.name_key for each in managed_policies.listed_from("")]

    following = next(managed_policies.listed_from("administratoraccess-"))

    assert everything == sorted(set(everything))
    assert len(everything) == managed_policies.count() > 1_500
    assert following.name_key == "administratoraccess-amplify"
    assert next(managed_policies.listed_from("administratoraccess")).name == "AdministratorAccess"
    assert list(managed_policies.listed_from("zzzz")) == []


def test_unique_ids_look_like_aws_and_differ() -> None:
    ids = {each.policy_id for each in managed_policies.listed_from("")}

    assert len(ids) == managed_policies.count()
    assert all(len(each) == 21 and each.startswith("ANPA") for each in ids)


def test_every_document_is_one_that_the_policy_engine_takes() -> None:
    for each in managed_policies.listed_from(""):
        document = policy.parse(each.document)
        policy.validate(document, PolicyKind.IDENTITY)


def test_the_catalogue_is_not_opened_by_importing_it() -> None:
    code = "from crownkeep.catalogue import managed_policies as m; print(m._catalogue.cache_info().currsize)"

    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert printed == "0\n"
