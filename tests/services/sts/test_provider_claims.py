"""Claims of providers that AWS knows, as condition keys: by the provider's URL, and for no other provider."""

from __future__ import annotations

from typing import Any

import pytest

from crownkeep.credentials.web_identities import WebIdentity
from crownkeep.services.sts import provider_claims

GITHUB = "token.actions.githubusercontent.com"
CLAIMS = {
    "aud": ["client-1", "client-2"],
    "repository": "octo/one",
    "repository_id": 74,
    "ref_protected": True,
    "environment": ["a", "b"],
    "secret": "no key of anybody's",
    "google": {"organization_number": 12},
    "oidc.circleci.com/project-id": "p-1",
}


def keys(url: str, **claims: Any) -> dict[str, Any]:
    return provider_claims.of_token(url, WebIdentity(f"https://{url}", "sub", "aud", claims=claims or CLAIMS))


def test_the_claims_of_github_are_keys_of_its_url():
    expected = {f"{GITHUB}:repository": "octo/one", f"{GITHUB}:repository_id": "74", f"{GITHUB}:environment": ("a", "b")}

    assert expected == keys(GITHUB)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (f"{GITHUB}/octo", {f"{GITHUB}/octo:ref": "main"}),
        ("token.actions.octo.ghe.com", {"token.actions.octo.ghe.com:ref": "main"}),
        (f"{GITHUB}.attacker.example", {}),
        (f"attacker.example/{GITHUB}", {}),
        ("idp.example", {}),
    ],
)
def test_a_provider_is_known_by_its_whole_url(url: str, expected: dict[str, str]):
    assert expected == keys(url, ref="main")


def test_odd_claims_are_read_as_aws_names_them():
    assert {
        "accounts.google.com:oaud": "client-1",
        "accounts.google.com:google/organization_number": "12",
    } == keys("accounts.google.com")
    circle = "oidc.circleci.com/org/1234"
    assert {f"{circle}:oidc.circleci.com/project-id": "p-1"} == keys(circle)
    assert {} == keys(GITHUB, repository={"name": "octo"}, ref=None, actor=[], workflow=[1])


def test_an_attribute_counts_once_under_each_of_its_names():
    attributes = {
        "urn:oid:2.5.4.3": ("Ann", "Anna"),
        "urn:oid:2.5.4.4": ("Archer",),
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname": ("Other",),
        "https://aws.amazon.com/SAML/Attributes/Role": ("a,b",),
        "urn:oid:1.3.6.1.4.1.5923.1.1.1.6": (),
    }

    assert {"saml:cn": ("Ann", "Anna"), "saml:surname": "Archer"} == provider_claims.of_attributes(attributes)
