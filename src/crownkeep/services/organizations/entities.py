"""What is in an organization, found by id: its root, units and accounts, and which of them an action is done to."""

from __future__ import annotations

from crownkeep import clock, errors
from crownkeep.operations.call import Call
from crownkeep.operations.registry import Target
from crownkeep.services.organizations import arns, callers
from crownkeep.services.organizations.arns import Place
from crownkeep.storage.accounts import accounts
from crownkeep.storage.organizations import organization_accounts, organization_tags, organizational_units
from crownkeep.storage.organizations.organization_accounts import MemberAccount
from crownkeep.storage.organizations.organizational_units import UnitRow
from crownkeep.storage.organizations.organizations import OrganizationRow

# What calls are about.


def account(call: Call, *, account_id: str, **_: object) -> Target:
    """The account with this id."""
    place = callers.place(call)
    return tagged(call, place, arns.account(place, account_id), account_id)


def parent(call: Call, *, parent_id: str, **_: object) -> Target:
    """The root or unit with this id."""
    place = callers.place(call)
    return tagged(call, place, arns.parent(place, parent_id), parent_id)


def unit(call: Call, *, organizational_unit_id: str, **_: object) -> Target:
    """The unit with this id."""
    return parent(call, parent_id=organizational_unit_id)


def new_unit(call: Call, **_: object) -> Target:
    """The unit to be made, which has no id yet."""
    return Target(arns.unit(callers.place(call), "ou-*"))


def new_account(call: Call, **_: object) -> Target:
    """The account to be made, which has no id yet."""
    return Target(arns.account(callers.place(call), "*"))


def child(call: Call, *, child_id: str, **_: object) -> Target:
    """The account or unit with this id."""
    return parent(call, parent_id=child_id) if child_id.startswith("ou-") else account(call, account_id=child_id)


def tagged(call: Call, place: Place, arn: str, entity_id: str) -> Target:
    """Make the target of something in an organization whose tags are kept under its id."""
    return Target(arn, tags=lambda: organization_tags.of_entity(call.db, place.organization_id, entity_id))


# Entities as handlers need them.


def required_account(call: Call, organization: OrganizationRow, account_id: str) -> MemberAccount:
    """Return an account of the organization; raises AccountNotFoundException for any other, whether it exists or not."""
    found = organization_accounts.within(call.db, organization.organization_id, account_id)
    if found is None:
        raise errors.AccountNotFound("You specified an account that doesn't exist.")
    return found


def required_unit(call: Call, organization: OrganizationRow, unit_id: str) -> UnitRow:
    """Return a unit of the organization; raises OrganizationalUnitNotFoundException."""
    found = organizational_units.with_id(call.db, organization.organization_id, unit_id)
    if found is None:
        raise errors.OrganizationalUnitNotFound("You specified an organizational unit that doesn't exist.")
    return found


def require_parent(call: Call, organization: OrganizationRow, parent_id: str) -> None:
    """Raise ParentNotFoundException unless this is the organization's root or a unit of it."""
    if not is_parent(call, organization, parent_id):
        raise errors.ParentNotFound("You specified parent that doesn't exist.")


def require_target(call: Call, organization: OrganizationRow, target_id: str) -> None:
    """Raise TargetNotFoundException unless this is the root, a unit or an account of the organization."""
    if is_parent(call, organization, target_id):
        return
    if organization_accounts.within(call.db, organization.organization_id, target_id) is None:
        raise errors.TargetNotFound("You specified a target that doesn't exist.")


def is_parent(call: Call, organization: OrganizationRow, entity_id: str) -> bool:
    """Tell whether this is the organization's root or a unit of it."""
    if entity_id == organization.root_id:
        return True
    return organizational_units.with_id(call.db, organization.organization_id, entity_id) is not None


def touch(call: Call, account_id: str) -> None:
    """Void every cache of an account whose place in the organization has changed."""
    accounts.touch(call.db, account_id, clock.revision())
