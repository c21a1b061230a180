"""Who may call what: the management account everything, members little, and delegates what they were given.

That a policy allows an operation isn't enough here: most operations belong to the management account alone, many reads also to
its delegated administrators, and what the organization's resource policy says belongs to whom it names (Organizations API
reference, "You can only call this operation from ..."). Every operation declares it (`caller=`), is held to it before its handler
runs, and gets the organization by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from crownkeep import errors
from crownkeep.operations import authorize, permissions
from crownkeep.operations.call import Call
from crownkeep.operations.registry import Mode, Target
from crownkeep.policy import Decision, PolicyKind, PolicySource, Reason, SourceType
from crownkeep.services.organizations import arns
from crownkeep.services.organizations.arns import Place
from crownkeep.storage.organizations import (
    delegated_administrators,
    organization_accounts,
    organization_resource_policies,
    organizations,
)
from crownkeep.storage.organizations.organization_accounts import MemberRow
from crownkeep.storage.organizations.organizations import OrganizationRow


class AllowedCaller(Enum):
    """Whose accounts may call an operation; every operation says so where it is registered."""

    MANAGEMENT = "management"
    """The account that manages the organization, and no other."""
    DELEGATE = "delegate"
    """It, and members to whom the organization's resource policy delegates the operation."""
    ADMINISTRATOR = "administrator"
    """They, and delegated administrators of any service."""
    ITSELF = "itself"
    """They, and every account of the organization that asks about itself (`TargetId`)."""
    MEMBER = "member"
    """Every account of the organization."""
    ANY_ACCOUNT = "any account"
    """Every account, whether it is in an organization or not: the handler says what else it takes."""


@dataclass(frozen=True, slots=True)
class AskedAction:
    """What a call asks for: one action on one or several targets, with the operation's arguments."""

    action: str
    targets: Sequence[Target]
    arguments: Mapping[str, object]


def place(call: Call) -> Place:
    """Return the caller's organization as ARNs name it, for functions that say what an action is done to."""
    found = call.standing.membership(call.db)
    if found is None:
        return Place(call.account_id, arns.UNKNOWN)
    return Place(found.management_account_id, found.organization_id)


def admit(call: Call, caller: AllowedCaller, asked: Sequence[AskedAction], *, mode: Mode) -> OrganizationRow:
    """Return the caller's organization, held for a change, where its account may ask for all of this.

    Raises AWSOrganizationsNotInUseException for an account in no organization, and AccessDenied for one that may not, as the
    resource policy may say even of delegated administrators.
    """
    found = member(call)
    if caller is AllowedCaller.MANAGEMENT and not is_management(found):
        raise no_permission()
    organization = held(call, found) if mode is Mode.WRITE else _required(call, found)
    if is_management(found) or caller is AllowedCaller.MEMBER:
        return organization
    if caller is AllowedCaller.ITSELF and all(_is_about_itself(call, each) for each in asked):
        return organization
    # Each is looked at: what the resource policy denies is refused even to whom it is allowed otherwise.
    delegated = [_is_delegated(call, organization, each, target) for each in asked for target in each.targets]
    if all(delegated):
        return organization
    is_administrator = delegated_administrators.is_delegate(call.db, organization.organization_id, call.account_id)
    if is_administrator and caller is not AllowedCaller.DELEGATE:
        return organization
    raise no_permission()


def member(call: Call) -> MemberRow:
    """Return the caller's place in its organization; raises AWSOrganizationsNotInUseException where it is in none."""
    found = organization_accounts.of_account(call.db, call.account_id)
    if found is None:
        raise errors.OrganizationsNotInUse("Your account is not a member of an organization.")
    return found


def held(call: Call, found: MemberRow) -> OrganizationRow:
    """Hold the organization that an account is in, for a change; raises AWSOrganizationsNotInUseException where it just left."""
    organization = organizations.hold(call.db, found.organization_id)
    # Whoever waited for the row may have left by now, or been moved to another organization.
    if organization is None or organization_accounts.of_account(call.db, call.account_id) != found:
        raise errors.OrganizationsNotInUse("Your account is not a member of an organization.")
    return organization


def is_management(found: MemberRow) -> bool:
    """Tell whether this is the management account of its organization."""
    return found.account_id == found.management_account_id


def no_permission() -> errors.AccessDenied:
    """Make the refusal of an operation that belongs to another account of the organization."""
    return errors.AccessDenied("You don't have permissions to access this resource.")


def _is_about_itself(call: Call, asked: AskedAction) -> bool:
    return (asked.arguments.get("target_id") or call.account_id) == call.account_id


def _is_delegated(call: Call, organization: OrganizationRow, asked: AskedAction, target: Target) -> bool:
    """Tell whether the resource policy allows the caller this; raises AccessDenied where it says that he may not."""
    decision = _decide(call, organization, asked, target)
    if decision is None:
        return False
    if decision.reason is Reason.EXPLICIT_DENY:
        raise errors.AccessDenied(decision.denial_text(target.shown))
    return decision.allowed


def _decide(call: Call, organization: OrganizationRow, asked: AskedAction, target: Target) -> Decision | None:
    row = organization_resource_policies.of_organization(call.db, organization.organization_id)
    if row is None:
        return None
    source = PolicySource(PolicyKind.RESOURCE, row.policy_id, row.policy_id, None, SourceType.RESOURCE)
    policy = permissions.compiled([permissions.Text(row.document, source)])
    about = replace(target, policy=policy, account_id=organization.management_account_id)
    return authorize.decide(call, call.principal, asked.action, about, asked.arguments)


def _required(call: Call, found: MemberRow) -> OrganizationRow:
    organization = organizations.with_id(call.db, found.organization_id)
    if organization is None:
        raise errors.OrganizationsNotInUse("Your account is not a member of an organization.")
    return organization
