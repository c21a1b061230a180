"""Whether an account can still be got into, for the operator."""

from __future__ import annotations

from crownkeep.domain.accounts import recoverability_report
from crownkeep.operations import registry
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Mode
from crownkeep.services.operator import known_accounts
from crownkeep.services.operator.service import operator


@operator.operation("GetRecoverability", resource=registry.everything, mode=Mode.LONG_READ)
def get_recoverability(call: Call, *, account_id: str) -> Result:
    """Return which ways lead into an account, what each needs, and what the loss of any one thing would mean."""
    row = known_accounts.recorded(call, account_id)
    return recoverability_report.of_account(call.db, row, now=call.now)
