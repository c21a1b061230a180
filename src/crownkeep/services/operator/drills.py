"""Drills as the operator records them: that one was held for an account, and whether the way back worked."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.operations import registry
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.services.operator import known_accounts
from crownkeep.services.operator.service import operator
from crownkeep.storage.audits import drills
from crownkeep.storage.audits.drills import DrillRow


@operator.operation("RecordDrill", resource=registry.everything, effect=Effect.STATE)
def record_drill(
    call: Call, *, account_id: str, name: str, worked: bool, steps: int, milliseconds: int, failed_step: str = ""
) -> Result:
    """Record that a drill was held; it changes nothing else, and is in the account's own trail."""
    known_accounts.held(call, account_id)
    if worked == bool(failed_step):
        raise errors.ValidationError("give `failed_step` where a drill did not work, and only there")
    drills.put(call.db, DrillRow(account_id, name, call.now, worked, steps, milliseconds))
    call.notes.account_id = account_id
    return NOTHING
