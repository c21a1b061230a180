"""Simulation: decisions, matched statements with their places, missing context, and what AWS's answer holds."""

import json

import pytest
from tests.policy import building
from tests.policy.building import document, statement

from crownkeep import policy
from crownkeep.policy import Applicable, PolicyKind, SourceType

BUCKET = "arn:aws:s3:::b"
# AWS's own example (awscli: iam simulate-custom-policy) with the positions it answers.
EXAMPLE = (
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*",'
    '"Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}'
)


def run(applicable, actions=("s3:GetObject",), resources=(), context=None, caller="user", **kwargs):
    return policy.simulate(building.CALLERS[caller], actions, resources, applicable, context=context or {}, **kwargs)


def identity(*trees):
    sets = [
        building.compiled(tree, name=f"PolicyInputList.{number + 1}", source_type=SourceType.NONE)
        for number, tree in enumerate(trees)
    ]
    return policy.compile_set(sets)


def test_aws_s_example_is_allowed_with_aws_s_positions():
    applicable = Applicable(identity=identity(EXAMPLE))

    (result,) = run(applicable, ["dynamodb:CreateBackup"], context={"aws:CurrentTime": "2019-04-25T11:00:00Z"})

    assert {
        "EvalActionName": "dynamodb:CreateBackup",
        "EvalResourceName": "*",
        "EvalDecision": "allowed",
        "MatchedStatements": [
            {
                "SourcePolicyId": "PolicyInputList.1",
                "SourcePolicyType": "IAM Policy",
                "StartPosition": {"Line": 1, "Column": 38},
                "EndPosition": {"Line": 1, "Column": 167},
            }
        ],
        "MissingContextValues": [],
    } == result.as_member()


def test_aws_s_example_is_denied_before_its_date():
    applicable = Applicable(identity=identity(EXAMPLE))

    (result,) = run(applicable, ["dynamodb:CreateBackup"], context={"aws:CurrentTime": "2014-04-25T11:00:00Z"})

    assert ("implicitDeny", []) == (result.effect.value, result.as_member()["MatchedStatements"])


@pytest.mark.parametrize(
    ("index", "start", "end"), [(0, (3, 17), (7, 6)), (1, (7, 6), (12, 6))], ids=["after the bracket", "after the first"]
)
def test_a_listed_statement_starts_after_what_precedes_it(index, start, end):
    text = "\n".join(
        [
            "{",
            '  "Version": "2012-10-17",',
            '  "Statement": [',
            "    {",
            '      "Effect": "Allow",',
            '      "Action": "s3:GetObject", "Resource": "*"',
            "    },",
            "    {",
            '      "Effect": "Allow",',
            '      "Action": "s3:PutObject",',
            '      "Resource": "*"',
            "    }",
            "  ]",
            "}",
        ]
    )
    action = ["s3:GetObject", "s3:PutObject"][index]

    (result,) = run(Applicable(identity=identity(text)), [action])

    (matched,) = result.by_resource[0].matched
    assert (start, end) == (
        (matched.start_line, matched.start_column),
        (matched.end_line, matched.end_column),
    )


def test_each_resource_has_its_own_result_and_the_action_sums_them_up():
    applicable = Applicable(identity=identity(document(statement(Resource=BUCKET + "/a"))))

    (result,) = run(applicable, resources=[BUCKET + "/a", BUCKET + "/b"], resource_name=lambda action: "arn:${P}:s3:::x")

    member = result.as_member()
    assert ("implicitDeny", "arn:${P}:s3:::x") == (member["EvalDecision"], member["EvalResourceName"])
    assert [("arn:aws:s3:::b/a", "allowed", 1), ("arn:aws:s3:::b/b", "implicitDeny", 0)] == [
        (one["EvalResourceName"], one["EvalResourceDecision"], len(one["MatchedStatements"]))
        for one in member["ResourceSpecificResults"]
    ]
    assert {} == member["EvalDecisionDetails"]
    assert [] == member["MatchedStatements"]


def test_a_deny_on_one_resource_is_a_deny_of_the_action_and_shows_only_denying_statements():
    applicable = Applicable(identity=identity(document(statement(), statement("Deny", Resource=BUCKET))))

    (result,) = run(applicable, resources=[BUCKET, BUCKET + "/k"])

    member = result.as_member()
    assert "explicitDeny" == member["EvalDecision"]
    assert 1 == len(member["MatchedStatements"])
    assert "allowed" == member["ResourceSpecificResults"][1]["EvalResourceDecision"]


def test_the_same_statement_is_shown_once_for_several_resources():
    applicable = Applicable(identity=identity(document(statement())))

    (result,) = run(applicable, resources=[BUCKET, BUCKET + "/k"])

    assert 1 == len(result.as_member()["MatchedStatements"])


def test_keys_that_were_not_given_are_missing_only_when_nothing_decided():
    tree = document(
        statement(Condition={"StringEquals": {"app:Color": "${aws:PrincipalTag/Color}"}, "Bool": {"APP:COLOR": "true"}}),
        statement(Resource="arn:aws:s3:::${aws:username}/${app:Home}", Action="iam:GetUser"),
    )
    applicable = Applicable(identity=identity(tree))

    (undecided,) = run(applicable)
    (named,) = run(applicable, resources=[BUCKET])
    (given,) = run(applicable, context={"APP:color": "x"})

    missing = ["app:Color", "app:Home", "aws:PrincipalTag/Color"]
    assert missing == undecided.as_member()["MissingContextValues"]
    assert [] == named.as_member()["MissingContextValues"]
    assert missing == named.as_member()["ResourceSpecificResults"][0]["MissingContextValues"]
    assert missing[1:] == given.as_member()["MissingContextValues"]


def test_nothing_is_missing_when_the_action_is_allowed():
    tree = document(statement(), statement(Condition={"StringEquals": {"app:Color": "x"}}))

    (result,) = run(Applicable(identity=identity(tree)))

    assert [] == result.as_member()["MissingContextValues"]


@pytest.mark.parametrize(("limit", "allowed"), [(document(statement()), True), (document(statement("Deny")), False)])
def test_boundary_and_organizations_are_reported(limit, allowed):
    applicable = Applicable(
        identity=identity(document(statement())),
        boundary=identity(limit),
        service_control=(identity(document(statement())), identity(limit)),
    )

    (result,) = run(applicable, resources=[BUCKET])

    member = result.as_member()
    assert {"AllowedByOrganizations": allowed} == member["OrganizationsDecisionDetail"]
    assert {"AllowedByPermissionsBoundary": allowed} == member["PermissionsBoundaryDecisionDetail"]
    detail = member["ResourceSpecificResults"][0]["PermissionsBoundaryDecisionDetail"]
    assert {"AllowedByPermissionsBoundary": allowed} == detail


def test_without_boundary_and_organizations_nothing_is_said_of_them():
    (result,) = run(Applicable(identity=identity(document(statement()))), resources=[BUCKET])

    member = result.as_member()
    assert not {"OrganizationsDecisionDetail", "PermissionsBoundaryDecisionDetail"} & member.keys()
    assert not {"PermissionsBoundaryDecisionDetail", "EvalDecisionDetails"} & member["ResourceSpecificResults"][0].keys()


def test_across_accounts_each_kind_of_policy_is_detailed():
    grants = building.policy_set(document(statement(Principal={"AWS": building.OTHER_ACCOUNT})), kind=PolicyKind.RESOURCE)
    applicable = Applicable(
        identity=identity(document(statement())),
        resource=grants,
        resource_account_id=building.OTHER_ACCOUNT,
    )

    (result,) = run(applicable, resources=[BUCKET])

    details = {"IAM Policy": "allowed", "Resource Policy": "implicitDeny"}
    assert details == result.as_member()["EvalDecisionDetails"]
    assert details == result.as_member()["ResourceSpecificResults"][0]["EvalDecisionDetails"]


def test_statements_of_organizations_are_never_shown():
    applicable = Applicable(
        identity=identity(document(statement())),
        service_control=(identity(document(statement(), statement("Deny"))),),
    )

    (result,) = run(applicable)

    assert ("explicitDeny", []) == (result.effect.value, result.as_member()["MatchedStatements"])


def test_results_come_in_the_order_of_the_actions():
    found = run(Applicable(identity=identity(document(statement(Action="s3:*")))), ["iam:GetUser", "s3:GetObject"])

    assert [("iam:GetUser", "implicitDeny"), ("s3:GetObject", "allowed")] == [
        (result.action, result.effect.value) for result in found
    ]


def test_the_simulator_s_own_keys_are_resolved():
    tree = document(statement(Condition={"StringEquals": {"aws:username": "alice"}}))

    (result,) = run(Applicable(identity=identity(tree)), resolve=lambda key: "alice" if key == "aws:username" else None)

    assert "allowed" == result.effect.value


def test_context_keys_are_those_of_conditions_and_variables_sorted_without_repeats():
    tree = document(
        statement(
            Resource=["arn:aws:s3:::${aws:username}", "arn:aws:s3:::${AWS:USERNAME}/*"],
            Condition={
                "StringLike": {"s3:prefix": ["${aws:PrincipalTag/team, 'none'}/*", "${*}"]},
                "Bool": {"aws:SecureTransport": "${not:expanded}"},
            },
        ),
        statement(NotResource="arn:aws:s3:::${app:x}"),
    )

    found = policy.context_keys(policy.parse(json.dumps(tree)))

    assert ("app:x", "aws:PrincipalTag/team", "aws:SecureTransport", "aws:username", "s3:prefix") == found


def test_an_old_document_has_no_variables():
    tree = document(statement(Resource="arn:aws:s3:::${aws:username}"), version="2008-10-17")

    assert () == policy.context_keys(policy.parse(json.dumps(tree)))
