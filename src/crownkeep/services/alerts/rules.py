"""Rules of an account, and their silences."""

from __future__ import annotations

from datetime import datetime

from crownkeep.alerts import account_rules
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Mode, everything
from crownkeep.services.alerts.service import alerts, by_member


@alerts.operation("ListAlertRules", resource=everything)
def list_alert_rules(call: Call) -> Result:
    """Return the built-in rules and the account's own ones."""
    return {"Rules": [by_member(each) for each in account_rules.described(call, call.account_id)]}


@alerts.operation("PutAlertRule", resource=everything, effect=Effect.STATE)
def put_alert_rule(
    call: Call,
    *,
    name: str,
    pattern: str,
    severity: str = "high",
    contact_type: str = "SECURITY",
    runbook: str = "",
) -> Result:
    """Keep a rule of the account's own."""
    account_rules.put(call, account_rules.new(call, call.account_id, name, pattern, severity, contact_type, runbook))
    return NOTHING


@alerts.operation("DeleteAlertRule", resource=everything, effect=Effect.STATE)
def delete_alert_rule(call: Call, *, name: str) -> Result:
    """Remove a rule of the account's own."""
    account_rules.remove(call, call.account_id, name)
    return NOTHING


@alerts.operation("TestAlertRule", resource=everything, mode=Mode.LONG_READ)
def test_alert_rule(call: Call, *, pattern: str, days: int = account_rules.TESTED_DAYS) -> Result:  # noqa: PT028 - an operation's handler
    """Return how often a pattern would have fired."""
    found = account_rules.tried(call, call.account_id, pattern, days)
    examples = found["examples"]
    assert isinstance(examples, list)  # noqa: S101 - our own shape, for the type checker
    return by_member(found) | {"Examples": [by_member(each) for each in examples]}


@alerts.operation("SilenceAlertRule", resource=everything, effect=Effect.STATE)
def silence_alert_rule(call: Call, *, name: str, reason: str, ends_at: datetime) -> Result:
    """Let a rule fire for nobody until a time; protected ones can't be silenced."""
    account_rules.silence(call, call.account_id, name, reason=reason, ends_at=ends_at)
    return NOTHING


@alerts.operation("EndAlertSilence", resource=everything, effect=Effect.STATE)
def end_alert_silence(call: Call, *, name: str) -> Result:
    """Let a silent rule fire again."""
    account_rules.end_silence(call, call.account_id, name)
    return NOTHING
