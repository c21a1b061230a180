"""Rules and history of an account's alerts as the operator sees them; the operator alone can switch a protected rule off."""

from __future__ import annotations

from crownkeep.alerts import account_rules, history
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Mode, everything
from crownkeep.services.operator import known_accounts
from crownkeep.services.operator.service import operator

_PAGE = 100


@operator.operation("ListAlertRules", resource=everything)
def list_alert_rules(call: Call, *, account_id: str) -> Result:
    """Return the built-in rules and the account's own ones."""
    known_accounts.recorded(call, account_id)
    return {"rules": account_rules.described(call, account_id)}


@operator.operation("PutAlertRule", resource=everything, effect=Effect.STATE)
def put_alert_rule(
    call: Call,
    *,
    account_id: str,
    name: str,
    pattern: str,
    severity: str = "high",
    contact_type: str = "SECURITY",
    runbook: str = "",
) -> Result:
    """Keep a rule of an account."""
    known_accounts.recorded_and_held(call, account_id)
    account_rules.put(call, account_rules.new(call, account_id, name, pattern, severity, contact_type, runbook))
    return NOTHING


@operator.operation("DeleteAlertRule", resource=everything, effect=Effect.STATE)
def delete_alert_rule(call: Call, *, account_id: str, name: str) -> Result:
    """Remove a rule of an account."""
    known_accounts.recorded_and_held(call, account_id)
    account_rules.remove(call, account_id, name)
    return NOTHING


@operator.operation("TestAlertRule", resource=everything, mode=Mode.LONG_READ)
def test_alert_rule(call: Call, *, account_id: str, pattern: str, days: int = account_rules.TESTED_DAYS) -> Result:  # noqa: PT028 - an operation's handler
    """Return how often a pattern would have fired."""
    known_accounts.recorded(call, account_id)
    return account_rules.tried(call, account_id, pattern, days)


@operator.operation("SwitchOffAlertRule", resource=everything, effect=Effect.STATE)
def switch_off_alert_rule(call: Call, *, account_id: str, name: str, reason: str) -> Result:
    """Let a rule fire for nobody, also one that the account can't silence; everybody who hears of alerts hears of that."""
    known_accounts.recorded_and_held(call, account_id)
    account_rules.switch_off(call, account_id, name, reason=reason)
    return NOTHING


@operator.operation("SwitchOnAlertRule", resource=everything, effect=Effect.STATE)
def switch_on_alert_rule(call: Call, *, account_id: str, name: str) -> Result:
    """Let a rule fire again."""
    known_accounts.recorded_and_held(call, account_id)
    account_rules.end_silence(call, account_id, name)
    return NOTHING


@operator.operation("ListAlerts", resource=everything)
def list_alerts(call: Call, *, account_id: str, max_results: int = _PAGE) -> Result:
    """Return an account's last alerts, the latest first."""
    known_accounts.recorded(call, account_id)
    return {"alerts": history.latest(call, account_id, limit=max_results)}


@operator.operation("ReplayAlerts", resource=everything, effect=Effect.STATE, mode=Mode.WRITE)
def replay_alerts(call: Call, *, account_id: str, notice_id: str | None = None) -> Result:
    """Send alerts again that were given up: one, or all of them."""
    known_accounts.recorded_and_held(call, account_id)
    if notice_id is None:
        return {"replayed": history.replay_all(call, account_id)}
    history.replay(call, account_id, notice_id)
    return {"replayed": 1}
