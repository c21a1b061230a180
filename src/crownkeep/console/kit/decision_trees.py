"""Decisions of the policy simulator, told as a tree: what was decided, and by which statements, boundary or organization.

The tree says what the simulator's answer says (API_EvaluationResult) and no more; where it keeps silent, so is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from crownkeep.translation import gettext

Answer = Mapping[str, Any]

_ALLOWED, _DENIED = "allowed", "explicitDeny"


class Mark(Enum):
    """Which way a reason pulls."""

    ALLOW = "allow"
    DENY = "deny"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Cited:
    """A statement that was decisive, by where it stands."""

    policy: str
    """Its name if it is managed, `user_bob_mine` if it is inline, `PolicyInputList.1` if it came with the question."""
    type: str
    first: tuple[int, int]
    last: tuple[int, int]
    """Line and column, both from 1."""


@dataclass(frozen=True, slots=True)
class DecisionBranch:
    """One branch of the tree."""

    mark: Mark
    text: str
    statements: tuple[Cited, ...] = ()
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ShownDecision:
    """What was decided about one action on one resource, and why."""

    action: str
    resource: str
    decision: str
    reasons: tuple[DecisionBranch, ...]

    @property
    def is_allowed(self) -> bool:
        """Whether it would be done."""
        return self.decision == _ALLOWED

    @property
    def words(self) -> str:
        """The decision for people."""
        return {_ALLOWED: gettext("Allowed"), _DENIED: gettext("Denied by a statement")}.get(
            self.decision, gettext("Not allowed")
        )


def read(results: Sequence[Answer], unbounded: Sequence[Answer] = ()) -> list[ShownDecision]:
    """Read the simulator's results.

    `unbounded` are the results of the same questions without the permissions boundary; they tell what the boundary hides.
    """
    without = {(each.action, each.resource): each for each in _flat(unbounded)}
    return [
        ShownDecision(each.action, each.resource, each.decision, tuple(_reasons(each, without.get((each.action, each.resource)))))
        for each in _flat(results)
    ]


def is_bounded(results: Sequence[Answer]) -> bool:
    """Tell whether the boundary keeps something from being allowed, so that it is worth asking what would be without it."""
    return any(each.by_boundary is False for each in _flat(results))


@dataclass(frozen=True, slots=True)
class _Outcome:
    """One action on one resource, as the simulator answers it."""

    action: str
    resource: str
    decision: str
    statements: tuple[Cited, ...]
    missing: tuple[str, ...]
    by_boundary: bool | None
    by_organizations: bool | None
    details: Mapping[str, str]


def _flat(results: Sequence[Answer]) -> Iterator[_Outcome]:
    for result in results:
        specific = result.get("ResourceSpecificResults")
        for each in specific or [result]:
            # The organization's say is told for the action as a whole alone.
            organizations = result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations")
            boundary = each.get("PermissionsBoundaryDecisionDetail", {}).get("AllowedByPermissionsBoundary")
            yield _Outcome(
                action=result["EvalActionName"],
                resource=each["EvalResourceName"] if specific else "*",
                decision=each["EvalResourceDecision"] if specific else result["EvalDecision"],
                statements=tuple(_cited(one) for one in each.get("MatchedStatements", ())),
                missing=tuple(each.get("MissingContextValues", ())),
                by_boundary=boundary,
                by_organizations=organizations,
                details=each.get("EvalDecisionDetails", {}),
            )


def _cited(statement: Answer) -> Cited:
    start, end = statement["StartPosition"], statement["EndPosition"]
    first, last = (start["Line"], start["Column"]), (end["Line"], end["Column"])
    return Cited(statement["SourcePolicyId"], statement["SourcePolicyType"], first, last)


def _reasons(it: _Outcome, without: _Outcome | None) -> Iterator[DecisionBranch]:
    yield _of_organizations(it)
    yield _of_boundary(it)
    yield from _of_policies(it, without)
    for kind, decision in it.details.items():
        mark = {_ALLOWED: Mark.ALLOW, _DENIED: Mark.DENY}.get(decision, Mark.SILENT)
        yield DecisionBranch(mark, f"{kind}: {decision}")
    if it.missing:
        yield DecisionBranch(
            Mark.SILENT,
            gettext("Some conditions ask for keys that were not given; with them, the answer may be another"),
            keys=it.missing,
        )


def _of_organizations(it: _Outcome) -> DecisionBranch:
    if it.by_organizations is None:
        return DecisionBranch(Mark.SILENT, gettext("No policies of an organization apply"))
    if it.by_organizations:
        return DecisionBranch(Mark.ALLOW, gettext("The organization's policies allow it"))
    return DecisionBranch(
        Mark.DENY, gettext("The organization's policies don't allow it; the simulator does not show their statements")
    )


def _of_boundary(it: _Outcome) -> DecisionBranch:
    if it.by_boundary is None:
        return DecisionBranch(Mark.SILENT, gettext("No permissions boundary applies"))
    if it.by_boundary:
        return DecisionBranch(Mark.ALLOW, gettext("The permissions boundary allows it"))
    return DecisionBranch(Mark.DENY, gettext("The permissions boundary doesn't allow it"))


def _of_policies(it: _Outcome, without: _Outcome | None) -> Iterator[DecisionBranch]:
    if it.decision == _ALLOWED:
        yield DecisionBranch(Mark.ALLOW, gettext("Statements that allow it, and none denies it"), it.statements)
    elif it.decision == _DENIED:
        if it.statements:
            yield DecisionBranch(Mark.DENY, gettext("Statements that deny it, which nothing can outweigh"), it.statements)
    elif without is not None and it.by_boundary is False:
        if without.decision == _ALLOWED:
            yield DecisionBranch(
                Mark.ALLOW, gettext("Without the boundary it would be allowed by these statements"), without.statements
            )
        else:
            yield DecisionBranch(Mark.SILENT, gettext("Without the boundary nothing would allow it either"))
    elif it.by_boundary is not False and it.by_organizations is not False:
        yield DecisionBranch(Mark.SILENT, gettext("No statement allows it"))
    else:
        yield DecisionBranch(Mark.SILENT, gettext("The simulator doesn't tell what the identity's own policies say"))
