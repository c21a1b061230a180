"""AssumeRole: who may take on a role, for how long, and what the session may do and is recorded as."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.fixtures.crown import Account, Crown

EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def trust(principal: Any, *, actions: Any = "sts:AssumeRole", condition: Mapping[str, Any] | None = None) -> str:
    statement: dict[str, Any] = {"Effect": "Allow", "Principal": principal, "Action": actions}
    if condition is not None:
        statement["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def allow(*actions: str, resource: str = "*") -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": resource}]}


def make_role(account: Account, name: str, document: str, policy: Mapping[str, Any] | None = EVERYTHING, **options: Any) -> str:
    iam = account.client("iam")
    role_arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document, **options)["Role"]["Arn"]
    if policy is not None:
        iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=json.dumps(policy))
    return str(role_arn)


def refused(call: Any, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refusal:
        call(**parameters)
    error = refusal.value.response["Error"]
    return error["Code"], error["Message"]


def session_of(account: Account, client: Any, role_arn: str, service: str = "iam", name: str = "session", **options: Any) -> Any:
    answer = client.assume_role(RoleArn=role_arn, RoleSessionName=name, **options)
    return account.crown.session(answer["Credentials"], service)


def test_a_user_named_by_the_trust_policy_takes_on_the_role_without_a_policy_of_its_own(account: Account):
    bob = account.user("bob")
    role_arn = make_role(account, "R", trust({"AWS": bob.arn}))

    answer = bob.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="s1")

    role_id = account.client("iam").get_role(RoleName="R")["Role"]["RoleId"]
    user = answer["AssumedRoleUser"]
    assert {"AssumedRoleId": f"{role_id}:s1", "Arn": f"arn:aws:sts::{account.id}:assumed-role/R/s1"} == user
    assert answer["Credentials"]["AccessKeyId"].startswith("ASIA")
    assert len(answer["Credentials"]["SessionToken"]) == answer["SessionTokenSize"]
    assert "PackedPolicySize" not in answer
    identity = account.crown.session(answer["Credentials"], "sts").get_caller_identity()
    assert (f"{role_id}:s1", account.id, user["Arn"]) == (identity["UserId"], identity["Account"], identity["Arn"])


def test_where_the_trust_policy_names_the_account_the_user_needs_a_policy_too(account: Account):
    role_arn = make_role(account, "R", trust({"AWS": account.id}))
    without, allowed = account.user("without"), account.user("allowed", policy=allow("sts:AssumeRole"))

    refusal = refused(without.client("sts").assume_role, RoleArn=role_arn, RoleSessionName="s1")
    answer = allowed.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="s1")

    assert (
        "AccessDenied",
        (
            f"User: {without.arn} is not authorized to perform: sts:AssumeRole on resource: {role_arn} because no identity-based "
            "policy allows the sts:AssumeRole action"
        ),
    ) == refusal
    assert "Credentials" in answer


def test_an_unknown_role_is_refused_as_one_that_does_not_trust_the_caller(account: Account):
    bob = account.user("bob", policy=allow("sts:AssumeRole"))
    closed = make_role(account, "closed", trust({"Service": "ec2.amazonaws.com"}))

    known = refused(bob.client("sts").assume_role, RoleArn=closed, RoleSessionName="s1")
    unknown = refused(bob.client("sts").assume_role, RoleArn=closed.replace("closed", "absent"), RoleSessionName="s1")

    assert known == (unknown[0], unknown[1].replace("absent", "closed"))
    assert known[1].endswith("because no role trust policy allows the sts:AssumeRole action")


def test_root_may_not_assume_a_role(account: Account):
    role_arn = make_role(account, "R", trust({"AWS": account.id}))

    refusal = refused(account.root("sts").assume_role, RoleArn=role_arn, RoleSessionName="s1")

    assert ("AccessDenied", "Roles may not be assumed by root accounts.") == refusal


def test_another_account_needs_both_the_trust_and_its_own_policy(crown: Crown):
    owner, guest = crown.account(), crown.account()
    role_arn = make_role(owner, "R", trust({"AWS": f"arn:aws:iam::{guest.id}:root"}))
    allowed, without = guest.user("allowed", policy=allow("sts:AssumeRole")), guest.user("without")
    stranger = crown.account().user("stranger", policy=allow("sts:AssumeRole"))

    answer = allowed.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="s1")

    assert owner.id == crown.session(answer["Credentials"], "sts").get_caller_identity()["Account"]
    for user in (without, stranger):
        assert "AccessDenied" == refused(user.client("sts").assume_role, RoleArn=role_arn, RoleSessionName="s1")[0]


def test_a_user_named_across_accounts_needs_a_policy_of_its_own(crown: Crown):
    owner, guest = crown.account(), crown.account()
    named = guest.user("named")
    role_arn = make_role(owner, "R", trust({"AWS": named.arn}))

    refusal = refused(named.client("sts").assume_role, RoleArn=role_arn, RoleSessionName="s1")

    assert "AccessDenied" == refusal[0]


@pytest.mark.parametrize("role_arn", ["nothing-valid-in-here", "arn::b:::something/test-role", "arn:a:a::aaaaaaaaaa:"])
def test_what_is_no_arn_is_invalid(account: Account, role_arn: str):
    bob = account.user("bob")

    refusal = refused(bob.client("sts").assume_role, RoleArn=role_arn, RoleSessionName="s1")

    assert ("ValidationError", f"{role_arn} is invalid") == refusal


def test_an_external_id_is_asked_for_by_the_trust_policy(account: Account):
    bob = account.user("bob")
    role_arn = make_role(account, "R", trust({"AWS": bob.arn}, condition={"StringEquals": {"sts:ExternalId": "secret-1"}}))
    sts = bob.client("sts")

    answer = sts.assume_role(RoleArn=role_arn, RoleSessionName="s1", ExternalId="secret-1")

    assert "Credentials" in answer
    assert "AccessDenied" == refused(sts.assume_role, RoleArn=role_arn, RoleSessionName="s1", ExternalId="other")[0]
    assert "AccessDenied" == refused(sts.assume_role, RoleArn=role_arn, RoleSessionName="s1")[0]


def test_a_session_lasts_an_hour_unless_asked_otherwise_and_never_beyond_the_roles_limit(account: Account):
    bob = account.user("bob")
    role_arn = make_role(account, "R", trust({"AWS": bob.arn}), MaxSessionDuration=7200)
    sts = bob.client("sts")

    def seconds(**options: Any) -> float:
        answer = sts.assume_role(RoleArn=role_arn, RoleSessionName="s1", **options)
        date = account.records()[0]["eventTime"]
        return (answer["Credentials"]["Expiration"] - datetime.fromisoformat(date)).total_seconds()

    assert 3600 == seconds()
    assert 7200 == seconds(DurationSeconds=7200)
    refusal = refused(sts.assume_role, RoleArn=role_arn, RoleSessionName="s1", DurationSeconds=7201)
    assert (
        "ValidationError",
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    ) == refusal


def test_a_chained_session_lasts_an_hour_at_most(account: Account):
    bob = account.user("bob")
    first = make_role(account, "first", trust({"AWS": bob.arn}), MaxSessionDuration=43_200)
    second = make_role(account, "second", trust({"AWS": account.id}), MaxSessionDuration=43_200)
    sts = session_of(account, bob.client("sts"), first, "sts")

    refusal = refused(sts.assume_role, RoleArn=second, RoleSessionName="s2", DurationSeconds=3601)

    assert (
        "ValidationError",
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
    ) == refusal
    assert "Credentials" in sts.assume_role(RoleArn=second, RoleSessionName="s2", DurationSeconds=3600)


def test_a_session_may_do_what_the_roles_policies_allow_and_is_refused_by_its_own_name(account: Account):
    bob = account.user("bob")
    role_arn = make_role(account, "R", trust({"AWS": bob.arn}), allow("iam:GetRole"))
    iam = session_of(account, bob.client("sts"), role_arn)

    assert "R" == iam.get_role(RoleName="R")["Role"]["RoleName"]
    code, message = refused(iam.list_users)
    assert "AccessDenied" == code
    assert message.startswith(
        f"User: arn:aws:sts::{account.id}:assumed-role/R/session is not authorized to perform: iam:ListUsers"
    )


def test_a_boundary_limits_a_roles_sessions(account: Account):
    bob = account.user("bob")
    iam = account.client("iam")
    boundary = iam.create_policy(PolicyName="B", PolicyDocument=json.dumps(allow("iam:ListUsers")))["Policy"]["Arn"]
    role_arn = make_role(account, "R", trust({"AWS": bob.arn}), PermissionsBoundary=boundary)
    session = session_of(account, bob.client("sts"), role_arn)

    session.list_users()

    code, message = refused(session.list_roles)
    assert "AccessDenied" == code
    assert message.endswith("because no permissions boundary allows the iam:ListRoles action")


def test_session_policies_limit_a_session_and_their_size_is_told(account: Account):
    bob = account.user("bob")
    role_arn = make_role(account, "R", trust({"AWS": bob.arn}))
    document = json.dumps(allow("iam:ListUsers"))

    answer = bob.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="s1", Policy=document)

    session = account.crown.session(answer["Credentials"], "iam")
    assert 0 < answer["PackedPolicySize"] <= 100
    assert answer["PackedPolicySize"] == answer["SessionTokenUtilization"]
    session.list_users()
    assert refused(session.list_roles)[1].endswith("because no session policy allows the iam:ListRoles action")


def test_managed_session_policies_limit_a_session(account: Account):
    bob = account.user("bob")
    role_arn = make_role(account, "R", trust({"AWS": bob.arn}))
    limits = [{"arn": "arn:aws:iam::aws:policy/IAMReadOnlyAccess"}]
    session = session_of(account, bob.client("sts"), role_arn, PolicyArns=limits)

    session.list_users()

    assert "AccessDenied" == refused(session.create_user, UserName="eve")[0]


def test_a_policy_too_large_for_a_token_is_refused(account: Account):
    bob = account.user("bob")
    role_arn = make_role(account, "R", trust({"AWS": bob.arn}))
    chance = random.Random(1)  # incompressible, or it would fit
    actions = [f"iam:{chance.getrandbits(256):064x}" for _ in range(120)]

    code, message = refused(
        bob.client("sts").assume_role, RoleArn=role_arn, RoleSessionName="s1", Policy=json.dumps(allow(*actions))
    )

    assert "PackedPolicyTooLarge" == code, message
    assert message.startswith("Packed policy consumes ")
    assert message.endswith("% of allotted space, please use smaller policy.")


def test_a_malformed_session_policy_is_refused(account: Account):
    bob = account.user("bob")
    role_arn = make_role(account, "R", trust({"AWS": bob.arn}))

    refusal = refused(bob.client("sts").assume_role, RoleArn=role_arn, RoleSessionName="s1", Policy="{")

    assert "MalformedPolicyDocument" == refusal[0]


def test_a_token_is_filled_up_to_the_size_asked_for(account: Account):
    bob = account.user("bob")
    role_arn = make_role(account, "R", trust({"AWS": bob.arn}))

    answer = bob.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="s1", MinimumSessionTokenSize=4096)

    assert 4096 == answer["SessionTokenSize"]
    assert 100 == answer["SessionTokenUtilization"]
    assert account.id == account.crown.session(answer["Credentials"], "sts").get_caller_identity()["Account"]


BOTH = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]


def test_passing_tags_needs_tag_session(account: Account):
    bob = account.user("bob")
    role_arn = make_role(account, "R", trust({"AWS": bob.arn}))

    code, message = refused(
        bob.client("sts").assume_role, RoleArn=role_arn, RoleSessionName="s1", Tags=[{"Key": "team", "Value": "red"}]
    )

    assert "AccessDenied" == code
    assert message.startswith(f"User: {bob.arn} is not authorized to perform: sts:TagSession on resource: {role_arn}")


def test_session_tags_are_the_principals_tags_and_cover_the_roles_own(account: Account):
    bob = account.user("bob")
    asked = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "iam:ListUsers",
                "Resource": "*",
                "Condition": {"StringEquals": {"aws:PrincipalTag/team": "red"}},
            }
        ],
    }
    tags = [{"Key": "Team", "Value": "blue"}]
    role_arn = make_role(account, "R", trust({"AWS": bob.arn}, actions=BOTH), asked, Tags=tags)
    sts = bob.client("sts")

    session_of(account, sts, role_arn, Tags=[{"Key": "team", "Value": "red"}]).list_users()

    assert "AccessDenied" == refused(session_of(account, sts, role_arn).list_users)[0]


@pytest.mark.parametrize(
    ("tags", "transitive", "message"),
    [
        (["a", "A"], [], "Duplicate tag keys found. Please note that Tag keys are case insensitive."),
        (["a"], ["b"], "The specified transitive tag key must be included in the requested tags."),
    ],
)
def test_tags_against_the_rules_are_refused(account: Account, tags: Sequence[str], transitive: Sequence[str], message: str):
    bob = account.user("bob")
    role_arn = make_role(account, "R", trust({"AWS": bob.arn}, actions=BOTH))

    refusal = refused(
        bob.client("sts").assume_role,
        RoleArn=role_arn,
        RoleSessionName="s1",
        Tags=[{"Key": key, "Value": "v"} for key in tags],
        TransitiveTagKeys=transitive,
    )

    assert ("InvalidParameterValue", message) == refusal


def test_transitive_tags_pass_along_a_chain_and_can_not_be_overridden(account: Account):
    bob = account.user("bob")
    first = make_role(account, "first", trust({"AWS": bob.arn}, actions=BOTH))
    tagged = {"StringEquals": {"aws:PrincipalTag/team": "red"}}
    second = make_role(account, "second", trust({"AWS": account.id}, actions=BOTH))
    third = make_role(account, "third", trust({"AWS": account.id}, condition=tagged))
    sts = session_of(
        account,
        bob.client("sts"),
        first,
        "sts",
        Tags=[{"Key": "team", "Value": "red"}, {"Key": "other", "Value": "x"}],
        TransitiveTagKeys=["team"],
    )

    refusal = refused(sts.assume_role, RoleArn=second, RoleSessionName="s2", Tags=[{"Key": "Team", "Value": "green"}])
    chained = session_of(account, sts, second, "sts")

    assert (
        "InvalidParameterValue",
        (
            "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the "
            "calling session."
        ),
    ) == refusal
    assert "Credentials" in chained.assume_role(RoleArn=third, RoleSessionName="s3")


def test_a_source_identity_stays_along_a_chain(account: Account):
    bob = account.user("bob")
    first = make_role(account, "first", trust({"AWS": bob.arn}, actions=BOTH))
    second = make_role(account, "second", trust({"AWS": account.id}, actions=BOTH))
    answer = bob.client("sts").assume_role(RoleArn=first, RoleSessionName="s1", SourceIdentity="alice")
    sts = account.crown.session(answer["Credentials"], "sts")

    chained = sts.assume_role(RoleArn=second, RoleSessionName="s2")

    assert "alice" == answer["SourceIdentity"] == chained["SourceIdentity"]
    refusal = refused(sts.assume_role, RoleArn=second, RoleSessionName="s2", SourceIdentity="mallory")
    assert "AccessDenied" == refusal[0]
    account.crown.session(chained["Credentials"], "iam").list_users()
    record = next(each for each in account.records() if each["eventName"] == "ListUsers")
    assert "alice" == record["userIdentity"]["sessionContext"]["sourceIdentity"]


def test_a_session_ends_with_its_role_and_a_role_made_anew_does_not_revive_it(account: Account):
    bob = account.user("bob")
    iam = account.client("iam")
    role_arn = make_role(account, "R", trust({"AWS": bob.arn}))
    session = session_of(account, bob.client("sts"), role_arn)
    session.list_users()

    iam.delete_role_policy(RoleName="R", PolicyName="inline")
    iam.delete_role(RoleName="R")

    assert "InvalidClientTokenId" == refused(session.list_users)[0]
    make_role(account, "R", trust({"AWS": bob.arn}))
    assert "InvalidClientTokenId" == refused(session.list_users)[0]


def test_a_session_ends_when_the_trust_policy_no_longer_names_its_holder(account: Account):
    bob = account.user("bob")
    role_arn = make_role(account, "R", trust({"AWS": bob.arn}))
    session = session_of(account, bob.client("sts"), role_arn)
    session.list_users()

    document = trust({"Service": "ec2.amazonaws.com"})
    account.client("iam").update_assume_role_policy(RoleName="R", PolicyDocument=document)

    assert "InvalidClientTokenId" == refused(session.list_users)[0]


def test_a_policy_that_revokes_older_sessions_works_at_once(account: Account):
    bob = account.user("bob")
    role_arn = make_role(account, "R", trust({"AWS": bob.arn}))
    session = session_of(account, bob.client("sts"), role_arn)
    revoke = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Action": "*",
                "Resource": "*",
                "Condition": {"DateLessThan": {"aws:TokenIssueTime": "2100-01-01T00:00:00Z"}},
            }
        ],
    }

    account.client("iam").put_role_policy(RoleName="R", PolicyName="AWSRevokeOlderSessions", PolicyDocument=json.dumps(revoke))

    assert "AccessDenied" == refused(session.list_users)[0]


def test_a_user_made_anew_under_the_same_name_is_not_trusted(account: Account):
    bob = account.user("bob")
    iam = account.client("iam")
    role_arn = make_role(account, "R", trust({"AWS": bob.arn}))
    iam.delete_access_key(UserName="bob", AccessKeyId=bob.credentials.access_key_id)
    iam.delete_user(UserName="bob")

    again = account.user("bob")

    assert "AccessDenied" == refused(again.client("sts").assume_role, RoleArn=role_arn, RoleSessionName="s1")[0]
    shown = iam.get_role(RoleName="R")["Role"]["AssumeRolePolicyDocument"]
    assert shown["Statement"][0]["Principal"]["AWS"].startswith("AIDA")


def test_last_use_of_a_role_is_kept(account: Account):
    bob = account.user("bob")
    role_arn = make_role(account, "R", trust({"AWS": bob.arn}))
    iam = account.client("iam")
    session = session_of(account, bob.client("sts"), role_arn)
    before = iam.get_role(RoleName="R")["Role"]["RoleLastUsed"]

    session.list_users()

    assert {} == before
    assert "us-east-1" == iam.get_role(RoleName="R")["Role"]["RoleLastUsed"]["Region"]


def test_the_record_holds_the_credentials_without_their_secrets(account: Account):
    bob = account.user("bob")
    role_arn = make_role(account, "R", trust({"AWS": bob.arn}))
    answer = bob.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="s1")

    record = next(each for each in account.records() if each["eventName"] == "AssumeRole")

    assert {"roleArn": role_arn, "roleSessionName": "s1"} == record["requestParameters"]
    elements = record["responseElements"]
    assert answer["Credentials"]["AccessKeyId"] == elements["credentials"]["accessKeyId"]
    assert answer["AssumedRoleUser"]["Arn"] == elements["assumedRoleUser"]["arn"]
    assert record["readOnly"]
    text = json.dumps(record)
    assert answer["Credentials"]["SecretAccessKey"] not in text
    assert answer["Credentials"]["SessionToken"] not in text


def test_a_sessions_record_names_its_role(account: Account):
    bob = account.user("bob")
    role_arn = make_role(account, "R", trust({"AWS": bob.arn}))
    session_of(account, bob.client("sts"), role_arn).list_users()

    record = next(each for each in account.records() if each["eventName"] == "ListUsers")

    identity = record["userIdentity"]
    assert "AssumedRole" == identity["type"]
    issuer = identity["sessionContext"]["sessionIssuer"]
    assert ("Role", role_arn, "R") == (issuer["type"], issuer["arn"], issuer["userName"])
