"""Explanations and denials: what a person reads when something is refused, and why."""

import json
from typing import Any

import pytest
from tests.policy import building
from tests.policy.building import document, statement

from crownkeep import policy
from crownkeep.policy import Applicable, DecidingKind, PolicyEffect, PolicyKind, Reason


def test_a_refusal_names_the_allow_that_came_near_and_what_kept_it():
    tree = document(
        statement(Sid="Own", Action="s3:*", Resource="arn:aws:s3:::mine/*", Condition={"Bool": {"aws:SecureTransport": "true"}})
    )
    applicable = Applicable(identity=building.policy_set(tree))

    explanation = policy.explain(building.request(), applicable)

    assert [
        "├─ DENIED: no policy of a kind that must allow it does",
        "├─ identity-based policy: does not allow",
        "│  └─ Allow in p0, statement Own, line 1",
        "│     ├─ its resources do not match arn:aws:s3:::b/k",
        "│     └─ Bool aws:SecureTransport wants 'true'; the request has absent",
        f"└─ {explanation.decision.denial_text()}",
    ] == str(explanation).splitlines()


def test_a_grant_names_its_statement():
    applicable = Applicable(identity=building.policy_set(document(statement())))

    explanation = policy.explain(building.request(), applicable)

    assert [
        "├─ ALLOWED: an identity-based policy allows it",
        "└─ identity-based policy: allows",
        "   └─ Allow in p0, statement 1, line 1",
    ] == str(explanation).splitlines()


def test_every_kind_of_policy_that_took_part_is_told():
    everything = building.policy_set(document(statement()))
    nothing = building.policy_set(document(statement(Action="ec2:*")))
    named = building.policy_set(document(statement(Principal={"AWS": building.OTHER_ACCOUNT})), kind=PolicyKind.RESOURCE)
    applicable = Applicable(
        identity=nothing,
        boundary=nothing,
        session=nothing,
        service_control=(everything, everything),
        resource_control=(everything,),
        endpoint=everything,
        resource=named,
    )

    explanation = policy.explain(building.request("session"), applicable)

    heads = [line.text for line in explanation.lines[1:-1]]
    assert [
        "resource control policy at level 0: allows",
        "service control policy at level 0: allows",
        "service control policy at level 1: allows",
        "resource-based policy: does not allow",
        "VPC endpoint policy: allows",
        "identity-based policy: does not allow",
        "permissions boundary: does not allow",
        "session policy: does not allow",
    ] == heads
    assert "it does not name" in explanation.lines[4].under[0].under[0].text
    assert "no Allow statement names s3:GetObject" == explanation.lines[6].under[0].text


def test_an_explanation_is_plain_data_too():
    denying = building.policy_set(document(statement(), statement("Deny", Sid="No")))
    applicable = Applicable(identity=denying, service_control=(building.policy_set(document(statement())),))

    data = json.loads(json.dumps(policy.explain(building.request(), applicable).as_mapping()))

    assert (False, "explicitDeny", "a policy denies it explicitly") == (
        data["allowed"],
        data["decision"],
        data["reason"],
    )
    assert (building.USER_ARN, "s3:GetObject", "arn:aws:s3:::b/k") == (data["principal"], data["action"], data["resource"])
    assert data["message"].endswith("with an explicit deny in an identity-based policy")
    scp, identity = data["findings"]
    assert {"kind": "service control policy", "effect": "allowed", "level": 0}.items() <= scp.items()
    assert {"policy": "p0", "statement": "No", "line": 1, "column": 93}.items() <= identity.items()
    assert "DENIED: a policy denies it explicitly" == data["lines"][0]["text"]


def test_an_allowed_request_has_no_message():
    data = policy.explain(building.request("root"), Applicable()).as_mapping()

    assert (True, None, []) == (data["allowed"], data["message"], data["findings"])


def test_values_of_a_multivalued_key_are_shown():
    tree = document(statement(Condition={"ForAnyValue:StringEquals": {"aws:TagKeys": ["a", "b"]}}))

    shown = str(policy.explain(building.request(context={"aws:TagKeys": ["c"]}), Applicable(identity=building.policy_set(tree))))

    assert "ForAnyValue:StringEquals aws:TagKeys wants 'a', 'b'; the request has ['c']" in shown


SCP_ARN = "arn:aws:organizations::111122223333:policy/o-exampleorg/service_control_policy/p-examplescp"


@pytest.mark.parametrize(
    ("kind", "member", "arn", "text"),
    [
        (
            PolicyKind.IDENTITY,
            "identity",
            "arn:aws:iam::111122223333:policy/x",
            "in an identity-based policy: arn:aws:iam::111122223333:policy/x",
        ),
        (
            PolicyKind.BOUNDARY,
            "boundary",
            "arn:aws:iam::111122223333:policy/x",
            "in a permissions boundary: arn:aws:iam::111122223333:policy/x",
        ),
        (PolicyKind.SESSION, "session", "arn:aws:iam::aws:policy/x", "in a session policy: arn:aws:iam::aws:policy/x"),
        (PolicyKind.SERVICE_CONTROL, "service_control", SCP_ARN, f"in a service control policy: {SCP_ARN}"),
        (PolicyKind.RESOURCE_CONTROL, "resource_control", SCP_ARN, f"in a resource control policy: {SCP_ARN}"),
        (PolicyKind.RESOURCE, "resource", "arn:aws:s3:::b", "in a resource-based policy"),
        (PolicyKind.RESOURCE, "endpoint", "arn:aws:ec2:us-east-1:111122223333:vpc-endpoint/x", "in a VPC endpoint policy"),
    ],
)
def test_an_explicit_deny_cites_the_policy_s_arn_where_aws_does(kind, member, arn, text):
    denying = policy.compile_set([building.compiled(document(statement("Deny")), kind=kind, arn=arn)])
    value: Any = (denying,) if member.endswith("control") else denying

    decision = policy.authorize(building.request(), Applicable(**{member: value}))

    assert decision.denial_text().endswith(f" with an explicit deny {text}")


def test_a_service_is_called_by_its_name_in_a_refusal():
    decision = policy.authorize(building.request("service"), Applicable())

    assert decision.denial_text().startswith("User: ec2.amazonaws.com is not authorized to perform: s3:GetObject")


def test_a_decision_keeps_what_each_kind_said():
    applicable = Applicable(
        identity=building.policy_set(document(statement())),
        boundary=building.policy_set(document(statement(Action="ec2:*"))),
    )

    decision = policy.authorize(building.request(), applicable)

    assert [(DecidingKind.IDENTITY, PolicyEffect.ALLOW), (DecidingKind.BOUNDARY, PolicyEffect.IMPLICIT_DENY)] == [
        (finding.kind, finding.effect) for finding in decision.findings
    ]
    assert (Reason.NO_ALLOW, decision.findings[1]) == (decision.reason, decision.deciding)


@pytest.mark.parametrize(
    ("caller", "case", "reason"),
    [
        ("user", {"identity": [document(statement())]}, Reason.ALLOWED_BY_IDENTITY),
        ("user", {"resource": [document(statement(Principal="*"))]}, Reason.ALLOWED_BY_RESOURCE),
        ("anonymous", {"resource": [document(statement(Principal="*"))]}, Reason.ALLOWED_BY_RESOURCE),
        ("session", {"resource": [document(statement(Principal={"AWS": building.ROLE_ARN}))]}, Reason.ALLOWED_BY_RESOURCE),
        (
            "user",
            {"identity": [document(statement())], "resource": [document(statement(Principal="*"))], "owner": "444455556666"},
            Reason.ALLOWED_BY_BOTH_SIDES,
        ),
        ("root", {}, Reason.ALLOWED_AS_ROOT),
        ("user", {}, Reason.NO_ALLOW),
        ("user", {"identity": [document(statement("Deny"))]}, Reason.EXPLICIT_DENY),
    ],
)
def test_a_decision_says_its_reason(caller, case, reason):
    decision = policy.authorize(building.request(caller), building.applicable(case))

    assert reason is decision.reason


@pytest.mark.parametrize("action", sorted(policy.ALWAYS_ALLOWED | policy.NEEDS_NO_ALLOW))
def test_an_action_that_needs_no_permission_says_so(action):
    decision = policy.authorize(building.request(action=action, resource="*"), Applicable())

    assert (True, Reason.NO_PERMISSION_NEEDED) == (decision.allowed, decision.reason)
