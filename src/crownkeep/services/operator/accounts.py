"""Accounts as the operator sees them: listed, shown, closed, reopened and purged."""

from __future__ import annotations

from datetime import timedelta

from crownkeep import arn, clock, errors
from crownkeep.operations import page_tokens, registry
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.standing import ACTIVE
from crownkeep.services.operator.service import operator
from crownkeep.settings import Settings
from crownkeep.storage import accounts, purge
from crownkeep.storage.accounts import AccountRow

SUSPENDED = "SUSPENDED"
"""The state of a closed account, which may be reopened for a while (Account Management reference, "AccountState")."""

REOPENED_WITHIN = timedelta(days=90)
"""How long a closed account may be reopened, as on AWS (Account Management guide, "Close an AWS account")."""

_PAGE = 100


def sign_in_url(settings: Settings, account_id: str) -> str:
    """Answer where the people of an account sign in."""
    return f"{settings.url}/signin?account={account_id}"


@operator.operation("ListAccounts", resource=registry.everything)
def list_accounts(call: Call, *, max_results: int = _PAGE, next_token: str | None = None) -> Result:
    """Answer the accounts in the order of their ids, the closed ones too."""
    after = "" if next_token is None else page_tokens.read(call, next_token, list_name="ListAccounts", filters=())
    found = accounts.page(call.db, after=after, limit=max_results + 1)
    result: dict[str, object] = {"accounts": [_describe(call, row) for row in found[:max_results]]}
    if len(found) > max_results:
        last = found[max_results - 1].account_id
        result["next_token"] = page_tokens.write(call, last, list_name="ListAccounts", filters=())
    return result


@operator.operation("GetAccount", resource=registry.everything)
def get_account(call: Call, *, account_id: str) -> Result:
    """Answer one account."""
    row = _required(call, account_id)
    call.notes.account_id = account_id
    return _describe(call, row)


@operator.operation("CloseAccount", resource=registry.everything)
def close_account(call: Call, *, account_id: str) -> Result:
    """Close an account: none of its credentials works from now on, and nothing of it is lost."""
    row = _held(call, account_id)
    if row.state != ACTIVE:
        raise errors.Conflict(f"account `{account_id}` is closed already")
    return _move(call, account_id, state=SUSPENDED, closed_at=call.now)


@operator.operation("ReopenAccount", resource=registry.everything)
def reopen_account(call: Call, *, account_id: str) -> Result:
    """Open a closed account again, within 90 days: its credentials work as before."""
    row = _held(call, account_id)
    if row.closed_at is None:
        raise errors.Conflict(f"account `{account_id}` is open")
    if call.now - row.closed_at > REOPENED_WITHIN:
        days = REOPENED_WITHIN.days
        raise errors.Conflict(f"account `{account_id}` was closed more than {days} days ago and stays closed; make a new one")
    return _move(call, account_id, state=ACTIVE, closed_at=None)


@operator.operation("PurgeAccount", resource=registry.everything)
def purge_account(call: Call, *, account_id: str) -> Result:
    """Remove an account with all it has, its trail included; that it was done stays in the operator's own trail."""
    row = _held(call, account_id)
    removed = purge.purge(call.db, account_id)
    call.notes.additional |= {"accountName": row.name, "rootEmail": row.email, "removedRows": removed}
    return NOTHING


def _move(call: Call, account_id: str, **values: object) -> Result:
    accounts.change(call.db, account_id, **values)
    # The revision is what voids every cache of who may do what in the account.
    accounts.touch(call.db, account_id, clock.revision())
    call.notes.account_id = account_id
    return _describe(call, _required(call, account_id))


def _held(call: Call, account_id: str) -> AccountRow:
    accounts.hold(call.db, account_id)
    return _required(call, account_id)


def _required(call: Call, account_id: str) -> AccountRow:
    row = accounts.with_id(call.db, account_id)
    if row is None:
        raise errors.ResourceNotFound(f"there is no account `{account_id}`; `crownkeep account list` shows them all")
    return row


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
