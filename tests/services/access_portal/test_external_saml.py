"""Sign-in by a SAML provider, and what strangers try with its responses."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from botocore.exceptions import ClientError
from lxml import etree
from tests.fixtures.browsing import Browser, Page
from tests.fixtures.crown import Crown, Crowns
from tests.fixtures.portal import Portal
from tests.services.sts.saml_provider import ASSERTION, SamlProvider, decoded, encoded

REFUSED = "You could not be signed in"


@pytest.fixture(scope="module")
def crown(crowns: Crowns) -> Iterator[Crown]:
    started = crowns.fresh("sqlite")
    yield started
    started.close()


class SamlPortal(Portal):
    """A portal whose people sign in with a SAML provider; `ann` is called so there."""

    def __init__(self, crown: Crown, **options: Any) -> None:
        super().__init__(crown)
        self.provider = SamlProvider()
        self.set_provider(**options)

    def set_provider(self, **options: Any) -> dict[str, Any]:
        """Have people sign in with the provider."""
        saml = {"MetadataDocument": self.provider.metadata()}
        made = self.directory.create_external_id_p_configuration_for_directory(IdentityStoreId=self.store, Saml=saml, **options)
        return dict(made)

    @property
    def consumer(self) -> str:
        """Where responses are sent to."""
        return f"{self.crown.settings.url}{self.start}/saml/acs"

    def leave(self, browser: Browser) -> Any:
        """Go to the provider, and return the request that it gets."""
        browser.get(self.start)
        location = browser.send("GET", f"{self.start}/external?to={self.start}", {}).header("location") or ""
        assert location.startswith("https://idp.example/sso?"), location
        sent = parse_qs(urlsplit(location).query)["SAMLRequest"][0]
        return etree.fromstring(zlib.decompress(base64.b64decode(sent), -zlib.MAX_WBITS))

    def response(self, request: Any, *, sign: str = "assertion", **changes: Any) -> str:
        """Make the response to a request, with these changes."""
        good = {
            "subject": "ann",
            "audience": f"{self.crown.settings.url}{self.start}/saml/metadata",
            "recipient": self.consumer,
            "in_response_to": request.get("ID"),
        }
        return self.provider.response(changes.pop("attributes", {}), sign=sign, **{**good, **changes})

    def bring(self, browser: Browser, response: str, **fields: str) -> Page:
        """Bring a response, as a browser that the provider's page sends: without cookies that are ours."""
        body = urlencode({"SAMLResponse": response, **fields}).encode()
        sent = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": "https://idp.example",
            "Sec-Fetch-Site": "cross-site",
        }
        taken = browser.send("POST", f"{self.start}/saml/acs", {**sent, "Cookie": "none=1"}, body)
        if taken.status != 303:
            return Page("", taken)
        assert f"{self.start}/saml" == taken.header("location")
        return browser.get(f"{self.start}/saml")

    def sign_in_elsewhere(self, browser: Browser, **changes: Any) -> Page:
        """Sign in with the provider."""
        return self.bring(browser, self.response(self.leave(browser), **changes))


@pytest.fixture(scope="module")
def portal(crown: Crown) -> SamlPortal:
    return SamlPortal(crown)


def held_out(page: Page, browser: Browser) -> None:
    """Hold an attempt to being refused, without a session."""
    assert (403, REFUSED) == (page.status, page.title)
    assert "crownkeep-session" not in browser.cookies


@pytest.mark.parametrize("sign", ["assertion", "response"])
def test_a_person_signs_in_with_a_saml_provider(portal: SamlPortal, sign: str):
    browser = Browser(portal.crown)

    arrived = portal.sign_in_elsewhere(browser, sign=sign)

    assert (portal.start, True) == (arrived.path, "Readers" in arrived.text)
    entered = [each for each in portal.crown.records(portal.sso.management.id) if each["eventName"] == "UserAuthentication"]
    assert "EXTERNAL_IDP" == entered[0]["additionalEventData"]["CredentialType"]


def test_the_request_and_our_metadata_say_the_same_of_us(portal: SamlPortal):
    request = portal.leave(Browser(portal.crown))
    shown = Browser(portal.crown).get(f"{portal.start}/saml/metadata")
    document = etree.fromstring(shown.response.body)

    assert document.get("entityID") == request[0].text
    assert portal.consumer == request.get("AssertionConsumerServiceURL")
    assert portal.consumer == next(document.iter("{*}AssertionConsumerService")).get("Location")
    assert 200 == Browser(portal.crown).get("/start/d-0000000000/saml/metadata").status


def test_people_are_made_with_their_first_response_where_that_is_allowed(crown: Crown):
    portal = SamlPortal(crown, UnknownPeople="CREATE")
    said = {"displayName": ["Bob Ray"], "givenName": ["Bob"], "surname": ["Ray"], "mail": ["bob@acme.example"]}

    arrived = portal.sign_in_elsewhere(Browser(crown), subject="bob", attributes=said)

    made = [each for each in portal.sso.people.list_users(**portal.sso.store)["Users"] if each["UserName"] == "bob"]
    assert (portal.start, "Bob Ray", "Ray") == (arrived.path, made[0]["DisplayName"], made[0]["Name"]["FamilyName"])


def test_a_session_lasts_no_longer_than_the_providers_own(portal: SamlPortal):
    browser = Browser(portal.crown)

    held_out(portal.sign_in_elsewhere(browser, session_ends=datetime.now(UTC) - timedelta(minutes=1)), browser)


# What is tried.


def test_a_response_that_nobody_asked_for_is_refused(portal: SamlPortal):
    browser = Browser(portal.crown)
    request = portal.leave(browser)

    held_out(portal.bring(browser, portal.response(request, in_response_to="")), browser)


def test_a_response_to_another_browsers_request_is_refused(portal: SamlPortal):
    """Otherwise whoever sends somebody a page signs them in as somebody else, or uses a response that was stolen."""
    theirs, mine, nobody = Browser(portal.crown), Browser(portal.crown), Browser(portal.crown)
    stolen = portal.response(portal.leave(theirs))
    portal.leave(mine)

    held_out(portal.bring(mine, stolen), mine)
    held_out(portal.bring(nobody, stolen), nobody)


def test_a_response_is_good_once(portal: SamlPortal):
    browser = Browser(portal.crown)
    response = portal.response(portal.leave(browser))
    request = browser.cookies["crownkeep-external"]
    portal.bring(browser, response)
    again = Browser(portal.crown)
    again.cookies["crownkeep-external"] = request

    held_out(portal.bring(again, response), again)


def test_an_assertion_that_was_used_is_refused_to_another_request_of_the_same_name(portal: SamlPortal):
    first, second = Browser(portal.crown), Browser(portal.crown)
    portal.bring(first, portal.response(portal.leave(first), id="_the-same"))

    held_out(portal.bring(second, portal.response(portal.leave(second), id="_the-same")), second)


def test_a_wrapped_assertion_is_not_read(portal: SamlPortal):
    """The signed assertion is moved aside, and one of the attacker's stands in its place."""
    browser = Browser(portal.crown)
    request = portal.leave(browser)
    root = decoded(portal.response(request, subject="bob"))
    forged = decoded(portal.response(request, sign="nothing", id="_forged")).find(f"{ASSERTION}Assertion")
    signed = root.find(f"{ASSERTION}Assertion")
    root.replace(signed, forged)
    etree.SubElement(forged, "Extensions").append(signed)

    held_out(portal.bring(browser, encoded(root)), browser)


def test_a_subject_with_a_comment_in_it_is_nobody_else(portal: SamlPortal):
    """Parsers that stop at a comment would read `ann` (CVE-2017-11427 and its kin)."""
    browser = Browser(portal.crown)
    response = portal.response(portal.leave(browser), subject="ann<!-- -->.attacker")

    held_out(portal.bring(browser, response), browser)


@pytest.mark.parametrize(
    "changes",
    [
        {"sign": "nothing"},
        {"audience": "https://signin.aws.amazon.com/saml"},
        {"recipient": "https://signin.aws.amazon.com/saml"},
        {"issuer": "https://attacker.example"},
        {"issued": datetime(2026, 1, 1, tzinfo=UTC)},
        {"subject": "bob"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_response_for_somebody_or_something_else_is_refused(portal: SamlPortal, changes: dict[str, Any]):
    browser = Browser(portal.crown)

    held_out(portal.sign_in_elsewhere(browser, **changes), browser)


def test_a_response_that_another_provider_signs_is_refused(portal: SamlPortal):
    browser = Browser(portal.crown)
    request = portal.leave(browser)
    attacker = SamlProvider(portal.provider.entity_id)
    mine, portal.provider = portal.provider, attacker
    response = portal.response(request)
    portal.provider = mine

    held_out(portal.bring(browser, response), browser)


@pytest.mark.parametrize("state", ["https://attacker.example/", "//attacker.example", "/console"])
def test_the_relay_state_of_a_response_leads_nowhere(portal: SamlPortal, state: str):
    browser = Browser(portal.crown)

    page = portal.bring(browser, portal.response(portal.leave(browser)), RelayState=state)

    assert portal.start == page.path


@pytest.mark.parametrize("response", ["", "%%%", base64.b64encode(b"<a/>").decode(), "A" * 150_000])
def test_what_is_no_response_is_refused_and_breaks_nothing(portal: SamlPortal, response: str):
    browser = Browser(portal.crown)
    portal.leave(browser)

    held_out(portal.bring(browser, response), browser)


def test_a_response_larger_than_any_is_not_read(portal: SamlPortal):
    browser = Browser(portal.crown)

    assert 413 == portal.bring(browser, "A" * 200_000).status


def test_a_response_opens_no_session_without_the_page_that_reads_cookies(portal: SamlPortal):
    """The address that takes responses heeds no cookie: a session that a browser brings is neither used nor ended there."""
    browser = Browser(portal.crown)
    portal.sign_in_elsewhere(browser)
    kept = browser.cookies["crownkeep-session"]

    portal.bring(browser, "%%%")

    assert kept == browser.cookies["crownkeep-session"]
    assert "Readers" in browser.get(portal.start).text


def without_redirect(provider: SamlProvider) -> str:
    """Write metadata of a provider that takes requests by POST alone."""
    return provider.metadata().replace("bindings:HTTP-Redirect", "bindings:HTTP-POST")


def over_http(provider: SamlProvider) -> str:
    """Write metadata of a provider that takes requests in the clear."""
    return provider.metadata().replace("https://idp.example/sso", "http://idp.example/sso")


def script(provider: SamlProvider) -> str:
    """Write metadata whose address is none."""
    return provider.metadata().replace("https://idp.example/sso", "javascript:alert(1)//")


@pytest.mark.parametrize("spoilt", [without_redirect, over_http, script, lambda _: "<a/>"])
def test_metadata_that_leads_nowhere_is_refused(portal: SamlPortal, spoilt: Callable[[SamlProvider], str]):
    with pytest.raises(ClientError) as caught:
        portal.directory.create_external_id_p_configuration_for_directory(
            IdentityStoreId=portal.store, Saml={"MetadataDocument": spoilt(portal.provider)}
        )

    assert "ValidationException" == caught.value.response["Error"]["Code"]
