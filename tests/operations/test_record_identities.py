"""Who asked, of each kind there is, on a server that runs: the records have the elements that AWS's have.

The records of taking on a role, which AWS's guides print, are held against those as wholes (`test_record_corpus`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.audit.test_identities import SHAPES, shape
from tests.fixtures.crown import Account, Crown, Crowns, User
from tests.fixtures.portal import Portal
from tests.operations.test_record_corpus import CORPUS, unlike
from tests.services.iam.asking import allow
from tests.services.sts import saml_provider, test_saml, test_web_identity
from tests.services.sts.identity_provider import identity_provider

TAGS = [{"Key": "team", "Value": "red"}, {"Key": "cost", "Value": "1"}]
TRUST_TAGS = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
TAGGED = {"principalTags": {"team": "red"}, "transitiveTagKeys": ["team"]}


@pytest.fixture(scope="module")
def house(crowns: Crowns) -> Iterator[Crown]:
    """A server whose operator lets it reach this machine, where the test's identity providers are."""
    crown = crowns.fresh("sqlite", identity_provider_networks=("127.0.0.0/8",))
    yield crown
    crown.close()


def role(account: Account, name: str, trusted: str, actions: list[str]) -> str:
    """Make a role that may do everything, for whoever is trusted, and return its ARN."""
    statement = {"Effect": "Allow", "Principal": {"AWS": trusted}, "Action": actions}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    made = account.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]
    account.client("iam").put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(allow("*")))
    return str(made["Arn"])


class Walk:
    """Calls of every kind of caller, each known by what `identities.json` calls it, and their records."""

    def __init__(self, crown: Crown) -> None:
        self.crown = crown
        self.account = crown.account()
        self.kinds: dict[str, str] = {}

    def ask(self, kind: str, sts: Any) -> None:
        """Call as one kind of caller, and remember the request."""
        answer = sts.get_caller_identity()
        self.kinds[answer["ResponseMetadata"]["RequestId"]] = kind

    def as_session(self, kind: str, credentials: Mapping[str, Any]) -> None:
        """Call with temporary credentials."""
        self.ask(kind, self.crown.session(credentials, "sts"))

    def identities(self, *accounts: str) -> dict[str, dict[str, Any]]:
        """Return the `userIdentity` of each kind of caller."""
        records = [each for account_id in accounts for each in self.crown.records(account_id)]
        return {self.kinds[each["requestID"]]: each["userIdentity"] for each in records if each["requestID"] in self.kinds}


def test_each_kind_of_caller_has_the_identity_that_aws_writes(house: Crown):
    walk = Walk(house)
    account = walk.account
    walk.ask("root with an access key", account.root("sts"))
    bob: User = account.user("bob", policy=allow("*"))
    sts = bob.client("sts")
    walk.ask("a user with an access key", sts)
    walk.as_session("a user in a session", sts.get_session_token()["Credentials"])
    walk.as_session("a federated user", sts.get_federation_token(Name="fred", Policy=json.dumps(allow("*")))["Credentials"])
    walk.as_session(
        "a federated user of root",
        account.root("sts").get_federation_token(Name="fred", Policy=json.dumps(allow("*")))["Credentials"],
    )
    plain = role(account, "plain", account.id, TRUST_TAGS)
    walk.as_session("a role", sts.assume_role(RoleArn=plain, RoleSessionName="walk")["Credentials"])
    known = sts.assume_role(RoleArn=plain, RoleSessionName="walk", SourceIdentity="bob")["Credentials"]
    walk.as_session("a role with a source identity", known)
    portal = Portal(house)
    portal.sso.organization.trust_iam("RootCredentialsManagement", "RootSessions")
    task = {"arn": "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"}
    member = portal.sso.organization.created()
    taken = portal.sso.management.client("sts").assume_root(TargetPrincipal=member, TaskPolicyArn=task)
    walk.as_session("root of a member, taken on", taken["Credentials"])
    token = portal.tokens(portal.browser(), portal.program())["accessToken"]
    walk.as_session("a role of a permission set", portal.role(token))

    found = walk.identities(account.id, member, portal.member.id)
    of_people = {each["eventName"]: each["userIdentity"] for each in portal.sso.management.records()}
    found["a person of single sign-on"] = of_people["GetRoleCredentials"]
    found["a person who is signing in"] = of_people["UserAuthentication"]
    found["a service that does something by itself"] = of_people["CreateAccountResult"]

    assert {name: SHAPES[name] for name in found} == {name: shape(each) for name, each in found.items()}
    assert len(found) == len(set(walk.kinds.values())) + 3


def test_who_is_of_no_account_has_the_identity_that_aws_writes(house: Crown):
    house.operator("GET", "/accounts")
    with pytest.raises(ClientError):
        house.session(None, "sts").assume_role_with_saml(
            RoleArn="arn:aws:iam::111122223333:role/none",
            PrincipalArn="arn:aws:iam::111122223333:saml-provider/none",
            SAMLAssertion="bm90IGFuIGFzc2VydGlvbg==",
        )

    found = [each["userIdentity"] for each in house.records("")]

    kinds = {"nobody": "AWSAccount", "the operator": "AWSService"}
    for name, kind in kinds.items():
        assert SHAPES[name] in [shape(each) for each in found if each["type"] == kind]


def test_no_session_is_in_the_scope_of_a_service_s_resource(house: Crown):
    """`inScopeOf` names the function or instance that AWS has issued a role's credentials to; here nothing runs that could."""
    account = house.account()
    made = role(account, "plain", account.id, TRUST_TAGS)
    taken = account.client("sts").assume_role(RoleArn=made, RoleSessionName="walk")["Credentials"]
    house.session(taken, "iam").list_users()

    records = [each for account_id in (account.id, "") for each in house.records(account_id)]

    assert [] == [each for each in records if "inScopeOf" in json.dumps(each["userIdentity"])]


def test_a_role_of_another_account_is_taken_on_in_two_trails_as_aws_writes_them(house: Crown):
    owner, other = house.account(), house.account()
    there = role(owner, "there", other.id, TRUST_TAGS)
    caller = other.user("jane", policy=allow("sts:*"))

    caller.client("sts").assume_role(RoleArn=there, RoleSessionName="walk")

    copies = {each.id: next(r for r in each.records() if r["eventName"] == "AssumeRole") for each in (other, owner)}
    assert set() == unlike(without_serial("sts AssumeRole (of another account)"), copies[other.id]) - NEWER
    assert set() == unlike(without_serial("sts AssumeRole (as the other account has it)"), copies[owner.id]) - NEWER
    assert SHAPES["somebody of another account, as the owner of a role is told"] == shape(copies[owner.id]["userIdentity"])


NEWER = {f"+.responseElements.{name}" for name in ("packedPolicySize", "sessionTokenSize", "sessionTokenUtilization")}
"""What STS answers beside what the guides print; the first is in real records, and the others are newer than those."""


def without_serial(name: str) -> dict[str, Any]:
    """Return a shape of the guides but for the device that the caller there presents."""
    aws = CORPUS["guides"][name]
    return {**aws, "requestParameters": {key: value for key, value in aws["requestParameters"].items() if key != "serialNumber"}}


def test_a_chain_of_roles_shows_the_tags_that_come_along(house: Crown):
    account = house.account()
    first, second = (role(account, name, account.id, TRUST_TAGS) for name in ("first", "second"))
    sts = account.client("sts")
    taken = sts.assume_role(RoleArn=first, RoleSessionName="walk", Tags=TAGS[:1], TransitiveTagKeys=["team"])["Credentials"]

    house.session(taken, "sts").assume_role(
        RoleArn=second, RoleSessionName="walk", Tags=TAGS[1:], TransitiveTagKeys=["cost"], DurationSeconds=900
    )

    record = next(each for each in account.records() if each["eventName"] == "AssumeRole")
    assert set() == unlike(CORPUS["guides"]["sts AssumeRole (by a role, with tags)"], record) - NEWER
    assert {"team": "red"} == record["requestParameters"]["incomingTransitiveTags"]


def test_what_a_saml_provider_says_of_somebody_is_in_the_record(house: Crown):
    federated = test_saml.Federated(house, saml_provider.SamlProvider())
    tagged = federated.make_role("T", {}, ["sts:AssumeRoleWithSAML", "sts:TagSession"])
    said = {"PrincipalTag:team": ["red"], "TransitiveTagKeys": ["team"]}

    answer = federated.assume(federated.provider.response(federated.attributes(tagged, **said)), tagged, DurationSeconds=900)

    house.session(answer["Credentials"], "iam").list_users()
    records = {each["eventName"]: each for each in federated.account.records()}
    record = records["AssumeRoleWithSAML"]
    given = "+.requestParameters.sAMLAssertion"  # Its id is what AWS shows; that it is hidden is said here, too.
    assert {given} == unlike(CORPUS["guides"]["sts AssumeRoleWithSAML"], record) - NEWER
    assert TAGGED.items() <= record["requestParameters"].items()
    assert SHAPES["somebody a SAML provider vouches for"] == shape(record["userIdentity"])
    assert SHAPES["a role by SAML"] == shape(records["ListUsers"]["userIdentity"])


def test_what_an_oidc_provider_says_of_somebody_is_in_the_record(house: Crown, tmp_path: Path):
    with ExitStack() as stack:
        provider = stack.enter_context(identity_provider(tmp_path))
        federated = test_web_identity.Federated(house, provider)
        tagged = federated.make_role("T", {}, ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"])
        claim = {"https://aws.amazon.com/tags": {"principal_tags": {"team": ["red"]}, "transitive_tag_keys": ["team"]}}
        answer = federated.assume(provider.token(**claim), tagged, DurationSeconds=900)

    house.session(answer["Credentials"], "iam").list_users()
    records = {each["eventName"]: each for each in federated.account.records()}
    record = records["AssumeRoleWithWebIdentity"]
    given = "+.requestParameters.webIdentityToken"
    assert {given} == unlike(CORPUS["guides"]["sts AssumeRoleWithWebIdentity"], record) - NEWER
    assert TAGGED.items() <= record["requestParameters"].items()
    assert SHAPES["somebody an OIDC provider vouches for"] == shape(record["userIdentity"])
    assert SHAPES["a role by a web identity"] == shape(records["ListUsers"]["userIdentity"])
