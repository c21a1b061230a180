"""Switching types of policy on and off at the root.

Switching a control type on attaches AWS's own policy, which allows everything, to the root, every unit and every account.
Switching any type off detaches all policies of it everywhere (Organizations user guide, "Disabling a policy type").
"""

from __future__ import annotations

from crownkeep import clock, errors
from crownkeep.catalogue import organization_policies as catalogue
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect, Target
from crownkeep.services.organizations import entities, policies, tree
from crownkeep.services.organizations.callers import AllowedCaller
from crownkeep.services.organizations.service import organizations
from crownkeep.storage.organizations import organization_policy_targets, organization_policy_types
from crownkeep.storage.organizations import organizations as organization_rows
from crownkeep.storage.organizations.organization_policy_types import PolicyTypeRow
from crownkeep.storage.organizations.organizations import OrganizationRow


def root(call: Call, *, root_id: str, policy_type: str, **_: object) -> Target:
    """The root that a type is switched on or off at."""
    found = entities.parent(call, parent_id=root_id)
    return Target(found.arn, tags=found.tags, context=policies.of_type(policy_type))


@organizations.operation("EnablePolicyType", resource=root, effect=Effect.STATE, caller=AllowedCaller.DELEGATE)
def enable_policy_type(call: Call, organization: OrganizationRow, *, root_id: str, policy_type: str) -> Result:
    """Let policies of a type be attached; nothing is forbidden by it alone."""
    _require_root(organization, root_id)
    policies.require_all_features(organization)
    if policy_type in organization_policy_types.enabled(call.db, organization.organization_id):
        raise errors.PolicyTypeAlreadyEnabled("The specified policy type is already enabled.")
    switch_on(call, organization, policy_type)
    return {"Root": tree.describe_root(call, organization)}


@organizations.operation("DisablePolicyType", resource=root, effect=Effect.STATE, caller=AllowedCaller.DELEGATE)
def disable_policy_type(call: Call, organization: OrganizationRow, *, root_id: str, policy_type: str) -> Result:
    """Detach every policy of a type everywhere, and let no more be attached; the policies themselves stay."""
    _require_root(organization, root_id)
    if not organization_policy_types.remove(call.db, organization.organization_id, policy_type):
        raise errors.PolicyTypeNotEnabled("This operation can be performed only for enabled policy types.")
    organization_policy_targets.remove_of_type(call.db, organization.organization_id, policy_type)
    organization_rows.touch_members(call.db, organization.organization_id, clock.revision())
    return {"Root": tree.describe_root(call, organization)}


def switch_on(call: Call, organization: OrganizationRow, policy_type: str) -> None:
    """Enable a type that is not, with what every entity has of it from the start."""
    place = (organization.organization_id, organization.management_account_id)
    organization_policy_types.add(call.db, PolicyTypeRow(*place, policy_type, call.now))
    default = catalogue.DEFAULTS.get(policy_type)
    if default is None:
        return
    organization_policy_targets.attach_everywhere(
        call.db, *place, default.policy_id, policy_type, root_id=organization.root_id, at=call.now
    )
    organization_rows.touch_members(call.db, organization.organization_id, clock.revision())


def _require_root(organization: OrganizationRow, root_id: str) -> None:
    if root_id != organization.root_id:
        raise errors.RootNotFound("You specified a root that doesn't exist.")
