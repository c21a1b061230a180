"""Accounts as the operator names them: found, held or refused, in one sentence that says how to see them all."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.operations.call import Call
from crownkeep.storage.accounts import accounts
from crownkeep.storage.accounts.accounts import AccountRow


def required(call: Call, account_id: str) -> AccountRow:
    """Return an account; raises ResourceNotFound where there is none."""
    row = accounts.with_id(call.db, account_id)
    if row is None:
        raise errors.ResourceNotFound(f"there is no account `{account_id}`; `crownkeep account list` shows them all")
    return row


def held(call: Call, account_id: str) -> AccountRow:
    """Return the same, and hold its row to the transaction's end."""
    accounts.hold(call.db, account_id)
    # Read once it is held: what was read before may have been closed, reopened or purged by whoever held it.
    return required(call, account_id)


def recorded(call: Call, account_id: str) -> AccountRow:
    """Return the same, not held; the call is recorded in the account's own trail, also where it is refused after this."""
    row = required(call, account_id)
    call.notes.account_id = account_id
    return row


def recorded_and_held(call: Call, account_id: str) -> AccountRow:
    """Return the same, held: what an account sets itself is checked and written while its row is, and so is this."""
    accounts.hold(call.db, account_id)
    return recorded(call, account_id)
