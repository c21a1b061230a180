"""Who asked, of every kind: the elements are those of the records that AWS has published (CloudTrail user guide, and samples)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crownkeep.audit import event
from crownkeep.principals import Anonymous, Caller, OnBehalfOf, Operator, Principal, PrincipalKind, Session

SHAPES = json.loads(Path(__file__).with_name("identities.json").read_text(encoding="utf-8"))
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ACCOUNT = "111122223333"
PLAIN = Session(issued_at=NOON, expires_at=NOON + timedelta(hours=1))
NAMED = replace(PLAIN, name="deploy")
ROOT = Principal(PrincipalKind.ROOT, ACCOUNT, ACCOUNT, access_key_id="AKIAROOT")
BOB = Principal(PrincipalKind.USER, ACCOUNT, "AIDABOB", "bob", "/division/", "AKIABOB")
ROLE = Principal(PrincipalKind.ROLE, ACCOUNT, "AROAX", "deployer", "/", "ASIAX", NAMED)
FEDERATED = Principal(PrincipalKind.FEDERATED_USER, ACCOUNT, "AIDABOB", "bob", "/", "ASIAX", NAMED)
PERSON = Principal(PrincipalKind.PERSON, ACCOUNT, "0" * 32, "eve", "/d-0123456789/", "token")
EVE = OnBehalfOf("u-1", "d-0123456789", ACCOUNT, "ssoins-1", "ps-1", ACCOUNT, "session:1")


def role_by(provider: str) -> Principal:
    return replace(ROLE, session=replace(NAMED, federated_provider=provider))


CALLERS: dict[str, Caller | None] = {
    "root with an access key": ROOT,
    "root of an account with an alias, in the console": replace(ROOT, session=PLAIN),
    "root of a member, taken on": replace(ROOT, session=replace(PLAIN, assumed_root=True)),
    "a user with an access key": BOB,
    "a user in a session": replace(BOB, session=PLAIN),
    "a role": ROLE,
    "a role with a source identity": replace(ROLE, session=replace(NAMED, source_identity="bob")),
    "a role by a web identity": role_by(f"arn:aws:iam::{ACCOUNT}:oidc-provider/idp.example"),
    "a role by SAML": role_by(f"arn:aws:iam::{ACCOUNT}:saml-provider/idp"),
    "a role of a permission set": replace(ROLE, session=replace(NAMED, on_behalf_of=EVE)),
    "a federated user": FEDERATED,
    "a federated user of root": replace(FEDERATED, unique_id=ACCOUNT, name=""),
    "a person of single sign-on": PERSON,
    "nobody": Anonymous(),
    "the operator": Operator(),
    "somebody who can't be made out": None,
}


def shape(value: object, name: str = "") -> object:
    """Return an element without its values, but for its types."""
    if isinstance(value, dict):
        return {key: shape(each, key) for key, each in value.items()}
    return value if name == "type" else ""


@pytest.mark.parametrize("kind", CALLERS)
def test_an_identity_has_the_elements_that_awss_has(kind: str):
    identity = event.identity(CALLERS[kind], "acme" if "alias" in kind else "")

    assert SHAPES[kind] == shape(identity)


def test_an_oidc_provider_is_named_and_a_saml_provider_is_not():
    web = event.identity(CALLERS["a role by a web identity"])["sessionContext"]

    assert {"federatedProvider": f"arn:aws:iam::{ACCOUNT}:oidc-provider/idp.example", "attributes": {}} == web[
        "webIdFederationData"
    ]  # type: ignore[index]
