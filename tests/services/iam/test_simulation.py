"""Simulations decide as the enforcer does, say which statement it was, and refuse odd questions in AWS's words."""

from __future__ import annotations

import json

import pytest
from tests.fixtures.patience import bounded
from tests.services.iam.asking import allow, refusal

from crownkeep.operations.giving_way import GivingWay

BUCKET = "arn:aws:s3:::box"
GET = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}


def deny(*actions: str, on: str = "*") -> dict:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": list(actions), "Resource": on}]}


def decisions(answer) -> dict[str, str]:
    return {each["EvalActionName"]: each["EvalDecision"] for each in answer["EvaluationResults"]}


@pytest.fixture
def iam(account):
    return account.client("iam")


def custom(iam, *documents, actions=("s3:GetObject",), **options):
    return iam.simulate_custom_policy(
        PolicyInputList=[each if isinstance(each, str) else json.dumps(each) for each in documents],
        ActionNames=list(actions),
        **options,
    )


def test_a_users_own_groups_and_managed_policies_decide_and_are_cited(account, iam):
    bob = account.user("bob", policy=allow("s3:GetObject"), arn="arn:aws:iam::aws:policy/IAMReadOnlyAccess")
    iam.create_group(GroupName="crew")
    iam.put_group_policy(
        GroupName="crew", PolicyName="no", PolicyDocument=json.dumps(deny("s3:GetObject", on=f"{BUCKET}/secret"))
    )
    iam.add_user_to_group(GroupName="crew", UserName="bob")

    answer = iam.simulate_principal_policy(
        PolicySourceArn=bob.arn,
        ActionNames=["s3:GetObject", "iam:GetUser", "iam:CreateUser"],
        ResourceArns=[f"{BUCKET}/open", f"{BUCKET}/secret"],
    )

    objects, _, creation = answer["EvaluationResults"]
    assert {"s3:GetObject": "explicitDeny", "iam:GetUser": "allowed", "iam:CreateUser": "implicitDeny"} == decisions(answer)
    by_resource = {each["EvalResourceName"]: each for each in objects["ResourceSpecificResults"]}
    assert ("allowed", "explicitDeny") == tuple(
        by_resource[f"{BUCKET}/{name}"]["EvalResourceDecision"] for name in ("open", "secret")
    )
    cited = [(each["SourcePolicyId"], each["SourcePolicyType"]) for each in by_resource[f"{BUCKET}/secret"]["MatchedStatements"]]
    assert [("group_crew_no", "IAM Policy")] == cited
    (allowing,) = by_resource[f"{BUCKET}/open"]["MatchedStatements"]
    assert ("user_bob_inline", "IAM Policy") == (allowing["SourcePolicyId"], allowing["SourcePolicyType"])
    assert allowing["StartPosition"]["Line"] == 1 < allowing["EndPosition"]["Column"]
    assert [] == creation["MatchedStatements"]
    assert "arn:${Partition}:s3:::${BucketName}/${ObjectName}" == objects["EvalResourceName"]


def test_a_simulation_and_the_enforcer_agree(account, iam):
    bob = account.user("bob", policy=allow("iam:ListUsers", "iam:GetUser", on=f"arn:aws:iam::{account.id}:user/*"))
    alice = f"arn:aws:iam::{account.id}:user/alice"
    iam.create_user(UserName="alice")

    simulated = decisions(
        iam.simulate_principal_policy(
            PolicySourceArn=bob.arn, ActionNames=["iam:GetUser", "iam:DeleteUser"], ResourceArns=[alice]
        )
    )

    assert {"iam:GetUser": "allowed", "iam:DeleteUser": "implicitDeny"} == simulated
    assert "alice" == bob.client("iam").get_user(UserName="alice")["User"]["UserName"]
    assert refusal(bob.client("iam").delete_user, UserName="alice").startswith("AccessDenied: ")


def test_a_roles_and_a_groups_policies_can_be_simulated(account, iam):
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
    role = iam.create_role(RoleName="job", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName="job", PolicyName="in", PolicyDocument=json.dumps(GET))
    group = iam.create_group(GroupName="crew")["Group"]["Arn"]
    iam.put_group_policy(GroupName="crew", PolicyName="in", PolicyDocument=json.dumps(GET))

    for source, cited in ((role, "role_job_in"), (group, "group_crew_in")):
        (result,) = iam.simulate_principal_policy(PolicySourceArn=source, ActionNames=["s3:GetObject"])["EvaluationResults"]
        assert ("allowed", [cited]) == (
            result["EvalDecision"],
            [each["SourcePolicyId"] for each in result["MatchedStatements"]],
        )


def test_the_boundary_limits_and_another_takes_its_place(account, iam):
    boundary = iam.create_policy(PolicyName="edge", PolicyDocument=json.dumps(allow("iam:*")))["Policy"]["Arn"]
    bob = account.user("bob", policy=GET, PermissionsBoundary=boundary)
    asked = {"PolicySourceArn": bob.arn, "ActionNames": ["s3:GetObject"]}

    (bounded,) = iam.simulate_principal_policy(**asked)["EvaluationResults"]
    (wider,) = iam.simulate_principal_policy(**asked, PermissionsBoundaryPolicyInputList=[json.dumps(GET)])["EvaluationResults"]
    (without,) = iam.simulate_principal_policy(**asked, PolicyExclusionList=[{"PolicyType": "permission-boundary"}])[
        "EvaluationResults"
    ]

    assert ["implicitDeny", "allowed", "allowed"] == [each["EvalDecision"] for each in (bounded, wider, without)]
    assert {"AllowedByPermissionsBoundary": False} == bounded["PermissionsBoundaryDecisionDetail"]
    assert "PermissionsBoundaryDecisionDetail" not in without


@pytest.mark.parametrize("kind", ["aws-managed", "user-managed"])
def test_a_boundary_is_cited_by_its_name_as_other_managed_policies_are(account, iam, kind):
    boundary = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
    if kind == "user-managed":
        boundary = iam.create_policy(PolicyName="edge", PolicyDocument=json.dumps(GET))["Policy"]["Arn"]
    bob = account.user("bob", policy=GET, PermissionsBoundary=boundary)

    (result,) = iam.simulate_principal_policy(PolicySourceArn=bob.arn, ActionNames=["s3:GetObject"])["EvaluationResults"]

    cited = [(each["SourcePolicyId"], each["SourcePolicyType"]) for each in result["MatchedStatements"]]
    assert [("user_bob_inline", "IAM Policy"), (boundary.rpartition("/")[2], kind)] == cited


@pytest.mark.parametrize(
    ("exclusion", "decision"),
    [
        ({"PolicyType": "inline"}, "implicitDeny"),
        ({"PolicyType": "aws-managed"}, "allowed"),
        ({"PolicyArn": "arn:aws:iam::aws:policy/IAM*Access"}, "allowed"),
        ({"InlinePolicyIdentifier": {"PolicyName": "inline", "AttachmentType": "user", "AttachmentName": "BOB"}}, "implicitDeny"),
        ({"InlinePolicyIdentifier": {"PolicyName": "inline", "AttachmentType": "group", "AttachmentName": "bob"}}, "allowed"),
        ({"PolicyType": "scp"}, "allowed"),
    ],
)
def test_policies_are_left_out_by_type_arn_and_name(account, iam, exclusion, decision):
    bob = account.user("bob", policy=GET, arn="arn:aws:iam::aws:policy/IAMReadOnlyAccess")

    answer = iam.simulate_principal_policy(PolicySourceArn=bob.arn, ActionNames=["s3:GetObject"], PolicyExclusionList=[exclusion])

    assert {"s3:GetObject": decision} == decisions(answer)


def test_a_managed_policy_is_left_out_by_a_pattern_of_its_arn(account, iam):
    bob = account.user("bob", arn="arn:aws:iam::aws:policy/IAMReadOnlyAccess")
    exclusions = [{"PolicyArn": "arn:aws:iam::aws:policy/IAM????OnlyA*s"}]

    answer = iam.simulate_principal_policy(PolicySourceArn=bob.arn, ActionNames=["iam:GetUser"], PolicyExclusionList=exclusions)

    assert {"iam:GetUser": "implicitDeny"} == decisions(answer)


@pytest.mark.parametrize(
    "exclusion",
    [
        {"PolicyArn": "arn:aws:iam::*:policy/IAMReadOnlyAccess"},
        {"PolicyArn": "arn:aws:iam::aws:policy/*Read*Access"},
        {"PolicyArn": "arn:aws:iam::aws:role/IAMReadOnlyAccess"},
    ],
)
def test_an_exclusion_that_is_no_pattern_of_a_policys_arn_is_refused(account, iam, exclusion):
    bob = account.user("bob")

    answer = refusal(
        iam.simulate_principal_policy, PolicySourceArn=bob.arn, ActionNames=["iam:GetUser"], PolicyExclusionList=[exclusion]
    )

    assert answer.startswith("InvalidInput: ")


def test_further_policies_count_and_are_cited_by_their_place(account, iam):
    bob = account.user("bob")

    answer = iam.simulate_principal_policy(
        PolicySourceArn=bob.arn, ActionNames=["s3:GetObject"], PolicyInputList=[json.dumps(deny("iam:*")), json.dumps(GET)]
    )

    (result,) = answer["EvaluationResults"]
    assert ("allowed", ["PolicyInputList.2"]) == (
        result["EvalDecision"],
        [each["SourcePolicyId"] for each in result["MatchedStatements"]],
    )


def test_missing_context_is_named_and_given_context_decides(iam):
    conditional = allow("s3:GetObject", StringEquals={"aws:RequestedRegion": "eu-west-1"})
    entry = {"ContextKeyName": "aws:RequestedRegion", "ContextKeyType": "string"}

    (missing,) = custom(iam, conditional)["EvaluationResults"]
    (met,) = custom(iam, conditional, ContextEntries=[entry | {"ContextKeyValues": ["eu-west-1"]}])["EvaluationResults"]

    assert ("implicitDeny", ["aws:RequestedRegion"]) == (missing["EvalDecision"], missing["MissingContextValues"])
    assert ("allowed", []) == (met["EvalDecision"], met["MissingContextValues"])


@pytest.mark.parametrize(
    ("of_type", "values"),
    [
        ("string", []),
        ("string", ["one", "two"]),
        ("numeric", ["many"]),
        ("boolean", ["maybe"]),
        ("date", ["yesterday"]),
        ("ip", ["nowhere"]),
        ("ipList", ["10.0.0.1", "300.0.0.1"]),
        ("binary", ["!"]),
    ],
)
def test_context_values_that_are_not_of_their_type_are_refused(iam, of_type, values):
    entry = {"ContextKeyName": "aws:SomeKey", "ContextKeyType": of_type, "ContextKeyValues": values}

    answer = refusal(
        iam.simulate_custom_policy, PolicyInputList=[json.dumps(GET)], ActionNames=["s3:Get"], ContextEntries=[entry]
    )

    assert f"InvalidInput: Invalid values for the context key aws:SomeKey of the type {of_type}." == answer


def test_a_resources_policy_of_another_account_needs_both_sides_and_shows_them(account, iam):
    bob = account.user("bob", policy=GET)
    statement = {"Effect": "Allow", "Principal": {"AWS": bob.arn}, "Action": "s3:*", "Resource": f"{BUCKET}/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    asked = {"PolicySourceArn": bob.arn, "ResourceArns": [f"{BUCKET}/x"], "ResourcePolicy": policy}

    own = iam.simulate_principal_policy(**asked, ActionNames=["s3:PutObject"])
    foreign = iam.simulate_principal_policy(
        **asked, ActionNames=["s3:GetObject", "s3:PutObject"], ResourceOwner="arn:aws:iam::111122223333:root"
    )

    assert {"s3:PutObject": "allowed"} == decisions(own)
    assert {"s3:GetObject": "allowed", "s3:PutObject": "implicitDeny"} == decisions(foreign)
    details = [each["EvalDecisionDetails"] for each in foreign["EvaluationResults"]]
    assert [
        {"IAM Policy": "allowed", "Resource Policy": "allowed"},
        {"IAM Policy": "implicitDeny", "Resource Policy": "allowed"},
    ] == details


def test_service_control_policies_are_simulated_level_by_level(iam):
    levels = [{"ServiceControlPolicyInputList": [json.dumps(allow("*"))]}, {"ServiceControlPolicyInputList": [json.dumps(GET)]}]

    (inside, outside) = custom(
        iam, allow("*"), actions=["s3:GetObject", "iam:GetUser"], OrderedOrganizationPolicyInputList=levels
    )["EvaluationResults"]

    assert ["allowed", "implicitDeny"] == [inside["EvalDecision"], outside["EvalDecision"]]
    assert [True, False] == [each["OrganizationsDecisionDetail"]["AllowedByOrganizations"] for each in (inside, outside)]


def test_results_come_page_by_page(iam):
    actions = [f"s3:Action{number}" for number in range(5)]
    asked = {"PolicyInputList": [json.dumps(GET)], "ActionNames": actions}

    pages = list(iam.get_paginator("simulate_custom_policy").paginate(**asked, PaginationConfig={"PageSize": 2}))

    assert [2, 2, 1] == [len(page["EvaluationResults"]) for page in pages]
    assert actions == [each["EvalActionName"] for page in pages for each in page["EvaluationResults"]]
    answer = refusal(iam.simulate_custom_policy, **asked | {"ActionNames": ["s3:Other"]}, Marker=pages[0]["Marker"])
    assert "ValidationError: Invalid Marker." == answer


def test_a_page_holds_no_more_than_a_thousand_decisions(iam):
    answer = custom(
        iam, GET, actions=[f"s3:Action{number}" for number in range(30)], ResourceArns=[f"{BUCKET}/{n}" for n in range(100)]
    )

    assert (10, True) == (len(answer["EvaluationResults"]), answer["IsTruncated"])


def test_a_simulation_that_would_take_too_long_is_refused(iam):
    statements = [{"Effect": "Allow", "Action": f"s3:A{number}", "Resource": "*"} for number in range(800)]
    big = json.dumps({"Version": "2012-10-17", "Statement": statements})

    answer = refusal(
        iam.simulate_custom_policy,
        PolicyInputList=[big],
        ActionNames=["s3:A1"],
        ResourceArns=[f"{BUCKET}/{number}" for number in range(300)],
    )

    assert answer.startswith("InvalidInput: The simulation has too many resources and policy statements")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"PolicyInputList": ["{"]}, "Syntax errors in policy."),
        ({"PolicyInputList": [json.dumps(GET).replace("s3:", "")]}, "Actions/Conditions must be prefaced by a vendor"),
        ({"ActionNames": ["s3:*"]}, "Invalid action name: s3:*."),
        ({"ActionNames": ["GetObject"]}, "Invalid action name: GetObject."),
        ({"ResourceArns": ["box"]}, "Invalid Entity Arn: box does not clearly define entity type and name."),
        *(
            ({"CallerArn": f"arn:aws:{caller}"}, "Invalid caller - Caller must be an IAM user, role or group")
            for caller in ("sts::111122223333:assumed-role/x/y", "iam::111122223333:role/x", "iam::111122223333:group/x")
        ),
        (
            {"CallerArn": "arn:aws:iam::111122223333:role/x", "ResourcePolicy": json.dumps(GET)},
            "Simulation of resource-based policies isn't supported for IAM roles.",
        ),
        ({"ResourceOwner": "somebody"}, "Invalid Resource Owner."),
        ({"ResourcePolicy": json.dumps(GET)}, "Invalid caller - Caller cannot be null or empty."),
        ({"PermissionsBoundaryPolicyInputList": [json.dumps(GET)] * 2}, "Only one permissions boundary policy"),
        ({"ResourceHandlingOption": "EC2-Mars"}, "Invalid resource handling option: EC2-Mars."),
        ({"ResourceHandlingOption": "EC2-VPC-EBS"}, "The resource handling option EC2-VPC-EBS needs these resources: instance"),
    ],
)
def test_an_odd_question_is_refused(iam, options, told):
    asked = {"PolicyInputList": [json.dumps(GET)], "ActionNames": ["s3:GetObject"]} | options

    assert refusal(iam.simulate_custom_policy, **asked).startswith(f"InvalidInput: {told}")


def test_one_resource_that_is_asked_for_names_the_result(account, iam):
    bob = account.user("bob", arn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")

    (result,) = iam.simulate_principal_policy(
        PolicySourceArn=bob.arn, ActionNames=["s3:GetObject"], ResourceArns=[f"{BUCKET}/open"]
    )["EvaluationResults"]

    assert f"{BUCKET}/open" == result["EvalResourceName"]
    assert [("AmazonS3ReadOnlyAccess", "IAM Policy")] == [
        (each["SourcePolicyId"], each["SourcePolicyType"]) for each in result["MatchedStatements"]
    ]


def test_keys_that_an_organizations_policies_ask_for_are_missing_too(iam):
    guarded = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}
    levels = [{"ServiceControlPolicyInputList": [json.dumps({"Version": "2012-10-17", "Statement": guarded})]}]

    (result,) = custom(iam, GET, OrderedOrganizationPolicyInputList=levels)["EvaluationResults"]

    assert ("implicitDeny", ["aws:SecureTransport"]) == (result["EvalDecision"], result["MissingContextValues"])


def test_one_large_simulation_keeps_nobody_waiting(iam):
    patterns = ",".join(f'"arn:aws:s3:::{number}?*?x*"' for number in range(1_000))
    big = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":[' + patterns + "]}}"
    asked = {"PolicyInputList": [big] * 3, "ActionNames": [f"s3:A{number}" for number in range(200)]}

    with bounded():
        answer = refusal(
            iam.simulate_custom_policy, **asked, ResourceArns=[f"{BUCKET}/{'y' * 900}/{number}" for number in range(100)]
        )
        page = iam.simulate_custom_policy(**asked, ResourceArns=[f"{BUCKET}/{'y' * 900}"])

    assert answer.startswith("InvalidInput: The simulation has too many resources and policy statements")
    assert page["IsTruncated"]


def test_many_context_entries_are_read_once_for_all_decisions(iam):
    entries = [{"ContextKeyName": f"app:key-{n}", "ContextKeyValues": ["x"], "ContextKeyType": "string"} for n in range(400)]

    with bounded():
        answer = custom(iam, GET, actions=[f"s3:A{n}" for n in range(1_000)], ContextEntries=entries)

    assert 1_000 == len(answer["EvaluationResults"])


def test_an_entity_that_is_none_or_elsewhere_is_refused_alike(account, crown, iam):
    other = crown.account().user("bob").arn
    simulate, actions = iam.simulate_principal_policy, ["iam:GetUser"]

    assert f"InvalidInput: Invalid Entity Arn: arn:aws:iam::{account.id}:root does not clearly define entity type and name." == (
        refusal(simulate, PolicySourceArn=f"arn:aws:iam::{account.id}:root", ActionNames=actions)
    )
    for source in (other, f"arn:aws:iam::{account.id}:user/bob"):
        answer = refusal(simulate, PolicySourceArn=source, ActionNames=actions)
        assert "NoSuchEntity: The user with name bob cannot be found." == answer


def test_context_keys_are_gathered_from_documents_and_from_what_an_entity_holds(account, iam):
    bob = account.user("bob", policy=allow("s3:*", on="arn:aws:s3:::${aws:username}/*", Bool={"aws:SecureTransport": "true"}))
    document = json.dumps(allow("s3:*", IpAddress={"aws:SourceIp": "10.0.0.0/8"}))

    of_document = iam.get_context_keys_for_custom_policy(PolicyInputList=[document])["ContextKeyNames"]
    of_bob = iam.get_context_keys_for_principal_policy(PolicySourceArn=bob.arn, PolicyInputList=[document])["ContextKeyNames"]

    assert ["aws:SourceIp"] == of_document
    assert ["aws:SecureTransport", "aws:SourceIp", "aws:username"] == of_bob
    assert "InvalidInput: Syntax errors in policy." == refusal(iam.get_context_keys_for_custom_policy, PolicyInputList=["{"])


def test_whoever_may_not_simulate_learns_nothing_of_others(account):
    bob = account.user("bob")
    asked = {"PolicySourceArn": f"arn:aws:iam::{account.id}:user/admin"}

    simulated = refusal(bob.client("iam").simulate_principal_policy, **asked, ActionNames=["iam:GetUser"])
    keys = refusal(bob.client("iam").get_context_keys_for_principal_policy, **asked)

    assert [True, True] == [answer.startswith("AccessDenied: ") and "user/admin" in answer for answer in (simulated, keys)]


def test_denial_of_service_a_large_simulation_gives_way_at_each_pattern_that_it_reads(iam, monkeypatch):
    """Most of its time is spent on reading what was sent, and everybody else waited meanwhile."""
    steps = []
    monkeypatch.setattr(GivingWay, "pause", lambda _: steps.append(None))
    resources = [f"arn:aws:s3:::*{number}?*x" for number in range(50)]
    document = {"Effect": "Allow", "Action": "s3:*", "Condition": {"StringLike": {"aws:userid": "a*"}}, "Resource": resources}

    custom(iam, {"Version": "2012-10-17", "Statement": [document]})

    assert 50 + 1 + 1 == len(steps)
