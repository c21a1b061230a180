"""Service-specific credentials: told once, two for each service, and kept as a hash."""

from __future__ import annotations

from base64 import b64decode
from datetime import timedelta

import pytest
import time_machine
from tests.services.iam.asking import allow, refusal

CODECOMMIT, CASSANDRA, BEDROCK, LOGS = (f"{name}.amazonaws.com" for name in ("codecommit", "cassandra", "bedrock", "logs"))

LISTED = {"CreateDate", "ServiceName", "ServiceUserName", "ServiceSpecificCredentialId", "UserName", "Status"}


@pytest.fixture
def iam(account):
    client = account.client("iam")
    client.create_user(UserName="bob")
    return client


def create(iam, service: str, user: str = "bob", **options):
    made = iam.create_service_specific_credential(UserName=user, ServiceName=service, **options)
    return made["ServiceSpecificCredential"]


@pytest.mark.parametrize("service", [CODECOMMIT, CASSANDRA])
def test_a_credential_has_a_generated_user_name_and_a_password(account, iam, service):
    first, second = create(iam, service), create(iam, service)

    assert (f"bob-at-{account.id}", f"bob+1-at-{account.id}") == (first["ServiceUserName"], second["ServiceUserName"])
    assert {
        "CreateDate",
        "ServiceName",
        "ServiceUserName",
        "ServicePassword",
        "ServiceSpecificCredentialId",
        "UserName",
        "Status",
    } == (first.keys())
    assert first["ServicePassword"] != second["ServicePassword"]
    assert ("Active", True) == (first["Status"], first["ServiceSpecificCredentialId"].startswith("ACCA"))


@pytest.mark.parametrize(("service", "prefix"), [(BEDROCK, "ABSK"), (LOGS, "ACWL")])
def test_an_api_key_carries_its_alias_and_expires_when_asked_to(account, iam, service, prefix):
    made = create(iam, service, CredentialAgeDays=30)

    key = made["ServiceCredentialSecret"]
    assert prefix == key[:4]
    assert made["ServiceCredentialAlias"] == b64decode(key[4:]).decode().partition(":")[0]
    assert made["ServiceCredentialAlias"].endswith(f"bob-at-{account.id}")
    assert timedelta(days=30) == made["ExpirationDate"] - made["CreateDate"]
    assert {"ServiceUserName", "ServicePassword"}.isdisjoint(made)


def test_an_api_key_whose_time_is_over_is_shown_as_expired(iam):
    made = create(iam, BEDROCK, CredentialAgeDays=1)

    with time_machine.travel(made["ExpirationDate"] + timedelta(seconds=1), tick=True):
        (listed,) = iam.list_service_specific_credentials(UserName="bob")["ServiceSpecificCredentials"]

    assert "Expired" == listed["Status"]


def test_a_password_credential_takes_no_age(iam):
    answer = refusal(iam.create_service_specific_credential, UserName="bob", ServiceName=CODECOMMIT, CredentialAgeDays=5)

    assert answer.startswith("InvalidInput: ")


def test_two_for_each_service_are_the_limit(iam):
    for service in (CODECOMMIT, CODECOMMIT, CASSANDRA, BEDROCK):
        create(iam, service)

    answer = refusal(iam.create_service_specific_credential, UserName="bob", ServiceName=CODECOMMIT)

    assert "LimitExceeded: Cannot exceed quota for ServiceSpecificCredentialsPerUser: 2" == answer


def test_lists_are_of_one_user_or_of_all_users_for_a_service_and_tell_no_secret(account, iam):
    iam.create_user(UserName="eve")
    create(iam, CODECOMMIT), create(iam, CASSANDRA), create(iam, CODECOMMIT, "eve")

    own = iam.list_service_specific_credentials(UserName="bob", ServiceName=CASSANDRA)["ServiceSpecificCredentials"]
    found = []
    page: dict = {"IsTruncated": True}
    while page.get("IsTruncated"):
        marker = {"Marker": page["Marker"]} if "Marker" in page else {}
        page = iam.list_service_specific_credentials(ServiceName=CODECOMMIT, AllUsers=True, MaxItems=1, **marker)
        found += page["ServiceSpecificCredentials"]

    assert "IsTruncated" not in page
    assert [("bob", CASSANDRA)] == [(each["UserName"], each["ServiceName"]) for each in own]
    assert {"bob", "eve"} == {each["UserName"] for each in found}
    assert {"CreateDate", "ServiceName", "ServiceUserName", "ServiceSpecificCredentialId", "UserName", "Status"} == found[
        0
    ].keys()
    assert refusal(iam.list_service_specific_credentials, UserName="bob", AllUsers=True).startswith("ValidationError: ")


def test_a_reset_tells_a_new_secret_once_and_keeps_the_rest(iam):
    made = create(iam, CODECOMMIT)
    which = {"UserName": "bob", "ServiceSpecificCredentialId": made["ServiceSpecificCredentialId"]}

    reset = iam.reset_service_specific_credential(**which)["ServiceSpecificCredential"]

    assert made["ServicePassword"] != reset["ServicePassword"]
    assert made | {"ServicePassword": ""} == reset | {"ServicePassword": ""}


def test_a_credential_is_deactivated_and_deleted_and_keeps_its_user_until_then(iam):
    made = create(iam, CODECOMMIT)
    which = {"UserName": "bob", "ServiceSpecificCredentialId": made["ServiceSpecificCredentialId"]}

    iam.update_service_specific_credential(**which, Status="Inactive")
    (listed,) = iam.list_service_specific_credentials(UserName="bob")["ServiceSpecificCredentials"]
    kept = refusal(iam.delete_user, UserName="bob")
    iam.delete_service_specific_credential(**which)

    assert "Inactive" == listed["Status"]
    assert "DeleteConflict: Cannot delete entity, must remove referenced objects first." == kept
    assert f"NoSuchEntity: No such credential {made['ServiceSpecificCredentialId']} exists" == refusal(
        iam.delete_service_specific_credential, **which
    )


def test_a_credential_of_another_user_is_not_found(iam):
    made = create(iam, CODECOMMIT)
    iam.create_user(UserName="eve")

    answer = refusal(
        iam.update_service_specific_credential,
        UserName="eve",
        ServiceSpecificCredentialId=made["ServiceSpecificCredentialId"],
        Status="Inactive",
    )

    assert f"NoSuchEntity: No such credential {made['ServiceSpecificCredentialId']} exists" == answer


def test_an_unknown_service_or_user_is_refused(iam):
    create_one = iam.create_service_specific_credential

    assert "NoSuchEntity: No such service ec2.amazonaws.com is supported for Service Specific Credentials" == refusal(
        create_one, UserName="bob", ServiceName="ec2.amazonaws.com"
    )
    assert "NoSuchEntity: The user with name nobody cannot be found." == refusal(
        create_one, UserName="nobody", ServiceName=CODECOMMIT
    )


def test_a_renamed_users_credential_keeps_its_name_from_the_next_user_of_the_old_one(account, iam):
    create(iam, CODECOMMIT)
    iam.update_user(UserName="bob", NewUserName="robert")
    iam.create_user(UserName="bob")

    assert f"bob+1-at-{account.id}" == create(iam, CODECOMMIT)["ServiceUserName"]


def test_policies_limit_the_service_and_the_age(account, iam):
    limited = account.user(
        "limited",
        policy=allow(
            "iam:CreateServiceSpecificCredential",
            StringEquals={"iam:ServiceSpecificCredentialServiceName": BEDROCK},
            NumericLessThanEquals={"iam:ServiceSpecificCredentialAgeDays": "30"},
        ),
    ).client("iam")

    create(limited, BEDROCK, CredentialAgeDays=30)

    for service, options in ((BEDROCK, {"CredentialAgeDays": 31}), (BEDROCK, {}), (LOGS, {"CredentialAgeDays": 1})):
        answer = refusal(limited.create_service_specific_credential, UserName="bob", ServiceName=service, **options)
        assert answer.startswith("AccessDenied: ")


def test_the_secrets_are_in_no_record(account, iam):
    secrets = [create(iam, CODECOMMIT)["ServicePassword"], create(iam, BEDROCK)["ServiceCredentialSecret"]]

    recorded = str(account.records())

    assert [] == [secret for secret in secrets if secret in recorded]
