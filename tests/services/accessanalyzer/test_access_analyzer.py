"""Access Analyzer's checks of policies: through boto3, with the service's own findings, pages and refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.house.test_operations import OPERATIONS

from crownkeep.operations.registry import Permission
from crownkeep.services.accessanalyzer.known_actions import KnownActions


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def statement(action: str, resource: str = "*", effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def refusal(operation: Callable[..., Any], **parameters: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        operation(**parameters)
    response: dict[str, Any] = caught.value.response
    return response


@pytest.fixture
def analyzer(account):
    return account.client("accessanalyzer")


def test_an_action_that_does_not_exist_is_found_with_its_place_in_the_text(analyzer):
    text = document(statement("iam:NoSuchAction", "arn:aws:iam::123456789012:user/bob"))

    (finding,) = analyzer.validate_policy(policyDocument=text, policyType="IDENTITY_POLICY")["findings"]

    assert ("ERROR", "INVALID_ACTION") == (finding["findingType"], finding["issueCode"])
    (location,) = finding["locations"]
    span = location["span"]
    assert '"iam:NoSuchAction"' == text[span["start"]["offset"] : span["end"]["offset"]]
    assert finding["learnMoreLink"].startswith("https://docs.aws.amazon.com/")


def test_a_sound_policy_has_no_findings(analyzer):
    text = document(statement("iam:GetUser", "arn:aws:iam::123456789012:user/bob"))

    assert [] == analyzer.validate_policy(policyDocument=text, policyType="IDENTITY_POLICY")["findings"]


@pytest.mark.parametrize(
    "action", ["iam:AcquireRole", "iam:UpdateOpenIDConnectProvider", "iam:UpdateDelegationRequest", "sts:GetScopedCredentials"]
)
def test_an_operation_of_the_installed_models_is_an_action(analyzer, action: str):
    text = document(statement(action))
    narrow = document(statement(action, "arn:aws:iam::123456789012:role/r"))

    assert [] == analyzer.validate_policy(policyDocument=text, policyType="IDENTITY_POLICY")["findings"]
    assert [] == analyzer.validate_policy(policyDocument=narrow, policyType="IDENTITY_POLICY")["findings"]


def test_every_action_that_is_served_is_known():
    known = KnownActions()
    served = {each.action for each in OPERATIONS if each.permission is not Permission.NONE and each.service.name != "operator"}

    missing = {each for each in served if each.partition(":")[2] not in known.action_names(each.partition(":")[0])}

    assert set() == missing


def test_an_operation_that_is_decided_as_another_is_no_action():
    assert {"GetFindingV2", "ListFindingsV2"}.isdisjoint(KnownActions().action_names("access-analyzer"))


def test_what_is_no_policy_at_all_has_findings_too(analyzer):
    findings = analyzer.validate_policy(policyDocument="{", policyType="IDENTITY_POLICY")["findings"]

    assert {"ERROR"} == {finding["findingType"] for finding in findings}


def test_findings_come_page_by_page_with_a_token_for_this_document_alone(analyzer):
    text = document(*(statement(f"iam:NoSuchAction{number}") for number in range(5)))
    everything = analyzer.validate_policy(policyDocument=text, policyType="IDENTITY_POLICY")["findings"]

    first = analyzer.validate_policy(policyDocument=text, policyType="IDENTITY_POLICY", maxResults=3)
    rest = analyzer.validate_policy(policyDocument=text, policyType="IDENTITY_POLICY", nextToken=first["nextToken"])
    answer = refusal(analyzer.validate_policy, policyDocument="{}", policyType="IDENTITY_POLICY", nextToken=first["nextToken"])

    assert everything == [*first["findings"], *rest["findings"]]
    assert "nextToken" not in rest
    assert ("ValidationException", "fieldValidationFailed") == (answer["Error"]["Code"], answer["reason"])


def test_a_trust_policy_is_checked_as_one(analyzer):
    text = document({"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole", "Resource": "*"})
    which = {"policyDocument": text, "policyType": "RESOURCE_POLICY"}

    as_trust = analyzer.validate_policy(**which, validatePolicyResourceType="AWS::IAM::AssumeRolePolicyDocument")["findings"]
    as_resource = analyzer.validate_policy(**which)["findings"]

    assert {"ERROR"} == {finding["findingType"] for finding in as_trust if finding not in as_resource}


@pytest.mark.parametrize(
    "options",
    [
        {"locale": "DE"},
        {"maxResults": 0},
        {"maxResults": 1001},
        {"nextToken": "made up"},
        {"validatePolicyResourceType": "AWS::S3::Bucket"},
    ],
)
def test_what_is_not_served_or_out_of_range_is_refused_by_the_fields_name(analyzer, options):
    answer = refusal(analyzer.validate_policy, policyDocument="{}", policyType="IDENTITY_POLICY", **options)

    assert ("ValidationException", 400) == (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"])
    assert [*options] == [field["name"] for field in answer["fieldList"]]


@pytest.mark.parametrize(("action", "result"), [("iam:CreateUser", "FAIL"), ("s3:GetObject", "PASS")])
def test_access_that_should_not_be_granted_is_found(analyzer, action, result):
    answer = analyzer.check_access_not_granted(
        policyDocument=document(statement("iam:*", Sid="people")), access=[{"actions": [action]}], policyType="IDENTITY_POLICY"
    )

    assert result == answer["result"]
    assert (["people"] if result == "FAIL" else []) == [reason["statementId"] for reason in answer.get("reasons", [])]


@pytest.mark.parametrize("access", [[], [{}], [{"actions": []}]])
def test_a_check_for_no_access_at_all_is_refused(analyzer, access):
    answer = refusal(analyzer.check_access_not_granted, policyDocument=document(), access=access, policyType="IDENTITY_POLICY")

    assert "ValidationException" == answer["Error"]["Code"]


def test_new_access_is_found_and_less_access_passes(analyzer):
    narrow, wide = document(statement("iam:GetUser")), document(statement("iam:*"))

    more = analyzer.check_no_new_access(existingPolicyDocument=narrow, newPolicyDocument=wide, policyType="IDENTITY_POLICY")
    less = analyzer.check_no_new_access(existingPolicyDocument=wide, newPolicyDocument=narrow, policyType="IDENTITY_POLICY")

    assert ("FAIL", "PASS") == (more["result"], less["result"])
    assert 0 == more["reasons"][0]["statementIndex"]


def test_a_document_that_is_no_policy_cannot_be_compared(analyzer):
    sound = document(statement("iam:GetUser"))

    answer = refusal(
        analyzer.check_no_new_access, existingPolicyDocument="{", newPolicyDocument=sound, policyType="IDENTITY_POLICY"
    )

    assert "InvalidParameterException" == answer["Error"]["Code"]
    assert "existingPolicyDocument" in answer["Error"]["Message"]


def test_there_are_no_analyzers(analyzer):
    assert [] == analyzer.list_analyzers(type="ACCOUNT")["analyzers"]


def test_a_caller_without_permission_learns_nothing(account):
    nobody = account.user("nobody")

    answer = refusal(nobody.client("accessanalyzer").list_analyzers)

    assert "AccessDeniedException" == answer["Error"]["Code"]
    assert (
        f"User: {nobody.arn} is not authorized to perform: access-analyzer:ListAnalyzers on resource: "
        f"arn:aws:access-analyzer:us-east-1:{account.id}:* because no identity-based policy allows the "
        "access-analyzer:ListAnalyzers action"
    ) == answer["Error"]["Message"]


def test_checks_are_recorded_without_the_sensitive_documents(account):
    text = document(statement("iam:GetUser", Sid="ofUsOnly"))
    account.client("accessanalyzer").check_no_new_access(
        existingPolicyDocument=text, newPolicyDocument=text, policyType="IDENTITY_POLICY"
    )

    record = next(each for each in account.records() if each["eventName"] == "CheckNoNewAccess")

    assert "access-analyzer.amazonaws.com" == record["eventSource"]
    assert "ofUsOnly" not in str(record)
