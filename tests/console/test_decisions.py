"""The tree of why: it says what the simulator's answer says, and says so where that keeps silent."""

from __future__ import annotations

from typing import Any

from crownkeep.console.kit import decision_trees as decisions
from crownkeep.console.kit.decision_trees import Mark, ShownDecision

PLACE = {"Line": 3, "Column": 5}
STATEMENT = {"SourcePolicyId": "own", "SourcePolicyType": "user", "StartPosition": PLACE, "EndPosition": {"Line": 4, "Column": 9}}


def answer(decision: str, **members: Any) -> dict[str, Any]:
    """Make an EvaluationResult."""
    return {
        "EvalActionName": "s3:GetObject",
        "EvalResourceName": "*",
        "EvalDecision": decision,
        "MatchedStatements": [],
        **members,
    }


def bounded(allowed: bool) -> dict[str, Any]:
    """Make the member that tells what the boundary says."""
    return {"PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": allowed}}


def marks(decision: ShownDecision) -> list[tuple[Mark, str]]:
    """Return the tree's branches."""
    return [(reason.mark, reason.text) for reason in decision.reasons]


def test_an_allowed_action_names_the_statements_that_allow_it():
    (decision,) = decisions.read([answer("allowed", MatchedStatements=[STATEMENT])])

    assert (True, "Allowed") == (decision.is_allowed, decision.words)
    (cited,) = decision.reasons[-1].statements
    assert ("own", "user", (3, 5), (4, 9)) == (cited.policy, cited.type, cited.first, cited.last)
    assert Mark.ALLOW is decision.reasons[-1].mark


def test_a_denial_names_the_statements_that_deny():
    (decision,) = decisions.read([answer("explicitDeny", MatchedStatements=[STATEMENT])])

    assert (Mark.DENY, "Statements that deny it, which nothing can outweigh") == marks(decision)[-1]


def test_what_nothing_allows_is_told_with_the_keys_that_were_not_given():
    (decision,) = decisions.read([answer("implicitDeny", MissingContextValues=["aws:SourceIp"])])

    assert (Mark.SILENT, "No statement allows it") in marks(decision)
    assert ("aws:SourceIp",) == decision.reasons[-1].keys


def test_a_boundary_that_does_not_allow_is_told_with_what_would_be_without_it():
    kept = [answer("implicitDeny", **bounded(False))]

    (decision,) = decisions.read(kept, [answer("allowed", MatchedStatements=[STATEMENT])])
    (neither,) = decisions.read(kept, [answer("implicitDeny")])
    (untold,) = decisions.read(kept)

    assert decisions.is_bounded(kept)
    assert (Mark.DENY, "The permissions boundary doesn't allow it") in marks(decision)
    assert (Mark.ALLOW, "Without the boundary it would be allowed by these statements") == marks(decision)[-1]
    assert (Mark.SILENT, "Without the boundary nothing would allow it either") == marks(neither)[-1]
    assert (Mark.SILENT, "The simulator doesn't tell what the identity's own policies say") == marks(untold)[-1]


def test_an_organization_that_does_not_allow_is_told_and_its_silence_too():
    (decision,) = decisions.read([answer("implicitDeny", OrganizationsDecisionDetail={"AllowedByOrganizations": False})])

    assert Mark.DENY is decision.reasons[0].mark
    assert "simulator doesn't tell" in decision.reasons[-1].text


def test_each_resource_has_a_decision_of_its_own():
    specific = [
        {"EvalResourceName": "arn:aws:s3:::a", "EvalResourceDecision": "allowed", "MatchedStatements": [STATEMENT]},
        {"EvalResourceName": "arn:aws:s3:::b", "EvalResourceDecision": "implicitDeny", "MatchedStatements": [], **bounded(True)},
    ]

    found = decisions.read([answer("implicitDeny", ResourceSpecificResults=specific)])

    assert [("arn:aws:s3:::a", True), ("arn:aws:s3:::b", False)] == [(each.resource, each.is_allowed) for each in found]
    assert (Mark.SILENT, "No statement allows it") == marks(found[1])[-1]
