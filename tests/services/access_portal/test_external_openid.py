"""Sign-in by an OpenID Connect provider, and what a provider, a stranger or another person try with it."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from threading import Event
from time import monotonic
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import time_machine
from botocore.exceptions import ClientError
from joserfc.jwk import ECKey
from tests.fixtures.browsing import Browser, Page
from tests.fixtures.crown import Crown, Crowns
from tests.fixtures.portal import PASSWORD, Portal
from tests.services.access_portal.openid_provider import CLIENT_ID, CLIENT_SECRET, Misconduct, OpenIdProvider
from tests.services.sts.identity_provider import served

from crownkeep import clock
from crownkeep.domain.federation import openid_providers, outside

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
REFUSED = "You could not be signed in"


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenIdProvider]:
    with served(tmp_path_factory.mktemp("provider"), OpenIdProvider) as made:
        yield made


@pytest.fixture(scope="module")
def crown(crowns: Crowns, provider: OpenIdProvider) -> Iterator[Crown]:
    """A server whose operator lets it reach this machine, and trusts the provider's authority."""
    started = crowns.fresh("sqlite", **reaching(provider))
    yield started
    started.close()


def reaching(provider: OpenIdProvider) -> dict[str, Any]:
    """Return the settings by which a server reaches the provider."""
    return {"identity_provider_networks": ("127.0.0.0/8",), "identity_provider_certificates": str(provider.authority)}


@pytest.fixture(autouse=True)
def well_behaved(provider: OpenIdProvider) -> None:
    openid_providers.forget_all()
    provider.misconduct, provider.refuses, provider.person = Misconduct(), "", {"sub": "00u-ann"}
    provider.answers.pop("/keys", None)
    provider.answers["/.well-known/openid-configuration"] = lambda: (200, json.dumps(provider.published()).encode(), {})


class Elsewhere(Portal):
    """A portal whose people sign in with the provider; `ann` is `00u-ann` there, as SCIM has said."""

    def __init__(self, crown: Crown, provider: OpenIdProvider, **options: Any) -> None:
        super().__init__(crown)
        self.provider, self.seen = provider, 0
        self.externally("ann", "00u-ann")
        self.set_provider(**options)

    def externally(self, name: str, external_id: str) -> str:
        """Give a person an external id, as SCIM does; a new person where nobody has the name."""
        token = self.crown.operator("POST", f"/accounts/{self.sso.management.id}/scim-tokens").json()
        body: dict[str, Any] = {
            "schemas": [USER],
            "userName": name,
            "externalId": external_id,
            "displayName": name,
            "active": True,
        }
        body |= {"name": {"givenName": name, "familyName": "Example"}}
        body |= {"emails": [{"value": self.email, "type": "work", "primary": True}]} if name == "ann" else {}
        user_id = self.ann if name == "ann" else ""
        method, path = ("PUT", f"/Users/{user_id}") if user_id else ("POST", "/Users")
        address = f"{token['endpoint']}{path}"
        headers = {"Authorization": f"Bearer {token['token']}", "Content-Type": "application/scim+json"}
        made = self.crown.request(method, address, headers=headers, body=json.dumps({**body, "id": user_id}).encode())
        assert made.status in (200, 201), made.text
        self.crown.operator("DELETE", f"/accounts/{self.sso.management.id}/scim-tokens/{token['token_id']}")
        return str(made.json()["id"])

    def set_provider(self, **options: Any) -> dict[str, Any]:
        """Have people sign in with the provider."""
        oidc = {"Issuer": self.provider.url, "ClientId": CLIENT_ID, "ClientSecret": CLIENT_SECRET}
        wanted = {"Name": "Acme ID", "Oidc": oidc, **options}
        return dict(self.directory.create_external_id_p_configuration_for_directory(IdentityStoreId=self.store, **wanted))

    def leave(self, browser: Browser) -> str:
        """Go to the provider, and return where it sends the browser back to."""
        browser.get(self.start)
        sent = browser.send("GET", f"{self.start}/external?to={self.start}", {})
        assert 303 == sent.status, sent.text
        return self.provider.visit(sent.header("location") or "")

    def come_back(self, browser: Browser, address: str) -> Page:
        """Come back from the provider, as a browser that another site sends."""
        assert address.startswith(self.crown.settings.url), address
        return browser.get(address.removeprefix(self.crown.settings.url), **{"Sec-Fetch-Site": "cross-site"})

    def sign_in_elsewhere(self, browser: Browser) -> Page:
        """Sign in with the provider."""
        return self.come_back(browser, self.leave(browser))

    def reasons(self) -> list[str]:
        """Return why answers were refused in this test, the latest last, as the trail of the owner has it."""
        return self.all_reasons()[self.seen :]

    def all_reasons(self) -> list[str]:
        """Return the same of all tests."""
        found = [each for each in self.crown.records(self.sso.management.id) if each["eventName"] == "CredentialVerification"]
        answer = [each.get("additionalEventData", {}).get("Reason", "") for each in reversed(found)]
        return [each for each in answer if each]


@pytest.fixture(scope="module")
def standing(crown: Crown, provider: OpenIdProvider) -> Elsewhere:
    return Elsewhere(crown, provider)


@pytest.fixture
def elsewhere(standing: Elsewhere) -> Elsewhere:
    """A portal of all tests that leave it as it is."""
    standing.seen = len(standing.all_reasons())
    return standing


def altered(address: str, **changes: str | None) -> str:
    """Return an address with other parameters; None takes one away."""
    parts = urlsplit(address)
    query = {name: value for name, value in ({**dict(parse_qsl(parts.query)), **changes}).items() if value is not None}
    return parts._replace(query=urlencode(query)).geturl()


def refused(code: str, call: Callable[[], object]) -> str:
    """Hold a call to being refused with a code, and return the message."""
    with pytest.raises(ClientError) as caught:
        call()
    assert code == caught.value.response["Error"]["Code"], caught.value.response
    return str(caught.value.response["Error"]["Message"])


# The story.


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_person_signs_in_with_a_provider_takes_a_role_and_loses_it_with_the_provider(
    crowns: Crowns, provider: OpenIdProvider, kind: str
):
    crown = crowns.fresh(kind, **reaching(provider))
    portal, browser = Elsewhere(crown, provider), Browser(crown)

    asked = browser.get(portal.start)
    arrived = portal.sign_in_elsewhere(browser)
    security = browser.get(f"{portal.start}/security").text
    keys = portal.role(portal.tokens(browser, portal.program())["accessToken"])
    who = crown.session(keys, "sts").get_caller_identity()["Arn"]

    assert (True, False) == ("Continue with Acme ID" in asked.text, 'type="password"' in asked.response.text)
    assert (portal.start, True) == (arrived.path, "Readers" in arrived.text)
    assert who.endswith("/ann")
    assert (True, False) == ("You sign in with Acme ID" in security, "Change password" in security)
    entered = [each for each in crown.records(portal.sso.management.id) if each["eventName"] == "UserAuthentication"]
    assert [("EXTERNAL_IDP", "ann", provider.url)] == [
        tuple(each["additionalEventData"][name] for name in ("CredentialType", "UserName", "IdentityProvider"))
        for each in entered
    ]

    portal.directory.delete_external_id_p_configuration_for_directory(IdentityStoreId=portal.store)

    refused("InvalidClientTokenId", crown.session(keys, "sts").get_caller_identity)
    assert 'type="password"' in browser.get(portal.start).response.text
    crown.close()


def test_people_are_made_with_their_first_sign_in_where_that_is_allowed(crown: Crown, provider: OpenIdProvider):
    portal = Elsewhere(crown, provider, UnknownPeople="CREATE")
    provider.person = {"sub": "00u-bob", "preferred_username": "bob", "name": "Bob Ray", "email": "bob@acme.example"}
    provider.person |= {"email_verified": True, "given_name": "Bob", "family_name": "Ray"}

    first, second = portal.sign_in_elsewhere(Browser(crown)), portal.sign_in_elsewhere(Browser(crown))

    assert {portal.start} == {first.path, second.path}
    made = [each for each in portal.sso.people.list_users(**portal.sso.store)["Users"] if each["UserName"] == "bob"]
    assert [("Bob Ray", "bob@acme.example")] == [(each["DisplayName"], each["Emails"][0]["Value"]) for each in made]
    names = [each["eventName"] for each in crown.records(portal.sso.management.id)]
    assert 1 == names.count("CreateUser") - 1  # The other is ann's.


def test_somebody_whom_nobody_here_is_stays_outside(elsewhere: Elsewhere, provider: OpenIdProvider):
    provider.person = {"sub": "00u-stranger", "preferred_username": "ann", "email": elsewhere.email, "email_verified": True}

    page = elsewhere.sign_in_elsewhere(Browser(elsewhere.crown))

    assert (403, REFUSED) == (page.status, page.title)
    assert ["nobody here is who the provider names"] == elsewhere.reasons()


# The way back.


def test_passwords_and_links_open_nothing_while_a_provider_signs_people_in_and_do_again_when_it_is_removed(
    crown: Crown, provider: OpenIdProvider
):
    portal = Portal(crown)
    kept, asking = portal.browser(), Browser(crown)
    link = portal.link(asking)
    oidc = {"Issuer": provider.url, "ClientId": CLIENT_ID, "ClientSecret": CLIENT_SECRET}
    portal.directory.create_external_id_p_configuration_for_directory(IdentityStoreId=portal.store, Oidc=oidc)
    browser = Browser(crown)
    token = browser.get("/signin?choose").form("csrf")[1]["csrf"]

    typed = browser.post(portal.start, {"csrf": token, "name": "ann", "password": PASSWORD, "to": portal.start})

    assert (403, False) == (typed.status, "crownkeep-session" in browser.cookies)
    assert "Continue with" in kept.get(portal.start).text
    assert "This link is not valid" == asking.get(link).title
    answer = refused("ConflictException", lambda: portal.directory.update_password(**portal.whose, PasswordMode="OTP"))
    assert "external identity provider" in answer
    removed = crown.operator("DELETE", f"/accounts/{portal.sso.management.id}/identity-provider")
    assert 204 == removed.status
    assert portal.start == portal.sign_in(Browser(crown)).path


def test_a_password_link_from_before_a_provider_opens_nothing_after_its_removal(crown: Crown, provider: OpenIdProvider):
    portal = Portal(crown)
    asking = Browser(crown)
    link = portal.link(asking)
    oidc = {"Issuer": provider.url, "ClientId": CLIENT_ID, "ClientSecret": CLIENT_SECRET}
    portal.directory.create_external_id_p_configuration_for_directory(IdentityStoreId=portal.store, Oidc=oidc)

    portal.directory.delete_external_id_p_configuration_for_directory(IdentityStoreId=portal.store)

    assert "This link is not valid" == asking.get(link).title
    assert "Accounts" == portal.choose_password(Browser(crown)).title


# What is tried.


def test_an_injected_authorization_code_is_refused(elsewhere: Elsewhere, provider: OpenIdProvider):
    """A code that was stolen from another browser, or from the same person's, is no use in this one."""
    theirs, mine = Browser(elsewhere.crown), Browser(elsewhere.crown)
    stolen = dict(parse_qsl(urlsplit(elsewhere.leave(theirs)).query))["code"]
    own = elsewhere.leave(mine)

    page = elsewhere.come_back(mine, altered(own, code=stolen))

    assert (403, REFUSED) == (page.status, page.title)
    assert "crownkeep-session" not in mine.cookies
    assert ["the provider does not take the code: it answers with status 400"] == elsewhere.reasons()


def test_an_injected_code_of_a_provider_without_pkce_is_refused_by_its_nonce(elsewhere: Elsewhere, provider: OpenIdProvider):
    provider.misconduct = Misconduct(no_pkce=True)
    stolen = dict(parse_qsl(urlsplit(elsewhere.leave(Browser(elsewhere.crown))).query))["code"]
    mine = Browser(elsewhere.crown)

    page = elsewhere.come_back(mine, altered(elsewhere.leave(mine), code=stolen))

    assert (403, ["The token was not made for this sign-in"]) == (page.status, elsewhere.reasons())


def test_an_answer_in_a_browser_that_asked_for_nothing_is_refused(elsewhere: Elsewhere):
    """Otherwise whoever sends somebody an address signs them in as somebody else."""
    answer = elsewhere.leave(Browser(elsewhere.crown))

    page = elsewhere.come_back(Browser(elsewhere.crown), answer)

    assert (403, ["this browser has asked for nothing, or too long ago"]) == (page.status, elsewhere.reasons())


def test_an_answer_with_another_state_is_refused(elsewhere: Elsewhere):
    browser = Browser(elsewhere.crown)

    page = elsewhere.come_back(browser, altered(elsewhere.leave(browser), state="x" * 43))

    assert (403, REFUSED) == (page.status, page.title)


def test_an_answer_is_taken_once(elsewhere: Elsewhere):
    browser = Browser(elsewhere.crown)
    answer = elsewhere.leave(browser)
    kept = browser.cookies["crownkeep-external"]
    elsewhere.come_back(browser, answer)
    browser.cookies["crownkeep-external"] = kept

    page = elsewhere.come_back(browser, answer)

    assert (403, REFUSED) == (page.status, page.title)


def test_a_request_whose_nonce_was_used_up_is_not_answered_again(elsewhere: Elsewhere, provider: OpenIdProvider):
    """The provider gives out a second, good code for the same request: its cookie was copied."""
    browser = Browser(elsewhere.crown)
    browser.get(elsewhere.start)
    sent = browser.send("GET", f"{elsewhere.start}/external", {}).header("location") or ""
    kept = browser.cookies["crownkeep-external"]
    elsewhere.come_back(browser, provider.visit(sent))
    copied = Browser(elsewhere.crown)
    copied.cookies["crownkeep-external"] = kept

    page = elsewhere.come_back(copied, provider.visit(sent))

    assert (403, ["the request was answered before"]) == (page.status, elsewhere.reasons())


@pytest.mark.parametrize("issuer", ["https://attacker.example", None])
def test_an_answer_of_another_issuer_is_refused_before_its_code_is_sent_anywhere(
    elsewhere: Elsewhere, provider: OpenIdProvider, issuer: str | None
):
    browser = Browser(elsewhere.crown)
    answer = altered(elsewhere.leave(browser), iss=issuer)

    page = elsewhere.come_back(browser, answer)

    assert (403, ["the answer is another issuer's"]) == (page.status, elsewhere.reasons())
    assert dict(parse_qsl(urlsplit(answer).query))["code"] in provider.grants


def test_metadata_of_another_issuer_is_refused(elsewhere: Elsewhere, provider: OpenIdProvider):
    provider.answers["/.well-known/openid-configuration"] = lambda: (
        200,
        json.dumps({**provider.published(), "issuer": "https://honest.example"}).encode(),
        {},
    )

    answer = refused("ValidationException", elsewhere.set_provider)

    assert "another issuer's" in answer


def test_an_answer_for_one_identity_store_opens_no_other(standing: Elsewhere, crown: Crown, provider: OpenIdProvider):
    one, other = standing, Elsewhere(crown, provider)
    browser = Browser(crown)
    answer = one.leave(browser)

    page = other.come_back(browser, answer.replace(one.store, other.store))

    assert (403, REFUSED) == (page.status, page.title)


@pytest.mark.parametrize("to", ["https://attacker.example/", "//attacker.example", "/\\attacker.example", "/console/../x"])
def test_no_destination_outside_is_smuggled_through_a_sign_in(elsewhere: Elsewhere, provider: OpenIdProvider, to: str):
    browser = Browser(elsewhere.crown)
    browser.get(elsewhere.start)
    sent = browser.send("GET", f"{elsewhere.start}/external?{urlencode({'to': to})}", {}).header("location") or ""
    answer = provider.visit(sent).removeprefix(elsewhere.crown.settings.url)

    arrived = browser.send("GET", f"{answer}&to=https%3A%2F%2Fattacker.example", {})

    assert (303, "/console") == (arrived.status, arrived.header("location"))


def unsigned(provider: OpenIdProvider, nonce: str) -> str:
    """Make a token by the algorithm `none`."""
    return f"{part({'alg': 'none', 'kid': 'k1'})}.{part(good(provider, nonce))}."


def with_public_key(provider: OpenIdProvider, nonce: str) -> str:
    """Make a token whose shared secret is the provider's public key (HS256)."""
    text = f"{part({'alg': 'HS256', 'kid': 'k1'})}.{part(good(provider, nonce))}"
    secret = provider.key.as_pem(private=False)
    return f"{text}.{base64.urlsafe_b64encode(hmac.digest(secret, text.encode(), 'sha256')).decode().rstrip('=')}"


def with_client_secret(provider: OpenIdProvider, nonce: str) -> str:
    """Make a token that the client's secret signs (HS256), which OpenID Connect has, and we don't."""
    text = f"{part({'alg': 'HS256'})}.{part(good(provider, nonce))}"
    digest = hmac.digest(CLIENT_SECRET.encode(), text.encode(), "sha256")
    return f"{text}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def good(provider: OpenIdProvider, nonce: str) -> dict[str, Any]:
    """Return what a good token says."""
    payload = provider.token(aud=CLIENT_ID, nonce=nonce, sub="00u-ann").split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(payload + "==")))


def part(value: dict[str, Any]) -> str:
    """Write a part of a token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize("forge", [unsigned, with_public_key, with_client_secret])
def test_a_token_that_no_key_of_the_provider_has_signed_is_refused(
    elsewhere: Elsewhere, provider: OpenIdProvider, forge: Callable[[OpenIdProvider, str], str]
):
    browser = Browser(elsewhere.crown)
    answer = elsewhere.leave(browser)
    nonce = list(provider.grants.values())[-1].nonce
    provider.misconduct = Misconduct(token=forge(provider, nonce))

    page = elsewhere.come_back(browser, answer)

    assert (403, REFUSED) == (page.status, page.title)
    assert "crownkeep-session" not in browser.cookies


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "a-nonce-of-another-sign-in"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": "another-client", "azp": CLIENT_ID},
        {"aud": [CLIENT_ID, "another-client"]},
        {"azp": "another-client"},
        {"iss": "https://attacker.example"},
        {"exp": 1},
        {"sub": None},
        {"sub": "\x00"},
    ],
    ids=json.dumps,
)
def test_a_token_for_somebody_or_something_else_is_refused(
    elsewhere: Elsewhere, provider: OpenIdProvider, claims: dict[str, Any]
):
    provider.misconduct = Misconduct(claims=claims)
    browser = Browser(elsewhere.crown)

    page = elsewhere.sign_in_elsewhere(browser)

    assert (403, REFUSED) == (page.status, page.title)
    assert "crownkeep-session" not in browser.cookies


def test_an_address_that_the_provider_has_not_verified_is_nobody(crown: Crown, provider: OpenIdProvider):
    portal = Elsewhere(crown, provider, MatchBy="EMAIL", MatchAttribute="email")
    statuses = []
    for verified in (None, False, "true", 1):
        provider.person = {"sub": "00u-attacker", "email": portal.email, "email_verified": verified}
        statuses.append(portal.sign_in_elsewhere(Browser(crown)).status)
    provider.person["email_verified"] = True

    assert [403] * 4 == statuses
    assert {"the provider does not say that it has verified the email address"} == set(portal.reasons())
    assert portal.start == portal.sign_in_elsewhere(Browser(crown)).path


def test_a_name_that_the_provider_gives_to_another_takes_over_nobody(crown: Crown, provider: OpenIdProvider):
    """Ann left, and the provider calls a new person `ann`: the account here stays that of the one who had it."""
    portal = Elsewhere(crown, provider, MatchBy="USER_NAME", MatchAttribute="preferred_username")
    provider.person = {"sub": "00u-first", "preferred_username": "ann"}
    first = portal.sign_in_elsewhere(Browser(crown))
    provider.person = {"sub": "00u-second", "preferred_username": "ann"}

    second = portal.sign_in_elsewhere(Browser(crown))

    assert (portal.start, 403) == (first.path, second.status)
    assert "given to another" in portal.reasons()[-1]

    portal.directory.delete_external_id_p_link_for_user(**portal.whose)

    assert portal.start == portal.sign_in_elsewhere(Browser(crown)).path


def test_a_person_made_by_a_provider_takes_nobodys_name(crown: Crown, provider: OpenIdProvider):
    portal = Elsewhere(crown, provider, UnknownPeople="CREATE")
    provider.person = {"sub": "00u-attacker", "preferred_username": "ann"}

    page = portal.sign_in_elsewhere(Browser(crown))

    assert (403, ["the person can't be made: Duplicate UserName"]) == (page.status, portal.reasons())


def test_a_disabled_person_is_not_let_in_by_a_provider(elsewhere: Elsewhere):
    elsewhere.directory.disable_user(**elsewhere.whose)
    page = elsewhere.sign_in_elsewhere(Browser(elsewhere.crown))
    elsewhere.directory.enable_user(**elsewhere.whose)

    assert (403, ["the person is disabled"]) == (page.status, elsewhere.reasons())


def test_a_deleted_and_recreated_person_has_nothing_of_the_one_before(crown: Crown, provider: OpenIdProvider):
    elsewhere = Elsewhere(crown, provider)
    browser = Browser(elsewhere.crown)
    elsewhere.sign_in_elsewhere(browser)
    elsewhere.sso.people.delete_user(**elsewhere.whose)
    again = elsewhere.externally("ann2", "00u-ann")

    assert "Continue with" in browser.get(elsewhere.start).text
    arrived = elsewhere.sign_in_elsewhere(browser)
    assert (elsewhere.start, True) == (arrived.path, again != elsewhere.ann)
    assert "Readers" not in arrived.text


def test_a_provider_that_is_set_anew_voids_what_was_begun_with_the_one_before(elsewhere: Elsewhere):
    signed_in, under_way = Browser(elsewhere.crown), Browser(elsewhere.crown)
    elsewhere.sign_in_elsewhere(signed_in)
    answer = elsewhere.leave(under_way)

    elsewhere.set_provider()

    assert "Continue with" in signed_in.get(elsewhere.start).text
    assert 403 == elsewhere.come_back(under_way, answer).status


def test_a_delegated_administrator_sets_no_provider_for_the_people_of_the_management_account(elsewhere: Elsewhere):
    organization = elsewhere.sso.organization
    organization.management.client("organizations").enable_aws_service_access(ServicePrincipal="sso.amazonaws.com")
    organization.management.client("organizations").register_delegated_administrator(
        AccountId=elsewhere.member.id, ServicePrincipal="sso.amazonaws.com"
    )
    theirs = elsewhere.member.client("sso-directory")
    oidc = {"Issuer": elsewhere.provider.url, "ClientId": CLIENT_ID}

    refused(
        "AccessDeniedException",
        lambda: theirs.create_external_id_p_configuration_for_directory(IdentityStoreId=elsewhere.store, Oidc=oidc),
    )
    refused(
        "AccessDeniedException",
        lambda: theirs.delete_external_id_p_configuration_for_directory(IdentityStoreId=elsewhere.store),
    )


def test_an_address_whose_answers_are_refused_again_and_again_makes_the_provider_work_no_more(
    elsewhere: Elsewhere, provider: OpenIdProvider
):
    browser = Browser(elsewhere.crown)
    with time_machine.travel(datetime.now(UTC), tick=False):
        for _ in range(40):
            browser.send("GET", f"{elsewhere.start}/oidc?state=x&code=x", {})
        answer = elsewhere.leave(browser)
        page = elsewhere.come_back(browser, answer)

    assert (403, REFUSED) == (page.status, page.title)
    assert dict(parse_qsl(urlsplit(answer).query))["code"] in provider.grants
    assert 30 == len(elsewhere.reasons())


# A provider that answers badly.


def test_a_huge_answer_of_a_provider_is_not_read(elsewhere: Elsewhere, provider: OpenIdProvider):
    provider.answers["/.well-known/openid-configuration"] = lambda: (200, b" " * (outside.LARGEST + 1), {})

    answer = refused("ValidationException", elsewhere.set_provider)

    assert "more than" in answer


def test_a_silent_provider_is_given_up_and_keeps_nobody_elsewhere_waiting(
    elsewhere: Elsewhere, provider: OpenIdProvider, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(outside, "SECONDS", 0.3)
    released = Event()
    openid_providers.forget_all()
    provider.answers["/.well-known/openid-configuration"] = lambda: (200, b"{}" if released.wait(5) else b"", {})
    browser = Browser(elsewhere.crown)

    page = browser.get(f"{elsewhere.start}/external")
    released.set()

    assert (502, REFUSED) == (page.status, page.title)
    assert "Sign in" == Browser(elsewhere.crown).get("/signin").title


def test_a_key_that_the_provider_has_published_since_is_asked_for(
    elsewhere: Elsewhere, provider: OpenIdProvider, monkeypatch: pytest.MonkeyPatch
):
    elsewhere.sign_in_elsewhere(Browser(elsewhere.crown))
    monkeypatch.setattr(provider, "key", ECKey.generate_key("P-256", parameters={"kid": "k2", "use": "sig"}))
    asked = provider.asked.count("/keys")

    at_once = elsewhere.sign_in_elsewhere(Browser(elsewhere.crown))
    monkeypatch.setattr(clock, "monotonic", lambda: monotonic() + 2 * openid_providers.ASK_AGAIN_SECONDS)
    later = elsewhere.sign_in_elsewhere(Browser(elsewhere.crown))

    assert (403, elsewhere.start) == (at_once.status, later.path)
    assert asked + 1 == provider.asked.count("/keys")


def test_what_a_provider_says_when_it_refuses_is_no_page_of_ours(elsewhere: Elsewhere, provider: OpenIdProvider):
    provider.refuses = "<script>alert(1)</script>"

    page = elsewhere.sign_in_elsewhere(Browser(elsewhere.crown))

    assert (403, False) == (page.status, "alert(1)" in page.response.text)


def test_the_clients_secret_is_sealed_at_rest_and_in_no_record(elsewhere: Elsewhere):
    files = [each for each in elsewhere.crown.settings.data_directory.rglob("crownkeep.db*") if each.is_file()]
    records = json.dumps(elsewhere.crown.records(elsewhere.sso.management.id))
    shown = elsewhere.directory.list_external_id_p_configurations_for_directory(IdentityStoreId=elsewhere.store)

    assert [] == [each for each in files if CLIENT_SECRET.encode() in each.read_bytes()]
    assert CLIENT_SECRET not in records
    assert CLIENT_SECRET not in str(shown)
    assert shown["Configurations"][0]["HasClientSecret"] is True
