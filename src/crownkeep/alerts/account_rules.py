"""What an account sets about rules: its own ones, tried out on recorded events, and silences."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from crownkeep import clock, errors, ids
from crownkeep.alerts import built_in, rule_set
from crownkeep.alerts.filters import Filter, compile_filter
from crownkeep.alerts.patterns import PatternError
from crownkeep.operations.call import Call
from crownkeep.principals import Principal
from crownkeep.storage.notices import alert_revisions, alert_rules
from crownkeep.storage.notices.alert_rules import AlertRuleRow, AlertSilenceRow
from crownkeep.storage.trail import lookups
from crownkeep.storage.trail.events import EventRow

MOST = 100
"""Rules that an account has of its own."""
MOST_WITH_EXPRESSIONS = 5
"""How many of them may have regular expressions, as CloudWatch Logs has it for a log group."""
LONGEST_SILENCE = timedelta(days=30)
TESTED_DAYS = 30
MOST_EXAMINED = 20_000
_EXAMPLES = 10
_PAGE = 500


def put(call: Call, row: AlertRuleRow) -> None:
    """Keep a rule; one that can't be evaluated is refused, with the place of what is wrong."""
    # A silence names a rule by its name alone: one of the account's under a protected name could not be told from that one.
    if row.name in built_in.RULES:
        raise errors.Conflict(f"`{row.name}` is a built-in rule; give yours another name")
    compiled(row.pattern)
    others = [each for each in alert_rules.of_account(call.db, row.account_id) if each.name != row.name]
    if len(others) >= MOST:
        raise errors.Conflict(f"an account has at most {MOST} rules of its own; remove one first")
    if "%" in row.pattern and sum("%" in each.pattern for each in others) >= MOST_WITH_EXPRESSIONS:
        raise errors.Conflict(f"at most {MOST_WITH_EXPRESSIONS} rules of an account have regular expressions")
    alert_rules.put(call.db, row)
    alert_revisions.touch(call.db, clock.revision())


def new(call: Call, account_id: str, name: str, pattern: str, severity: str, contact_type: str, runbook: str) -> AlertRuleRow:
    """Make the row of a rule."""
    return AlertRuleRow(account_id, name, pattern, severity, contact_type, "", runbook, _name(call), call.now)


def remove(call: Call, account_id: str, name: str) -> None:
    """Remove a rule of the account's own."""
    if name in built_in.RULES:
        raise errors.Conflict(f"`{name}` is a built-in rule, and stays")
    if not alert_rules.remove(call.db, account_id, name):
        raise errors.ResourceNotFound(f"there is no rule `{name}`; ListAlertRules names them all")
    alert_revisions.touch(call.db, clock.revision())


def compiled(pattern: str) -> Filter:
    """Compile a pattern; raises ValidationException with the place of what is wrong."""
    try:
        return compile_filter(pattern)
    except PatternError as error:
        raise errors.AccountValidation(f"the pattern can't be evaluated: {error}") from error


def tried(call: Call, account_id: str, pattern: str, days: int) -> dict[str, object]:
    """Return how often a pattern would have fired over the last days, and for which events."""
    wanted = compiled(pattern)
    since = ids.first_event_id(call.now - timedelta(days=days))
    matched, examined = 0, 0
    examples: list[dict[str, object]] = []
    for row in _newest(call, account_id, since):
        examined += 1
        # The cheap questions first: most records are told apart by their event's name, and few have to be decoded.
        is_possible = wanted.event_names is None or row.name in wanted.event_names
        if is_possible and wanted.may_match(row.record) and wanted.matches(rule_set.decode(row.record)):
            matched += 1
            if len(examples) < _EXAMPLES:
                examples.append({"event_id": str(row.event_id), "event_name": row.name, "event_time": row.happened_at})
    return {"matched": matched, "examined": examined, "days": days, "examples": examples}


def _newest(call: Call, account_id: str, since: UUID) -> Iterator[EventRow]:
    before, examined = UUID(int=(1 << 128) - 1), 0
    while examined < MOST_EXAMINED:
        page = lookups.newest(call.db, account_id, first=since, before=before, limit=_PAGE)
        yield from page
        if len(page) < _PAGE:
            return
        examined += len(page)
        before = page[-1].event_id


def silence(call: Call, account_id: str, name: str, *, reason: str, ends_at: datetime) -> None:
    """Let a rule fire for nobody until a time; one that is protected is refused, to root as to anybody."""
    _refuse_protected(name)
    _require(call, account_id, name)
    if not call.now < ends_at <= call.now + LONGEST_SILENCE:
        raise errors.AccountValidation(f"a silence ends within {LONGEST_SILENCE.days} days from now")
    _refuse_switched_off(call, account_id, name)
    _put_silence(call, AlertSilenceRow(account_id, name, reason, ends_at, _name(call), call.now))


def switch_off(call: Call, account_id: str, name: str, *, reason: str) -> None:
    """Let a rule fire for nobody until it is switched on again; for the operator."""
    _require(call, account_id, name)
    _put_silence(call, AlertSilenceRow(account_id, name, reason, None, _name(call), call.now))


def end_silence(call: Call, account_id: str, name: str) -> None:
    """Let a rule fire again; what the operator has switched off, the account can't switch on."""
    if _silence_of(call, account_id, name) is None:
        raise errors.ResourceNotFound(f"rule `{name}` is not silent")
    _refuse_switched_off(call, account_id, name)
    alert_rules.end_silence(call.db, account_id, name)
    alert_revisions.touch(call.db, clock.revision())


def described(call: Call, account_id: str) -> list[dict[str, object]]:
    """Return all rules of an account, the built-in ones first, with what silences them."""
    silences = {row.rule: row for row in alert_rules.silences_of(call.db, account_id)}
    found: list[dict[str, object]] = [
        {
            "name": rule.name,
            "pattern": rule.pattern,
            "severity": rule.severity.value,
            "contact_types": [each.value for each in rule.contact_types],
            "subject": rule.subject,
            "built_in": True,
            "protected": rule.is_protected,
        }
        for rule in built_in.RULES.values()
    ]
    found += [
        {
            "name": row.name,
            "pattern": row.pattern,
            "severity": row.severity,
            "contact_types": [row.contact_type],
            "subject": f"Your rule {row.name} fired",
            "built_in": False,
            "protected": False,
            **({"runbook": row.runbook} if row.runbook else {}),
        }
        for row in alert_rules.of_account(call.db, account_id)
    ]
    for each in found:
        row = silences.get(str(each["name"]))
        if row is not None and (row.ends_at is None or row.ends_at > call.now):
            each["silenced_because"] = row.reason
            each["silenced_by"] = row.silenced_by or "operator"
            if row.ends_at is not None:
                each["silenced_until"] = row.ends_at
    return found


def _refuse_protected(name: str) -> None:
    rule = built_in.RULES.get(name)
    if rule is not None and rule.is_protected:
        raise errors.AccessDenied("This rule is protected: nobody of the account can silence it, its root user included.")


def _silence_of(call: Call, account_id: str, name: str) -> AlertSilenceRow | None:
    return next((each for each in alert_rules.silences_of(call.db, account_id) if each.rule == name), None)


def _refuse_switched_off(call: Call, account_id: str, name: str) -> None:
    """Raise AccessDenied where the operator has switched a rule off: a silence in its place would end when the account likes."""
    found = _silence_of(call, account_id, name)
    if found is not None and not found.silenced_by and isinstance(call.caller, Principal):
        raise errors.AccessDenied("The operator has switched this rule off, and alone can switch it on.")


def _require(call: Call, account_id: str, name: str) -> None:
    if name not in built_in.RULES and alert_rules.named(call.db, account_id, name) is None:
        raise errors.ResourceNotFound(f"there is no rule `{name}`; ListAlertRules names them all")


def _put_silence(call: Call, row: AlertSilenceRow) -> None:
    alert_rules.silence(call.db, row)
    alert_revisions.touch(call.db, clock.revision())


def _name(call: Call) -> str:
    return call.caller.arn if isinstance(call.caller, Principal) else ""
