"""Identity providers as pages: registered, changed, and deleted once their name is typed; hostile metadata stays text."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from tests.console.forms import MARKUP, follow, reader, send
from tests.fixtures.crown import Account
from tests.services.sts.saml_provider import SamlProvider
from tests.signin.browser import Browser

HERE = "/console/identity-providers"
URL = "https://token.actions.githubusercontent.com"
EMPTY = {"name": "", "metadata": "", "url": "", "audiences": "", "thumbprints": ""}


@pytest.fixture
def oidc(iam: Any) -> str:
    """The ARN of a provider of the web."""
    made = iam.create_open_id_connect_provider(Url=URL, ClientIDList=["sts.amazonaws.com"], ThumbprintList=["a" * 40])
    return str(made["OpenIDConnectProviderArn"])


@pytest.fixture(scope="module")
def directory() -> SamlProvider:
    """A SAML provider."""
    return SamlProvider()


def page_of(arn: str) -> str:
    """Return the address of a provider's page."""
    return f"{HERE}/one?arn={quote(arn, safe='')}"


def test_a_provider_of_the_web_is_registered_and_listed(iam: Any, browser: Browser):
    fields = {**EMPTY, "kind": "oidc", "url": URL, "audiences": "sts.amazonaws.com other", "thumbprints": "b" * 40}

    page = follow(browser, send(browser, f"{HERE}/create", f"{HERE}/create", **fields))

    (listed,) = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=listed["Arn"])
    assert {"sts.amazonaws.com", "other"} == set(found["ClientIDList"])
    assert ["b" * 40] == found["ThumbprintList"]
    assert "iam:CreateOpenIDConnectProvider" in page
    assert "token.actions.githubusercontent.com" in browser.get(HERE).text


def test_a_saml_provider_is_registered_and_its_metadata_replaced(iam: Any, browser: Browser, directory: SamlProvider):
    fields = {**EMPTY, "kind": "saml", "name": "corp", "metadata": directory.metadata()}

    page = follow(browser, send(browser, f"{HERE}/create?kind=saml", f"{HERE}/create", **fields))
    (listed,) = iam.list_saml_providers()["SAMLProviderList"]
    other = SamlProvider(entity_id="https://other.example").metadata()
    follow(browser, send(browser, page_of(listed["Arn"]), f"{HERE}/metadata", arn=listed["Arn"], metadata=other))

    assert "corp" in page
    assert other == iam.get_saml_provider(SAMLProviderArn=listed["Arn"])["SAMLMetadataDocument"]


def test_metadata_may_be_long_and_other_forms_may_not(browser: Browser, directory: SamlProvider):
    long = directory.metadata() + f"<!-- {'x' * 200_000} -->"

    taken = send(browser, f"{HERE}/create", f"{HERE}/create", **(EMPTY | {"kind": "saml", "name": "corp", "metadata": long}))
    other = send(browser, f"{HERE}/create", "/console/create-group", name="x" * 200_000, path="/")

    assert 303 == taken.status
    assert 413 == other.status


def test_denial_of_service_a_stranger_can_not_send_long_forms(account: Account):
    stranger = Browser(account.crown)
    page = stranger.get("/signin?choose")

    answer = stranger.submit(page, f"{HERE}/create", metadata="x" * 200_000)

    assert 413 == answer.status


def test_audiences_thumbprints_and_tags_are_changed(iam: Any, browser: Browser, oidc: str):
    here = page_of(oidc)

    follow(browser, send(browser, here, f"{HERE}/audience", arn=oidc, audience="other"))
    page = follow(browser, send(browser, here, f"{HERE}/audience", arn=oidc, audience="sts.amazonaws.com", remove="1"))
    follow(browser, send(browser, here, f"{HERE}/thumbprints", arn=oidc, thumbprints=f"{'c' * 40} {'d' * 40}"))
    follow(browser, send(browser, here, f"{HERE}/tag", arn=oidc, key="team", value="red"))

    found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=oidc)
    assert ["other"] == found["ClientIDList"]
    assert ["c" * 40, "d" * 40] == found["ThumbprintList"]
    assert [{"Key": "team", "Value": "red"}] == found["Tags"]
    assert 'name="undo"' in page
    follow(browser, send(browser, here, f"{HERE}/untag", arn=oidc, key="team", value="red"))
    assert [] == iam.get_open_id_connect_provider(OpenIDConnectProviderArn=oidc)["Tags"]


def test_a_provider_is_deleted_once_its_name_is_typed(iam: Any, browser: Browser, oidc: str):
    mistyped = send(browser, page_of(oidc), f"{HERE}/delete", arn=oidc, typed="token")
    assert 400 == mistyped.status
    assert 1 == len(iam.list_open_id_connect_providers()["OpenIDConnectProviderList"])
    page = follow(browser, send(browser, page_of(oidc), f"{HERE}/delete", arn=oidc, typed="token.actions.githubusercontent.com"))

    assert "No providers" in page


def test_a_refused_registration_keeps_what_was_typed(browser: Browser):
    page = send(browser, f"{HERE}/create", f"{HERE}/create", **(EMPTY | {"kind": "oidc", "url": "http://plain.example"}))

    assert 403 == page.status
    assert "http://plain.example" in page.text


def test_a_reader_is_told_what_is_missing_and_changes_nothing(account: Account, iam: Any, oidc: str):
    browser = reader(account, "iam:GetOpenIDConnectProvider")

    listed = browser.get(HERE).text
    refused = send(browser, page_of(oidc), f"{HERE}/audience", arn=oidc, audience="mine")

    assert "This needs the permission iam:ListSAMLProviders" in listed
    assert 403 == refused.status
    assert ["sts.amazonaws.com"] == iam.get_open_id_connect_provider(OpenIDConnectProviderArn=oidc)["ClientIDList"]


def test_markup_in_names_audiences_tags_and_metadata_is_shown_as_text(iam: Any, browser: Browser, directory: SamlProvider):
    metadata = directory.metadata() + "<!-- </textarea><script>alert(1)</script> -->"
    saml = iam.create_saml_provider(Name="corp", SAMLMetadataDocument=metadata)["SAMLProviderArn"]
    made = iam.create_open_id_connect_provider(Url=f"{URL}/a", ClientIDList=[MARKUP], ThumbprintList=["a" * 40])

    pages = [
        browser.get(page_of(saml)),
        browser.get(page_of(made["OpenIDConnectProviderArn"])),
        browser.get(page_of(f"arn:aws:iam::1:oidc-provider/{MARKUP}")),
        browser.get(page_of(f"arn:aws:iam::1:saml-provider/{MARKUP}")),
        send(browser, f"{HERE}/create", f"{HERE}/create", **(dict.fromkeys(EMPTY, f"</textarea>{MARKUP}") | {"kind": "saml"})),
        browser.get("/console/create-role"),
    ]

    for page in pages:
        assert page.status < 500
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
