"""Which account a call is about: the caller's own, or a member of the organization that the caller acts for."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from crownkeep import errors
from crownkeep.arn import PARTITION
from crownkeep.operations.call import Call
from crownkeep.operations.registry import Target
from crownkeep.storage.organizations import (
    delegated_administrators,
    organization_accounts,
    organization_service_access,
    organizations,
)
from crownkeep.storage.organizations.organization_accounts import MemberRow

SERVICE = "account.amazonaws.com"
"""The principal by which an organization trusts the service, and delegates it."""
_NO_CONTEXT: Mapping[str, str | tuple[str, ...]] = MappingProxyType({})


def own_account(call: Call, *, account_id: str | None = None, **_: object) -> Target:
    """The account that the call is about (service authorization reference, "AWS Account Management")."""
    return target(call, account_id)


def alternate_contact(call: Call, *, alternate_contact_type: str, account_id: str | None = None, **_: object) -> Target:
    """The account, for a call about its contact of one type."""
    return target(call, account_id, {"account:AlternateContactTypes": (alternate_contact_type,)})


def region(call: Call, *, region_name: str, account_id: str | None = None, **_: object) -> Target:
    """The account, for a call about one Region."""
    return target(call, account_id, {"account:TargetRegion": region_name})


def account_of(call: Call, account_id: str | None, *, operation: str) -> str:
    """Return the account to act on: the caller's own, for calls without `AccountId`; raises AccessDenied for one out of reach.

    The management account of an organization that trusts this service, and its delegated administrators for it, may name any
    member; the management account itself can't be named at all (Account Management reference, "AccountId").
    """
    if account_id is None:
        return call.account_id
    refused = f"User: {call.principal.arn} is not authorized to perform: account:{operation}"
    caller = call.target_row(MemberRow)
    if caller is None or not _acts_for_organization(call, caller):
        raise errors.AccessDenied(refused)
    if account_id == caller.management_account_id:
        raise errors.AccessDenied(
            f"{refused} (The management account can only be managed using the standalone context from the management account.)"
        )
    if organization_accounts.within(call.db, caller.organization_id, account_id) is None:
        raise errors.AccessDenied(refused)
    if not _is_trusted(call, caller):
        raise errors.AccessDenied(f"{refused} (Your organization must first enable trusted access with AWS Account Management.)")
    return account_id


def target(call: Call, account_id: str | None, context: Mapping[str, str | tuple[str, ...]] = _NO_CONTEXT) -> Target:
    """Return the caller's own account or the one with this id, as the organization's; found is the caller's place in that."""
    if account_id is None:
        return Target(f"arn:{PARTITION}:account::{call.account_id}:account", context=context)
    caller = organization_accounts.of_account(call.db, call.account_id)
    manager, organization = (call.account_id, "o-*") if caller is None else (caller.management_account_id, caller.organization_id)
    return Target(f"arn:{PARTITION}:account::{manager}:account/{organization}/{account_id}", context=context, row=caller)


def _acts_for_organization(call: Call, caller: MemberRow) -> bool:
    if caller.account_id == caller.management_account_id:
        return True
    return delegated_administrators.is_delegate_for(call.db, caller.organization_id, caller.account_id, SERVICE)


def _is_trusted(call: Call, caller: MemberRow) -> bool:
    organization = organizations.with_id(call.db, caller.organization_id)
    if organization is None or organization.feature_set != "ALL":
        return False
    return organization_service_access.is_enabled(call.db, caller.organization_id, SERVICE)
