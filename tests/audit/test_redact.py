"""What a record may hold of parameters and answers: all of it but secrets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from crownkeep import models
from crownkeep.audit import redact

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
SECRET = "Correct-Horse-9"


def parameters_of(service: str, operation: str, values: Mapping[str, object]) -> dict[str, object] | None:
    model = models.service(service).operation(operation)
    assert model is not None
    return redact.parameters(operation, values, model.input)


def answer_of(service: str, operation: str, values: Mapping[str, object]) -> dict[str, object] | None:
    model = models.service(service).operation(operation)
    assert model is not None
    return redact.response(values, model.output)


@pytest.mark.parametrize(
    ("service", "operation", "member"),
    [
        ("iam", "CreateLoginProfile", "Password"),
        ("iam", "UpdateLoginProfile", "Password"),
        ("iam", "EnableMFADevice", "AuthenticationCode1"),
        ("iam", "EnableMFADevice", "AuthenticationCode2"),
        ("iam", "UploadServerCertificate", "PrivateKey"),
        ("sts", "GetSessionToken", "TokenCode"),
        ("sts", "AssumeRoleWithWebIdentity", "WebIdentityToken"),
        ("sts", "AssumeRoleWithSAML", "SAMLAssertion"),
        ("account", "AcceptPrimaryEmailUpdate", "Otp"),
    ],
)
def test_a_secret_parameter_never_reaches_a_record(service: str, operation: str, member: str) -> None:
    kept = parameters_of(service, operation, {member: SECRET, "UserName": "bob"})

    assert SECRET not in repr(kept)


def test_every_member_that_awss_models_call_sensitive_is_hidden() -> None:
    leaks = [
        (service.name, operation.name, name)
        for service in map(models.service, models.SERVICES)
        for operation in service.operations.values()
        if operation.input is not None
        for name, member in operation.input.members.items()
        if member.shape.sensitive and member.shape.type == "string"
        if SECRET in repr(redact.parameters(operation.name, {name: SECRET}, operation.input))
    ]

    assert [] == leaks


def plainly(values: Mapping[str, object], shape: models.Shape, omitted: frozenset[str]) -> dict[str, object]:
    """Redact one structure of texts by the rule as it is said: the slow way."""
    kept: dict[str, object] = {}
    for name, value in values.items():
        member = shape.members.get(name)
        if member is None or name in omitted:
            continue
        is_hidden = name in redact._SECRET_MEMBERS or member.shape.sensitive
        shown = redact.without_path(str(value)) if name in ("Target", "target") else HIDDEN if is_hidden else value
        kept[models.lower_camel(name)] = shown
    return kept


@pytest.mark.parametrize("service", ["iam", "sts", "sso-oidc", "signin", "cloudtrail", "alerts"])
def test_members_are_kept_as_the_plain_rule_has_it(service: str) -> None:
    for operation in models.service(service).operations.values():
        for shape, keep, omitted in (
            (operation.input, lambda values, shape: redact.parameters("Any", values, shape), frozenset[str]()),
            (operation.output, redact.response, redact._SECRET_MEMBERS - {"SessionToken"}),
        ):
            if shape is not None and shape.members:
                values = {**dict.fromkeys(shape.members, "https://host.example/path"), "NotInTheModel": "x"}

                assert plainly(values, shape, omitted) == keep(values, shape)


def test_a_password_change_records_no_parameters_at_all() -> None:
    assert parameters_of("iam", "ChangePassword", {"OldPassword": SECRET, "NewPassword": SECRET}) is None


def test_parameters_are_spelled_as_cloudtrail_spells_them() -> None:
    kept = parameters_of("iam", "CreateUser", {"UserName": "bob", "Tags": [{"Key": "team", "Value": "ops"}]})

    assert {"userName": "bob", "tags": [{"key": "team", "value": "ops"}]} == kept


def test_a_new_keys_secret_is_absent_from_the_recorded_answer() -> None:
    made = datetime(2024, 10, 25, 21, 7, 11, tzinfo=UTC)
    values = {"AccessKey": {"UserName": "bob", "AccessKeyId": "AKIAX", "SecretAccessKey": SECRET, "CreateDate": made}}

    kept = answer_of("iam", "CreateAccessKey", values)

    assert {"accessKey": {"userName": "bob", "accessKeyId": "AKIAX", "createDate": "Oct 25, 2024, 9:07:11 PM"}} == kept


def test_a_session_token_is_mentioned_and_hidden() -> None:
    kept = answer_of("sts", "GetSessionToken", {"Credentials": {"AccessKeyId": "ASIAX", "SessionToken": SECRET}})

    assert {"credentials": {"accessKeyId": "ASIAX", "sessionToken": HIDDEN}} == kept


def test_an_mfa_devices_seed_never_reaches_a_record() -> None:
    values = {"VirtualMFADevice": {"SerialNumber": "arn", "Base32StringSeed": SECRET.encode(), "QRCodePNG": b"png"}}

    kept = answer_of("iam", "CreateVirtualMFADevice", values)

    assert {"virtualMFADevice": {"serialNumber": "arn"}} == kept


def test_members_that_the_model_does_not_know_are_not_kept() -> None:
    assert {"userName": "bob"} == parameters_of("iam", "GetUser", {"UserName": "bob", "Nonsense": SECRET})


@pytest.mark.parametrize(
    ("hour", "written"),
    [
        (0, "Oct 5, 2024, 12:07:01 AM"),
        (9, "Oct 5, 2024, 9:07:01 AM"),
        (12, "Oct 5, 2024, 12:07:01 PM"),
        (21, "Oct 5, 2024, 9:07:01 PM"),
    ],
)
def test_dates_in_records_are_written_as_cloudtrail_writes_them(hour, written):
    assert written == redact.java_date(datetime(2024, 10, 5, hour, 7, 1, tzinfo=UTC))
