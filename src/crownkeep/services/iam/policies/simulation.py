"""Simulating policies: SimulatePrincipalPolicy and SimulateCustomPolicy, decided by the very engine that enforces."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from crownkeep import errors, policy
from crownkeep.domain import page_tokens
from crownkeep.operations import authorize, permissions, registry
from crownkeep.operations.call import Call, Result
from crownkeep.operations.giving_way import GivingWay
from crownkeep.operations.registry import Mode, Target
from crownkeep.policy import (
    ActionResult,
    Applicable,
    CompiledPolicy,
    Evaluation,
    PolicyKind,
    PolicyPrincipal,
    PolicySet,
    PolicySource,
    SourceType,
)
from crownkeep.services.iam.identities import entities
from crownkeep.services.iam.identities.entities import Entity
from crownkeep.services.iam.policies import held_policies, policy_exclusions, simulation_inputs
from crownkeep.services.iam.policies.policy_exclusions import Excluded
from crownkeep.services.iam.policies.simulation_inputs import ContextEntries
from crownkeep.services.iam.service import iam
from crownkeep.storage.identities.owners import OwnerKind

MOST_DECISIONS = 1000
"""On one page: a page may hold fewer results than were asked for (API_SimulatePrincipalPolicy, MaxItems)."""
MOST_STEPS = 200_000
"""Statements times resources for one action: more could be cited for it than an answer should hold."""
MOST_CITED = 50_000
"""Statements times resources times actions on one page."""
MOST_WORK = 4_000_000
"""Steps of comparing on one page, about a second at most; see `policy.work`. One action that asks for more is refused."""

Texts = Sequence[str]


def simulated_entity(call: Call, *, policy_source_arn: str, **_: object) -> Target:
    """The user, group or role whose policies are simulated."""
    return entities.target(call, policy_source_arn)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What both operations are asked alike."""

    actions: Sequence[str]
    resources: Sequence[str]
    resource_policy: str | None
    resource_owner: str | None
    caller_arn: str | None
    context_entries: ContextEntries
    resource_handling_option: str | None
    marker: str | None
    max_items: int | None


@dataclass(frozen=True, slots=True)
class _Question:
    """A simulation that can be decided."""

    principal: PolicyPrincipal
    actions: Sequence[str]
    resources: Sequence[str]
    applicable: Applicable
    owner: str | None
    """Whose the resources without an account in their ARNs are; None where only one account is simulated."""


@iam.operation("SimulatePrincipalPolicy", resource=simulated_entity, mode=Mode.LONG_READ)
def simulate_principal_policy(
    call: Call,
    *,
    policy_source_arn: str,
    action_names: Texts,
    policy_input_list: Texts = (),
    permissions_boundary_policy_input_list: Texts = (),
    policy_exclusion_list: policy_exclusions.Exclusions = (),
    resource_arns: Texts = (),
    resource_policy: str | None = None,
    resource_owner: str | None = None,
    caller_arn: str | None = None,
    context_entries: ContextEntries = (),
    resource_handling_option: str | None = None,
    max_items: int | None = None,
    marker: str | None = None,
) -> Result:
    """Return what a user, group or role could do with the policies it holds, and with others besides."""
    asked = _Asked(
        action_names,
        resource_arns,
        resource_policy,
        resource_owner,
        caller_arn,
        context_entries,
        resource_handling_option,
        marker,
        max_items,
    )
    entity = entities.targeted(call, policy_source_arn)
    excluded = policy_exclusions.read(policy_exclusion_list)
    identity = _identity(call, entity, policy_input_list, excluded)
    boundary = _boundary(permissions_boundary_policy_input_list)
    if boundary is None and not excluded.boundary:
        boundary = _present_boundary(call, entity)
    filters = ("SimulatePrincipalPolicy", policy_source_arn, policy_input_list, policy_exclusion_list)
    # Service control policies alone: the simulator leaves those over resources aside (IAM user guide, "IAM policy testing").
    applicable = Applicable(identity, boundary=boundary, service_control=authorize.service_controls(call))
    return _answer(call, asked, entity, applicable, filters)


@iam.operation("SimulateCustomPolicy", resource=registry.everything, mode=Mode.LONG_READ)
def simulate_custom_policy(
    call: Call,
    *,
    policy_input_list: Texts,
    action_names: Texts,
    permissions_boundary_policy_input_list: Texts = (),
    ordered_organization_policy_input_list: Sequence[Mapping[str, Texts]] = (),
    resource_arns: Texts = (),
    resource_policy: str | None = None,
    resource_owner: str | None = None,
    caller_arn: str | None = None,
    context_entries: ContextEntries = (),
    resource_handling_option: str | None = None,
    max_items: int | None = None,
    marker: str | None = None,
) -> Result:
    """Return what somebody could do who held these policies and no others."""
    asked = _Asked(
        action_names,
        resource_arns,
        resource_policy,
        resource_owner,
        caller_arn,
        context_entries,
        resource_handling_option,
        marker,
        max_items,
    )
    applicable = Applicable(
        policy.compile_set(simulation_inputs.compiled(policy_input_list, PolicyKind.IDENTITY, member="PolicyInputList")),
        boundary=_boundary(permissions_boundary_policy_input_list),
        service_control=tuple(_level(level) for level in ordered_organization_policy_input_list),
    )
    filters = ("SimulateCustomPolicy", policy_input_list, ordered_organization_policy_input_list)
    return _answer(call, asked, None, applicable, filters)


def _identity(call: Call, entity: Entity, given: Texts, excluded: Excluded) -> PolicySet:
    held = [
        permissions.compiled([permissions.Text(each.document, each.source)])
        for each in held_policies.of_entity(call, entity)
        if excluded.keeps(each)
    ]
    added = simulation_inputs.compiled(given, PolicyKind.IDENTITY, member="PolicyInputList")
    return policy.combine(*held, policy.compile_set(added))


def _present_boundary(call: Call, entity: Entity) -> PolicySet | None:
    if entity.boundary_arn is None:
        return None
    held = held_policies.managed(call, [entity.boundary_arn])
    return permissions.compiled(
        [permissions.Text(each.document, replace(each.source, kind=PolicyKind.BOUNDARY)) for each in held]
    )


def _boundary(texts: Texts) -> PolicySet | None:
    if len(texts) > 1:
        raise errors.InvalidInput("Only one permissions boundary policy can be simulated.")
    member = "PermissionsBoundaryPolicyInputList"
    return policy.compile_set(simulation_inputs.compiled(texts, PolicyKind.BOUNDARY, member=member)) if texts else None


def _level(level: Mapping[str, Texts]) -> PolicySet:
    texts = level.get("ServiceControlPolicyInputList", ())
    member = "ServiceControlPolicyInputList"
    return policy.compile_set(simulation_inputs.compiled(texts, PolicyKind.SERVICE_CONTROL, member=member))


def _resource_policy(text: str | None) -> PolicySet | None:
    if text is None:
        return None
    document = simulation_inputs.read(text, PolicyKind.RESOURCE)
    source = PolicySource(PolicyKind.RESOURCE, "ResourcePolicy", type=SourceType.RESOURCE)
    return policy.compile_set([policy.compile_policy(document, source=source)])


def _answer(call: Call, asked: _Asked, entity: Entity | None, applicable: Applicable, filters: tuple[object, ...]) -> Result:
    has_policy = asked.resource_policy is not None
    of_role = entity.kind is OwnerKind.ROLE if entity is not None else entities.kind_of(asked.caller_arn or "") is OwnerKind.ROLE
    if has_policy and of_role:
        raise errors.InvalidInput("Simulation of resource-based policies isn't supported for IAM roles.")
    principal = simulation_inputs.caller(call, asked.caller_arn, entity)
    if has_policy and not principal.arn:
        raise errors.InvalidInput("Invalid caller - Caller cannot be null or empty.")
    simulation_inputs.require_actions(asked.actions)
    simulation_inputs.require_resources(asked.resources, with_policy=has_policy)
    simulation_inputs.require_scenario(asked.resource_handling_option, asked.resources)
    whole = replace(applicable, resource=_resource_policy(asked.resource_policy))
    owner = simulation_inputs.owner(asked.resource_owner) or (principal.account_id if has_policy else None)
    context = simulation_inputs.context(asked.context_entries)
    question = _Question(principal, asked.actions, asked.resources or ("*",), whole, owner)
    simulator = policy.Simulator(principal, whole, context=context, resolve=simulation_inputs.supplied(call, principal))
    return _page(call, question, simulator, asked, filters)


def _statements(applicable: Applicable) -> int:
    sets = (applicable.identity, applicable.boundary, applicable.resource, *applicable.service_control)
    policies: list[CompiledPolicy] = [each for found in sets if found is not None for each in found.policies]
    return sum(len(each.statements) for each in policies)


def _actions_on_a_page(question: _Question, simulator: policy.Simulator) -> int:
    """Return how many actions are decided at once, by what deciding one of them costs at most; raises InvalidInput."""
    resources = len(question.resources)
    cited = max(1, resources * _statements(question.applicable))
    work = max(1, resources * simulator.steps_for_resource() + simulator.steps_for_action())
    if cited > MOST_STEPS or work > MOST_WORK:
        raise errors.InvalidInput("The simulation has too many resources and policy statements; simulate fewer at a time.")
    return max(1, min(MOST_DECISIONS // resources, MOST_CITED // cited, MOST_WORK // work))


def _page(call: Call, question: _Question, simulator: policy.Simulator, asked: _Asked, filters: tuple[object, ...]) -> Result:
    fitting = _actions_on_a_page(question, simulator)
    places = range(len(question.actions))
    # All that the answer depends on: a marker is good for the very same simulation alone.
    everything = (filters, asked.actions, asked.resources, asked.resource_policy, asked.caller_arn, asked.context_entries)
    found, more = page_tokens.page(
        call,
        list_name="Simulation",
        filters=(json.dumps(everything, default=dict, sort_keys=True),),
        marker=asked.marker,
        max_items=min(asked.max_items or fitting, fitting),
        fetch=lambda after, limit: places[int(after) + 1 if after else 0 :][:limit],
        key=str,
    )
    decide = _decider(question, simulator)
    return {"EvaluationResults": [decide(question.actions[place]).as_member() for place in found], **more}


def _decider(question: _Question, simulator: policy.Simulator) -> Callable[[str], ActionResult]:
    owners = [
        simulation_inputs.account_of(resource, otherwise=question.owner) if question.owner else None
        for resource in question.resources
    ]

    # A page may take a second: other requests of the process get their turn between two decisions.
    pace = GivingWay()

    def decide(action: str) -> ActionResult:
        evaluations: list[Evaluation] = []
        for resource, owner in zip(question.resources, owners, strict=True):
            evaluations.append(simulator.evaluate(action, resource, owner=owner))
            pace.pause()
        return ActionResult(action, simulation_inputs.action_resource(action, question.resources), tuple(evaluations))

    return decide


@iam.operation("GetContextKeysForCustomPolicy", resource=registry.everything, mode=Mode.LONG_READ)
def get_context_keys_for_custom_policy(call: Call, *, policy_input_list: Texts) -> Result:
    """Return the context keys that documents mention."""
    documents = [simulation_inputs.read(text, PolicyKind.IDENTITY) for text in policy_input_list]
    return {"ContextKeyNames": list(policy.context_keys(*documents))}


@iam.operation("GetContextKeysForPrincipalPolicy", resource=simulated_entity, mode=Mode.LONG_READ)
def get_context_keys_for_principal_policy(call: Call, *, policy_source_arn: str, policy_input_list: Texts = ()) -> Result:
    """Return the context keys that the policies of a user, group or role mention, and those of further documents."""
    entity: Entity = entities.targeted(call, policy_source_arn)
    held = [policy.parse(each.document) for each in held_policies.of_entity(call, entity)]
    given = [simulation_inputs.read(text, PolicyKind.IDENTITY) for text in policy_input_list]
    return {"ContextKeyNames": list(policy.context_keys(*held, *given))}
