"""Simulation: what SimulatePrincipalPolicy and SimulateCustomPolicy answer, from the same code that enforces.

Source: API_SimulatePrincipalPolicy, API_EvaluationResult, API_ResourceSpecificResult and API_Statement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from crownkeep.policy import work
from crownkeep.policy.authorize import Applicable, authorize
from crownkeep.policy.compile import CompiledStatement, PolicySet
from crownkeep.policy.condition_keys import missing_keys
from crownkeep.policy.context import Context, ContextValue, PolicyPrincipal, PolicyRequest, Resolve
from crownkeep.policy.decision import DecidingKind, Decision, PolicyEffect
from crownkeep.policy.document import Document, PolicyKind, Statement

# What the simulator knows by itself and therefore never reports as missing.
ALWAYS_PROVIDED = ("aws:CurrentTime", "aws:EpochTime", "aws:PrincipalArn", "aws:PrincipalAccount", "aws:username")

# The simulator names the kinds of policy so in EvalDecisionDetails.
_DETAIL_NAMES = {
    DecidingKind.IDENTITY: "IAM Policy",
    DecidingKind.RESOURCE: "Resource Policy",
    DecidingKind.BOUNDARY: "Permissions Boundary Policy",
}


# AWS's answers say so of every policy of an identity, whatever PolicySourceType of its model lists (recorded in 2025).
_SOURCE_TYPES = {PolicyKind.IDENTITY: "IAM Policy"}


@dataclass(frozen=True, slots=True)
class MatchedStatement:
    """A statement that contributed to a simulated decision, and where it stands; lines and columns count from 1."""

    source_policy_id: str
    source_policy_type: str
    start_line: int
    start_column: int
    end_line: int
    end_column: int

    def as_member(self) -> dict[str, Any]:
        """The Statement structure of AWS's model."""
        return {
            "SourcePolicyId": self.source_policy_id,
            "SourcePolicyType": self.source_policy_type,
            "StartPosition": {"Line": self.start_line, "Column": self.start_column},
            "EndPosition": {"Line": self.end_line, "Column": self.end_column},
        }


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One action simulated on one resource."""

    action: str
    resource: str
    decision: Decision
    matched: tuple[MatchedStatement, ...]
    missing_context: tuple[str, ...]
    details: Mapping[str, str] | None
    allowed_by_organizations: bool | None
    allowed_by_boundary: bool | None

    def as_member(self) -> dict[str, Any]:
        """The ResourceSpecificResult structure of AWS's model."""
        member: dict[str, Any] = {
            "EvalResourceName": self.resource,
            "EvalResourceDecision": self.decision.effect.value,
            "MatchedStatements": [statement.as_member() for statement in self.matched],
            "MissingContextValues": list(self.missing_context),
        }
        if self.details:
            member["EvalDecisionDetails"] = dict(self.details)
        if self.allowed_by_boundary is not None:
            member["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": self.allowed_by_boundary}
        return member


@dataclass(frozen=True, slots=True)
class ActionResult:
    """One action simulated on every resource asked for."""

    action: str
    resource_name: str
    by_resource: tuple[Evaluation, ...]

    @property
    def effect(self) -> PolicyEffect:
        """The decision over all resources: denied explicitly anywhere, else allowed everywhere, else implicitly denied."""
        effects = {evaluation.decision.effect for evaluation in self.by_resource}
        if PolicyEffect.EXPLICIT_DENY in effects:
            return PolicyEffect.EXPLICIT_DENY
        return PolicyEffect.ALLOW if effects == {PolicyEffect.ALLOW} else PolicyEffect.IMPLICIT_DENY

    def as_member(self) -> dict[str, Any]:
        """The EvaluationResult structure of AWS's model; absent members are absent."""
        effect = self.effect
        contributing = [evaluation for evaluation in self.by_resource if evaluation.decision.effect is effect]
        member: dict[str, Any] = {
            "EvalActionName": self.action,
            "EvalResourceName": self.resource_name,
            "EvalDecision": effect.value,
            "MatchedStatements": [
                statement.as_member()
                for statement in dict.fromkeys(one for evaluation in contributing for one in evaluation.matched)
            ],
        }
        names_resources = [evaluation.resource for evaluation in self.by_resource] != ["*"]
        first = self.by_resource[0]
        member["MissingContextValues"] = [] if names_resources else list(first.missing_context)
        organizations = [
            evaluation.allowed_by_organizations
            for evaluation in self.by_resource
            if evaluation.allowed_by_organizations is not None
        ]
        if organizations:
            member["OrganizationsDecisionDetail"] = {"AllowedByOrganizations": all(organizations)}
        boundaries = [
            evaluation.allowed_by_boundary for evaluation in self.by_resource if evaluation.allowed_by_boundary is not None
        ]
        if boundaries:
            member["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": all(boundaries)}
        if first.details is not None:
            member["EvalDecisionDetails"] = dict(first.details)
        if names_resources:
            member["ResourceSpecificResults"] = [evaluation.as_member() for evaluation in self.by_resource]
        return member


def simulate(
    principal: PolicyPrincipal,
    actions: Sequence[str],
    resources: Sequence[str],
    applicable: Applicable,
    *,
    context: Mapping[str, ContextValue],
    resolve: Resolve | None = None,
    resource_name: Callable[[str], str] = lambda action: "*",
) -> tuple[ActionResult, ...]:
    """Decide every action on every resource, without doing anything; one result per action, in the order asked.

    `context` are the caller's ContextEntries: keys not among them that the policies mention are reported as missing.
    `resolve` supplies what the simulator knows by itself. `resource_name` gives an action's ARN template, which the
    service reference knows, or `*`.
    """
    asked = resources or ("*",)
    simulator = Simulator(principal, applicable, context=context, resolve=resolve)
    return tuple(
        ActionResult(action, resource_name(action), tuple(simulator.evaluate(action, resource) for resource in asked))
        for action in actions
    )


class Simulator:
    """One simulation: what is the same for every action and resource is worked out once."""

    def __init__(
        self,
        principal: PolicyPrincipal,
        applicable: Applicable,
        *,
        context: Mapping[str, ContextValue],
        resolve: Resolve | None = None,
    ) -> None:
        """Take what `simulate` takes."""
        self._principal = principal
        self._applicable = applicable
        self._context = Context(context, resolve)
        self._given = (*context, *ALWAYS_PROVIDED)
        self._missing: tuple[str, ...] | None = None

    def steps_for_resource(self) -> int:
        """How much comparing one action on one resource asks for at most, in the steps that decisions are counted in."""
        return sum(
            statement.work.steps(self._context.get)
            for policies in _all_sets(self._applicable)
            for policy in policies.policies
            for statement in policy.statements
        )

    def steps_for_action(self) -> int:
        """How much comparing it asks for at most to find the statements of one action."""
        return sum(
            work.of_pattern(pattern)
            for policies in _all_sets(self._applicable)
            for policy in policies.policies
            for statement in policy.document.statements
            for pattern in (*(statement.actions or ()), *(statement.not_actions or ()))
        )

    def evaluate(self, action: str, resource: str, *, owner: str | None = None) -> Evaluation:
        """Decide one action on one resource, which is another account's where an owner is given."""
        # The owner is a matter of the resource, and not of the caller: it differs from one resource to the next.
        applicable = self._applicable if owner is None else replace(self._applicable, resource_account_id=owner)
        request = PolicyRequest(self._principal, action, resource, self._context)
        decision = authorize(request, applicable)
        said = {kind: [finding.effect for finding in decision.findings if finding.kind is kind] for kind in DecidingKind}
        return Evaluation(
            action=action,
            resource=resource,
            decision=decision,
            matched=_matched(request, applicable, decision),
            # The simulator reports what else it would need only then.
            missing_context=self._missing_keys() if decision.effect is PolicyEffect.IMPLICIT_DENY else (),
            details=_details(request, applicable, decision),
            allowed_by_organizations=_all_allow(said[DecidingKind.SERVICE_CONTROL] + said[DecidingKind.RESOURCE_CONTROL]),
            allowed_by_boundary=_all_allow(said[DecidingKind.BOUNDARY]),
        )

    def _missing_keys(self) -> tuple[str, ...]:
        if self._missing is None:
            documents = [policy.document for policies in _all_sets(self._applicable) for policy in policies.policies]
            self._missing = missing_keys(documents, self._given)
        return self._missing


def _all_allow(effects: list[PolicyEffect]) -> bool | None:
    return all(effect is PolicyEffect.ALLOW for effect in effects) if effects else None


def _own_sets(applicable: Applicable) -> list[PolicySet]:
    """The sets whose statements a simulation shows: never those of organizations (API_EvaluationResult)."""
    candidates = (applicable.identity, applicable.boundary, applicable.resource, applicable.session)
    return [policies for policies in candidates if policies is not None]


def _all_sets(applicable: Applicable) -> list[PolicySet]:
    """The sets whose keys a simulation asks for, those of organizations among them."""
    return [*_own_sets(applicable), *applicable.service_control, *applicable.resource_control]


def _matched(request: PolicyRequest, applicable: Applicable, decision: Decision) -> tuple[MatchedStatement, ...]:
    """The statements that made the decision: the denying ones, or else those that allow; none for an implicit deny."""
    if decision.effect is PolicyEffect.IMPLICIT_DENY:
        return ()
    wanted = decision.allowed
    return tuple(
        matched_statement(statement)
        for policies in _own_sets(applicable)
        for statement in policies.matching(request)
        if statement.allows is wanted
    )


def _details(request: PolicyRequest, applicable: Applicable, decision: Decision) -> dict[str, str] | None:
    """Empty within one account, absent when no resource is named, one entry per kind of policy across accounts."""
    if request.resource == "*":
        return None
    owner = applicable.resource_account_id
    if owner is None or owner == request.principal.account_id:
        return {}
    return {_DETAIL_NAMES[finding.kind]: finding.effect.value for finding in decision.findings if finding.kind in _DETAIL_NAMES}


def matched_statement(compiled: CompiledStatement) -> MatchedStatement:
    """Where a statement stands, as the simulator counts: see statement_positions."""
    (start_line, start_column), (end_line, end_column) = statement_positions(compiled.document, compiled.statement)
    source = compiled.source
    source_type = _SOURCE_TYPES.get(source.kind, source.type.value)
    return MatchedStatement(source.id, source_type, start_line, start_column, end_line, end_column)


def statement_positions(document: Document, statement: Statement) -> tuple[tuple[int, int], tuple[int, int]]:
    """Start and end as (line, column), both from 1, where AWS's simulator puts them.

    The end is just after the closing brace. The start is just after what comes before: the list's opening bracket, the
    statement before, or, for a statement that is no list, its own opening brace (observed in AWS's answers).
    """
    spans = document.spans
    end = document.statement_span(statement).end
    # AWS counts from behind the bracket, so the first statement of a list starts one column further than the bracket.
    if statement.index == 0:
        opening = spans[("Statement",)].start
        start = replace(opening, column=opening.column + 1)
    else:
        start = spans[("Statement", statement.index - 1)].end
    return (start.line, start.column + 1), (end.line, end.column + 1)
