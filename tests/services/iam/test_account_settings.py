"""Settings of the account, and what an account has that belongs to no organization and to no partner of AWS's."""

from __future__ import annotations

import pytest
from tests.services.iam.asking import allow, refusal

REQUEST = "12345678-1234-1234-1234-123456789012"
PERMISSIONS = {"PolicyTemplateArn": "arn:aws:iam:::delegation-template/partner"}
NEW_REQUEST = {
    "Description": "help",
    "Permissions": PERMISSIONS,
    "RequestorWorkflowId": "workflow-1",
    "NotificationChannel": "arn:aws:sns:us-east-1:123456789012:topic",
    "SessionDuration": 3600,
}
TEMPLATE = "arn:aws:iam::aws:role-template/service.amazonaws.com/Job:1"


@pytest.fixture
def iam(account):
    return account.client("iam")


def test_the_version_of_session_tokens_is_shown_in_the_summary(account, iam):
    before = iam.get_account_summary()["SummaryMap"]["GlobalEndpointTokenVersion"]

    iam.set_security_token_service_preferences(GlobalEndpointTokenVersion="v1Token")

    after = iam.get_account_summary()["SummaryMap"]["GlobalEndpointTokenVersion"]
    assert (2, 1) == (before, after)


def test_outbound_federation_is_enabled_disabled_and_keeps_its_issuer(account, crown, iam):
    disabled = "FeatureDisabled: Outbound identity federation is disabled for your Amazon Web Services account."
    assert disabled == refusal(iam.get_outbound_web_identity_federation_info)
    assert disabled == refusal(iam.disable_outbound_web_identity_federation)

    first = iam.enable_outbound_web_identity_federation()["IssuerIdentifier"]
    shown = iam.get_outbound_web_identity_federation_info()
    again = refusal(iam.enable_outbound_web_identity_federation)
    iam.disable_outbound_web_identity_federation()
    gone = refusal(iam.get_outbound_web_identity_federation_info)
    second = iam.enable_outbound_web_identity_federation()["IssuerIdentifier"]
    elsewhere = crown.account().client("iam").enable_outbound_web_identity_federation()["IssuerIdentifier"]

    assert {"IssuerIdentifier": first, "JwtVendingEnabled": True} == {
        name: shown[name] for name in ("IssuerIdentifier", "JwtVendingEnabled")
    }
    assert "FeatureEnabled: Outbound identity federation is already enabled for your Amazon Web Services account." == again
    assert (disabled, first) == (gone, second)
    assert first.startswith(crown.settings.url)
    assert elsewhere != first


def test_settings_do_not_disturb_one_another(iam):
    iam.set_security_token_service_preferences(GlobalEndpointTokenVersion="v1Token")
    iam.enable_outbound_web_identity_federation()
    iam.set_security_token_service_preferences(GlobalEndpointTokenVersion="v2Token")

    assert iam.get_outbound_web_identity_federation_info()["JwtVendingEnabled"]
    assert 2 == iam.get_account_summary()["SummaryMap"]["GlobalEndpointTokenVersion"]


@pytest.mark.parametrize(
    ("properties", "told"),
    [
        ({"RoleManager/Enabled": "true"}, "The property RoleManager/Enabled is not supported."),
        ({"RoleManager": "true"}, "The property key RoleManager is not valid"),
        ({"A/b/c": "true"}, "The property key A/b/c is not valid"),
        ({"A/b": "true", "B/b": "true"}, "All properties in a single request must belong to the same namespace."),
    ],
)
def test_no_property_is_taken_in_silence(iam, properties, told):
    assert refusal(iam.put_account_properties, Properties=properties).startswith(f"InvalidInput: {told}")
    assert {} == iam.get_account_properties()["Properties"]


@pytest.mark.parametrize(
    "operation",
    [
        "list_organizations_features",
        "enable_organizations_root_sessions",
        "disable_organizations_root_sessions",
        "enable_organizations_root_credentials_management",
        "disable_organizations_root_credentials_management",
    ],
)
def test_an_account_without_an_organization_has_no_features_of_one(iam, operation):
    answer = refusal(getattr(iam, operation))

    assert "OrganizationNotFoundException: The request was rejected because no organization is associated with your account." == (
        answer
    )


@pytest.mark.parametrize("operation", ["get", "accept", "associate", "reject", "update"])
def test_a_delegation_request_that_nobody_made_is_not_found(iam, operation):
    answer = refusal(getattr(iam, f"{operation}_delegation_request"), DelegationRequestId=REQUEST)

    assert f"NoSuchEntity: The delegation request with id {REQUEST} cannot be found." == answer


def test_no_delegation_request_can_be_made_listed_sent_or_summarized(account, iam):
    entity = f"arn:aws:iam::{account.id}:delegation-request/{REQUEST}"

    assert refusal(iam.create_delegation_request, **NEW_REQUEST).startswith("InvalidInput: The policy template arn:aws:iam:::")
    assert [] == iam.list_delegation_requests()["DelegationRequests"]
    assert refusal(iam.send_delegation_token, DelegationRequestId=REQUEST).startswith("NoSuchEntity: ")
    assert refusal(iam.get_human_readable_summary, EntityArn=entity).startswith("NoSuchEntity: ")
    assert refusal(iam.get_human_readable_summary, EntityArn=f"arn:aws:iam::{account.id}:user/bob").startswith("InvalidInput: ")


def test_there_are_no_role_templates(iam):
    for operation in (iam.get_role_template_version, iam.acquire_role):
        assert f"NoSuchEntity: The role template {TEMPLATE} cannot be found." == refusal(operation, TemplateArn=TEMPLATE)


@pytest.mark.parametrize(
    ("operation", "parameters", "action"),
    [
        (
            "set_security_token_service_preferences",
            {"GlobalEndpointTokenVersion": "v1Token"},
            "SetSecurityTokenServicePreferences",
        ),
        ("enable_outbound_web_identity_federation", {}, "EnableOutboundWebIdentityFederation"),
        ("put_account_properties", {"Properties": {"A/b": "c"}}, "PutAccountProperties"),
        ("enable_organizations_root_sessions", {}, "EnableOrganizationsRootSessions"),
        ("create_delegation_request", NEW_REQUEST, "CreateDelegationRequest"),
        ("acquire_role", {"TemplateArn": TEMPLATE}, "AcquireRole"),
    ],
)
def test_whoever_may_not_is_told_so_before_anything_else(account, operation, parameters, action):
    answer = refusal(getattr(account.user("bob").client("iam"), operation), **parameters)

    assert answer.startswith("AccessDenied: ")
    assert f"is not authorized to perform: iam:{action}" in answer


def test_policies_can_limit_the_namespaces_of_properties(account):
    limited = account.user(
        "limited",
        policy=allow("iam:PutAccountProperties", **{"ForAllValues:StringEquals": {"iam:AccountPropertyNamespaces": "A"}}),
    ).client("iam")

    assert refusal(limited.put_account_properties, Properties={"A/b": "c"}).startswith("InvalidInput: ")
    assert refusal(limited.put_account_properties, Properties={"B/b": "c"}).startswith("AccessDenied: ")
