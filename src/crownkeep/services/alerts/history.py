"""What became of an account's alerts."""

from __future__ import annotations

from crownkeep.alerts import history
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Mode, everything
from crownkeep.services.alerts.service import alerts, by_member

_PAGE = 100


@alerts.operation("ListAlerts", resource=everything)
def list_alerts(call: Call, *, max_results: int = _PAGE) -> Result:
    """Return the account's last alerts, the latest first."""
    return {"Alerts": [by_member(each) for each in history.latest(call, call.account_id, limit=max_results)]}


@alerts.operation("ReplayAlert", resource=everything, effect=Effect.STATE, mode=Mode.WRITE)
def replay_alert(call: Call, *, notice_id: str) -> Result:
    """Send an alert again that was given up."""
    history.replay(call, call.account_id, notice_id)
    return NOTHING
