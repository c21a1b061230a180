"""Closing an account, before it is asked for: who may, and what stands in the way whatever is typed."""

from __future__ import annotations

from crownkeep.domain.accounts import closed_accounts
from crownkeep.operations.invoke import Door
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.storage.database import Transaction
from crownkeep.storage.organizations import organization_accounts
from crownkeep.translation import gettext_noop

REOPENED_WITHIN_DAYS = closed_accounts.REOPENED_WITHIN.days
"""How long the operator can reopen a closed account."""

NOT_ROOT = gettext_noop("Only the root user closes its account.")
NO_MFA = gettext_noop("Assign an MFA device first, and prove with it that it is you: a password alone must not close an account.")
MANAGES_OTHERS = gettext_noop("This account manages an organization with other accounts in it. Remove or close those first.")


def barred(db: Transaction, principal: Principal) -> str | None:
    """Return why an account could not be closed by somebody whatever is typed, or None where it could."""
    assumed = principal.session is not None and principal.session.assumed_root
    if principal.kind is not PrincipalKind.ROOT or assumed:
        return NOT_ROOT
    if not principal.has_mfa:
        return NO_MFA
    return MANAGES_OTHERS if _manages_others(db, principal.account_id) else None


def barred_now(door: Door, principal: Principal) -> str | None:
    """Return the same for a page to say it before it asks for anything."""
    with door.snapshot() as db:
        return barred(db, principal)


def _manages_others(db: Transaction, account_id: str) -> bool:
    member = organization_accounts.of_account(db, account_id)
    if member is None or member.management_account_id != account_id:
        return False
    return organization_accounts.count_open(db, member.organization_id) > 1
