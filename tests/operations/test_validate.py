"""Validation: every kind of limit in AWS's words, by each service's own error, with no secret in any text."""

import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fixtures.patience import bounded
from tests.gateway import generated

from crownkeep import errors, models
from crownkeep.errors import AwsError
from crownkeep.operations import model_limits
from crownkeep.operations.validate import validate

TEXTS = json.loads((Path(__file__).parent / "validation_texts.json").read_text())


def check(service, operation, **parameters):
    """Validate and return the error, or None."""
    try:
        validate(models.service(service).operations[operation], parameters)
    except AwsError as error:
        return error
    return None


@pytest.mark.parametrize("case", TEXTS, ids=lambda case: case["operation"])
def test_iam_names_each_broken_limit_in_awss_words(case):
    error = check("iam", case["operation"], **case["parameters"])

    assert isinstance(error, errors.ValidationError)
    assert case["text"] == error.message


@pytest.mark.parametrize(("tag", "absent"), [({"Value": "b"}, "Key"), ({"Key": "a"}, "Value")])
def test_a_structure_without_what_it_must_have_is_named_as_it_would_be_sent(tag, absent):
    error = check("iam", "CreateUser", UserName="bob", Tags=[{"Key": "c", "Value": "d"}, tag])

    assert isinstance(error, errors.MissingParameter)
    assert f"The request must contain the parameter Tags.member.2.{absent}." == error.message


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("CreateUser", {"UserName": "bob.smith+x@example.com,=-_"}),
        ("CreateUser", {"UserName": "bob", "Path": "/a/b/", "Tags": [{"Key": "Kostenträger 中", "Value": ""}]}),
        ("UpdateAccountPasswordPolicy", {}),
        ("GetUser", {}),
        ("CreateLoginProfile", {"UserName": "bob", "Password": "äöü ÿ\t\n"}),
        ("CreateAccountAlias", {"AccountAlias": "my-company-1"}),
    ],
)
def test_what_is_within_the_limits_passes(operation, parameters):
    assert check("iam", operation, **parameters) is None


@pytest.mark.parametrize(
    "alias",
    ["-ab", "ab-", "a--b", "Ab1", "a_b", "ab\n", "é23"],
    ids=["start", "end", "twice", "case", "sign", "end of line", "é"],
)
def test_an_alias_that_breaks_the_rules_is_refused(alias):
    assert "at 'accountAlias'" in check("iam", "CreateAccountAlias", AccountAlias=alias).message


def test_a_secret_that_breaks_its_limits_is_never_repeated():
    error = check("iam", "ChangePassword", OldPassword="hunter2\u4e2d", NewPassword="x" * 129)

    assert "hunter2" not in error.message
    assert "xxx" not in error.message
    assert (
        "Value at 'newPassword' failed to satisfy constraint: Member must have length less than or equal to 128" in error.message
    )


def test_no_sensitive_value_of_any_operation_is_ever_repeated():
    for service in map(models.service, models.SERVICES):
        for operation in service.operations.values():
            for name, member in operation.input.members.items() if operation.input else ():
                if member.shape.sensitive and member.shape.type == "string":
                    error = check(service.name, operation.name, **{name: "\u2028hunter2" * 500})

                    assert error is None or "hunter2" not in error.message + repr(error.members), operation.name


def test_the_account_service_lists_the_fields():
    error = check("account", "PutAlternateContact", AlternateContactType="LEGAL")

    assert error.code == "ValidationException"
    assert error.members["reason"] == "fieldValidationFailed"
    assert [field["name"] for field in error.members["fieldList"]] == [
        "name",
        "title",
        "emailAddress",
        "phoneNumber",
        "alternateContactType",
    ]


@pytest.mark.parametrize(
    ("account_id", "reason", "text"),
    [
        ("1", "INVALID_PATTERN", "You provided a value that does not match the required pattern."),
        ("1" * 13, "MAX_LENGTH_EXCEEDED", "You provided a string parameter that is longer than allowed."),
        (None, "INPUT_REQUIRED", "You must include a value for all required parameters."),
    ],
)
def test_organizations_gives_one_reason(account_id, reason, text):
    error = check("organizations", "DescribeAccount", AccountId=account_id)

    assert (error.code, error.members, error.message) == ("InvalidInputException", {"Reason": reason}, text)


@pytest.mark.parametrize(
    ("operation", "parameters", "code"),
    [
        ("LookupEvents", {"MaxResults": 51}, "InvalidMaxResultsException"),
        ("LookupEvents", {"LookupAttributes": [{"AttributeKey": "Nobody"}]}, "InvalidLookupAttributesException"),
        ("LookupEvents", {"EventCategory": "x"}, "InvalidEventCategoryException"),
        ("DescribeQuery", {"QueryId": "x"}, "InvalidParameterException"),
        ("GetTrail", {}, "ValidationError"),
    ],
)
def test_cloudtrail_has_its_own_errors(operation, parameters, code):
    assert check("cloudtrail", operation, **parameters).code == code


@pytest.mark.parametrize("service", ["sso", "sso-oidc"])
def test_the_portal_and_its_oidc_service_call_it_an_invalid_request(service):
    operation = {"sso": "GetRoleCredentials", "sso-oidc": "StartDeviceAuthorization"}[service]

    assert check(service, operation).code == "InvalidRequestException"


def test_every_refusal_is_an_error_that_its_service_knows_or_one_common_to_all():
    for service in map(models.service, models.SERVICES):
        for operation in service.operations.values():
            if operation.input is None or not operation.input.required:
                continue
            error = check(service.name, operation.name)

            assert error.code in service.errors or error.code == "ValidationError", operation.name


@pytest.mark.parametrize(
    "identifier", [{}, {"ExternalId": {"Issuer": "i", "Id": "1"}, "UniqueAttribute": {"AttributePath": "userName"}}]
)
def test_a_union_needs_exactly_one_member(identifier):
    error = check("identitystore", "GetUserId", IdentityStoreId="d-1234567890", AlternateIdentifier=identifier)

    assert "Value at 'alternateIdentifier' failed to satisfy constraint: Exactly one member must be set" in error.message


def test_an_absent_element_of_a_list_is_refused():
    error = check("iam", "CreateUser", UserName="bob", Tags=[None])

    assert "The request must contain the parameter Tags.member.1." == error.message


def test_a_request_that_breaks_thousands_of_limits_gets_a_bounded_answer():
    error = check("iam", "CreateUser", UserName="bob", Tags=[{"Key": "", "Value": "\n" * 300}] * 5000)

    assert error.message.startswith("100 validation errors detected: ")
    assert len(error.message) < 100 * 1500


def test_a_huge_value_is_not_repeated_whole():
    error = check("iam", "CreateUser", UserName="x" * 1_000_000)

    assert len(error.message) < 2 * model_limits.LONGEST_ECHO


def test_lengths_are_counted_in_code_points():
    assert check("account", "PutAccountName", AccountName="é" * 51) is not None
    assert check("sso-admin", "CreateInstance", Name="x", Tags=[{"Key": "\U00020000" * 128, "Value": ""}]) is None


def test_no_pattern_of_any_service_can_be_made_to_take_long():
    pieces = ["a", "a-", "a.", "1:", "/a", ":", " ", "ab@", "é", ".", "-", "0", "arn:aws:", "https://a/", "\n"]
    seen = set()
    for service in map(models.service, models.SERVICES):
        for shape in service.shapes.values():
            if shape.pattern is None or (shape.pattern, shape.maximum) in seen:
                continue
            seen.add((shape.pattern, shape.maximum))
            length = int(shape.maximum or model_limits.LONGEST_WITHOUT_LIMIT)
            checked = model_limits._string(shape)
            for piece in pieces:
                with bounded():
                    checked((piece * length)[: length - 1] + "\n", (None, "x"), [])


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_whatever_is_decoded_validates_or_is_refused_and_nothing_else(seed):
    random = Random(seed)
    service = models.service(random.choice(models.SERVICES))
    operation = random.choice(list(service.operations.values()))
    if operation.input is None:
        return
    parameters = generated.some(operation.input, random)

    error = check(service.name, operation.name, **parameters)

    assert error is None or error.message


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ("ann\x00", "alternateIdentifier.uniqueAttribute.attributeValue"),
        ({"a": ["b", {"c\x00": 1}]}, "alternateIdentifier.uniqueAttribute.attributeValue"),
        (["b", "\x00"], "alternateIdentifier.uniqueAttribute.attributeValue"),
    ],
)
def test_denial_of_service_a_document_with_a_nul_is_refused_and_reaches_no_database(value, field):
    named = {"UniqueAttribute": {"AttributePath": "userName", "AttributeValue": value}}

    error = check("identitystore", "GetUserId", IdentityStoreId="d-0123456789", AlternateIdentifier=named)

    assert error.code.startswith("Validation")
    assert f"at '{field}' failed to satisfy constraint" in error.message


def test_denial_of_service_a_text_without_limits_in_the_model_holds_no_nul():
    """PostgreSQL keeps none: the request would be answered like an outage, and logged as one."""
    texts = [
        (operation.input, name, f"{service}:{operation.name} {name}")
        for service in ("iam", "organizations", "sso-admin", "identitystore", "cloudtrail", "approvals", "alerts")
        for operation in models.service(service).operations.values()
        if operation.input is not None
        for name, member in operation.input.members.items()
        if member.shape.type == "string" and not member.shape.enum
    ]

    let_through = [
        place
        for shape, name, place in texts
        if all(each.field != models.lower_camel(name) for each in model_limits.violations(shape, {name: "a\x00a"}))
    ]

    assert len(texts) > 300
    assert [] == let_through
