"""Cases with the page they come from: every operator, qualifier, pattern, way to be named and step of evaluation."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.policy import building

from crownkeep import policy
from crownkeep.policy import PolicyKind, PolicyPrincipalKind

CORPUS = Path(__file__).parent / "corpus"


def cases(name):
    found = json.loads((CORPUS / f"{name}.json").read_text())
    return [pytest.param(case, id=f"{name}-{number}") for number, case in enumerate(found)]


@pytest.mark.parametrize("case", cases("conditions"))
def test_a_condition_matches_as_documented(case):
    effect = case.get("effect", "Allow")
    tree = building.document(building.statement(effect, Condition=case["condition"]), version=case.get("version", "2012-10-17"))

    said = building.policy_set(tree).decide(building.request(context=case["context"]))

    assert case["matches"] == (said is not None), case


@pytest.mark.parametrize("case", cases("patterns"))
def test_a_pattern_matches_as_documented(case):
    tree = building.document(building.statement(**{case["element"]: case["pattern"]}), version=case["version"])
    action, resource = "s3:GetObject", "arn:aws:s3:::b/k"
    if case["element"].endswith("Action"):
        action = case["value"]
    else:
        resource = case["value"]

    said = building.policy_set(tree).decide(building.request("user", action, resource, case["context"]))

    assert case["matches"] == (said is not None), case


@pytest.mark.parametrize("case", cases("principals"))
def test_a_principal_is_named_as_documented(case):
    if case["caller"] == "bounded":
        caller = replace(building.CALLERS["user"], has_permissions_boundary=True)
    else:
        caller = building.CALLERS[case["caller"]]
    tree = building.document({"Effect": case["effect"], case["element"]: case["value"], "Action": "*", "Resource": "*"})
    (statement,) = building.compiled(tree, kind=PolicyKind.RESOURCE).statements

    naming = statement.naming(building.request(caller))

    assert case["naming"] == naming.name, case


@pytest.mark.parametrize("case", cases("evaluation"))
def test_a_request_is_decided_as_documented(case):
    asked = building.request(
        case["caller"], case.get("action", "s3:GetObject"), case.get("resource", "arn:aws:s3:::b/k"), case.get("context")
    )

    decision = policy.authorize(asked, building.applicable(case["policies"]))

    assert case["decision"] == decision.effect.value, case
    assert case.get("by") == (decision.deciding.kind.name if decision.deciding else None), case
    if "text" in case:
        assert case["text"] == decision.denial_text()


@pytest.mark.parametrize("case", cases("validation"))
def test_a_document_is_validated_in_aws_s_words(case):
    text = case["text"] if "text" in case else json.dumps(case["document"])

    kind = building.KINDS[case["kind"]]

    message = building.fault_of(lambda: policy.validate(policy.parse(text), kind))

    assert case["message"] == message, case


def test_the_corpus_is_large_and_every_case_names_its_source():
    found = [case.values[0] for name in CORPUS.glob("*.json") for case in cases(name.stem)]

    assert 600 <= len(found)
    assert all(case["source"].startswith("https://") for case in found)


def test_every_kind_of_caller_has_a_case():
    callers = {case.values[0]["caller"] for case in cases("evaluation") + cases("principals")}

    assert {kind.value.replace("role session", "session") for kind in PolicyPrincipalKind} <= {
        {"federated": "federated user", "web": "web identity"}.get(caller, caller) for caller in callers
    }
