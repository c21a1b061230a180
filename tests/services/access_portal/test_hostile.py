"""What strangers, other people and administrators of accounts try at the access portal, its programs and its roles."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from botocore.exceptions import ClientError
from shared import every_page
from shared.furnished import Samples
from tests.fixtures.browsing import Browser
from tests.fixtures.crown import Crown, Crowns
from tests.fixtures.portal import PASSWORD, REDIRECT, Portal, authorization
from tests.fixtures.single_sign_on import reserved_roles
from tests.services.sts.saml_provider import SamlProvider

from crownkeep.storage.single_sign_on import person_grants

ATTRIBUTES = "https://aws.amazon.com/SAML/Attributes/"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
NOT_KNOWN = "No program has made this request"


@pytest.fixture(scope="module")
def crown(crowns: Crowns) -> Iterator[Crown]:
    """A server of this module's own: strangers leave records of another time in its operator's trail."""
    started = crowns.fresh("sqlite")
    yield started
    started.close()


@pytest.fixture
def portal(crown: Crown) -> Portal:
    """A fresh instance."""
    return Portal(crown)


def refused(code: str, call: Callable[[], object]) -> None:
    """Hold a call to being refused with a code."""
    with pytest.raises(ClientError) as caught:
        call()
    assert code == caught.value.response["Error"]["Code"]


# Who is there.


def test_start_urls_and_user_names_can_not_be_told_apart_by_strangers(portal: Portal):
    portal.browser()
    pages = [
        portal.sign_in(Browser(portal.crown), name=name, password="wrong", start=start)
        for name, start in (("ann", portal.start), ("nobody", portal.start), ("ann", "/start/d-0000000000"))
    ]
    asked = [ask(portal, name, start) for name, start in (("ann", portal.start), ("bob", portal.start), ("ann", "/start/d-0"))]

    assert [(403, "Sign in")] * 3 == [(page.status, page.title) for page in pages]
    assert 1 == len({page.text for page in pages}) == len(set(asked))


def ask(portal: Portal, name: str, start: str) -> str:
    """Ask for a link, and return what is answered."""
    browser = Browser(portal.crown)
    browser.get(f"{start}/password")
    return browser.submit({"name": name}).text


def test_guesses_at_a_person_wait_longer_and_longer(portal: Portal):
    browser = Browser(portal.crown)
    statuses = [portal.sign_in(browser, password=f"guess {number}").status for number in range(8)]

    assert 403 == statuses[0]
    assert 429 == statuses[-1]


def test_a_link_for_a_password_works_once_and_ends_every_session(portal: Portal):
    browser = portal.browser()
    keys = portal.role(portal.tokens(browser, portal.program())["accessToken"])
    other = Browser(portal.crown)
    link = portal.link(other)
    other.get(link)
    other.submit({"new": f"{PASSWORD} and more", "again": f"{PASSWORD} and more"})

    assert "Sign in" == browser.get(portal.start).title
    assert "This link is not valid" == other.get(link).title
    refused("InvalidClientTokenId", portal.crown.session(keys, "sts").get_caller_identity)


@pytest.mark.parametrize("start", ["d-%00", "%FF%FE", "ssoins-%00000000000000", "d-" + "0" * 400, "ssoins-0000000000000000"])
def test_a_start_url_of_odd_letters_is_one_that_is_not_there(crowns: Crowns, start: str):
    browser = Browser(crowns.shared("postgres"))

    assert "Sign in" == browser.get(f"/start/{start}").title
    assert 403 == browser.submit({"name": "ann", "password": "wrong"}).status
    browser.get(f"/start/{start}/password")
    assert "Check your email" == browser.submit({"name": "ann"}).title


# People are nobody in accounts.


def test_the_console_of_a_person_who_acts_as_a_role_has_no_page_that_breaks(crowns: Crowns):
    portal = Portal(crowns.shared("sqlite"), "AdministratorAccess")
    browser = portal.browser()
    browser.submit(form="Management console")
    samples = Samples(portal.member.id, "bob", "staff", "auditor", "reading", "own", "00000000-0000-0000-0000-000000000000")

    statuses = {address: browser.get(address).status for address in every_page.inside(samples)}

    assert {} == {address: status for address, status in statuses.items() if status >= 500}
    assert "/console" == browser.get("/console").path
    assert "This needs a fresh proof" not in browser.get("/console/sessions").text


def test_a_person_who_has_taken_no_role_gets_no_page_of_the_console(portal: Portal):
    browser = portal.browser()

    assert {portal.start} == {
        browser.get(path).path for path in ("/console", "/console/security", "/console/users", "/switchrole")
    }
    assert "Sign in" == Browser(portal.crown).get(portal.start).title


def test_a_person_of_one_instance_is_a_stranger_at_another(portal: Portal):
    browser, other = portal.browser(), Portal(portal.crown)

    assert "Sign in" == browser.get(other.start).title
    assert other.start == browser.post(f"{other.start}/keys", form_of(browser, account=other.member.id, role="Readers")).path


def form_of(browser: Browser, **fields: str) -> dict[str, str]:
    """Return a form of the portal's that the page doesn't offer."""
    browser.get(browser.page.path)
    return {**browser.page.form("csrf")[1], **fields}


@pytest.mark.parametrize("role", ["Writers", "readers"])
def test_a_role_that_was_not_assigned_is_not_issued(portal: Portal, role: str):
    browser = portal.browser()
    portal.sso.permission_set("AdministratorAccess", Name="Writers")
    token = portal.tokens(browser, portal.program())["accessToken"]
    sso = portal.crown.session(None, "sso")

    refused(
        "ResourceNotFoundException",
        lambda: sso.get_role_credentials(roleName=role, accountId=portal.member.id, accessToken=token),
    )
    browser.get(portal.start)
    browser.submit({"role": role}, form="Access keys")
    assert 403 == browser.page.status
    assert "No access" in browser.page.text


# Codes and tokens.


def test_a_redirect_to_anywhere_but_the_registered_loopback_address_sends_nobody_anywhere(portal: Portal):
    browser, program = portal.browser(), portal.program()
    addresses = (
        "https://evil.example/oauth/callback",
        "http://127.0.0.1.evil.example/oauth/callback",
        "http://127.0.0.1:43210@evil.example/oauth/callback",
        "http://127.0.0.1:43210/other",
        "http://127.0.0.1:99999/oauth/callback",
        "http://localhost:43210/oauth/callback",
        f"{REDIRECT}#x",
    )

    assert {NOT_KNOWN} == {browser.get(authorization(program, redirect_uri=address)).title for address in addresses}
    refused("InvalidRedirectUriException", lambda: portal.program(redirectUris=["https://evil.example/oauth/callback"]))


@pytest.mark.parametrize(
    "change", [{"code_challenge_method": "plain"}, {"state": ""}, {"response_type": "token"}, {"client_id": "A" * 64}]
)
def test_a_request_that_protects_its_code_badly_is_refused(portal: Portal, change: dict[str, str]):
    assert NOT_KNOWN == Browser(portal.crown).get(authorization(portal.program(), **change)).title


def test_an_injected_code_is_worth_nothing_and_is_used_up(portal: Portal):
    browser, program, thief = portal.browser(), portal.program(), portal.program()
    for wrong in ({"codeVerifier": "w" * 43}, {"redirectUri": "http://127.0.0.1:1/oauth/callback"}):
        code = portal.code(browser, program)
        refused("InvalidGrantException", lambda code=code, wrong=wrong: portal.redeem(program, code, **wrong))
        refused("InvalidGrantException", lambda code=code: portal.redeem(program, code))
    code = portal.code(browser, program)
    refused("InvalidGrantException", lambda: portal.redeem(thief, code))
    refused("InvalidClientException", lambda: portal.redeem({**thief, "clientSecret": "x"}, code))


def test_a_code_redeemed_twice_ends_what_came_of_it(portal: Portal):
    program = portal.program()
    code = portal.code(portal.browser(), program)
    token = portal.redeem(program, code)["accessToken"]

    refused("InvalidGrantException", lambda: portal.redeem(program, code))
    refused("UnauthorizedException", lambda: portal.role(token))


def test_a_code_that_two_redeem_at_the_same_moment_ends_what_the_first_got(portal: Portal, monkeypatch: pytest.MonkeyPatch):
    program = portal.program()
    code, redeem = portal.code(portal.browser(), program), person_grants.redeem

    def overtaken(*given: Any, **named: Any) -> bool:
        """Redeem it as another server does that has read it at the same moment, and come second."""
        redeem(*given, **named)
        return redeem(*given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(person_grants, "redeem", overtaken)
        refused("InvalidGrantException", lambda: portal.redeem(program, code))
    # Refused, what was redeemed is rolled back: only its end says that nobody gets anything any more.
    refused("InvalidGrantException", lambda: portal.redeem(program, code))


def test_a_stolen_refresh_token_ends_the_grant_when_both_use_it(portal: Portal):
    program = portal.program()
    stolen = portal.tokens(portal.browser(), program)["refreshToken"]
    refresh = lambda token: portal.oidc().create_token(**program, grantType="refresh_token", refreshToken=token)  # noqa: E731
    fresh = refresh(stolen)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=2), tick=True):
        refused("InvalidGrantException", lambda: refresh(stolen))
        refused("InvalidGrantException", lambda: refresh(fresh["refreshToken"]))
        refused("UnauthorizedException", lambda: portal.role(fresh["accessToken"]))


def test_one_kind_of_token_is_not_taken_for_another(portal: Portal):
    program = portal.program()
    tokens = portal.tokens(portal.browser(), program)

    refused("UnauthorizedException", lambda: portal.role(tokens["refreshToken"]))
    refused(
        "InvalidGrantException",
        lambda: portal.oidc().create_token(**program, grantType="refresh_token", refreshToken=tokens["accessToken"]),
    )


def test_a_device_code_sent_by_somebody_else_shows_where_it_was_asked_and_dies_when_refused(portal: Portal):
    program = portal.program()
    asked = portal.oidc().start_device_authorization(**program, startUrl=f"https://x.example{portal.start}")
    browser = portal.browser()
    browser.get(f"{portal.start}/device?user_code={asked['userCode'].lower()}")

    assert "Did you start this yourself?" in browser.page.text
    assert "not the address of this browser" in browser.page.text
    assert "Request refused" == browser.submit({"refuse": "yes"}, form="Confirm and allow").title
    poll = lambda: portal.oidc().create_token(**program, grantType=DEVICE, deviceCode=asked["deviceCode"])  # noqa: E731
    refused("AccessDeniedException", poll)
    assert 404 == browser.get(f"{portal.start}/device?user_code={asked['userCode']}").status


def test_a_program_that_polls_with_a_device_code_too_often_is_told_to_slow_down(portal: Portal):
    program, browser = portal.program(), portal.browser()
    asked = portal.oidc().start_device_authorization(**program, startUrl=f"https://x.example{portal.start}")
    poll = lambda: portal.oidc().create_token(**program, grantType=DEVICE, deviceCode=asked["deviceCode"])  # noqa: E731
    with time_machine.travel(datetime.now(UTC), tick=False) as travelled:
        codes = [code_of(poll) for _ in range(8)]
        travelled.shift(timedelta(seconds=6))
        later = code_of(poll)

    browser.get(f"{portal.start}/device?user_code={asked['userCode']}")
    browser.submit({"allow": "yes"}, form="allow")

    assert "AuthorizationPendingException" == codes[0] == later
    assert "SlowDownException" == codes[-1]
    assert poll()["accessToken"]


def code_of(call: Callable[[], object]) -> str:
    """Return the code that a call is refused with."""
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


def test_a_device_is_confirmed_by_nobody_who_is_not_signed_in_nor_by_people_of_another_instance(portal: Portal):
    program = portal.program()
    asked = portal.oidc().start_device_authorization(**program, startUrl=f"https://x.example{portal.start}")
    other = Portal(portal.crown)
    stranger, browser = Browser(portal.crown), other.browser()

    assert "Sign in" == stranger.get(f"{portal.start}/device?user_code={asked['userCode']}").title
    assert 404 == browser.get(f"{other.start}/device?user_code={asked['userCode']}").status
    poll = lambda: portal.oidc().create_token(**program, grantType=DEVICE, deviceCode=asked["deviceCode"])  # noqa: E731
    refused("AuthorizationPendingException", poll)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=11), tick=True):
        refused("ExpiredTokenException", poll)


def test_whoever_signs_in_on_the_way_to_a_program_is_asked_about_it(portal: Portal):
    portal.browser()
    browser, program = Browser(portal.crown), portal.program(clientName="a program with a long name " * 4)
    browser.get(authorization(program))

    assert "Sign in" == browser.page.title
    asked = browser.submit({"name": "ann", "password": PASSWORD})
    assert "Allow a program with a long name" in asked.text


def test_a_form_from_elsewhere_allows_no_program(portal: Portal):
    program, browser = portal.program(), portal.browser()
    browser.get(authorization(program))
    _, filled = browser.page.form("Allow access")

    assert 403 == browser.post("/authorize", {**filled, "allow": "yes"}, Origin="https://evil.example").status
    assert 403 == browser.post("/authorize", {**filled, "csrf": "x", "allow": "yes"}).status


# Roles.


def test_credentials_end_with_the_assignment_the_group_the_person_and_the_sign_in(portal: Portal):
    sso, program = portal.sso, portal.program()
    browser = portal.browser()
    token = portal.tokens(browser, program)["accessToken"]
    sso.unassign(portal.found, portal.member.id, user=portal.ann)
    group = sso.group("ops", portal.ann)
    sso.assign(portal.found, portal.member.id, group=group)
    caller = portal.crown.session(portal.role(token), "sts").get_caller_identity
    caller()

    membership = sso.people.get_group_membership_id(**sso.store, GroupId=group, MemberId={"UserId": portal.ann})["MembershipId"]
    sso.people.delete_group_membership(**sso.store, MembershipId=membership)
    refused("InvalidClientTokenId", caller)
    sso.people.create_group_membership(**sso.store, GroupId=group, MemberId={"UserId": portal.ann})
    caller()
    browser.get(portal.start)
    browser.submit(form="Sign out")
    refused("InvalidClientTokenId", caller)
    refused("UnauthorizedException", lambda: portal.role(token))


def test_ending_all_other_sessions_ends_programs_of_one_that_nobody_uses_any_more(portal: Portal):
    token = portal.tokens(portal.browser(), portal.program())["accessToken"]
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=50), tick=True):
        portal.role(token)
        browser = Browser(portal.crown)
        portal.sign_in(browser)
        browser.submit({"others": "1"}, form="End all others")

        refused("UnauthorizedException", lambda: portal.role(token))


def test_a_deleted_person_who_is_made_again_has_nothing_of_before(portal: Portal):
    browser = portal.browser()
    token = portal.tokens(browser, portal.program())["accessToken"]
    caller = portal.crown.session(portal.role(token), "sts").get_caller_identity
    portal.sso.people.delete_user(**portal.sso.store, UserId=portal.ann)
    again = portal.sso.user("ann", Emails=[{"Value": portal.email, "Primary": True}])
    portal.sso.assign(portal.found, portal.member.id, user=again)

    refused("InvalidClientTokenId", caller)
    refused("UnauthorizedException", lambda: portal.role(token))
    assert "Sign in" == browser.get(portal.start).title
    assert 403 == portal.sign_in(Browser(portal.crown)).status


def test_a_deleted_group_that_is_made_again_has_nothing_of_before(portal: Portal):
    sso = portal.sso
    token = portal.tokens(portal.browser(), portal.program())["accessToken"]
    sso.unassign(portal.found, portal.member.id, user=portal.ann)
    group = sso.group("ops", portal.ann)
    sso.assign(portal.found, portal.member.id, group=group)
    caller = portal.crown.session(portal.role(token), "sts").get_caller_identity
    caller()

    sso.people.delete_group(**sso.store, GroupId=group)
    again = sso.group("ops", portal.ann)

    assert again != group
    refused("InvalidClientTokenId", caller)
    refused("ResourceNotFoundException", lambda: portal.role(token))


def test_credentials_that_are_issued_while_the_assignment_ends_are_worth_nothing(crowns: Crowns):
    """Whichever comes first, nothing is left when both are done."""
    portal = Portal(crowns.shared("postgres"))
    token = portal.tokens(portal.browser(), portal.program())["accessToken"]
    issued: list[dict[str, Any]] = []

    def take() -> None:
        for _ in range(6):
            try:
                issued.append(portal.role(token))
            except ClientError as error:
                assert "ResourceNotFoundException" == error.response["Error"]["Code"]  # noqa: PT017 - of some of them alone

    with ThreadPoolExecutor(2) as pool:
        takers = [pool.submit(take) for _ in range(2)]
        portal.sso.unassign(portal.found, portal.member.id, user=portal.ann)
        for each in takers:
            each.result()

    refused("ResourceNotFoundException", lambda: portal.role(token))
    for keys in issued:
        refused("InvalidClientTokenId", portal.crown.session(keys, "sts").get_caller_identity)


def test_a_role_that_was_taken_on_from_a_reserved_role_ends_with_the_assignment(crowns: Crowns):
    portal = Portal(crowns.shared("sqlite"), "AdministratorAccess")
    keys = portal.role(portal.tokens(portal.browser(), portal.program())["accessToken"])
    trust = {"Effect": "Allow", "Principal": {"AWS": portal.member.id}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = portal.member.client("iam").create_role(RoleName="further", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    taken = portal.crown.session(keys, "sts").assume_role(RoleArn=arn, RoleSessionName="further")["Credentials"]
    caller = portal.crown.session(taken, "sts").get_caller_identity
    caller()

    portal.sso.unassign(portal.found, portal.member.id, user=portal.ann)
    refused("InvalidClientTokenId", caller)


def test_an_account_administrator_comes_to_a_reserved_role_by_no_provider_of_its_own(portal: Portal):
    member, provider = portal.member, SamlProvider()
    iam = member.client("iam")
    role = reserved_roles(iam)[0]
    trusted = role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Federated"]
    made = iam.create_saml_provider(Name=trusted.rpartition("/")[2], SAMLMetadataDocument=provider.metadata())
    assert trusted == made["SAMLProviderArn"]
    attributes = {f"{ATTRIBUTES}Role": [f"{role['Arn']},{trusted}"], f"{ATTRIBUTES}RoleSessionName": ["thief"]}
    given = {"RoleArn": role["Arn"], "PrincipalArn": trusted, "SAMLAssertion": provider.response(attributes)}
    taken = portal.crown.session(None, "sts").assume_role_with_saml(**given)["Credentials"]

    refused("InvalidClientTokenId", portal.crown.session(taken, "sts").get_caller_identity)


def test_records_name_the_person(portal: Portal):
    token = portal.tokens(portal.browser(), portal.program())["accessToken"]
    keys = portal.role(token)
    portal.crown.session(keys, "iam").list_users()

    people, member = portal.sso.management.records(), portal.member.records()
    names = {record["eventName"]: record for record in reversed(people)}
    assert "ann" == names["UserAuthentication"]["additionalEventData"]["UserName"]
    issued = names["GetRoleCredentials"]
    assert ("sso.amazonaws.com", "ann") == (issued["eventSource"], issued["additionalEventData"]["UserName"])
    assert "IdentityCenterUser" == issued["userIdentity"]["type"]
    used = next(record for record in member if record["eventName"] == "ListUsers")
    assert portal.ann == used["userIdentity"]["onBehalfOf"]["userId"] == issued["userIdentity"]["onBehalfOf"]["userId"]
    secrets = (token, keys["SecretAccessKey"], keys["SessionToken"], PASSWORD)
    assert not any(secret in json.dumps([people, member]) for secret in secrets)


def test_enumeration_of_start_urls_a_program_is_sent_on_from_one_that_is_not_there_too(crown: Crown):
    portal = Portal(crown)
    browser = Browser(crown)

    found, none, neither = (browser.send("HEAD", f"/start/{named}", {}) for named in (portal.store, "d-0000000000", "nothing"))

    assert (302, f"https://{portal.store}.portal.us-east-1.app.aws") == (found.status, found.header("location"))
    assert (302, "https://d-0000000000.portal.us-east-1.app.aws") == (none.status, none.header("location"))
    assert (404, None) == (neither.status, neither.header("location"))
