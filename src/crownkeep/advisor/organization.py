"""The organization as evidence has it: whether the account is in one, whether it leads it, and what its control policies say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from crownkeep import arn
from crownkeep.advisor import calls, policy_sets
from crownkeep.advisor.view import CannotTell, DoesNotApply, View
from crownkeep.policy import (
    Applicable,
    Context,
    MalformedPolicy,
    PolicyKind,
    PolicyPrincipal,
    PolicyPrincipalKind,
    PolicyRequest,
    PolicySet,
    PolicySource,
    authorize,
)


@dataclass(frozen=True, slots=True)
class ControlPolicy:
    """A service control policy, and what it is attached to."""

    id: str
    name: str
    document: str
    targets: tuple[str, ...]


def of(view: View) -> Mapping[str, Any]:
    """Return the organization; raises DoesNotApply where the account is in none."""
    found = view.find(calls.ORGANIZATION)
    if found is None:
        raise DoesNotApply("The account is in no organization.")
    organization: Mapping[str, Any] = found["Organization"]
    return organization


def is_led(view: View) -> bool:
    """Tell whether the account is the management account of its organization."""
    found = of(view)
    return bool(found.get("MasterAccountId") == view.account_id)


def lead(view: View) -> Mapping[str, Any]:
    """Return the organization; raises DoesNotApply for members, whose organization is judged at its management account."""
    found = of(view)
    if found.get("MasterAccountId") != view.account_id:
        raise DoesNotApply(f"This is a member: audit its management account {found.get('MasterAccountId', '')}.")
    return found


def members(view: View) -> list[Mapping[str, Any]]:
    """Return the active accounts below the management account."""
    found = view.get(calls.ORGANIZATION_ACCOUNTS)["Accounts"]
    return [each for each in found if each["Id"] != view.account_id and each.get("Status", "ACTIVE") == "ACTIVE"]


def control_policies(view: View) -> list[ControlPolicy]:
    """Return the service control policies that are attached to something."""
    lead(view)
    found = []
    for each in view.get(calls.SCPS)["Policies"]:
        answer = view.find(calls.policy_document(each["Id"])) or {}
        targets = view.find(calls.policy_targets(each["Id"])) or {}
        document = answer.get("Policy", {}).get("Content", "")
        found.append(
            ControlPolicy(each["Id"], each["Name"], document, tuple(one["TargetId"] for one in targets.get("Targets", [])))
        )
    return [each for each in found if each.targets]


def everywhere(view: View) -> list[tuple[str, PolicySet]]:
    """Return, for each member, the control policies attached to the root or to the account itself.

    Those of units between them are not followed: where one might count, nothing is said.
    """
    found = control_policies(view)
    root_ids = {each["Id"] for each in view.get(calls.ORGANIZATION_ROOTS)["Roots"]}
    return [
        (member["Id"], _compiled([each for each in found if (root_ids | {member["Id"]}) & set(each.targets)]))
        for member in members(view)
    ]


def denies(policies: PolicySet, principal: PolicyPrincipal, action: str, resource: str = "*") -> bool:
    """Tell whether control policies deny something explicitly."""
    request = PolicyRequest(principal, action, resource, Context({"aws:PrincipalArn": principal.arn}))
    decision = authorize(request, Applicable(service_control=(policies,)))
    return decision.effect.value == "explicitDeny"


def member_root(account_id: str) -> PolicyPrincipal:
    """Return a member's root user."""
    return PolicyPrincipal(PolicyPrincipalKind.ROOT, arn.root(account_id), account_id)


def member_administrator(account_id: str) -> PolicyPrincipal:
    """Return an administrator of a member."""
    return PolicyPrincipal(PolicyPrincipalKind.USER, arn.user(account_id, "/", "administrator"), account_id)


def undenied(view: View, who: Callable[[str], PolicyPrincipal], actions: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
    """Yield members with those of the actions that no control policy denies; raises DoesNotApply without members."""
    found = everywhere(view)
    if not found:
        raise DoesNotApply("The organization has no members.")
    left = {
        account_id: [action for action in actions if not denies(policies, who(account_id), action)]
        for account_id, policies in found
    }
    if any(left.values()) and _reaches_units(view):
        raise CannotTell("some control policies are attached to organizational units, which are not followed here")
    yield from left.items()


def _reaches_units(view: View) -> bool:
    return any(target.startswith("ou-") for each in control_policies(view) for target in each.targets)


def _compiled(found: list[ControlPolicy]) -> PolicySet:
    try:
        return policy_sets.of((PolicySource(PolicyKind.SERVICE_CONTROL, each.id, each.name), each.document) for each in found)
    except MalformedPolicy as error:
        raise CannotTell("a service control policy can't be read") from error
