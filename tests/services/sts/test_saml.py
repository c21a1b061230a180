"""AssumeRoleWithSAML: signed responses of a real provider, and everything that must not pass for one."""

from __future__ import annotations

import base64
import copy
import json
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from botocore.exceptions import ClientError
from lxml import etree
from sqlalchemy import func, select
from tests.fixtures import nodes
from tests.fixtures.crown import Account, Crown
from tests.services.sts import saml_provider
from tests.services.sts.saml_provider import ASSERTION, ATTRIBUTES, AUDIENCE, SamlProvider, decoded, encoded

from crownkeep.storage.database import Database
from crownkeep.storage.federation import redeemed_assertions

ALLOWED = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:List*", "Resource": "*"}]}
DENIED = ("AccessDenied", "Not authorized to perform sts:AssumeRoleWithSAML")
UNSIGNED = ("InvalidIdentityToken", "Response signature invalid")


@pytest.fixture(scope="module")
def provider() -> SamlProvider:
    return SamlProvider()


class Federated:
    """An account that trusts the provider, and a role for its people."""

    def __init__(self, crown: Crown, provider: SamlProvider) -> None:
        self.account: Account = crown.account()
        self.crown, self.provider = crown, provider
        iam = self.account.client("iam")
        created = iam.create_saml_provider(Name="Idp", SAMLMetadataDocument=provider.metadata())
        self.provider_arn = str(created["SAMLProviderArn"])
        self.role_arn = self.make_role("R", {"StringEquals": {"saml:aud": AUDIENCE}})

    def make_role(self, name: str, condition: Mapping[str, Any], actions: Any = "sts:AssumeRoleWithSAML") -> str:
        iam = self.account.client("iam")
        statement = {
            "Effect": "Allow",
            "Principal": {"Federated": self.provider_arn},
            "Action": actions,
            "Condition": condition,
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(ALLOWED))
        return str(role["Arn"])

    def attributes(self, role_arn: str | None = None, **further: list[str]) -> dict[str, list[str]]:
        wanted = {
            f"{ATTRIBUTES}Role": [f"{role_arn or self.role_arn},{self.provider_arn}"],
            f"{ATTRIBUTES}RoleSessionName": ["alice@example.com"],
        }
        return wanted | {f"{ATTRIBUTES}{name}": values for name, values in further.items()}

    def response(self, **options: Any) -> str:
        return self.provider.response(self.attributes(), **options)

    def assume(self, response: str, role_arn: str | None = None, **options: Any) -> Any:
        return self.crown.session(None, "sts").assume_role_with_saml(
            RoleArn=role_arn or self.role_arn, PrincipalArn=self.provider_arn, SAMLAssertion=response, **options
        )

    def refusal(self, response: str, role_arn: str | None = None, **options: Any) -> tuple[str, str]:
        with pytest.raises(ClientError) as refused:
            self.assume(response, role_arn, **options)
        error = refused.value.response["Error"]
        return error["Code"], error["Message"]


@pytest.fixture
def federated(crown: Crown, provider: SamlProvider) -> Federated:
    return Federated(crown, provider)


@pytest.mark.parametrize("signed", ["assertion", "response"])
def test_a_signed_response_takes_on_the_role(federated: Federated, signed: str):
    answer = federated.assume(federated.response(sign=signed))

    account = federated.account
    assert f"arn:aws:sts::{account.id}:assumed-role/R/alice@example.com" == answer["AssumedRoleUser"]["Arn"]
    assert ("person-1", "persistent") == (answer["Subject"], answer["SubjectType"])
    assert (federated.provider.entity_id, AUDIENCE) == (answer["Issuer"], answer["Audience"])
    federated.crown.session(answer["Credentials"], "iam").list_users()
    record = next(each for each in account.records() if each["eventName"] == "AssumeRoleWithSAML")
    qualifier = answer["NameQualifier"]
    assert {
        "type": "SAMLUser",
        "principalId": f"{qualifier}:person-1",
        "userName": "person-1",
        "identityProvider": qualifier,
    } == record["userIdentity"]
    assert "HIDDEN_DUE_TO_SECURITY_REASONS" == record["requestParameters"]["sAMLAssertion"]


def test_an_unsigned_or_strangely_signed_response_is_refused(federated: Federated):
    stranger = SamlProvider(federated.provider.entity_id)

    assert UNSIGNED == federated.refusal(federated.response(sign="nothing"))
    assert UNSIGNED == federated.refusal(stranger.response(federated.attributes()))


@pytest.mark.parametrize("signed", ["assertion", "response"])
def test_a_response_that_was_changed_after_signing_is_refused(federated: Federated, signed: str):
    response = base64.b64decode(federated.response(sign=signed)).replace(b"person-1", b"root")

    assert UNSIGNED == federated.refusal(base64.b64encode(response).decode())


def test_an_attacker_can_not_wrap_a_signed_assertion_in_another(federated: Federated):
    good = decoded(federated.response())
    evil = copy.deepcopy(good.find(f"{ASSERTION}Assertion"))
    evil.remove(evil.find("{http://www.w3.org/2000/09/xmldsig#}Signature"))
    evil.set("ID", "_evil")
    evil.find(f"{ASSERTION}Subject/{ASSERTION}NameID").text = "root"
    beside, instead, inside = copy.deepcopy(good), copy.deepcopy(good), copy.deepcopy(good)
    beside.insert(0, copy.deepcopy(evil))
    original = instead.find(f"{ASSERTION}Assertion")
    instead.replace(original, copy.deepcopy(evil))
    extensions = etree.SubElement(instead, "{urn:oasis:names:tc:SAML:2.0:protocol}Extensions")
    extensions.append(original)
    wrapped = copy.deepcopy(evil)
    wrapped.append(inside.find(f"{ASSERTION}Assertion"))
    inside.append(wrapped)

    refusals = [federated.refusal(encoded(each)) for each in (beside, instead, inside)]

    assert {"InvalidIdentityToken"} == {code for code, _ in refusals}


def test_a_comment_does_not_cut_a_name_short(federated: Federated):
    response = federated.response(subject="root<!-- -->@evil.example")

    assert "root@evil.example" == federated.assume(response)["Subject"]


@pytest.mark.parametrize(
    "document",
    [
        '<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]><a>&d;</a>',
        '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        '<!DOCTYPE a SYSTEM "https://evil.example/a.dtd"><a/>',
        "<a>" * 5000 + "</a>" * 5000,
        "<?xml-stylesheet href='x'?><a/>",
        "not xml",
    ],
)
def test_xml_made_to_do_harm_is_refused(federated: Federated, document: str):
    refusal = federated.refusal(base64.b64encode(document.encode()).decode())

    assert ("InvalidIdentityToken", "Invalid SAMLResponse") == refusal


def test_what_is_no_base64_is_refused(federated: Federated):
    assert ("InvalidIdentityToken", "Invalid base64 SAMLResponse") == federated.refusal("!!!!")


def test_times_audience_recipient_and_issuer_are_checked(federated: Federated):
    now = datetime.now(UTC)

    refusals = {
        "old": federated.refusal(federated.response(issued=now - timedelta(minutes=6), ends=now + timedelta(hours=1))),
        "over": federated.refusal(federated.response(issued=now - timedelta(minutes=2), ends=now - timedelta(minutes=1))),
        "early": federated.refusal(federated.response(issued=now + timedelta(hours=1))),
        "audience": federated.refusal(federated.response(audience="https://other.example")),
        "recipient": federated.refusal(federated.response(recipient="https://other.example")),
        "issuer": federated.refusal(federated.response(issuer="https://other.example")),
    }

    assert ("ExpiredTokenException", "Token must be redeemed within 5 minutes of issuance") == refusals["old"]
    assert "ExpiredTokenException" == refusals["over"][0]
    assert {"InvalidIdentityToken"} == {refusals[each][0] for each in ("early", "audience", "recipient", "issuer")}
    assert "Issuer not present in specified provider" == refusals["issuer"][1]


def test_only_a_role_that_the_provider_names_and_that_trusts_it_is_taken_on(federated: Federated):
    other = federated.make_role("other", {"StringEquals": {"saml:sub": "person-2"}})

    assert DENIED == federated.refusal(federated.response(), other)
    assert DENIED == federated.refusal(federated.provider.response(federated.attributes(other)), other)
    assert DENIED == federated.refusal(federated.provider.response(federated.attributes(other + "-absent")), other + "-absent")
    good = federated.provider.response(federated.attributes(other), subject="person-2")
    assert "Credentials" in federated.assume(good, other)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "RoleSessionName is required in AuthnResponse"),
        (["a b"], "RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}"),
    ],
)
def test_a_session_needs_a_name(federated: Federated, names: list[str], message: str):
    response = federated.provider.response(federated.attributes(RoleSessionName=names))

    assert ("InvalidIdentityToken", message) == federated.refusal(response)


def test_tags_and_source_identity_come_from_attributes(federated: Federated):
    actions = ["sts:AssumeRoleWithSAML", "sts:TagSession", "sts:SetSourceIdentity"]
    role_arn = federated.make_role("tagged", {"StringEquals": {"aws:RequestTag/team": "red"}}, actions)
    attributes = federated.attributes(role_arn, SourceIdentity=["alice"], TransitiveTagKeys=["team"])
    attributes[f"{ATTRIBUTES}PrincipalTag:team"] = ["red"]

    answer = federated.assume(federated.provider.response(attributes), role_arn)

    assert "alice" == answer["SourceIdentity"]
    assert answer["PackedPolicySize"] == answer["SessionTokenUtilization"]


@pytest.mark.parametrize(
    "passed",
    [
        {"SourceIdentity": ["alice (admin)"]},
        {"SourceIdentity": ["x" * 257]},
        {"PrincipalTag:team": ["v" * 257]},
        {"PrincipalTag:team;": ["red"]},
        {"PrincipalTag:": ["red"]},
        {"PrincipalTag:team": ["red"], "TransitiveTagKeys": ["team", "te;am"]},
    ],
    ids=str,
)
def test_an_assertion_can_not_pass_what_no_caller_may(federated: Federated, passed: dict[str, list[str]]):
    actions = ["sts:AssumeRoleWithSAML", "sts:TagSession", "sts:SetSourceIdentity"]
    role_arn = federated.make_role("Tagged", {}, actions)
    response = federated.provider.response(federated.attributes(role_arn, **passed))

    assert "InvalidIdentityToken" == federated.refusal(response, role_arn)[0]


def test_a_trust_policy_may_ask_about_an_assertions_attributes(federated: Federated):
    affiliation, mail = "urn:oid:1.3.6.1.4.1.5923.1.1.1.1", "urn:oid:0.9.2342.19200300.100.1.3"
    condition = {
        "ForAnyValue:StringEquals": {"saml:edupersonaffiliation": "staff"},
        "StringLike": {"saml:mail": "*@example.com"},
    }
    role_arn = federated.make_role("Staff", condition)

    def response(*affiliations: str, mail_at: str = "example.com") -> str:
        said = {affiliation: list(affiliations), mail: [f"ann@{mail_at}"]}
        return federated.provider.response(federated.attributes(role_arn) | said)

    assert "Credentials" in federated.assume(response("student", "staff"), role_arn)
    assert DENIED == federated.refusal(response("student"), role_arn)
    assert DENIED == federated.refusal(response("staff", mail_at="example.org"), role_arn)


def test_a_session_does_not_outlast_the_providers_own(federated: Federated):
    ends = datetime.now(UTC) + timedelta(minutes=20)

    answer = federated.assume(federated.response(session_ends=ends))

    assert abs((answer["Credentials"]["Expiration"] - ends).total_seconds()) < 5


def test_an_unknown_provider_does_not_exist(federated: Federated):
    federated.provider_arn += "-absent"

    assert ("InvalidIdentityToken", "Specified provider doesn't exist") == federated.refusal(federated.response())


def test_a_provider_with_new_keys_does_not_vouch_with_the_old_ones(federated: Federated):
    iam = federated.account.client("iam")
    iam.update_saml_provider(
        SAMLProviderArn=federated.provider_arn, SAMLMetadataDocument=SamlProvider(federated.provider.entity_id).metadata()
    )

    assert UNSIGNED == federated.refusal(federated.response())


# Each assertion once.

USED = ("InvalidIdentityToken", "The assertion has been used before")


@pytest.mark.parametrize("signed", ["assertion", "response"])
def test_a_replayed_assertion_is_refused_and_the_account_sees_that_it_was_tried(federated: Federated, signed: str):
    response = federated.response(sign=signed)
    federated.assume(response)

    again = federated.refusal(response)

    assert USED == again
    record = next(each for each in federated.account.records() if each["eventName"] == "AssumeRoleWithSAML")
    assert ("InvalidIdentityTokenException", USED[1]) == (record["errorCode"], record["errorMessage"])
    assert "person-1" == record["userIdentity"]["userName"]


def test_an_assertion_for_two_roles_is_good_for_one_of_them(federated: Federated):
    other = federated.make_role("other", {"StringEquals": {"saml:aud": AUDIENCE}})
    attributes = federated.attributes()
    attributes[f"{ATTRIBUTES}Role"].append(f"{other},{federated.provider_arn}")
    response = federated.provider.response(attributes)

    federated.assume(response)

    assert USED == federated.refusal(response, other)


def test_an_assertion_that_many_present_at_once_is_good_for_one(federated: Federated):
    response = federated.response()

    def attempt(_: int) -> tuple[str, str]:
        try:
            return str(federated.assume(response)["Subject"]), ""
        except ClientError as refused:
            error = refused.response["Error"]
            return error["Code"], error["Message"]

    with ThreadPoolExecutor(8) as many:
        came = Counter(many.map(attempt, range(8)))

    assert {("person-1", ""): 1, USED: 7} == came


def test_a_replayed_assertion_is_refused_on_every_node_also_when_all_get_it_at_once(
    pair: tuple[Crown, Crown], provider: SamlProvider
):
    federated = Federated(pair[0], provider)
    once, twice = federated.response(), federated.response()
    clients = [node.session(None, "sts") for node in pair * 3]

    def calls(response: str) -> list[Callable[[], Any]]:
        asked = {"RoleArn": federated.role_arn, "PrincipalArn": federated.provider_arn, "SAMLAssertion": response}
        return [partial(client.assume_role_with_saml, **asked) for client in clients]

    calls(once)[0]()
    late = nodes.at_once(*calls(once)[1:2])
    together = nodes.at_once(*calls(twice))

    assert ["InvalidIdentityToken"] == late
    assert ["", *["InvalidIdentityToken"] * 5] == together


def test_a_refused_attempt_does_not_use_an_assertion_up(federated: Federated):
    distrustful = federated.make_role("distrustful", {"StringEquals": {"saml:aud": "somebody-else"}})
    attributes = federated.attributes()
    attributes[f"{ATTRIBUTES}Role"].append(f"{distrustful},{federated.provider_arn}")
    response = federated.provider.response(attributes)
    refused = federated.refusal(response, distrustful)

    answer = federated.assume(response)

    assert DENIED == refused
    assert "person-1" == answer["Subject"]


def test_assertions_of_different_providers_and_accounts_may_have_the_same_id(federated: Federated):
    neighbour = Federated(federated.crown, SamlProvider("https://other.example/metadata"))
    federated.assume(federated.response(id="_same"))

    answer = neighbour.assume(neighbour.response(id="_same"))

    assert "person-1" == answer["Subject"]


def test_used_assertions_are_forgotten_once_they_are_too_old_to_be_used(
    fresh_crown: Callable[..., Crown], provider: SamlProvider
):
    federated = Federated(fresh_crown(), provider)
    database = Database(federated.crown.settings.database_url)
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        first = federated.response()
        federated.assume(first)
        clock.shift(timedelta(minutes=5, seconds=1))

        federated.assume(federated.response())

        with database.snapshot() as db:
            kept = db.execute(select(func.count()).select_from(redeemed_assertions.table)).scalar_one()
        too_old = federated.refusal(first)
    database.close()
    assert 1 == kept
    assert "ExpiredTokenException" == too_old[0]


# What no decoder may trip over.


def reworded(response: str, old: str, new: str) -> str:
    return base64.b64encode(base64.b64decode(response).replace(old.encode(), new.encode())).decode()


@pytest.mark.parametrize(
    "document",
    [
        '<?xml version="1.0" encoding="UTF-7"?><a/>',
        '<?xml version="1.0" encoding="cp037"?><a/>',
        '<?xml version="1.0" encoding="gb18030"?><a/>',
        '<?xml version="1.0" encoding="nobody-knows"?><a/>',
        '<?xml version="1.0" encoding="UTF-16"?><a/>',
        "<undeclared:a/>",
        '<a xmlns:b=""/>',
    ],
)
def test_an_odd_document_is_refused_as_what_it_is(federated: Federated, document: str):
    refused = federated.refusal(base64.b64encode(document.encode()).decode())

    assert ("InvalidIdentityToken", "Invalid SAMLResponse") == refused


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<ds:SignedInfo>", "<ds:SignedInfo><ds:Unknown/>"),
        ("<ds:SignatureValue>", "<ds:SignatureValue>AAAA"),
        ("rsa-sha256", "unknown"),
        ("xml-exc-c14n#", "unknown"),
        ("<ds:DigestValue>", "<ds:DigestValue><ds:X/>"),
    ],
)
def test_a_signature_that_is_no_valid_one_is_refused(federated: Federated, old: str, new: str):
    assert UNSIGNED == federated.refusal(reworded(federated.response(), old, new))


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "yesterday", ""])
def test_a_moment_that_is_none_is_refused(federated: Federated, moment: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(saml_provider, "_moment", lambda _: moment)

    assert ("InvalidIdentityToken", "The assertion holds a malformed time") == federated.refusal(federated.response())


def test_the_session_carries_on_what_the_context_provider_names(federated: Federated):
    context = {"SubjectSourceKey": "NameID", "KeyDefinitionList": [{"SourceKey": "dept", "TargetKey": "Team"}]}
    federated.account.client("iam").update_saml_provider(SAMLProviderArn=federated.provider_arn, ContextProvider=context)
    response = federated.provider.response(federated.attributes() | {"dept": ["red"]}, subject="ann")

    answer = federated.assume(response)

    assert {
        "OriginIdentity": {"Subject": "ann", "FederatedProviderArn": federated.provider_arn},
        "TransactionContext": {"IdentityProvider": {"Team": "red"}},
    } == answer["TrustedIdentityPropagationContext"]
