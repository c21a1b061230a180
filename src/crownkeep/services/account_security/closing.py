"""Closing an account: by its root user alone, who has just proved to be there with an MFA device and has typed its name.

AWS has no operation with which a standalone account closes itself: its console does it, under `account:CloseAccount`, and records
it as CloseAccount. From the commit on none of the account's credentials works. For 90 days the operator can reopen it.
"""

from __future__ import annotations

from crownkeep import errors
from crownkeep.domain.accounts import closed_accounts
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import CONSOLE_ACTION
from crownkeep.operations.standing import ACTIVE
from crownkeep.services.account_security import root_user
from crownkeep.services.account_security.service import account_security
from crownkeep.signin import closing
from crownkeep.storage.accounts import accounts
from crownkeep.storage.organizations import organizations


@account_security.operation(
    "CloseAccount", resource=root_user.own_account, action="account:CloseAccount", recorded_as=CONSOLE_ACTION
)
def close_account(call: Call, *, account_name: str) -> Result:
    """Close the caller's account; raises AccessDenied, Conflict and ValidationError where it stays open."""
    accounts.hold(call.db, call.account_id)
    managed = organizations.managed_by(call.db, call.account_id)
    if managed is not None:
        # Held, so that nobody joins between the count of its members and the end of its management account.
        organizations.hold(call.db, managed.organization_id)
    # Before the proof is asked for: nobody has to fetch a device to hear that it is of no use.
    barred = closing.barred(call.db, call.principal)
    if barred is not None:
        raise errors.AccessDenied(barred)
    call.require_fresh_proof()
    account = accounts.with_id(call.db, call.account_id)
    if account is None or account.state != ACTIVE:
        raise errors.Conflict("The account is closed already.")
    if account_name.strip() != account.name:
        raise errors.ValidationError("That is not the account's name. Type it exactly as it is shown.")
    closed_accounts.close(call.db, call.account_id, now=call.now)
    return {"AccountState": closed_accounts.SUSPENDED}
