"""Delegation requests: who may do what with them in which state, and what the provider gets of whoever accepts."""

from __future__ import annotations

import json
import re
from base64 import b32encode
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from tests.alerts.office import Mailbox, text_of
from tests.fixtures.crown import Account, Crown, User, moment
from tests.services.iam.asking import allow, refusal

NAME = "setup"
ASKED = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "iam:CreateUser", "Resource": "@{arnsOfUsers}"},
        {"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*"},
    ],
}
MANAGING = ("iam:AcceptDelegationRequest", "iam:SendDelegationToken", "iam:GetDelegationRequest", "iam:RejectDelegationRequest")


class Provider:
    """An account whose templates the operator has registered."""

    def __init__(self, crown: Crown, policy: Mapping[str, Any] = ASKED) -> None:
        self.crown = crown
        self.account = crown.account()
        answer = crown.operator("PUT", f"/accounts/{self.account.id}/delegation-templates/{NAME}", {"policy": json.dumps(policy)})
        self.template_arn: str = answer.json()["template_arn"]

    def request(self, workflow: str = "workflow-1", **options: Any) -> dict[str, Any]:
        """Return the parameters of a request for the users of any account."""
        parameters = [{"Name": "arnsOfUsers", "Values": ["arn:aws:iam::*:user/*"], "Type": "stringList"}]
        return {
            "Description": "Set it up",
            "Permissions": {"PolicyTemplateArn": self.template_arn, "Parameters": parameters},
            "RequestorWorkflowId": workflow,
            "NotificationChannel": "arn:aws:sns:us-east-1:123456789012:topic",
            "SessionDuration": 3600,
        } | options

    def ask(self, workflow: str = "workflow-1", **options: Any) -> str:
        """Make a request and return its id."""
        made = self.account.client("iam").create_delegation_request(**self.request(workflow, **options))
        return str(made["DelegationRequestId"])

    def state(self, request_id: str) -> str:
        found = self.account.client("iam").get_delegation_request(DelegationRequestId=request_id)
        return str(found["DelegationRequest"]["State"])

    def token(self, request_id: str) -> str:
        """Return the token of a request as it came by mail."""
        text = text_of(Mailbox(self.crown, self.account.email).wait(request_id))
        return re.findall(r"^ {2}([\w-]{80,})$", text, re.MULTILINE)[0]

    def exchange(self, token: str) -> Any:
        return self.account.client("sts").get_delegated_access_token(TradeInToken=token)


@pytest.fixture
def provider(crown: Crown) -> Provider:
    return Provider(crown)


@pytest.fixture
def customer(crown: Crown) -> Account:
    return crown.account()


def approver(customer: Account, *further: str, name: str = "ann") -> User:
    """Return a user who may accept and release requests, and do what is said further."""
    return customer.user(name, policy=allow(*MANAGING, *further))


def released(provider: Provider, owner: User, **options: Any) -> str:
    """Take a request all the way and return its token."""
    request_id = provider.ask(**options)
    iam = owner.client("iam")
    iam.associate_delegation_request(DelegationRequestId=request_id)
    iam.accept_delegation_request(DelegationRequestId=request_id)
    iam.send_delegation_token(DelegationRequestId=request_id)
    return provider.token(request_id)


def test_the_provider_gets_what_it_asked_for_of_whoever_accepted(crown: Crown, provider: Provider, customer: Account):
    ann = approver(customer, "iam:CreateUser", "iam:ListUsers", "iam:ListRoles")

    answer = provider.exchange(released(provider, ann))

    iam = crown.session(answer["Credentials"], "iam")
    iam.create_user(UserName="made")
    assert {"admin", "ann", "made"} == {user["UserName"] for user in iam.list_users()["Users"]}
    assert refusal(iam.list_roles).startswith("AccessDenied: ")
    assert ann.arn == answer["AssumedPrincipal"] == crown.session(answer["Credentials"], "sts").get_caller_identity()["Arn"]
    assert "PackedPolicySize" not in answer


def test_nobody_can_lend_what_they_do_not_have(crown: Crown, provider: Provider, customer: Account):
    answer = provider.exchange(released(provider, approver(customer, "iam:ListUsers")))

    iam = crown.session(answer["Credentials"], "iam")
    iam.list_users()
    assert refusal(iam.create_user, UserName="made").startswith("AccessDenied: ")


def test_what_the_provider_did_is_recorded_with_its_account(crown: Crown, provider: Provider, customer: Account):
    answer = provider.exchange(released(provider, approver(customer, "iam:CreateUser")))
    crown.session(answer["Credentials"], "iam").create_user(UserName="made")

    record = next(each for each in customer.records() if each["requestParameters"] == {"userName": "made"})

    assert ("IAMUser", "ann") == (record["userIdentity"]["type"], record["userIdentity"]["userName"])
    assert {"accountId": provider.account.id} == record["userIdentity"]["invokedByDelegate"]


def test_a_role_that_accepts_is_lent_as_a_session_of_that_role(crown: Crown, provider: Provider, customer: Account):
    iam = customer.client("iam")
    ann = customer.user("ann", policy=allow("sts:AssumeRole"))
    trust = {"Effect": "Allow", "Principal": {"AWS": ann.arn}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="R", AssumeRolePolicyDocument=document)["Role"]
    iam.put_role_policy(RoleName="R", PolicyName="p", PolicyDocument=json.dumps(allow(*MANAGING, "iam:ListUsers")))
    taken = ann.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="ann")["Credentials"]
    request_id = provider.ask()
    as_role = crown.session(taken, "iam")
    as_role.associate_delegation_request(DelegationRequestId=request_id)
    as_role.accept_delegation_request(DelegationRequestId=request_id)
    as_role.send_delegation_token(DelegationRequestId=request_id)

    answer = provider.exchange(provider.token(request_id))

    assert f"arn:aws:sts::{customer.id}:assumed-role/R/ann" == answer["AssumedPrincipal"]
    crown.session(answer["Credentials"], "iam").list_users()
    iam.delete_role_policy(RoleName="R", PolicyName="p")
    iam.delete_role(RoleName="R")
    assert refusal(crown.session(answer["Credentials"], "iam").list_users).startswith("InvalidClientTokenId: ")


def test_all_credentials_of_a_token_end_at_the_same_time(crown: Crown, provider: Provider, customer: Account):
    with time_machine.travel(moment("2026-06-01T10:00:00"), tick=False) as time:
        ann = approver(customer, "iam:ListUsers")
        request_id = provider.ask(SessionDuration=7200)
        for step in ("associate_delegation_request", "accept_delegation_request", "send_delegation_token"):
            getattr(ann.client("iam"), step)(DelegationRequestId=request_id)
        time.move_to(moment("2026-06-01T11:40:00"))
        token = provider.token(request_id)
        late = provider.exchange(token)["Credentials"]
        time.move_to(moment("2026-06-01T12:00:00"))
        over = refusal(crown.session(late, "iam").list_users)
        expired = refusal(provider.account.client("sts").get_delegated_access_token, TradeInToken=token)

    assert moment("2026-06-01T12:00:00") == late["Expiration"]
    assert over.startswith("ExpiredToken: ")
    assert expired.startswith("ExpiredTradeInTokenException: ")


def test_a_token_is_worth_nothing_to_anybody_but_the_provider_who_asked(crown: Crown, provider: Provider, customer: Account):
    token = released(provider, approver(customer, "iam:ListUsers"))

    for stranger in (customer, Provider(crown).account):
        answer = refusal(stranger.client("sts").get_delegated_access_token, TradeInToken=token)
        assert "InvalidParameterValue: The trade-in token is not valid." == answer


@pytest.mark.parametrize("token", ["x", "AAAA" * 30, "ä" * 80, "A" * 5000])
def test_what_is_no_token_is_refused(provider: Provider, token: str):
    answer = refusal(provider.account.client("sts").get_delegated_access_token, TradeInToken=token)

    assert "InvalidParameterValue: The trade-in token is not valid." == answer


def test_a_provider_loses_its_access_with_the_user_who_lent_it(crown: Crown, provider: Provider, customer: Account):
    ann = approver(customer, "iam:ListUsers")
    token = released(provider, ann)
    credentials = provider.exchange(token)["Credentials"]
    customer.client("iam").delete_access_key(UserName="ann", AccessKeyId=ann.credentials.access_key_id)

    answer = refusal(crown.session(credentials, "iam").list_users)
    again = refusal(provider.account.client("sts").get_delegated_access_token, TradeInToken=token)

    assert answer.startswith("InvalidClientTokenId: ")
    assert "AccessDenied: The identity that accepted the delegation request can no longer delegate its permissions." == again


def test_a_session_that_a_policy_limits_cannot_lend_more_than_it_has(crown: Crown, provider: Provider, customer: Account):
    iam = customer.client("iam")
    ann = customer.user("ann", policy=allow("sts:AssumeRole"))
    trust = {"Effect": "Allow", "Principal": {"AWS": ann.arn}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="R", AssumeRolePolicyDocument=document)["Role"]
    iam.put_role_policy(RoleName="R", PolicyName="p", PolicyDocument=json.dumps(allow("iam:*")))
    limited = ann.client("sts").assume_role(
        RoleArn=role["Arn"], RoleSessionName="ann", Policy=json.dumps(allow("iam:*DelegationRequest"))
    )
    request_id = provider.ask()
    client = crown.session(limited["Credentials"], "iam")
    client.associate_delegation_request(DelegationRequestId=request_id)

    answer = refusal(client.accept_delegation_request, DelegationRequestId=request_id)

    assert "AccessDenied: A session that is limited by a session policy cannot accept a delegation request." == answer
    whole = ann.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="ann")["Credentials"]
    scoped = crown.session(whole, "sts").get_scoped_credentials(DurationSeconds=60)["Credentials"]
    assert answer == refusal(crown.session(scoped, "iam").accept_delegation_request, DelegationRequestId=request_id)


def test_what_was_lent_cannot_be_lent_on(crown: Crown, customer: Account):
    provider = Provider(crown, allow("iam:*"))
    asking = {"PolicyTemplateArn": provider.template_arn}
    token = released(provider, customer.user("ann", policy=allow("iam:*")), Permissions=asking)
    lent = crown.session(provider.exchange(token)["Credentials"], "iam")
    second = provider.ask("workflow-2", Permissions=asking)
    lent.associate_delegation_request(DelegationRequestId=second)

    assert refusal(lent.accept_delegation_request, DelegationRequestId=second).startswith("AccessDenied: ")


def test_a_role_that_is_taken_on_with_lent_permissions_ends_with_them_and_lends_nothing_on(crown: Crown, customer: Account):
    provider = Provider(crown, allow("sts:AssumeRole"))
    asking = {"PolicyTemplateArn": provider.template_arn}
    ann = customer.user("ann", policy=allow(*MANAGING, "sts:AssumeRole"))
    trust = {"Effect": "Allow", "Principal": {"AWS": ann.arn}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = customer.client("iam").create_role(RoleName="R", AssumeRolePolicyDocument=document)["Role"]
    customer.client("iam").put_role_policy(RoleName="R", PolicyName="p", PolicyDocument=json.dumps(allow("iam:*")))
    lent = provider.exchange(released(provider, ann, Permissions=asking, SessionDuration=900))["Credentials"]

    taken = crown.session(lent, "sts").assume_role(RoleArn=role["Arn"], RoleSessionName="further")["Credentials"]

    iam = crown.session(taken, "iam")
    second = provider.ask("workflow-2", Permissions=asking)
    iam.associate_delegation_request(DelegationRequestId=second)
    assert lent["Expiration"] == taken["Expiration"]
    assert refusal(iam.accept_delegation_request, DelegationRequestId=second).startswith("AccessDenied: ")
    record = next(each for each in customer.records() if each["eventName"] == "AssociateDelegationRequest")
    assert {"accountId": provider.account.id} == record["userIdentity"]["invokedByDelegate"]


def test_privilege_escalation_a_role_that_trusts_the_lender_by_name_is_not_lent_with_other_permissions(
    crown: Crown, provider: Provider, customer: Account
):
    ann = approver(customer, "iam:ListUsers")
    trust = {"Effect": "Allow", "Principal": {"AWS": ann.arn}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = customer.client("iam").create_role(RoleName="R", AssumeRolePolicyDocument=document)["Role"]
    lent = provider.exchange(released(provider, ann))["Credentials"]

    answer = refusal(crown.session(lent, "sts").assume_role, RoleArn=role["Arn"], RoleSessionName="further")

    ann.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="herself")
    assert answer.startswith("AccessDenied: ")
    assert "session policy" in answer


def test_privilege_escalation_a_provider_does_not_act_as_the_owner_of_other_requests(
    crown: Crown, provider: Provider, customer: Account
):
    ann = approver(customer, "iam:ListUsers")
    lent = crown.session(provider.exchange(released(provider, ann))["Credentials"], "iam")
    other, unowned = Provider(crown).ask(), Provider(crown).ask()
    ann.client("iam").associate_delegation_request(DelegationRequestId=other)
    ann.client("iam").accept_delegation_request(DelegationRequestId=other)

    answer = [
        refusal(lent.send_delegation_token, DelegationRequestId=other),
        refusal(lent.reject_delegation_request, DelegationRequestId=other),
        refusal(lent.get_delegation_request, DelegationRequestId=other),
        refusal(lent.associate_delegation_request, DelegationRequestId=unowned),
        refusal(lent.list_delegation_requests, OwnerId=ann.arn),
    ]

    assert {"AccessDenied"} == {each.partition(":")[0] for each in answer}


def test_what_is_lent_is_revoked_with_the_older_sessions_of_the_role(crown: Crown, provider: Provider, customer: Account):
    iam = customer.client("iam")
    with time_machine.travel(moment("2026-06-01T10:00:00"), tick=False) as time:
        ann = customer.user("ann", policy=allow("sts:AssumeRole"))
        trust = {"Effect": "Allow", "Principal": {"AWS": ann.arn}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = iam.create_role(RoleName="R", AssumeRolePolicyDocument=document)["Role"]
        iam.put_role_policy(RoleName="R", PolicyName="p", PolicyDocument=json.dumps(allow(*MANAGING, "iam:ListUsers")))
        taken = ann.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="stolen")["Credentials"]
        request_id = provider.ask()
        for step in ("associate_delegation_request", "accept_delegation_request", "send_delegation_token"):
            getattr(crown.session(taken, "iam"), step)(DelegationRequestId=request_id)
        token = provider.token(request_id)
        time.move_to(moment("2026-06-01T10:10:00"))
        before = {"DateLessThan": {"aws:TokenIssueTime": "2026-06-01T10:10:00Z"}}
        revoked = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": before}
        document = json.dumps({"Version": "2012-10-17", "Statement": [revoked]})
        iam.put_role_policy(RoleName="R", PolicyName="AWSRevokeOlderSessions", PolicyDocument=document)
        time.move_to(moment("2026-06-01T10:20:00"))

        answer = refusal(crown.session(provider.exchange(token)["Credentials"], "iam").list_users)

    assert answer.startswith("AccessDenied: ")


def test_a_console_session_of_what_was_lent_ends_with_it(crown: Crown, customer: Account):
    provider = Provider(crown, allow("sts:AssumeRole"))
    ann = customer.user("ann", policy=allow(*MANAGING, "sts:AssumeRole"))
    trust = {"Effect": "Allow", "Principal": {"AWS": ann.arn}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = customer.client("iam").create_role(RoleName="R", AssumeRolePolicyDocument=document)["Role"]
    asking = {"PolicyTemplateArn": provider.template_arn}
    lent = provider.exchange(released(provider, ann, Permissions=asking, SessionDuration=900))["Credentials"]
    taken = crown.session(lent, "sts").assume_role(RoleArn=role["Arn"], RoleSessionName="further")["Credentials"]
    given = {"sessionId": "AccessKeyId", "sessionKey": "SecretAccessKey", "sessionToken": "SessionToken"}
    session = json.dumps({name: taken[member] for name, member in given.items()})

    asked = {"Action": "getSigninToken", "Session": session}
    longer = crown.request("GET", f"/federation?{urlencode({**asked, 'SessionDuration': '43200'})}")
    plain = crown.request("GET", f"/federation?{urlencode(asked)}")

    assert (400, 200) == (longer.status, plain.status)


def test_the_root_user_lends_for_four_hours_at_most(provider: Provider, customer: Account):
    root = customer.root("iam")
    long, short = provider.ask(SessionDuration=4 * 3600 + 1), provider.ask("workflow-2", SessionDuration=4 * 3600)
    for request_id in (long, short):
        root.associate_delegation_request(DelegationRequestId=request_id)

    answer = refusal(root.accept_delegation_request, DelegationRequestId=long)
    root.accept_delegation_request(DelegationRequestId=short)

    assert answer.startswith("AccessDenied: The root user can only accept delegation requests")
    assert "ACCEPTED" == provider.state(short)


def test_whoever_opens_a_request_may_handle_it_but_not_accept_it(provider: Provider, customer: Account):
    bob = customer.user("bob").client("iam")
    request_id = provider.ask()
    seen = bob.get_delegation_request(DelegationRequestId=request_id)["DelegationRequest"]
    bob.associate_delegation_request(DelegationRequestId=request_id)
    bob.update_delegation_request(DelegationRequestId=request_id, Notes="please")

    listed = bob.list_delegation_requests(OwnerId=f"arn:aws:iam::{customer.id}:user/bob")
    accepting = refusal(bob.accept_delegation_request, DelegationRequestId=request_id)
    bob.reject_delegation_request(DelegationRequestId=request_id, Notes="never mind")

    assert ("UNASSIGNED", provider.account.id) == (seen["State"], seen["RequestorId"])
    assert [("PENDING_APPROVAL", "please")] == [(each["State"], each["Notes"]) for each in listed["DelegationRequests"]]
    assert not listed["isTruncated"]
    assert accepting.startswith("AccessDenied: ")
    assert "REJECTED" == provider.state(request_id)


def test_an_explicit_deny_binds_the_owner_of_a_request(provider: Provider, customer: Account):
    denied = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "iam:Associate*", "Resource": "*"}]}
    bob = customer.user("bob", policy=denied).client("iam")

    assert refusal(bob.associate_delegation_request, DelegationRequestId=provider.ask()).startswith("AccessDenied: ")


def test_a_request_to_one_account_is_nobody_elses(crown: Crown, provider: Provider, customer: Account):
    request_id = provider.ask(OwnerAccountId=customer.id)
    stranger = crown.account().client("iam")

    answer = [
        refusal(getattr(stranger, f"{step}_delegation_request"), DelegationRequestId=request_id)
        for step in ("get", "associate", "accept", "reject", "update")
    ]
    customer.client("iam").associate_delegation_request(DelegationRequestId=request_id)

    assert {f"NoSuchEntity: The delegation request with id {request_id} cannot be found."} == set(answer)
    assert "ASSIGNED" == provider.state(request_id)


def test_the_provider_sees_its_request_and_cannot_accept_it_for_its_customer(provider: Provider, customer: Account):
    request_id = provider.ask(OwnerAccountId=customer.id)
    iam = provider.account.client("iam")

    answer = [
        refusal(getattr(iam, f"{step}_delegation_request"), DelegationRequestId=request_id)
        for step in ("associate", "accept", "reject", "update")
    ]

    assert {f"AccessDenied: The delegation request with id {request_id} belongs to another account."} == set(answer)
    assert "UNASSIGNED" == provider.state(request_id)


def test_each_step_needs_the_state_before_it(provider: Provider, customer: Account):
    iam = customer.client("iam")
    request_id = provider.ask()

    def refused(step: str) -> bool:
        name = "send_delegation_token" if step == "send" else f"{step}_delegation_request"
        return refusal(getattr(iam, name), DelegationRequestId=request_id).startswith("ConcurrentModification: ")

    assert all(refused(step) for step in ("accept", "update", "send", "reject"))
    iam.associate_delegation_request(DelegationRequestId=request_id)
    assert all(refused(step) for step in ("associate", "send"))
    iam.accept_delegation_request(DelegationRequestId=request_id)
    assert all(refused(step) for step in ("associate", "accept", "update"))
    iam.send_delegation_token(DelegationRequestId=request_id)
    assert all(refused(step) for step in ("associate", "accept", "update", "send", "reject"))


def test_an_accepted_request_can_be_rejected_before_its_token_is_released(provider: Provider, customer: Account):
    iam = customer.client("iam")
    request_id = provider.ask()
    iam.associate_delegation_request(DelegationRequestId=request_id)
    iam.accept_delegation_request(DelegationRequestId=request_id)

    iam.reject_delegation_request(DelegationRequestId=request_id, Notes="changed my mind")

    found = iam.get_delegation_request(DelegationRequestId=request_id)["DelegationRequest"]
    assert ("REJECTED", "changed my mind") == (found["State"], found["RejectionReason"])
    assert refusal(iam.send_delegation_token, DelegationRequestId=request_id).startswith("ConcurrentModification: ")


def test_only_the_owner_releases_the_token_where_the_provider_wants_that(provider: Provider, customer: Account):
    bob, ann = customer.user("bob").client("iam"), approver(customer)
    request_id = provider.ask(OnlySendByOwner=True)
    bob.associate_delegation_request(DelegationRequestId=request_id)
    ann.client("iam").accept_delegation_request(DelegationRequestId=request_id)

    answer = refusal(ann.client("iam").send_delegation_token, DelegationRequestId=request_id)
    bob.send_delegation_token(DelegationRequestId=request_id)

    assert answer.startswith("AccessDenied: The token of this delegation request can only be sent by the owner")
    assert "FINALIZED" == provider.state(request_id)


def test_requests_expire(provider: Provider, customer: Account):
    with time_machine.travel(moment("2026-06-01T10:00:00"), tick=False) as time:
        iam = customer.client("iam")
        left, taken = provider.ask(), provider.ask("workflow-2")
        iam.associate_delegation_request(DelegationRequestId=taken)
        time.shift(timedelta(days=1))
        after_a_day = (provider.state(left), provider.state(taken))
        late = refusal(iam.associate_delegation_request, DelegationRequestId=left)
        time.shift(timedelta(days=6))
        after_a_week = provider.state(taken)

    assert ("EXPIRED", "ASSIGNED") == after_a_day
    assert late.startswith("ConcurrentModification: ")
    assert "EXPIRED" == after_a_week


def test_a_workflow_has_one_request(provider: Provider):
    provider.ask()

    assert refusal(provider.account.client("iam").create_delegation_request, **provider.request()).startswith(
        "EntityAlreadyExists: "
    )


def test_a_template_of_another_provider_is_none(crown: Crown, provider: Provider):
    other = Provider(crown)

    answer = refusal(other.account.client("iam").create_delegation_request, **provider.request())

    assert answer.startswith(f"InvalidInput: The policy template {provider.template_arn} does not exist")


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ([], "The policy parameter bucket is missing."),
        ([("bucket", ["b"], "string"), ("other", ["x"], "string")], "The policy parameter other is not one of the"),
        ([("bucket", ["b"], "string"), ("bucket", ["b"], "string")], "The policy parameter bucket is given more than once."),
        ([("bucket", ["a", "b"], "string")], "The policy parameter bucket of type string must have exactly one value."),
        ([("bucket", ["a", "b"], "stringList")], "The policy parameter bucket stands inside a text"),
    ],
)
def test_a_template_takes_the_parameters_that_it_names(crown: Crown, parameters: list[Any], told: str):
    provider = Provider(crown, allow("s3:GetObject", on="arn:aws:s3:::@{bucket}/*"))
    given = [{"Name": name, "Values": values, "Type": kind} for name, values, kind in parameters]
    permissions = {"PolicyTemplateArn": provider.template_arn, "Parameters": given}

    answer = refusal(provider.account.client("iam").create_delegation_request, **provider.request(Permissions=permissions))

    assert answer.startswith(f"InvalidInput: {told}")


def test_a_parameter_cannot_break_out_of_its_place_in_the_policy(crown: Crown):
    provider = Provider(crown, allow("s3:GetObject", on="arn:aws:s3:::@{bucket}"))
    hostile = 'x"], "Action": "*", "Resource": ["*'
    permissions = {
        "PolicyTemplateArn": provider.template_arn,
        "Parameters": [{"Name": "bucket", "Values": [hostile], "Type": "string"}],
    }
    request_id = provider.ask(Permissions=permissions)

    found = provider.account.client("iam").get_delegation_request(DelegationRequestId=request_id)["DelegationRequest"]

    statement = json.loads(found["PermissionPolicy"])["Statement"][0]
    assert (["s3:GetObject"], f"arn:aws:s3:::{hostile}") == (statement["Action"], statement["Resource"])


def test_the_boundaries_that_roles_must_have_are_shown(crown: Crown, customer: Account):
    boundary = f"arn:aws:iam::{customer.id}:policy/edge"
    provider = Provider(crown, allow("iam:CreateRole", StringEquals={"iam:PermissionsBoundary": boundary}))
    request_id = provider.ask(Permissions={"PolicyTemplateArn": provider.template_arn})

    found = customer.client("iam").get_delegation_request(DelegationRequestId=request_id)["DelegationRequest"]

    assert [boundary] == found["RolePermissionRestrictionArns"]


@pytest.mark.parametrize(
    ("held", "result"),
    [(("iam:*",), "ALLOWED"), (("iam:GetDelegationRequest",), "DENIED"), (("iam:CreateUser",), "DENIED")],
)
def test_the_check_says_whether_the_caller_has_as_much_to_lend(
    crown: Crown, customer: Account, held: tuple[str, ...], result: str
):
    provider = Provider(crown, allow("iam:CreateUser", "iam:DeleteUser", on=f"arn:aws:iam::{customer.id}:user/made"))
    request_id = provider.ask(Permissions={"PolicyTemplateArn": provider.template_arn})
    ann = customer.user("ann", policy=allow(*held))

    answer = ann.client("iam").get_delegation_request(DelegationRequestId=request_id, DelegationPermissionCheck=True)

    assert ("COMPLETE", result) == (answer["PermissionCheckStatus"], answer["PermissionCheckResult"])


def test_the_check_is_unsure_of_what_it_cannot_try(crown: Crown, customer: Account):
    provider = Provider(crown, allow("s3:*"))
    request_id = provider.ask(Permissions={"PolicyTemplateArn": provider.template_arn})
    check = {"DelegationRequestId": request_id, "DelegationPermissionCheck": True}

    clients = [customer.client("iam"), customer.root("iam")]
    answers = [client.get_delegation_request(**check)["PermissionCheckResult"] for client in clients]

    assert ["UNSURE", "ALLOWED"] == answers


def test_a_summary_is_not_written_here(provider: Provider, customer: Account):
    request_id = provider.ask()
    entity = f"arn:aws:iam::{customer.id}:delegation-request/{request_id}"

    answer = customer.client("iam").get_human_readable_summary(EntityArn=entity, Locale="en-US")

    assert ("NOT_SUPPORTED", "en-US") == (answer["SummaryState"], answer["Locale"])


def test_a_policy_that_no_session_can_hold_is_refused_at_the_exchange(crown: Crown, customer: Account):
    # Names without a pattern, so that nothing makes the token smaller.
    actions = [f"iam:{b32encode(sha256(bytes([number])).digest()).decode().rstrip('=')}" for number in range(90)]
    provider = Provider(crown, allow(*actions))
    token = released(provider, approver(customer), Permissions={"PolicyTemplateArn": provider.template_arn})

    answer = refusal(provider.account.client("sts").get_delegated_access_token, TradeInToken=token)

    assert answer.startswith("PackedPolicyTooLarge: ")


def test_templates_are_registered_listed_and_removed_by_the_operator(crown: Crown, provider: Provider):
    path = f"/accounts/{provider.account.id}/delegation-templates"

    listed = crown.operator("GET", path).json()["delegation_templates"]
    removed = [crown.operator("DELETE", f"{path}/{NAME}").status for _ in range(2)]

    assert [(NAME, provider.template_arn, ASKED)] == [
        (each["name"], each["template_arn"], json.loads(each["policy"])) for each in listed
    ]
    assert [204, 404] == removed
    assert 400 == crown.operator("PUT", f"{path}/{NAME}", {"policy": "[]"}).status
    assert 404 == crown.operator("PUT", "/accounts/000000000000/delegation-templates/x", {"policy": "{}"}).status


def test_a_purged_account_has_lent_nothing(crown: Crown, provider: Provider, customer: Account):
    token = released(provider, approver(customer, "iam:ListUsers"))
    crown.operator("DELETE", f"/accounts/{customer.id}")

    answer = refusal(provider.account.client("sts").get_delegated_access_token, TradeInToken=token)

    assert "InvalidParameterValue: The trade-in token is not valid." == answer


def renewed(customer: Account, user: User) -> User:
    """Delete a user and make another one with the same name and policy."""
    iam = customer.client("iam")
    iam.delete_access_key(UserName=user.name, AccessKeyId=user.credentials.access_key_id)
    iam.delete_user_policy(UserName=user.name, PolicyName="inline")
    iam.delete_user(UserName=user.name)
    return customer.user(user.name, policy=allow("iam:ListUsers"))


def test_a_namesake_of_a_deleted_owner_does_not_go_on_with_a_request(provider: Provider, customer: Account):
    ann = customer.user("ann", policy=allow("iam:ListUsers"))
    request_id = provider.ask()
    ann.client("iam").associate_delegation_request(DelegationRequestId=request_id)
    namesake = renewed(customer, ann).client("iam")

    asked = {"DelegationRequestId": request_id}
    answer = [
        refusal(namesake.get_delegation_request, **asked),
        refusal(namesake.update_delegation_request, **asked),
        refusal(namesake.reject_delegation_request, **asked),
        refusal(namesake.send_delegation_token, **asked),
    ]

    assert [True] * 4 == [each.startswith("AccessDenied: ") for each in answer]
    assert [] == namesake.list_delegation_requests(OwnerId=ann.arn)["DelegationRequests"]
    assert "ASSIGNED" == provider.state(request_id)


def test_a_namesake_of_a_deleted_owner_does_not_send_what_only_the_owner_may(provider: Provider, customer: Account):
    ann = approver(customer)
    request_id = provider.ask(OnlySendByOwner=True)
    ann.client("iam").associate_delegation_request(DelegationRequestId=request_id)
    renewed(customer, ann)
    customer.client("iam").put_user_policy(UserName="ann", PolicyName="more", PolicyDocument=json.dumps(allow(*MANAGING)))
    customer.client("iam").accept_delegation_request(DelegationRequestId=request_id)
    key = customer.client("iam").create_access_key(UserName="ann")["AccessKey"]

    answer = refusal(customer.crown.session(key, "iam").send_delegation_token, DelegationRequestId=request_id)

    assert "AccessDenied: The token of this delegation request can only be sent by the owner of the request." == answer


def test_an_owner_who_is_renamed_is_still_the_owner(provider: Provider, customer: Account):
    ann = customer.user("ann", policy=allow("iam:ListUsers"))
    request_id = provider.ask()
    ann.client("iam").associate_delegation_request(DelegationRequestId=request_id)
    customer.client("iam").update_user(UserName="ann", NewUserName="anna")

    ann.client("iam").update_delegation_request(DelegationRequestId=request_id)

    assert "PENDING_APPROVAL" == provider.state(request_id)
