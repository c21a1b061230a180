"""Which account a call is about: the caller's own, until it is a member of an organization."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.arn import PARTITION
from crownkeep.operations.call import Call
from crownkeep.operations.registry import Target


def own_account(call: Call, **_: object) -> Target:
    """The caller's account as the service's resource (service authorization reference, "AWS Account Management")."""
    return Target(_arn(call))


def alternate_contact(call: Call, *, alternate_contact_type: str, **_: object) -> Target:
    """The caller's account, for a call about its contact of one type."""
    return Target(_arn(call), context={"account:AlternateContactTypes": (alternate_contact_type,)})


def region(call: Call, *, region_name: str, **_: object) -> Target:
    """The caller's account, for a call about one Region."""
    return Target(_arn(call), context={"account:TargetRegion": region_name})


def account_of(call: Call, account_id: str | None, *, operation: str) -> str:
    """Answer the account to act on: the caller's own, for calls without `AccountId`; raises AccessDenied for any other.

    Only the management account of an organization and its delegated administrators may name an account, and then a member:
    an account outside of one may not even name itself (Account Management reference, "AccountId").
    """
    if account_id is not None:
        raise errors.AccessDenied(f"User: {call.principal.arn} is not authorized to perform: account:{operation}")
    return call.account_id


def _arn(call: Call) -> str:
    return f"arn:{PARTITION}:account::{call.account_id}:account"
