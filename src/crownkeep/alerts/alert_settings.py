"""What accounts have set about their alerts, as a process has read it, for as long as it is true.

Each change of anybody's rules, silences or receivers changes one revision, in the same transaction. Whoever observes a group of
events reads it first, so that a change is in force for the very next event on every node.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from crownkeep.alerts.filters import compile_filter
from crownkeep.alerts.rule import AlertSeverity, ContactType, Rule
from crownkeep.alerts.rule_set import RuleSet
from crownkeep.storage.database import Transaction
from crownkeep.storage.notices import alert_receivers, alert_revisions, alert_rules
from crownkeep.storage.notices.alert_receivers import AlertReceiverRow
from crownkeep.storage.notices.alert_rules import AlertRuleRow, AlertSilenceRow

_MOST_ACCOUNTS = 4096


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """What one account has set."""

    rules: RuleSet
    silences: tuple[AlertSilenceRow, ...]
    receivers: tuple[AlertReceiverRow, ...]

    def is_silent(self, rule: Rule, now: datetime) -> bool:
        """Tell whether a rule fires for nobody now; a protected one only where the operator has said so."""
        for silence in self.silences:
            if silence.rule == rule.name and (silence.ends_at is None or silence.ends_at > now):
                # Only the operator's silences name nobody. One of the account's may be older than the rule's protection.
                return not rule.is_protected or not silence.silenced_by
        return False


class AlertSettingsCache:
    """What was read of accounts since the last change of any of them."""

    def __init__(self) -> None:
        self._revision = -1
        self._with_rules: frozenset[str] = frozenset()
        self._known: dict[str, AlertSettings] = {}

    def open(self, db: Transaction) -> None:
        """Forget what has changed since the last look; called once for each group of events."""
        revision = alert_revisions.current(db)
        if revision != self._revision:
            self._known.clear()
            self._with_rules = alert_rules.accounts_with_rules(db)
            self._revision = revision

    def has_rules(self, account_id: str) -> bool:
        """Tell whether an account has rules of its own."""
        return account_id in self._with_rules

    def of_account(self, db: Transaction, account_id: str) -> AlertSettings:
        """Return what an account has set."""
        found = self._known.get(account_id)
        if found is None:
            # All at once, and not the oldest: to read them again costs little, and to keep an order of use would cost each event.
            if len(self._known) >= _MOST_ACCOUNTS:
                self._known.clear()
            found = self._known[account_id] = _read(db, account_id)
        return found

    def forget(self) -> None:
        """Forget everything: what was read in a transaction that did not commit may never have been."""
        self._revision = -1


def added(row: AlertRuleRow) -> Rule:
    """Make the rule of a row, whose pattern was compiled before it was kept."""
    return Rule(
        row.name,
        AlertSeverity(row.severity),
        (ContactType(row.contact_type),),
        f"Your rule {row.name} fired",
        "find the record in the trail, and do what your rule is there for",
        row.pattern,
        compile_filter(row.pattern),
        runbook=row.runbook,
        is_built_in=False,
    )


def _read(db: Transaction, account_id: str) -> AlertSettings:
    return AlertSettings(
        RuleSet(added(row) for row in alert_rules.of_account(db, account_id)),
        tuple(alert_rules.silences_of(db, account_id)),
        tuple(alert_receivers.of_account(db, account_id)),
    )
