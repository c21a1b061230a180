"""Trusted identity propagation: which claims of a provider become context keys, set, shown, changed and taken away."""

from __future__ import annotations

from typing import Any

import pytest
from tests.fixtures.crown import Account
from tests.services.iam.asking import allow, refusal
from tests.services.sts.saml_provider import SamlProvider

CONTEXT = {
    "SubjectSourceKey": "sub",
    "SubjectTypeValue": "user",
    "KeyDefinitionList": [{"SourceKey": "dept", "TargetKey": "Team"}],
}
INSTANCE = "arn:aws:sso:::instance/ssoins-1234567890abcdef"


@pytest.fixture
def oidc(account: Account) -> str:
    answer = account.client("iam").create_open_id_connect_provider(Url="https://oidc.example", ThumbprintList=["a" * 40])
    return str(answer["OpenIDConnectProviderArn"])


def shown(account: Account, arn: str) -> Any:
    return account.client("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=arn).get("ContextProvider")


def test_a_context_provider_is_set_replaced_and_removed(account: Account, oidc: str):
    iam = account.client("iam")
    other = {"SubjectSourceKey": "email", "SubjectTypeSourceKey": "kind"}

    before = shown(account, oidc)
    iam.update_open_id_connect_provider(OpenIDConnectProviderArn=oidc, ContextProvider=CONTEXT)
    first = shown(account, oidc)
    iam.update_open_id_connect_provider(OpenIDConnectProviderArn=oidc, ContextProvider=other)
    second = shown(account, oidc)
    iam.update_open_id_connect_provider(OpenIDConnectProviderArn=oidc, RemoveContextProvider=True)

    assert [None, CONTEXT, other, None] == [before, first, second, shown(account, oidc)]
    assert "NoSuchEntity" in refusal(iam.update_open_id_connect_provider, OpenIDConnectProviderArn=oidc + "x")


def test_a_provider_is_made_with_its_context_provider(account: Account):
    iam = account.client("iam")
    created = iam.create_open_id_connect_provider(Url="https://a.example", ThumbprintList=["a" * 40], ContextProvider=CONTEXT)

    assert CONTEXT == shown(account, created["OpenIDConnectProviderArn"])
    assert [False] == [
        each["IsTrustedIdentityPropagationEnabled"] for each in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    ]


def test_a_saml_provider_has_a_context_provider_too(account: Account):
    iam, document = account.client("iam"), SamlProvider().metadata()
    arn = iam.create_saml_provider(Name="idp", SAMLMetadataDocument=document, ContextProvider=CONTEXT)["SAMLProviderArn"]

    first = iam.get_saml_provider(SAMLProviderArn=arn)["ContextProvider"]
    both = refusal(iam.update_saml_provider, SAMLProviderArn=arn, SAMLMetadataDocument=document, ContextProvider=CONTEXT)
    iam.update_saml_provider(SAMLProviderArn=arn, RemoveContextProvider=True)

    assert CONTEXT == first
    assert both.startswith("InvalidInput: A single request can change either the context provider")
    assert "ContextProvider" not in iam.get_saml_provider(SAMLProviderArn=arn)


@pytest.mark.parametrize(
    "context",
    [
        {"SubjectSourceKey": " sub"},
        {"SubjectSourceKey": "a  b"},
        {"SubjectSourceKey": "sub?"},
        {"SubjectSourceKey": "sub", "SubjectTypeValue": "user", "SubjectTypeSourceKey": "kind"},
        {"SubjectSourceKey": "sub", "KeyDefinitionList": [{"SourceKey": "a", "TargetKey": "b*"}]},
        {"SubjectSourceKey": "sub", "KeyDefinitionList": [{"SourceKey": "a"}, {"SourceKey": "b", "TargetKey": "A"}]},
    ],
)
def test_a_context_provider_that_breaks_its_rules_is_refused(account: Account, oidc: str, context: Any):
    answer = refusal(
        account.client("iam").update_open_id_connect_provider, OpenIDConnectProviderArn=oidc, ContextProvider=context
    )

    assert answer.startswith("InvalidInput: ")
    assert shown(account, oidc) is None


def test_what_excludes_one_another_is_refused(account: Account, oidc: str):
    update = account.client("iam").update_open_id_connect_provider

    for asked in (
        {"ContextProvider": CONTEXT, "RemoveContextProvider": True},
        {"ContextProvider": CONTEXT, "RemoveIdentityCenterInstance": True},
    ):
        assert refusal(update, OpenIDConnectProviderArn=oidc, **asked).startswith("InvalidInput: ")
    update(OpenIDConnectProviderArn=oidc, RemoveIdentityCenterInstance=True)


def test_a_provider_is_associated_with_no_instance_of_identity_center_and_the_refusal_does_not_deny_that_there_is_one(
    account: Account, oidc: str
):
    update = account.client("iam").update_open_id_connect_provider

    answer = refusal(update, OpenIDConnectProviderArn=oidc, IdentityCenterInstanceArn=INSTANCE)

    assert "InvalidInput: Identity providers can't be associated with an IAM Identity Center instance here." == answer


def test_a_policy_says_who_may_set_up_propagation_and_for_which_issuer(account: Account, oidc: str):
    enabling = {"Bool": {"iam:EnableIdentityPropagation": "true"}}
    document = allow("iam:*")
    document["Statement"].append({"Effect": "Deny", "Action": "iam:*", "Resource": "*", "Condition": enabling})
    careful = account.user("ann", policy=document).client("iam")
    issuer = {"ForAnyValue:StringEquals": {"iam:ResourceIdentityProviderIssuers": "oidc.example"}}
    bound = account.user("bob", policy=allow("iam:UpdateOpenIDConnectProvider", **issuer)).client("iam")

    bound.update_open_id_connect_provider(OpenIDConnectProviderArn=oidc, ContextProvider=CONTEXT)

    asked = {"OpenIDConnectProviderArn": oidc, "ContextProvider": CONTEXT}
    assert "AccessDenied" in refusal(careful.update_open_id_connect_provider, **asked)
    made = {"Url": "https://b.example", "ThumbprintList": ["a" * 40], "ContextProvider": CONTEXT}
    assert "AccessDenied" in refusal(careful.create_open_id_connect_provider, **made)
    careful.update_open_id_connect_provider(OpenIDConnectProviderArn=oidc, RemoveContextProvider=True)
