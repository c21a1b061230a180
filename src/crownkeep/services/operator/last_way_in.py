"""The guard of the last way in, as the operator sets it: the account can't switch off what the operator has switched on."""

from __future__ import annotations

from dataclasses import replace

from crownkeep import clock
from crownkeep.operations import registry
from crownkeep.operations.call import Call, Result
from crownkeep.services.operator import known_accounts
from crownkeep.services.operator.service import operator
from crownkeep.storage.accounts import accounts, last_way_in_guards


@operator.operation("SetLastWayInGuard", resource=registry.everything)
def set_last_way_in_guard(call: Call, *, account_id: str, enabled: bool) -> Result:
    """Switch an account's guard on or off for the operator; one that the account has switched on itself stays on."""
    known_accounts.held(call, account_id)
    row = replace(last_way_in_guards.of_account(call.db, account_id), by_operator=enabled)
    last_way_in_guards.put(call.db, row)
    # What is cached of the account knows whether its guard is on.
    accounts.touch(call.db, account_id, clock.revision())
    call.notes.account_id = account_id
    return {"enabled": row.is_on, "by_account": row.by_account, "by_operator": row.by_operator}
