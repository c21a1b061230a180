"""SAML providers: registered by a metadata document that is really read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.fixtures.crown import Account
from tests.services.sts.saml_provider import SamlProvider

PROVIDER = SamlProvider()


def create(account: Account, name: str = "Idp", document: str | None = None, **options: Any) -> Any:
    return account.client("iam").create_saml_provider(Name=name, SAMLMetadataDocument=document or PROVIDER.metadata(), **options)


def refusal(call: Any, *arguments: Any, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(*arguments, **parameters)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_provider_is_made_shown_and_forgotten(account: Account):
    iam = account.client("iam")

    arn = create(account, document=PROVIDER.metadata(validUntil="2050-01-01T00:00:00Z"))["SAMLProviderArn"]

    assert f"arn:aws:iam::{account.id}:saml-provider/Idp" == arn
    got = iam.get_saml_provider(SAMLProviderArn=arn)
    assert datetime(2050, 1, 1, tzinfo=UTC) == got["ValidUntil"]
    assert ("Allowed", [], []) == (got["AssertionEncryptionMode"], got["PrivateKeyList"], got["Tags"])
    assert 22 <= len(got["SAMLProviderUUID"]) <= 64
    assert [arn] == [each["Arn"] for each in iam.list_saml_providers()["SAMLProviderList"]]
    iam.delete_saml_provider(SAMLProviderArn=arn)
    missing = ("NoSuchEntity", f"Manifest not found for arn {arn}")
    assert missing == refusal(iam.get_saml_provider, SAMLProviderArn=arn)
    assert missing == refusal(iam.delete_saml_provider, SAMLProviderArn=arn)


def test_a_provider_without_an_end_lasts_a_hundred_years(account: Account):
    arn = create(account)["SAMLProviderArn"]

    got = account.client("iam").get_saml_provider(SAMLProviderArn=arn)

    assert got["CreateDate"].year + 100 == got["ValidUntil"].year
    assert PROVIDER.metadata() == got["SAMLMetadataDocument"]


@pytest.mark.parametrize(
    "document",
    [
        "x" * 1000,
        PROVIDER.metadata().replace("IDPSSODescriptor", "SPSSODescriptor"),
        PROVIDER.metadata().replace(' use="signing"', ' use="encryption"'),
        '<!DOCTYPE a [<!ENTITY b "c">]>' + PROVIDER.metadata(),
        PROVIDER.metadata().replace("<ds:X509Certificate>", "<ds:X509Certificate>AAAA"),
    ],
)
def test_what_is_no_providers_metadata_can_not_be_parsed(account: Account, document: str):
    assert ("InvalidInput", "Could not parse metadata") == refusal(create, account, document=document)


def test_names_come_once_whatever_their_case(account: Account):
    create(account)

    assert ("EntityAlreadyExists", "SAMLProvider with name IDP already exists.") == refusal(create, account, "IDP")


def test_encryption_is_refused_and_not_ignored(account: Account):
    assert "InvalidInput" == refusal(create, account, AssertionEncryptionMode="Required")[0]


def test_tags_are_put_listed_and_taken(account: Account):
    iam = account.client("iam")
    arn = create(account, Tags=[{"Key": "a", "Value": "1"}])["SAMLProviderArn"]

    iam.tag_saml_provider(SAMLProviderArn=arn, Tags=[{"Key": "b", "Value": "2"}])
    iam.untag_saml_provider(SAMLProviderArn=arn, TagKeys=["a"])

    assert [{"Key": "b", "Value": "2"}] == iam.list_saml_provider_tags(SAMLProviderArn=arn)["Tags"]
