"""GetWebIdentityToken: what the token says, that others can verify it, and that it proves neither too much nor for too long."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from botocore.exceptions import ClientError
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError
from joserfc.jwk import KeySet
from tests.fixtures.clients import Credentials
from tests.fixtures.crown import Account, Crown, moment

from crownkeep.server_address import OUTBOUND_IDENTITY
from crownkeep.storage.accounts import account_settings
from crownkeep.storage.database import Database
from crownkeep.storage.federation import web_identity_keys

AUDIENCE = "https://api.example.com"
NAMESPACE = "https://sts.amazonaws.com/"
ALLOWED = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:*", "Resource": "*"}]}


@pytest.fixture
def issuing(crown: Crown) -> Account:
    account = crown.account()
    account.client("iam").enable_outbound_web_identity_federation()
    return account


def ask(client: Any, **options: Any) -> dict[str, Any]:
    wanted = {"Audience": [AUDIENCE], "SigningAlgorithm": "ES384"} | options
    answer: dict[str, Any] = client.get_web_identity_token(**wanted)
    return answer


def refusal(client: Any, **options: Any) -> str:
    with pytest.raises(ClientError) as refused:
        ask(client, **options)
    return str(refused.value.response["Error"]["Code"])


def issuer_of(account: Account) -> str:
    return str(account.client("iam").get_outbound_web_identity_federation_info()["IssuerIdentifier"])


def published(crown: Crown, issuer: str) -> dict[str, Any]:
    """Return the key set as a relying party finds it: by the issuer's configuration."""
    configuration = crown.request("GET", f"{issuer}/.well-known/openid-configuration").json()
    assert issuer == configuration["issuer"]
    return dict(crown.request("GET", configuration["jwks_uri"]).json())


def verified(crown: Crown, account: Account, token: str) -> dict[str, Any]:
    """Verify a token as a relying party does, with a library that knows nothing of us, and return its claims."""
    keys = KeySet.import_key_set(published(crown, issuer_of(account)))  # type: ignore[arg-type]  # as it came
    return dict(jwt.decode(token, keys, algorithms=["ES384", "RS256"]).claims)


@pytest.mark.parametrize("algorithm", ["ES384", "RS256"])
def test_a_relying_party_verifies_the_token_with_the_keys_that_the_issuer_publishes(
    crown: Crown, issuing: Account, algorithm: str
):
    bob = issuing.user("bob", policy=ALLOWED)

    answer = ask(bob.client("sts"), SigningAlgorithm=algorithm, DurationSeconds=600)

    claims = verified(crown, issuing, answer["WebIdentityToken"])
    assert (issuer_of(issuing), AUDIENCE, bob.arn) == (claims["iss"], claims["aud"], claims["sub"])
    assert 600 == claims["exp"] - claims["iat"]
    assert claims["exp"] == answer["Expiration"].timestamp()
    assert 36 == len(claims["jti"])
    assert {"aws_account": issuing.id, "source_region": "us-east-1", "principal_id": bob.arn} == claims[NAMESPACE]


def test_the_keys_are_published_before_the_first_token_and_hold_nothing_secret(crown: Crown, issuing: Account):
    keys = published(crown, issuer_of(issuing))["keys"]

    assert ["ES384", "RS256"] == sorted(key["alg"] for key in keys)
    assert not {"d", "p", "q", "dp", "dq", "qi"} & {member for key in keys for member in key}
    assert {"sig"} == {key["use"] for key in keys}


def test_a_token_for_several_audiences_names_them_all_and_lasts_five_minutes(crown: Crown, issuing: Account):
    answer = ask(issuing.client("sts"), Audience=["a", "b"])

    claims = verified(crown, issuing, answer["WebIdentityToken"])
    assert ["a", "b"] == claims["aud"]
    assert 300 == claims["exp"] - claims["iat"]


def test_the_token_carries_the_tags_of_the_caller_and_those_that_are_passed(crown: Crown, issuing: Account):
    bob = issuing.user("bob", policy=ALLOWED, Tags=[{"Key": "team", "Value": "blue"}])

    answer = ask(bob.client("sts"), Tags=[{"Key": "job", "Value": "7"}])

    said = verified(crown, issuing, answer["WebIdentityToken"])[NAMESPACE]
    assert ({"team": "blue"}, {"job": "7"}) == (said["principal_tags"], said["request_tags"])


def test_a_roles_session_is_named_by_its_role_with_what_the_session_was_begun_with(crown: Crown, issuing: Account):
    session = assumed(
        issuing, Tags=[{"Key": "TEAM", "Value": "red"}], SourceIdentity="ann", role_tags=[{"Key": "team", "Value": "blue"}]
    )

    answer = ask(crown.session(session, "sts"))

    claims = verified(crown, issuing, answer["WebIdentityToken"])
    said = claims[NAMESPACE]
    assert f"arn:aws:iam::{issuing.id}:role/R" == claims["sub"] == said["principal_id"]
    assert ({"TEAM": "red"}, "ann") == (said["principal_tags"], said["source_identity"])
    assert session["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ") == said["original_session_exp"]


def test_a_token_never_outlives_the_session_that_asks_for_it(crown: Crown, issuing: Account):
    session = assumed(issuing, DurationSeconds=900)
    client = crown.session(session, "sts")

    assert "SessionDurationEscalationException" == refusal(client, DurationSeconds=901)
    assert "WebIdentityToken" in ask(client, DurationSeconds=890)


def test_no_token_is_issued_before_the_account_enables_it_nor_after_it_disables_it(account: Account):
    client = account.client("sts")
    before = refusal(client)
    account.client("iam").enable_outbound_web_identity_federation()
    ask(client)
    account.client("iam").disable_outbound_web_identity_federation()

    after = refusal(client)

    assert {"OutboundWebIdentityFederationDisabledException"} == {before, after}


def test_tokens_that_were_issued_can_be_verified_after_it_is_disabled(crown: Crown, issuing: Account):
    issuer, token = issuer_of(issuing), ask(issuing.client("sts"))["WebIdentityToken"]
    issuing.client("iam").disable_outbound_web_identity_federation()

    keys = KeySet.import_key_set(published(crown, issuer))  # type: ignore[arg-type]  # as it came

    assert issuer == jwt.decode(token, keys, algorithms=["ES384"]).claims["iss"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"SigningAlgorithm": "HS256"}, "ValidationError"),
        ({"DurationSeconds": 59}, "ValidationError"),
        ({"DurationSeconds": 3601}, "ValidationError"),
        ({"Audience": []}, "ValidationError"),
        ({"Audience": ["a"] * 11}, "ValidationError"),
        ({"Tags": [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]}, "InvalidParameterValue"),
        ({"Tags": [{"Key": f"{n:0128}", "Value": "v" * 256} for n in range(30)]}, "JWTPayloadSizeExceededException"),
    ],
)
def test_what_is_out_of_range_is_refused(issuing: Account, options: dict[str, Any], code: str):
    assert code == refusal(issuing.client("sts", parameter_validation=False), **options)


@pytest.mark.parametrize(
    ("condition", "options"),
    [
        ({"ForAllValues:StringEquals": {"sts:IdentityTokenAudience": AUDIENCE}}, {"Audience": [AUDIENCE, "other"]}),
        ({"NumericLessThanEquals": {"sts:DurationSeconds": "300"}}, {"DurationSeconds": 301}),
        ({"StringEquals": {"sts:SigningAlgorithm": "ES384"}}, {"SigningAlgorithm": "RS256"}),
    ],
)
def test_policies_limit_the_audience_the_time_and_the_algorithm(issuing: Account, condition: Any, options: dict[str, Any]):
    statement = {"Effect": "Allow", "Action": "sts:GetWebIdentityToken", "Resource": "*", "Condition": condition}
    bob = issuing.user("bob", policy={"Version": "2012-10-17", "Statement": [statement]})

    assert "WebIdentityToken" in ask(bob.client("sts"))
    assert "AccessDenied" == refusal(bob.client("sts"), **options)


def test_passing_tags_needs_a_permission_of_its_own_which_may_name_them(issuing: Account):
    statements = [
        {"Effect": "Allow", "Action": "sts:GetWebIdentityToken", "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": "sts:TagGetWebIdentityToken",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestTag/job": "7"}},
        },
    ]
    bob = issuing.user("bob", policy={"Version": "2012-10-17", "Statement": statements})

    assert "WebIdentityToken" in ask(bob.client("sts"), Tags=[{"Key": "job", "Value": "7"}])
    assert "AccessDenied" == refusal(bob.client("sts"), Tags=[{"Key": "job", "Value": "8"}])


def test_the_keys_change_every_thirty_days_and_the_old_one_stays_for_a_day(crown: Crown):
    with time_machine.travel(moment("2026-06-01T12:00:00"), tick=False) as time:
        account = crown.account()
        account.client("iam").enable_outbound_web_identity_federation()
        first = ask(account.client("sts"), DurationSeconds=3600)["WebIdentityToken"]
        time.shift(timedelta(days=30) - timedelta(seconds=1))
        same = ask(account.client("sts"))["WebIdentityToken"]
        time.shift(timedelta(seconds=1))
        second = ask(account.client("sts"))["WebIdentityToken"]
        soon = key_ids(crown, account)
        time.shift(timedelta(days=1))

        late = key_ids(crown, account)

    old, new = key_id_of(first), key_id_of(second)
    assert (old, {old, new}) == (key_id_of(same), {old, new} & soon)
    assert old != new
    assert ({new}, set()) == ({new} & late, {old} & late)


def test_every_account_has_keys_of_its_own_so_that_one_cannot_speak_for_another(crown: Crown, issuing: Account):
    other = crown.account()
    other.client("iam").enable_outbound_web_identity_federation()

    token = ask(issuing.client("sts"))["WebIdentityToken"]

    assert set() == key_ids(crown, issuing) & key_ids(crown, other)
    with pytest.raises(InvalidKeyIdError):
        verified(crown, other, token)


def test_the_keys_lie_sealed_in_the_database(crown: Crown, issuing: Account):
    database = Database(crown.settings.database_url)
    with database.snapshot() as db:
        rows = web_identity_keys.of_account(db, issuing.id)
        settings = account_settings.of_account(db, issuing.id)
    database.close()

    assert 2 == len(rows)
    assert settings.issuer_id
    assert not any(b"PRIVATE KEY" in row.sealed_private_key for row in rows)


@pytest.mark.parametrize("path", ["", "/", "/nobody/.well-known/jwks.json", "/.well-known/jwks.json", "/nobody"])
def test_an_issuer_that_is_none_publishes_nothing(crown: Crown, path: str):
    assert 404 == crown.request("GET", f"{OUTBOUND_IDENTITY}/{path.removeprefix('/')}").status


def test_the_issuer_of_a_closed_account_publishes_nothing(crown: Crown, issuing: Account):
    issuer = issuer_of(issuing)
    crown.operator("POST", f"/accounts/{issuing.id}/close", {})

    assert 404 == crown.request("GET", f"{issuer}/.well-known/jwks.json").status


def test_the_token_takes_on_a_role_of_another_account_that_trusts_the_issuer(fresh_crown: Callable[..., Crown]):
    house = fresh_crown(public_url="https://keep.example.org")
    issuing, trusting = house.account(), house.account()
    issuer = issuing.client("iam").enable_outbound_web_identity_federation()["IssuerIdentifier"]
    bob = issuing.user("bob", policy=ALLOWED)
    role_arn = trusting_role(trusting, issuer, subject=bob.arn)
    token = ask(bob.client("sts"))["WebIdentityToken"]

    answer = house.session(None, "sts").assume_role_with_web_identity(
        RoleArn=role_arn, RoleSessionName="from-afar", WebIdentityToken=token
    )

    assert (bob.arn, AUDIENCE) == (answer["SubjectFromWebIdentityToken"], answer["Audience"])
    assert trusting.id == house.session(answer["Credentials"], "sts").get_caller_identity()["Account"]


def test_the_token_of_somebody_else_in_the_trusted_account_does_not_take_on_the_role(fresh_crown: Callable[..., Crown]):
    house = fresh_crown(public_url="https://keep.example.org")
    issuing, trusting = house.account(), house.account()
    issuer = issuing.client("iam").enable_outbound_web_identity_federation()["IssuerIdentifier"]
    role_arn = trusting_role(trusting, issuer, subject=f"arn:aws:iam::{issuing.id}:user/bob")
    token = ask(issuing.client("sts"))["WebIdentityToken"]

    with pytest.raises(ClientError, match="Not authorized to perform sts:AssumeRoleWithWebIdentity"):
        house.session(None, "sts").assume_role_with_web_identity(
            RoleArn=role_arn, RoleSessionName="from-afar", WebIdentityToken=token
        )


def test_the_global_endpoint_has_no_such_operation(crown: Crown, issuing: Account):
    reply = Credentials.of(issuing.created["admin"])
    asked = {"Action": "GetWebIdentityToken", "Version": "2011-06-15", "Audience.member.1": "a", "SigningAlgorithm": "ES384"}
    body, headers = urlencode(asked), {"Host": "sts.amazonaws.com", "Content-Type": "application/x-www-form-urlencoded"}
    request = AWSRequest("POST", "https://sts.amazonaws.com/", data=body, headers=headers)
    SigV4Auth(BotoCredentials(reply.access_key_id, reply.secret_access_key), "sts", "us-east-1").add_auth(request)

    answer = crown.request("POST", "/", headers=dict(request.headers.items()), body=body.encode())

    assert (400, True) == (answer.status, "<Code>InvalidAction</Code>" in answer.text)


def test_the_record_of_a_token_says_for_whom_it_was_and_does_not_hold_it(issuing: Account):
    token = ask(issuing.client("sts"))["WebIdentityToken"]

    record = next(each for each in issuing.records() if each["eventName"] == "GetWebIdentityToken")

    assert [AUDIENCE] == record["requestParameters"]["audience"]
    assert token not in json.dumps(record)


def key_ids(crown: Crown, account: Account) -> set[str]:
    return {str(key["kid"]) for key in published(crown, issuer_of(account))["keys"]}


def key_id_of(token: str) -> str:
    head = token.partition(".")[0]
    return str(json.loads(urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"])


def trusting_role(account: Account, issuer: str, *, subject: str) -> str:
    iam = account.client("iam")
    provider = iam.create_open_id_connect_provider(Url=issuer, ClientIDList=[AUDIENCE], ThumbprintList=["0" * 40])
    name = issuer.removeprefix("https://")
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": provider["OpenIDConnectProviderArn"]},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{name}:sub": subject, f"{name}:aud": AUDIENCE}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return str(iam.create_role(RoleName="R", AssumeRolePolicyDocument=document)["Role"]["Arn"])


def assumed(account: Account, *, role_tags: list[dict[str, str]] | None = None, **options: Any) -> dict[str, Any]:
    """Let a user take on a role that may ask for tokens; answer the credentials."""
    bob = account.user("taker", policy=ALLOWED)
    iam = account.client("iam")
    actions = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
    statement = {"Effect": "Allow", "Principal": {"AWS": bob.arn}, "Action": actions}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.create_role(RoleName="R", AssumeRolePolicyDocument=document, Tags=role_tags or [])
    iam.put_role_policy(RoleName="R", PolicyName="p", PolicyDocument=json.dumps(ALLOWED))
    answer = bob.client("sts").assume_role(RoleArn=f"arn:aws:iam::{account.id}:role/R", RoleSessionName="session", **options)
    return dict(answer["Credentials"])
