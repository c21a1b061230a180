"""People of single sign-on sign in at their start URL, take roles, and lose them at once."""

from __future__ import annotations

import re

import pytest
from botocore.exceptions import ClientError
from tests.fixtures.crown import Crown
from tests.fixtures.portal import Portal


def test_a_person_signs_in_takes_a_role_and_loses_it_with_the_assignment(crown: Crown):
    portal = Portal(crown)
    browser = portal.browser()
    assert "Accounts" == browser.page.title

    tokens = portal.tokens(browser, portal.program())
    keys = portal.role(tokens["accessToken"])
    caller = crown.session(keys, "sts").get_caller_identity()
    browser.get(portal.start)
    console = browser.submit(form="Management console")

    assert portal.member.id == caller["Account"]
    assert re.search(r"assumed-role/AWSReservedSSO_Readers_[0-9a-f]{16}/ann$", caller["Arn"])
    assert 200 == console.status
    assert "/console" == console.path
    portal.sso.unassign(portal.found, portal.member.id, user=portal.ann)
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        crown.session(keys, "sts").get_caller_identity()
    assert "Nothing is assigned to you yet" in browser.get("/console").text


def test_refresh_logout_and_the_end_of_what_was_taken(crown: Crown):
    portal = Portal(crown)
    program = portal.program()
    tokens = portal.tokens(portal.browser(), program)

    fresh = portal.oidc().create_token(**program, grantType="refresh_token", refreshToken=tokens["refreshToken"])
    keys = portal.role(fresh["accessToken"])
    sso = crown.session(None, "sso")
    accounts = sso.list_accounts(accessToken=fresh["accessToken"])["accountList"]
    roles = sso.list_account_roles(accessToken=fresh["accessToken"], accountId=portal.member.id)["roleList"]
    sso.logout(accessToken=fresh["accessToken"])

    assert [portal.member.id] == [each["accountId"] for each in accounts]
    assert [{"roleName": "Readers", "accountId": portal.member.id}] == roles
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        crown.session(keys, "sts").get_caller_identity()
    with pytest.raises(ClientError, match="Unauthorized"):
        sso.list_accounts(accessToken=tokens["accessToken"])


def test_a_device_is_confirmed_by_its_code_and_from_where_it_was_asked(crown: Crown):
    portal = Portal(crown)
    program = portal.program(grantTypes=[], redirectUris=[], scopes=[])
    start = f"https://{portal.store}.awsapps.com/start"
    asked = portal.oidc().start_device_authorization(**program, startUrl=start)
    waiting = {**program, "grantType": "urn:ietf:params:oauth:grant-type:device_code", "deviceCode": asked["deviceCode"]}
    with pytest.raises(ClientError, match="AuthorizationPending"):
        portal.oidc().create_token(**waiting)
    browser = portal.browser()

    confirmation = browser.get(asked["verificationUriComplete"].removeprefix(crown.settings.url))
    assert asked["userCode"] in confirmation.text
    assert "127.0.0.1 not the address of this browser" in confirmation.text
    assert "Request approved" == browser.submit({"allow": "yes"}, form="Confirm and allow").title
    tokens = portal.oidc().create_token(**waiting)

    assert portal.member.id in portal.crown.session(portal.role(tokens["accessToken"]), "sts").get_caller_identity()["Arn"]
    assert "refreshToken" not in tokens
    with pytest.raises(ClientError, match="InvalidGrant"):
        portal.oidc().create_token(**waiting)


def test_the_profile_of_access_keys_names_this_server_or_they_would_go_to_amazon(crown: Crown):
    portal = Portal(crown)
    browser = portal.browser()
    browser.get(portal.start)

    keys = browser.submit({"role": "Readers"}, form="Access keys")

    assert f"\nendpoint_url={crown.settings.url}" in keys.response.text
    # Programs read a profile line by line.
    assert "\naws_secret_access_key=" in keys.response.text
