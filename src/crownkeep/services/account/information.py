"""What the account is called, and since when it exists."""

from __future__ import annotations

from crownkeep import clock, errors
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.services.account import refusals, subject
from crownkeep.services.account.service import account
from crownkeep.storage.accounts import accounts


@account.operation("GetAccountInformation", resource=subject.own_account)
def get_account_information(call: Call, *, account_id: str | None = None) -> Result:
    """Return the account's id, name, state and the moment it was created."""
    owner = subject.account_of(call, account_id, operation="GetAccountInformation")
    row = accounts.with_id(call.db, owner)
    if row is None:
        raise errors.ResourceNotFound("No account with this id.")
    return {
        "AccountId": row.account_id,
        "AccountName": row.name,
        "AccountCreatedDate": row.created_at,
        "AccountState": row.state,
    }


@account.operation("PutAccountName", resource=subject.own_account)
def put_account_name(call: Call, *, account_name: str, account_id: str | None = None) -> Result:
    """Call the account something else."""
    owner = subject.account_of(call, account_id, operation="PutAccountName")
    if not account_name.strip():
        raise refusals.field("accountName", "AccountName must not be blank.")
    accounts.change(call.db, owner, name=account_name)
    # Of a member as of the caller's own account: whoever has cached the account must see its new name.
    accounts.touch(call.db, owner, clock.revision())
    return NOTHING
