"""The page on operations is held to what is served."""

from __future__ import annotations

from pathlib import Path

from crownkeep import models, services
from crownkeep.operations import registry

TEXT = (Path(__file__).parents[2] / "docs/reference/operations.md").read_text()
services.load()


def unserved(name: str) -> set[str]:
    service = registry.service(name)
    assert service is not None
    return set(models.service(name).operations) - set(service.served())


def test_iam_is_served_as_a_whole_and_the_page_says_how_much_that_is():
    assert set() == unserved("iam")
    assert f"All {len(models.service('iam').operations)} operations of the model are served." in TEXT


def test_every_operation_of_access_analyzer_that_is_not_served_is_named():
    section = TEXT.partition("## Access Analyzer")[2].partition("## Services served in part")[0]

    assert set() == {name for name in unserved("accessanalyzer") if f"`{name}`" not in section}


def test_every_operation_of_organizations_that_is_not_served_is_named_and_no_other():
    section = TEXT.partition("## Organizations")[2].partition("|")[0]

    assert unserved("organizations") == set(section.split("`")[1::2])


def test_every_operation_of_account_that_is_not_served_is_named_and_no_other():
    section = TEXT.partition("## Account")[2].partition("Not served: ")[2].partition("## ")[0]

    assert unserved("account") == set(section.split("`")[1::2])


def test_every_operation_of_single_sign_on_that_is_not_served_is_named_and_no_other():
    section = TEXT.partition("## IAM Identity Center")[2].partition("these are refused: ")[2].partition("## ")[0]

    assert unserved("sso-admin") == set(section.split("`")[1::2])
    assert set() == unserved("identitystore")


def test_every_operation_of_cloudtrail_that_is_not_served_is_named_and_no_other():
    section = TEXT.partition("resource policies are not served:")[2].partition("## ")[0]

    assert unserved("cloudtrail") == set(section.split("`")[1::2])


def test_no_operation_is_named_that_aws_does_not_have():
    known = {name for service in models.SERVICES for name in models.service(service).operations}
    known |= {
        member
        for name in models.SERVICES
        for operation in models.service(name).operations.values()
        for shape in (operation.input, operation.output)
        if shape is not None
        for member in shape.members
    }
    section = TEXT.partition("## IAM")[2].partition("## Services served in part")[0]
    named = {word for word in section.split("`")[1::2] if word[0].isupper() and word.isalnum()}

    assert set() == {name for name in named - known if not name.endswith("Exception")} - {
        "InvalidInput",
        "NoSuchEntity",
        "MaxItems",
        "SUCCEEDED",
        "FAILED",
        "IamUserAccessToBilling",
        "AccountId",
        "PASS",
        "AWSServiceRoleFor",
        "NotIpAddress",
        "NotResource",
        "NumericNotEquals",
        "Resource",
        "OriginIdentity",
        "NameID",
        "PATCH",
        "MfaMethods",
        "WEBAUTHN",
    }
