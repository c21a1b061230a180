"""Attributes of people become tags of their sessions, as the instance is told."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from tests.fixtures.crown import Crowns
from tests.fixtures.portal import Portal

from crownkeep.domain.single_sign_on import access
from crownkeep.storage.single_sign_on.directory_users import DirectoryUserRow
from crownkeep.storage.single_sign_on.instances import InstanceRow

SOURCES = {
    "name": "${path:userName}",
    "family": "${path:name.familyName}",
    "mail": "${path:emails[primary eq true].value}",
    "cost": "${path:enterprise.costCenter}",
    "nothing": "${path:title}",
    "odd": "userName",
}
HELD = {
    "UserName": "ann",
    "Name": {"FamilyName": "Lee"},
    "Emails": [{"Value": "old@example.com"}, {"Value": "ann@example.com", "Primary": True}],
    "Extensions": {"aws:identitystore:enterprise": {"costCenter": "4711"}},
}
DENIED = {
    "Effect": "Deny",
    "Action": "iam:ListUsers",
    "Resource": "*",
    "Condition": {"StringEquals": {"aws:PrincipalTag/name": "ann"}},
}


def test_a_policy_asks_about_the_attributes_of_the_person_behind_a_role(crowns: Crowns):
    portal = Portal(crowns.shared("sqlite"))
    sso = portal.sso
    wanted = [{"Key": key, "Value": {"Source": [source]}} for key, source in SOURCES.items()]
    configuration = {"AccessControlAttributes": wanted}
    sso.admin.create_instance_access_control_attribute_configuration(
        **sso.instance, InstanceAccessControlAttributeConfiguration=configuration
    )
    denied = json.dumps({"Version": "2012-10-17", "Statement": [DENIED]})
    sso.admin.put_inline_policy_to_permission_set(**portal.found, InlinePolicy=denied)
    sso.admin.provision_permission_set(**portal.found, TargetType="ALL_PROVISIONED_ACCOUNTS")
    iam = portal.crown.session(portal.role(portal.tokens(portal.browser(), portal.program())["accessToken"]), "iam")

    iam.list_roles()
    with pytest.raises(iam.exceptions.ClientError, match="explicit deny"):
        iam.list_users()


def test_each_source_names_one_attribute_and_what_a_person_does_not_have_makes_no_tag():
    configured = [{"Key": key, "Value": {"Source": [source]}} for key, source in SOURCES.items()]
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    instance = InstanceRow("ssoins-1", "123456789012", "o-1", "d-1", "", "us-east-1", moment, json.dumps(configured), True)
    user = DirectoryUserRow(
        "d-1", "u", "123456789012", "ann", "ann", None, None, True, json.dumps(HELD), 1, moment, "", moment, ""
    )

    found = access.session_tags(instance, user)

    assert {"name": "ann", "family": "Lee", "mail": "ann@example.com", "cost": "4711"} == found
