"""AssumeRoleWithWebIdentity: tokens of a real provider over real TLS, and everything that must not pass for one."""

from __future__ import annotations

import itertools
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from time import monotonic, sleep
from typing import Any

import pytest
from botocore.exceptions import ClientError
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from tests.fixtures.crown import Account, Crown, Crowns
from tests.fixtures.organization import RCP, Organization, deny_to_all
from tests.services.sts.identity_provider import IdentityProvider, identity_provider

from crownkeep import clock
from crownkeep.domain.federation import outside, provider_keys
from crownkeep.domain.federation.outside import OutOfReach, Reach
from crownkeep.services.sts import provider_claims

ALLOWED = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:List*", "Resource": "*"}]}
NO_KEY = (
    "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity "
    "documentation for requirements"
)


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdentityProvider]:
    with identity_provider(tmp_path_factory.mktemp("provider")) as served:
        yield served


@pytest.fixture
def house(crowns: Crowns, database_kind: str) -> Crown:
    """A house whose operator lets it reach this machine, shared by these tests: each makes accounts of its own."""
    return crowns.shared(database_kind, identity_provider_networks=("127.0.0.0/8",))


@pytest.fixture(autouse=True)
def nothing_known(provider: IdentityProvider) -> None:
    provider_keys.forget_all()
    provider.asked.clear()
    provider.answers.clear()
    provider.key = ECKey.generate_key("P-256", parameters={"kid": "k1", "use": "sig"})


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let seconds pass for what is kept for a while."""
    monkeypatch.setattr(clock, "monotonic", lambda: monotonic() + seconds)


class Federated:
    """An account that trusts the provider, and a role for its people."""

    def __init__(self, crown: Crown, provider: IdentityProvider, **condition: Any) -> None:
        self.account: Account = crown.account()
        self.crown, self.provider = crown, provider
        iam = self.account.client("iam")
        created = iam.create_open_id_connect_provider(
            Url=provider.url, ClientIDList=["client-1"], ThumbprintList=[provider.thumbprint]
        )
        self.provider_arn = created["OpenIDConnectProviderArn"]
        self.role_arn = self.make_role("R", condition or {"StringEquals": {f"{provider.name}:aud": "client-1"}})

    def make_role(self, name: str, condition: Mapping[str, Any], actions: Any = "sts:AssumeRoleWithWebIdentity") -> str:
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

    def assume(self, token: str, role_arn: str | None = None, **options: Any) -> Any:
        sts = self.crown.session(None, "sts")
        return sts.assume_role_with_web_identity(
            RoleArn=role_arn or self.role_arn, RoleSessionName="s1", WebIdentityToken=token, **options
        )

    def refusal(self, token: str, role_arn: str | None = None, **options: Any) -> tuple[str, str]:
        with pytest.raises(ClientError) as refused:
            self.assume(token, role_arn, **options)
        error = refused.value.response["Error"]
        return error["Code"], error["Message"]


def test_a_trust_policy_may_ask_about_the_claims_of_a_known_provider(
    house: Crown, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
):
    known = ((re.compile(re.escape(provider.name)), "repository"),)
    monkeypatch.setattr(provider_claims, "_known_claims", lambda: known)
    federated = Federated(house, provider, StringLike={f"{provider.name}:repository": "octo/*"})

    assert "Credentials" in federated.assume(provider.token(repository="octo/one"))
    for claims in ({"repository": "other/one"}, {}):
        assert ("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity") == federated.refusal(
            provider.token(**claims)
        )


def test_a_token_that_its_provider_made_for_some_roles_takes_on_no_other(house: Crown, provider: IdentityProvider):
    federated = Federated(house, provider)
    pinned = federated.make_role("Pinned", {"Bool": {"sts:RoleAuthorizedByIdp": "true"}})
    claim = "https://aws.amazon.com/roles"

    for roles in (pinned, [pinned, "arn:aws:iam::123456789012:role/other"]):
        assert "Credentials" in federated.assume(provider.token(**{claim: roles}), pinned)
        assert "InvalidIdentityToken" == federated.refusal(provider.token(**{claim: roles}))[0]
    for odd in ([], "", 7, {"role": pinned}, pinned.upper(), f"{pinned}*", pinned.replace("role/", "role//")):
        assert "InvalidIdentityToken" == federated.refusal(provider.token(**{claim: odd}), pinned)[0]
    assert "AccessDenied" == federated.refusal(provider.token(), pinned)[0]
    assert "Credentials" in federated.assume(provider.token())


def test_a_good_token_takes_on_the_role(house: Crown, provider: IdentityProvider):
    federated = Federated(house, provider)

    answer = federated.assume(provider.token())

    account = federated.account
    assert "person-1" == answer["SubjectFromWebIdentityToken"]
    assert ("client-1", federated.provider_arn) == (answer["Audience"], answer["Provider"])
    assert f"arn:aws:sts::{account.id}:assumed-role/R/s1" == answer["AssumedRoleUser"]["Arn"]
    house.session(answer["Credentials"], "iam").list_users()
    record = next(each for each in account.records() if each["eventName"] == "AssumeRoleWithWebIdentity")
    assert {
        "type": "WebIdentityUser",
        "principalId": f"{federated.provider_arn}:client-1:person-1",
        "userName": "person-1",
        "identityProvider": federated.provider_arn,
    } == record["userIdentity"]
    assert answer["Credentials"]["SessionToken"] not in json.dumps(record)


def test_the_keys_are_asked_for_once_and_again_for_a_key_that_is_new(
    house: Crown, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
):
    federated = Federated(house, provider)
    federated.assume(provider.token())
    federated.assume(provider.token())
    once = list(provider.asked)
    provider.key = ECKey.generate_key("P-256", parameters={"kid": "k2", "use": "sig"})
    too_soon = federated.refusal(provider.token())
    later(monkeypatch, provider_keys.ASK_AGAIN_SECONDS)

    answer = federated.assume(provider.token())

    assert ["/.well-known/openid-configuration", "/keys"] == once
    assert ("InvalidIdentityToken", NO_KEY) == too_soon
    assert "Credentials" in answer


def test_strangers_who_name_unknown_keys_do_not_undo_those_that_are_known(
    house: Crown, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
):
    federated = Federated(house, provider)
    good, unknown = provider.token(), provider.token(key=ECKey.generate_key("P-256", parameters={"kid": "unknown"}))
    federated.assume(good)
    provider.answers["/keys"] = lambda: (500, b"", {})
    later(monkeypatch, provider_keys.ASK_AGAIN_SECONDS)

    refused = federated.refusal(unknown)

    assert ("InvalidIdentityToken", NO_KEY) == refused
    assert "Credentials" in federated.assume(good)
    assert 2 == provider.asked.count("/keys")


def test_the_silent_provider_of_one_tenant_does_not_keep_anothers_people_out(
    house: Crown, provider: IdentityProvider, tmp_path: Path
):
    federated = Federated(house, provider)
    over = Event()
    with identity_provider(tmp_path) as silent, ThreadPoolExecutor(12) as strangers:
        silent.answers["/.well-known/openid-configuration"] = lambda: (200 if over.wait() else 500, b"", {})
        hostile = Federated(house, silent)
        waiting = [strangers.submit(hostile.refusal, silent.token()) for _ in range(12)]
        while not silent.asked:
            sleep(0.001)

        answer = federated.assume(provider.token())

        held = [each.done() for each in waiting]
        over.set()
    assert "Credentials" in answer
    assert [False] * 12 == held
    assert 1 == len(silent.asked)


def test_a_provider_that_is_slow_at_every_step_is_left_when_its_time_is_over(
    provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
):
    steps = itertools.count(0.0, outside.SECONDS / 4)
    monkeypatch.setattr(clock, "monotonic", lambda: next(steps))

    with pytest.raises(OutOfReach):
        outside.fetch(f"{provider.url}/keys", Reach(("127.0.0.0/8",), ""), thumbprints=[provider.thumbprint])


def test_the_trust_policy_asks_who_somebody_is(house: Crown, provider: IdentityProvider):
    federated = Federated(house, provider, StringEquals={f"{provider.name}:sub": "person-1"})

    assert "Credentials" in federated.assume(provider.token())

    denied = ("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
    assert denied == federated.refusal(provider.token(sub="person-2"))
    assert denied == federated.refusal(provider.token(), federated.role_arn + "-absent")


def test_tokens_that_prove_nothing_are_refused(house: Crown, provider: IdentityProvider):
    federated = Federated(house, provider)
    stranger = ECKey.generate_key("P-256", parameters={"kid": "k1"})
    good = provider.token()
    head, payload, signature = good.split(".")

    refusals = {
        "forged": federated.refusal(provider.token(key=stranger)),
        "cut": federated.refusal(f"{head}.{payload}."),
        "other payload": federated.refusal(f"{head}.{provider.token(sub='root').split('.')[1]}.{signature}"),
        "no token": federated.refusal("nonsense"),
        "another issuer": federated.refusal(provider.token(iss="https://evil.example")),
        "another audience": federated.refusal(provider.token(aud="client-2")),
        "no subject": federated.refusal(provider.token(sub=None)),
        "no expiry": federated.refusal(provider.token(exp=None)),
        "not yet": federated.refusal(provider.token(nbf=4_000_000_000)),
    }

    assert {"InvalidIdentityToken"} == {code for code, _ in refusals.values()}
    assert "Incorrect token audience" == refusals["another audience"][1]
    assert "No OpenIDConnect provider found in your account for https://evil.example" == refusals["another issuer"][1]
    code, message = federated.refusal(provider.token(exp=1_000_000_000))
    assert "ExpiredTokenException" == code
    assert message.startswith("Token expired: current date/time ")


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_an_attacker_can_not_choose_an_algorithm_that_needs_no_secret(house: Crown, provider: IdentityProvider, algorithm: str):
    federated = Federated(house, provider)
    secret = OctKey.import_key(json.dumps(provider.key.as_dict(private=False)))
    payload = provider.token().split(".")[1]
    if algorithm == "none":
        header = urlsafe_b64encode(b'{"alg":"none","kid":"k1"}').rstrip(b"=").decode()
        token = f"{header}.{payload}."
    else:
        claims = {"iss": provider.url, "sub": "x", "aud": "client-1", "iat": 1, "exp": 4_000_000_000}
        token = jwt.encode({"alg": "HS256", "kid": "k1"}, claims, secret, algorithms=["HS256"])

    assert "InvalidIdentityToken" == federated.refusal(token)[0]


def test_session_tags_and_source_identity_come_from_the_token(house: Crown, provider: IdentityProvider):
    federated = Federated(house, provider)
    actions = ["sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"]
    role_arn = federated.make_role("tagged", {"StringEquals": {"aws:RequestTag/team": "red"}}, actions)
    claims = {
        "https://aws.amazon.com/tags": {"principal_tags": {"team": ["red"]}, "transitive_tag_keys": ["team"]},
        "https://aws.amazon.com/source_identity": "alice",
    }

    answer = federated.assume(provider.token(**claims), role_arn)

    assert "alice" == answer["SourceIdentity"]
    assert "PackedPolicySize" in answer
    assert "AccessDenied" == federated.refusal(provider.token(**claims))[0]


@pytest.mark.parametrize(
    "claims",
    [
        {"https://aws.amazon.com/source_identity": odd}
        for odd in ("a", "x" * 257, "alice (admin)", "alice\x00", "älice", "a:b", "alice\n")
    ]
    + [
        {"https://aws.amazon.com/tags": {"principal_tags": tags, "transitive_tag_keys": keys}}
        for tags, keys in (
            ({"": ["red"]}, []),
            ({"k" * 129: ["red"]}, []),
            ({"team": ["v" * 257]}, []),
            ({"team": ["red\x00"]}, []),
            ({"team<": ["red"]}, []),
            ({"team": ["red;"]}, []),
            ({"team": ["red"]}, ["team", ""]),
            ({f"k{number}": ["v"] for number in range(51)}, []),
        )
    ],
    ids=ascii,
)
def test_a_provider_can_not_pass_what_no_caller_may(house: Crown, provider: IdentityProvider, claims: dict[str, Any]):
    federated = Federated(house, provider)
    actions = ["sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"]
    role_arn = federated.make_role("Tagged", {}, actions)

    assert "InvalidIdentityToken" == federated.refusal(provider.token(**claims), role_arn)[0]


@pytest.mark.parametrize("issuer", ["https://a\x00.example", "https://ä.example", "https://a\n.example", ""], ids=ascii)
def test_an_issuer_that_no_address_can_be_is_no_fault_of_the_database(account: Account, issuer: str):
    def part(value: object) -> str:
        return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    token = f"{part({'alg': 'RS256', 'kid': 'k'})}.{part({'iss': issuer, 'sub': 'x', 'aud': 'y'})}.AAAA"
    sts = account.crown.session(None, "sts")

    with pytest.raises(ClientError) as refused:
        sts.assume_role_with_web_identity(
            RoleArn=f"arn:aws:iam::{account.id}:role/R", RoleSessionName="s1", WebIdentityToken=token
        )

    assert "InvalidIdentityToken" == refused.value.response["Error"]["Code"]


def test_a_subject_that_nobody_can_read_is_refused(house: Crown, provider: IdentityProvider):
    federated = Federated(house, provider)

    assert "InvalidIdentityToken" == federated.refusal(provider.token(sub="person\x00-1"))[0]


def test_the_session_keeps_the_providers_keys_and_ends_when_the_trust_does(house: Crown, provider: IdentityProvider):
    federated = Federated(house, provider)
    iam = federated.account.client("iam")
    deny = {
        "Effect": "Deny",
        "Action": "iam:ListRoles",
        "Resource": "*",
        "Condition": {"StringEquals": {f"{provider.name}:sub": "person-1"}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    iam.put_role_policy(RoleName="R", PolicyName="q", PolicyDocument=document)
    session = house.session(federated.assume(provider.token())["Credentials"], "iam")
    session.list_users()

    with pytest.raises(ClientError, match="explicit deny"):
        session.list_roles()
    other = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam.update_assume_role_policy(RoleName="R", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [other]}))
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        session.list_users()


def test_a_provider_is_not_reached_on_our_own_machine_unless_the_operator_says_so(
    fresh_crown: Callable[..., Crown], provider: IdentityProvider
):
    federated = Federated(fresh_crown(), provider)

    assert ("InvalidIdentityToken", NO_KEY) == federated.refusal(provider.token())
    assert [] == provider.asked


def test_a_server_with_an_unknown_certificate_is_not_believed(house: Crown, provider: IdentityProvider):
    federated = Federated(house, provider)
    iam = federated.account.client("iam")
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=federated.provider_arn, ThumbprintList=["0" * 40])

    assert ("InvalidIdentityToken", NO_KEY) == federated.refusal(provider.token())
    assert [] == provider.asked


def test_a_redirect_is_not_followed_and_an_endless_answer_not_read(house: Crown, provider: IdentityProvider):
    federated = Federated(house, provider)
    provider.answers["/.well-known/openid-configuration"] = lambda: (302, b"", {"Location": f"{provider.url}/else"})

    assert ("InvalidIdentityToken", NO_KEY) == federated.refusal(provider.token())
    provider_keys.forget_all()
    provider.answers["/.well-known/openid-configuration"] = lambda: (200, b" " * (outside.LARGEST + 1), {})
    assert ("InvalidIdentityToken", NO_KEY) == federated.refusal(provider.token())
    assert "/else" not in provider.asked


def test_a_failed_token_is_not_put_into_a_tenants_trail_by_strangers(house: Crown, provider: IdentityProvider):
    federated = Federated(house, provider)

    federated.refusal("nonsense")

    assert "AssumeRoleWithWebIdentity" not in {each["eventName"] for each in federated.account.records()}
    assert "AssumeRoleWithWebIdentity" in {each["eventName"] for each in house.records("")}


def test_strangers_who_flood_the_trail_keep_no_refusal_of_somebody_who_is_known_out_of_it(
    fresh_crown: Callable[..., Crown], provider: IdentityProvider
):
    drowned = fresh_crown(identity_provider_networks=("127.0.0.0/8",), unattributed_records_per_second=0)
    federated = Federated(drowned, provider, StringEquals={f"{provider.name}:sub": "somebody-else"})

    assert "AccessDenied" == federated.refusal(provider.token())[0]

    record = next(each for each in federated.account.records() if each["eventName"] == "AssumeRoleWithWebIdentity")
    assert ("AccessDenied", "person-1") == (record["errorCode"], record["userIdentity"]["userName"])


def test_the_operators_authorities_are_believed_without_a_thumbprint(
    fresh_crown: Callable[..., Crown], provider: IdentityProvider
):
    house = fresh_crown(identity_provider_networks=("127.0.0.0/8",), identity_provider_certificates=str(provider.authority))
    federated = Federated(house, provider)
    federated.account.client("iam").update_open_id_connect_provider_thumbprint(
        OpenIDConnectProviderArn=federated.provider_arn, ThumbprintList=["0" * 40]
    )

    assert "Credentials" in federated.assume(provider.token())


def test_the_thumbprint_of_a_new_provider_is_read_from_its_server(house: Crown, provider: IdentityProvider):
    iam = house.account().client("iam")

    created = iam.create_open_id_connect_provider(Url=provider.url)

    got = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=created["OpenIDConnectProviderArn"])
    assert [provider.thumbprint] == got["ThumbprintList"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "https://127.0.0.1:1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://localhost/",
        "https://0.0.0.0/",
        "https://user:secret@example.com/",
        "https:///",
        "https://exa mple/",
    ],
)
def test_an_attacker_can_not_lead_us_to_our_own_network(url: str):
    with pytest.raises(OutOfReach):
        outside.fetch(url, Reach((), ""))


def test_a_resource_control_policy_may_keep_an_identity_providers_people_from_a_members_roles(
    house: Crown, provider: IdentityProvider
):
    organization = Organization(house)
    federated = Federated(house, provider)
    invitation = organization.client.invite_account_to_organization(Target={"Id": federated.account.id, "Type": "ACCOUNT"})
    federated.account.client("organizations").accept_handshake(HandshakeId=invitation["Handshake"]["Id"])
    organization.enable(RCP)
    before = federated.assume(provider.token(sub="sue"))["AssumedRoleUser"]["Arn"]

    condition = {"StringNotEqualsIfExists": {f"{provider.name}:sub": "bob"}}
    organization.bind(deny_to_all("sts:AssumeRoleWithWebIdentity", **condition), federated.account.id, type=RCP)

    refused = ("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
    assert before.endswith("assumed-role/R/s1")
    assert refused == federated.refusal(provider.token(sub="sue"))
    assert federated.assume(provider.token(sub="bob"))["AssumedRoleUser"]["Arn"] == before


def propagating(federated: Federated, **definition: Any) -> None:
    context = {"SubjectSourceKey": "email", "SubjectTypeValue": "user"} | definition
    federated.account.client("iam").update_open_id_connect_provider(
        OpenIDConnectProviderArn=federated.provider_arn, ContextProvider=context
    )


def test_the_session_carries_on_what_the_context_provider_names(house: Crown, provider: IdentityProvider):
    federated = Federated(house, provider)
    definitions = [{"SourceKey": "dept", "TargetKey": "Team"}, {"SourceKey": "level"}, {"SourceKey": "absent"}]
    propagating(federated, KeyDefinitionList=definitions)
    keys = {"aws:OriginIdentity/Subject": "ann@example.com", "aws:TransactionContext/IdentityProvider/Team": "red"}
    deny = {"Effect": "Deny", "Action": "iam:ListRoles", "Resource": "*", "Condition": {"StringEquals": keys}}
    federated.account.client("iam").put_role_policy(
        RoleName="R", PolicyName="deny", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    )

    answer = federated.assume(provider.token(email="ann@example.com", dept="red", level=3))
    other = federated.assume(provider.token(email="bob@example.com", dept="red", level=3))

    assert {
        "OriginIdentity": {
            "Subject": "ann@example.com",
            "SubjectType": "user",
            "Issuer": provider.name,
            "FederatedProviderArn": federated.provider_arn,
        },
        "TransactionContext": {"IdentityProvider": {"Team": "red", "level": "3"}},
    } == answer["TrustedIdentityPropagationContext"]
    with pytest.raises(ClientError, match="explicit deny"):
        house.session(answer["Credentials"], "iam").list_roles()
    house.session(other["Credentials"], "iam").list_roles()
    record = next(each for each in federated.account.records() if each["eventName"] == "AssumeRoleWithWebIdentity")
    assert "bob@example.com" not in json.dumps(record["responseElements"])


def test_without_a_context_provider_or_the_subject_nothing_is_carried_on(house: Crown, provider: IdentityProvider):
    federated = Federated(house, provider)
    without = federated.assume(provider.token(email="ann@example.com"))
    propagating(federated, KeyDefinitionList=[{"SourceKey": "dept"}])

    no_subject = federated.assume(provider.token(dept="red"))

    assert "TrustedIdentityPropagationContext" not in without
    assert "TrustedIdentityPropagationContext" not in no_subject
    too_long = federated.refusal(provider.token(email="ann@example.com", dept="x" * 129))
    assert ("InvalidIdentityToken", "The value of dept is longer than 128 characters") == too_long


def test_a_token_may_be_about_whom_the_session_acts_for(house: Crown, provider: IdentityProvider):
    federated = Federated(house, provider)
    propagating(federated)
    iam = federated.account.client("iam")
    iam.enable_outbound_web_identity_federation()
    issuing = {"Effect": "Allow", "Action": "sts:GetWebIdentityToken", "Resource": "*"}
    document: dict[str, Any] = {"Version": "2012-10-17", "Statement": [issuing]}
    iam.put_role_policy(RoleName="R", PolicyName="tokens", PolicyDocument=json.dumps(document))
    wanted = {"Audience": ["a"], "SigningAlgorithm": "ES384", "SubjectMode": "OriginIdentity"}

    def client(**claims: Any) -> Any:
        return house.session(federated.assume(provider.token(**claims))["Credentials"], "sts", region="eu-west-1")

    ann = client(email="ann@example.com")
    claims = _claims(ann.get_web_identity_token(**wanted)["WebIdentityToken"])
    refused = _refusal(ann.get_web_identity_token, **wanted, Scope="read write")
    document["Statement"].append({"Effect": "Allow", "Action": "sts:SetWebIdentityTokenScope", "Resource": "*"})
    iam.put_role_policy(RoleName="R", PolicyName="tokens", PolicyDocument=json.dumps(document))

    scoped = _claims(ann.get_web_identity_token(**wanted, Scope="read write")["WebIdentityToken"])

    assert ("ann@example.com", "read write") == (claims["sub"], scoped["scope"])
    assert "scope" not in claims
    namespace = claims["https://sts.amazonaws.com/"]
    assert ("OriginIdentity", federated.role_arn) == (namespace["subject_mode"], namespace["principal_id"])
    assert "AccessDenied" == refused
    own = wanted | {"SubjectMode": "AWSIdentity"}
    assert federated.role_arn == _claims(ann.get_web_identity_token(**own)["WebIdentityToken"])["sub"]
    assert "ValidationError" == _refusal(ann.get_web_identity_token, **own, Scope="read")
    assert "ValidationError" == _refusal(ann.get_web_identity_token, **wanted | {"Audience": ["a", "b"]}, Scope="read")
    assert "ValidationError" == _refusal(ann.get_web_identity_token, **wanted, Scope="read read")
    assert "ValidationError" == _refusal(client().get_web_identity_token, **wanted)
    for trap in ("ARN:aws:iam::123456789012:root", " ann", "ann\u200b"):
        assert "AccessDenied" == _refusal(client(email=trap).get_web_identity_token, **wanted)


def _claims(token: str) -> dict[str, Any]:
    piece = token.split(".")[1]
    return dict(json.loads(urlsafe_b64decode(piece + "=" * (-len(piece) % 4))))


def _refusal(operation: Callable[..., Any], **parameters: Any) -> str:
    with pytest.raises(ClientError) as refused:
        operation(**parameters)
    return str(refused.value.response["Error"]["Code"])
