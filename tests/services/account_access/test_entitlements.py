"""Entitlements to existing roles: who may take which, by which trust, and when that ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import Session
from tests.fixtures.asgi import Response
from tests.fixtures.crown import Crown, Crowns
from tests.fixtures.portal import REDIRECT, VERIFIER, Portal
from tests.signin.browser import signed_in

LISTING, TAKING = "account_access:read_only", "account_access:assume"
SERVICE = "account-access.amazonaws.com"
ACTIONS = ("sts:AssumeRole", "sts:SetContext", "sts:TagSession")
NEVER = "00000000-0000-0000-0000-000000000000"


class Entitled(Portal):
    """A portal whose instance has account access, and a role `support` of the member's own that it may take on."""

    def __init__(self, crown: Crown) -> None:
        super().__init__(crown)
        self.access: Any = self.sso.management.client("account-access")
        source = {"identityCenter": {"instanceArn": self.sso.arn}}
        self.application = {"applicationArn": self.access.create_application(identitySource=source)["applicationArn"]}
        self.tenant: str = self.access.get_application(**self.application)["tenantId"]
        self.support = self.existing_role("support")
        self.anns = self.browser()

    def existing_role(self, name: str, *actions: str, **condition: Any) -> str:
        """Make a role of the member's that lets the service do these actions, and return its ARN."""
        return existing_role(self.member, name, *(actions or ACTIONS), **condition)

    def entitle(self, role_arn: str = "", *, access: Any = None, **principal: str) -> str:
        """Entitle ann, or whoever is named, and return the entitlement's id."""
        named = {"identityCenter": principal or {"userId": self.ann}}
        wanted = {"principalRole": {"principal": named, "roleArn": role_arn or self.support}}
        made = (access or self.access).create_entitlement(**self.application, entitlement=wanted)
        return str(made["entitlementId"])

    def token(self, *scopes: str) -> str:
        """Sign a program in and return its access token."""
        return str(self.tokens(self.anns, self.program(scopes=list(scopes or (LISTING, TAKING))))["accessToken"])

    def ask(self, token: str, path: str = "/access/credentials", **parameters: str) -> Response:
        """Ask the runtime with a token."""
        asked = {"tenantId": self.tenant, **parameters}
        return self.crown.request("GET", f"{path}?{urlencode(asked)}", headers={"Authorization": f"Bearer {token}"})

    def take(self, token: str, role_arn: str = "", **parameters: str) -> Response:
        """Take a role."""
        return self.ask(token, roleArn=role_arn or self.support, accessType="PROGRAMMATIC_ACCESS", **parameters)

    def caller(self, token: str, role_arn: str = "") -> Callable[[], dict[str, Any]]:
        """Take a role, and return what asks who one is as it."""
        taken = self.take(token, role_arn)
        assert 200 == taken.status, taken.text
        client = self.crown.session(keys(taken), "sts")
        return lambda: dict(client.get_caller_identity())


def existing_role(account: Any, name: str, *actions: str, **condition: Any) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": list(actions), **condition}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return str(account.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"])


def keys(taken: Response) -> dict[str, Any]:
    found = taken.json()["credentialsDetails"]["programmaticAccess"]
    names = {"AccessKeyId": "accessKeyId", "SecretAccessKey": "secretAccessKey", "SessionToken": "sessionToken"}
    return {ours: found[theirs] for ours, theirs in names.items()}


def refused(code: str, call: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    assert code == caught.value.response["Error"]["Code"], caught.value
    return str(caught.value.response["Error"]["Message"])


@pytest.fixture
def entitled(crown: Crown) -> Entitled:
    """A fresh instance with account access."""
    return Entitled(crown)


@pytest.fixture
def one(crowns: Crowns) -> Entitled:
    """The same, on SQLite alone."""
    return Entitled(crowns.shared("sqlite"))


def test_a_person_takes_an_existing_role_and_loses_it_with_the_entitlement(entitled: Entitled):
    made = entitled.entitle()
    token = entitled.token()

    caller = entitled.caller(token)
    listed = entitled.ask(token, "/access").json()["roles"]

    assert "assumed-role/support/ann" in caller()["Arn"]
    assert [(entitled.member.id, entitled.support)] == [(each["accountId"], each["roleArn"]) for each in listed]
    assert made == entitled.entitle()
    entitled.access.delete_entitlement(**entitled.application, entitlementId=made)
    refused("InvalidClientTokenId", caller)
    assert 403 == entitled.take(token).status
    assert [] == entitled.ask(token, "/access").json()["roles"]
    entitled.access.delete_entitlement(**entitled.application, entitlementId=made)


def test_a_group_entitles_its_members_as_long_as_they_are_in_it(one: Entitled):
    group = one.sso.group("ops", one.ann)
    one.entitle(groupId=group)
    caller = one.caller(one.token())
    caller()

    one.sso.people.delete_group(**one.sso.store, GroupId=group)

    refused("InvalidClientTokenId", caller)
    again = one.sso.group("ops", one.ann)
    assert 403 == one.take(one.token()).status
    assert [] == one.access.list_entitlements(**one.application, filter={})["entitlements"], again


def test_a_role_that_does_not_trust_the_service_or_no_more_is_not_taken(one: Entitled):
    token = one.token()
    source = {"Condition": {"StringEquals": {"aws:SourceArn": one.application["applicationArn"]}}}
    elsewhere = {"Condition": {"StringEquals": {"aws:SourceAccount": one.member.id}}}
    roles = {
        one.existing_role("bound", **source): 200,
        one.existing_role("without-context", "sts:AssumeRole"): 403,
        one.existing_role("of-another-application", **elsewhere): 403,
        f"arn:aws:iam::{one.member.id}:role/nobody": 403,
        f"arn:aws:iam::{one.member.id}:role/Support": 403,
    }
    for role_arn in roles:
        one.entitle(role_arn)

    assert roles == {role_arn: one.take(token, role_arn).status for role_arn in roles}
    bound = next(iter(roles))
    caller = one.caller(token, bound)
    caller()
    nobody = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [nobody]})
    one.member.client("iam").update_assume_role_policy(RoleName="bound", PolicyDocument=document)
    refused("InvalidClientTokenId", caller)


def test_attributes_become_tags_only_where_the_role_lets_them(one: Entitled):
    attributes = [{"Key": "Team", "Value": {"Source": ["${path:name.givenName}"]}}]
    config = {"AccessControlAttributes": attributes}
    one.sso.admin.create_instance_access_control_attribute_configuration(
        **one.sso.instance, InstanceAccessControlAttributeConfiguration=config
    )
    plain = one.existing_role("plain", *ACTIONS[:2])
    token = one.token()
    ours = {"StringEquals": {"aws:PrincipalTag/Team": "ann"}}
    statement = {"Effect": "Allow", "Action": "iam:ListRoles", "Resource": "*", "Condition": ours}
    for role_arn in (plain, one.support):
        one.entitle(role_arn)
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        named = {"RoleName": role_arn.rpartition("/")[2], "PolicyName": "p", "PolicyDocument": document}
        one.member.client("iam").put_role_policy(**named)

    one.crown.session(keys(one.take(token)), "iam").list_roles()

    refused("AccessDenied", one.crown.session(keys(one.take(token, plain)), "iam").list_roles)


def test_a_delegated_administrator_of_account_access_does_not_raise_itself_to_the_management_account(one: Entitled):
    organizations = one.sso.organization.client
    organizations.enable_aws_service_access(ServicePrincipal=SERVICE)
    organizations.register_delegated_administrator(AccountId=one.member.id, ServicePrincipal=SERVICE)
    delegate = one.member.client("account-access")
    theirs = existing_role(one.sso.management, "operators", *ACTIONS)
    group = one.sso.group("operators")
    held = one.entitle(theirs, groupId=group)

    refused("AccessDeniedException", lambda: one.entitle(theirs, access=delegate))
    refused("AccessDeniedException", lambda: delegate.delete_entitlement(**one.application, entitlementId=held))
    refused("AccessDeniedException", lambda: delegate.delete_application(**one.application))
    assert one.entitle(access=delegate)
    # Nor by the people: whoever administers the directory adds nobody to a group that reaches the management account.
    organizations.enable_aws_service_access(ServicePrincipal="sso.amazonaws.com")
    organizations.register_delegated_administrator(AccountId=one.member.id, ServicePrincipal="sso.amazonaws.com")
    joining = {"GroupId": group, "MemberId": {"UserId": one.ann}}
    people = one.member.client("identitystore")
    refused("AccessDeniedException", lambda: people.create_group_membership(**one.sso.store, **joining))


def test_tokens_are_good_for_the_scopes_that_were_registered_alone(one: Entitled):
    one.entitle()
    listing, portal = one.token(LISTING), one.token("sso:account:access")

    assert (200, 401) == (one.ask(listing, "/access").status, one.take(listing).status)
    assert (401, 401) == (one.ask(portal, "/access").status, one.take(portal).status)
    refused("UnauthorizedException", lambda: one.role(listing))
    assert one.role(portal)["AccessKeyId"]
    program = one.program(scopes=[LISTING])
    code = one.code(one.anns, program)
    exchange: Any = {"grantType": "authorization_code", "redirectUri": REDIRECT, "codeVerifier": VERIFIER, "code": code}
    refused("InvalidScopeException", lambda: one.oidc().create_token(**program, **exchange, scope=[TAKING]))


def test_enumeration_of_tenants_and_roles_by_tokens(one: Entitled):
    other = Entitled(one.crown)
    one.entitle()
    token = other.token()

    answers = {one.take(token).text, one.take("nobody").text, one.ask("", "/access").text}

    assert 1 == len({json.loads(each)["message"] for each in answers}), answers
    missing, there = (other.take(token, role_arn) for role_arn in (f"{one.support}-x", one.support))
    assert (403, 403) == (missing.status, there.status)
    assert missing.text.replace("-x", "") == there.text


def test_an_entitlement_reaches_no_account_outside_the_organization(one: Entitled):
    stranger = one.crown.account()
    outside = existing_role(stranger, "outside", *ACTIONS)

    refused("ValidationException", lambda: one.entitle(outside))
    refused("ResourceNotFoundException", lambda: one.entitle(userId=NEVER))
    refused("ResourceNotFoundException", lambda: stranger.client("account-access").get_application(**one.application))
    refused("ValidationException", lambda: one.entitle("arn:aws-cn:iam::111122223333:role/x"))


def test_entitlements_go_with_an_account_that_leaves_and_with_the_application(one: Entitled):
    one.entitle()
    token = one.token()
    caller = one.caller(token)
    one.sso.organization.client.remove_account_from_organization(AccountId=one.member.id)

    refused("InvalidClientTokenId", caller)

    own = existing_role(one.sso.management, "own", *ACTIONS)
    one.entitle(own)
    caller = one.caller(token, own)
    one.access.delete_application(**one.application)
    refused("InvalidClientTokenId", caller)
    assert 401 == one.take(token, own).status
    one.access.delete_application(**one.application)


def test_an_application_is_made_once_tagged_and_listed_by_those_who_manage_it(entitled: Entitled):
    access, source = entitled.access, {"identityCenter": {"instanceArn": entitled.sso.arn}}
    arn = entitled.application["applicationArn"]

    again = access.create_application(identitySource=source)["applicationArn"]

    assert arn == again
    refused("AlreadyCreatedException", lambda: access.create_application(identitySource=source, tags={"a": "b"}))
    access.tag_resource(resourceArn=arn, tags={"Stage": "prod", "Cost": "7"})
    access.untag_resource(resourceArn=arn, tagKeys=["Cost"])
    assert {"Stage": "prod"} == access.list_tags_for_resource(resourceArn=arn)["tags"]
    assert {"Stage": "prod"} == access.get_application(**entitled.application)["tags"]
    assert [arn] == [each["applicationArn"] for each in access.list_applications()["applications"]]
    assert [] == entitled.member.client("account-access").list_applications()["applications"]
    refused("ValidationException", lambda: access.tag_resource(resourceArn=arn, tags={"k" * 129: ""}))
    member = entitled.member.client("account-access")
    refused("ValidationException", lambda: member.create_application(identitySource=source))


def test_entitlements_are_listed_by_principal_role_and_account_in_pages(entitled: Entitled):
    other = entitled.existing_role("other")
    group = entitled.sso.group("ops", entitled.ann)
    made = {entitled.entitle(), entitled.entitle(other), entitled.entitle(groupId=group)}
    named: list[dict[str, Any]] = [
        {},
        {"principal": {"identityCenter": {"groupId": group}}},
        {"roleArn": other},
        {"account": entitled.member.id, "principal": {"identityCenter": {"userId": entitled.ann}}},
        {"account": entitled.sso.management.id},
    ]

    found = [listed(entitled, {"principalRole": each}) for each in named]

    assert [3, 1, 1, 2, 0] == [len(each) for each in found]
    assert made == {each["entitlementId"] for each in found[0]}
    shown = entitled.access.get_entitlement(**entitled.application, entitlementId=found[2][0]["entitlementId"])
    assert other == shown["entitlement"]["principalRole"]["roleArn"]
    refused("ResourceNotFoundException", lambda: entitled.access.get_entitlement(**entitled.application, entitlementId="x"))


def listed(entitled: Entitled, filters: dict[str, Any]) -> list[dict[str, Any]]:
    pages = entitled.access.get_paginator("list_entitlements").paginate(
        **entitled.application, filter=filters, PaginationConfig={"PageSize": 2}
    )
    return [each for page in pages for each in page["entitlements"]]


def test_the_console_shows_who_is_entitled_to_what_and_which_roles_administer(one: Entitled):
    group = one.sso.group("ops", one.ann)
    one.entitle(groupId=group)
    ruling = one.existing_role("ruling")
    one.member.client("iam").attach_role_policy(RoleName="ruling", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    one.entitle(ruling)
    asked: dict[str, Any] = {"IdentityStoreId": one.store}
    search = one.directory.search_role_entitlements

    administering = search(**asked, AdministratorsOnly=True)["RoleEntitlements"]

    assert [("ann", ruling)] == [(each["PrincipalName"], each["RoleArn"]) for each in administering]
    found = search(**asked, PrincipalId=one.ann)["RoleEntitlements"]
    assert {("GROUP", "ops", False), ("USER", "ann", True)} == {
        (each["PrincipalType"], each["PrincipalName"], each["GivesAdministrator"]) for each in found
    }
    first = search(**asked, MaxResults=1)
    second = search(**asked, MaxResults=1, NextToken=first["NextToken"])
    assert 2 == len({each["EntitlementId"] for each in (*first["RoleEntitlements"], *second["RoleEntitlements"])})
    assert [] == search(**asked, AccountId=one.sso.management.id)["RoleEntitlements"]
    admin = signed_in(one.sso.management, user="admin")
    for path in (f"people/one?id={one.ann}", f"groups/one?id={group}", "assignments"):
        assert "Existing roles" in admin.get(f"/console/single-sign-on/{path}").text
    assert "ruling" in admin.get("/console/single-sign-on/assignments?administrators=1").text
    assert "1 entitlement to existing roles" in admin.get("/console/single-sign-on").text


def test_a_role_has_as_many_groups_as_the_quota_says(one: Entitled):
    path = f"/accounts/{one.sso.management.id}/quotas/GroupsPerEntitledRoleQuota"
    assert 200 == one.crown.operator("PUT", path, {"value": 1}).status
    one.entitle(groupId=one.sso.group("first"))

    second = one.sso.group("second")

    refused("ServiceQuotaExceededException", lambda: one.entitle(groupId=second))
    assert one.entitle()


def test_the_portal_shows_existing_roles_and_opens_them(one: Entitled):
    made = one.entitle()
    browser = one.anns
    page = browser.get(f"{one.start}?q=SUPPORT")
    assert "/support" in page.text
    assert "Readers" not in page.text

    shown = browser.submit(form="Access keys").text
    browser.get(one.start)
    browser.get(f"{one.start}?q=support")
    opened = browser.submit(form="Management console")

    assert "aws_access_key_id=ASIA" in shown
    assert "support/ann" in opened.text
    one.access.delete_entitlement(**one.application, entitlementId=made)
    assert "support/ann" not in browser.get("/console").text


def test_a_portal_form_for_another_role_than_its_arn_names_is_refused(one: Entitled):
    one.entitle()
    browser = one.anns
    browser.get(f"{one.start}?q=support")
    _, filled = browser.page.form("Access keys")

    spoilt = browser.post(f"{one.start}/keys", {**filled, "role": "Readers"})

    assert (403, False) == (spoilt.status, "aws_access_key_id" in spoilt.text)


def test_a_session_lasts_as_long_as_was_asked_and_the_role_allows(one: Entitled):
    one.entitle()
    token = one.token()

    refusals = [one.take(token, sessionDuration=each).status for each in ("60", "3601")]

    assert [400, 400] == refusals
    taken = one.take(token, sessionDuration="900", sessionName="on-call")
    assert "assumed-role/support/on-call" in one.crown.session(keys(taken), "sts").get_caller_identity()["Arn"]


def test_records_name_the_person_who_took_an_existing_role(one: Entitled):
    one.entitle()
    caller = one.caller(one.token())
    caller()

    there = {each["eventName"]: each for each in one.member.records()}

    taken = there["GetRoleCredentials"]
    assert (SERVICE, "ann") == (taken["eventSource"], taken["additionalEventData"]["UserName"])
    identity = there["GetCallerIdentity"]["userIdentity"]
    assert one.ann == identity["onBehalfOf"]["userId"]
    assert "CreateEntitlement" in {each["eventName"] for each in one.sso.management.records()}


def test_botocores_bearer_tokens_open_the_runtime(one: Entitled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    one.entitle()
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    session = Session()
    one.crown.answer(session)
    token = one.token()
    monkeypatch.setattr(session, "get_auth_token", lambda **_: FixedToken(token))

    # It sends bearer tokens over https alone.
    where = one.crown.settings.url.replace("http:", "https:")
    options: dict[str, Any] = {"region_name": "us-east-1", "config": Config(retries={"max_attempts": 0})}
    runtime = session.create_client("account-access-runtime", endpoint_url=where, **options)

    assert [one.support] == [each["roleArn"] for each in runtime.list_roles(tenantId=one.tenant)["roles"]]


class FixedToken:
    """A token as botocore's providers return one."""

    def __init__(self, token: str) -> None:
        self.token = token

    def get_frozen_token(self) -> FixedToken:
        """Return the token as it is now."""
        return self
