"""Accounts as the operator sees them: listed, shown, closed, reopened and purged."""

from __future__ import annotations

from collections.abc import Callable

from crownkeep import arn, errors
from crownkeep.domain import withholding
from crownkeep.domain.accounts import closed_accounts, membership
from crownkeep.domain.accounts.membership import Departure
from crownkeep.operations import registry
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.standing import ACTIVE
from crownkeep.services.operator import known_accounts, list_pages
from crownkeep.services.operator.service import operator
from crownkeep.settings import Settings
from crownkeep.storage import purge
from crownkeep.storage.accounts import accounts
from crownkeep.storage.accounts.accounts import AccountRow
from crownkeep.storage.approvals import seals
from crownkeep.storage.database import Transaction
from crownkeep.storage.organizations import handshakes, organization_accounts, organizations
from crownkeep.storage.trail import buckets


def sign_in_url(settings: Settings, account_id: str) -> str:
    """Return where the people of an account sign in."""
    return f"{settings.url}/signin?account={account_id}"


@operator.operation("ListAccounts", resource=registry.everything)
def list_accounts(call: Call, *, max_results: int = list_pages.MOST_ROWS, next_token: str | None = None) -> Result:
    """Return the accounts in the order of their ids, the closed ones too."""
    found, following = list_pages.page(
        call, accounts.page, next_token, max_results, list_name="ListAccounts", key=lambda row: row.account_id
    )
    return {"accounts": [_describe(call, row) for row in found], **following}


@operator.operation("GetAccount", resource=registry.everything)
def get_account(call: Call, *, account_id: str) -> Result:
    """Return one account."""
    row = known_accounts.required(call, account_id)
    call.notes.account_id = account_id
    return _describe(call, row)


@operator.operation("CloseAccount", resource=registry.everything)
def close_account(call: Call, *, account_id: str) -> Result:
    """Close an account: none of its credentials works from now on, and nothing of it is lost."""
    row = known_accounts.held(call, account_id)
    if row.state != ACTIVE:
        raise errors.Conflict(f"account `{account_id}` is closed already")
    _refuse_while_it_manages(call, account_id, organization_accounts.count_open, "close or remove those first")
    closed_accounts.close(call.db, account_id, now=call.now)
    return _changed(call, account_id)


@operator.operation("ReopenAccount", resource=registry.everything)
def reopen_account(call: Call, *, account_id: str) -> Result:
    """Open a closed account again, within 90 days: its credentials work as before."""
    row = known_accounts.held(call, account_id)
    if row.closed_at is None:
        raise errors.Conflict(f"account `{account_id}` is open")
    if call.now - row.closed_at > closed_accounts.REOPENED_WITHIN:
        days = closed_accounts.REOPENED_WITHIN.days
        raise errors.Conflict(f"account `{account_id}` was closed more than {days} days ago and stays closed; make a new one")
    closed_accounts.reopen(call.db, account_id)
    return _changed(call, account_id)


@operator.operation("PurgeAccount", resource=registry.everything)
def purge_account(call: Call, *, account_id: str) -> Result:
    """Remove an account with all it has, and withhold its trail; that it was done stays in the operator's own trail.

    The records are destroyed, and their leaves stay in the tree, so that it can be seen that they were there.

    A member leaves its organization by it; whoever manages one must be its last account.
    """
    row = known_accounts.held(call, account_id)
    _refuse_while_it_manages(call, account_id, organization_accounts.count, "purge or remove those first")
    resting = seals.resting_on(call.db, account_id)
    if resting is not None:
        # With the team's account its approvers would go, and the other account could be unsealed by nobody but the operator.
        raise errors.Conflict(
            f"account `{resting.account_id}` is sealed under a team of account `{account_id}`; seal it under another team first"
        )
    _leave(call, account_id)
    buckets.discard(call.db, account_id)
    removed = purge.purge(call.db, account_id)
    withheld = withholding.withhold_account(call, account_id, reason="the account was purged")
    call.notes.additional |= {"accountName": row.name, "rootEmail": row.email, "removedRows": removed} | withheld
    return NOTHING


def _refuse_while_it_manages(call: Call, account_id: str, count: Callable[[Transaction, str], int], advice: str) -> None:
    """Raise Conflict for the management account of an organization that has other accounts, as `count` counts them."""
    managed = organizations.managed_by(call.db, account_id)
    # Held, so that nobody joins between the count and the end of the organization.
    if managed is None or organizations.hold(call.db, managed.organization_id) is None:
        return
    others = count(call.db, managed.organization_id) - 1
    if others > 0:
        accounts_in_words = "1 other account" if others == 1 else f"{others} other accounts"
        raise errors.Conflict(
            f"account `{account_id}` manages organization `{managed.organization_id}` with {accounts_in_words}; {advice}"
        )


def _leave(call: Call, account_id: str) -> None:
    """Let an account leave its organization, and no invitation wait for whoever has its id next."""
    member = organization_accounts.of_account(call.db, account_id)
    if member is not None:
        organization = organizations.hold(call.db, member.organization_id)
        if organization is not None and organization.management_account_id == account_id:
            membership.dissolve(call, organization)
        else:
            membership.leave(call, member, Departure.CLEANED)
    handshakes.remove_to(call.db, membership.keys_of(call, account_id))


def _changed(call: Call, account_id: str) -> Result:
    call.notes.account_id = account_id
    return _describe(call, known_accounts.required(call, account_id))


def _describe(call: Call, row: AccountRow) -> dict[str, object]:
    described: dict[str, object] = {
        "account_id": row.account_id,
        "name": row.name,
        "state": row.state,
        "created_at": row.created_at,
        "root_arn": arn.root(row.account_id),
        "root_email": row.email,
        "sign_in_url": sign_in_url(call.settings, row.account_id),
    }
    if row.closed_at is not None:
        described["closed_at"] = row.closed_at
    return described
