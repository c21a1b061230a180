"""The account's guard of the last way in, which refuses acts after which nobody could administer the account."""

from __future__ import annotations

from dataclasses import replace

from crownkeep.operations import registry
from crownkeep.operations.call import Call, Result
from crownkeep.services.account_security.service import account_security
from crownkeep.storage.accounts import last_way_in_guards
from crownkeep.storage.accounts.last_way_in_guards import LastWayInGuardRow


@account_security.operation("GetLastWayInGuard", resource=registry.everything)
def get_last_way_in_guard(call: Call) -> Result:
    """Return whether the guard is on, and who has switched it on."""
    return _described(last_way_in_guards.of_account(call.db, call.account_id))


@account_security.operation("UpdateLastWayInGuard", resource=registry.everything)
def update_last_way_in_guard(call: Call, *, enabled: bool) -> Result:
    """Switch the account's guard on or off; one that the operator has switched on stays on."""
    row = replace(last_way_in_guards.of_account(call.db, call.account_id), by_account=enabled)
    last_way_in_guards.put(call.db, row)
    return _described(row)


def _described(row: LastWayInGuardRow) -> Result:
    return {"Enabled": row.is_on, "ByAccount": row.by_account, "ByOperator": row.by_operator}
