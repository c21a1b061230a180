"""The observer: sees every event in the transaction that keeps it, and writes notices to whoever must hear of it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from crownkeep import arn
from crownkeep.alerts import administrators, built_in, detectors, routing, rule_set
from crownkeep.alerts.alert_settings import AlertSettingsCache, added
from crownkeep.alerts.detectors import Networks, Refusals
from crownkeep.alerts.rule import SPAN, Rule, Whom
from crownkeep.alerts.rule_set import Record, RuleSet
from crownkeep.alerts.sealed_outbox import Alert, SealedOutbox
from crownkeep.audit.event import moment
from crownkeep.operations.notices import Notice, Outbox
from crownkeep.storage.database import Transaction
from crownkeep.storage.notices import alert_digests, alert_rules
from crownkeep.storage.notices.alert_digests import AlertDigestRow
from crownkeep.storage.organizations import organizations
from crownkeep.storage.trail.events import EventRow

DONE_TO_OTHERS: Mapping[str, str] = {
    "AcceptPrimaryEmailUpdate": "accountId",
    "AssumeRoot": "targetPrincipal",
    "CloseAccount": "accountId",
    "CreateDelegationRequest": "ownerAccountId",
    "DeleteAlternateContact": "accountId",
    "PutAlternateContact": "accountId",
    "PutContactInformation": "accountId",
    "RemoveAccountFromOrganization": "accountId",
}
"""Events that may be about another account, such as a member of the caller's organization, with the parameter that names it."""

_SUMMARIES_AT_ONCE = 100


class Observer:
    """The outbox of a house as all rooms know it (`operations.notices.Outbox`)."""

    def __init__(self, outbox: SealedOutbox) -> None:
        self.outbox = outbox
        every = built_in.RULES.values()
        self._built_in = RuleSet(rule for rule in every if rule.whom is not Whom.OPERATOR)
        self._of_server = RuleSet(rule for rule in every if rule.whom is Whom.OPERATOR)
        self._alert_settings = AlertSettingsCache()
        self._networks = Networks()
        self._refusals = Refusals()

    def send(self, db: Transaction, notice: Notice) -> None:
        """Put a notice into the outbox."""
        self.outbox.send(db, notice)

    def observe(self, db: Transaction, events: Sequence[EventRow]) -> None:
        """Write to whoever must hear of these events."""
        try:
            # Rules and receivers are cached under a revision; here it is read in this transaction, so that a rule works from the
            # next event on.
            self._alert_settings.open(db)
            for event in events:
                if event.account_id:
                    self._observe(db, event)
                else:
                    self._tell_operator(db, event)
        # What was read may be what this transaction was going to change, and it is rolled back.
        except BaseException:
            self._alert_settings.forget()
            raise

    def summarize(self, db: Transaction, now: datetime) -> None:
        """Write the summaries that are due, and forget spans that have ended."""
        for found in alert_digests.due(db, now=now, limit=_SUMMARIES_AT_ONCE):
            # Held one by one: several processes look at once, and each summary is written by one of them.
            row = alert_digests.hold(db, found.account_id, found.rule, found.topic)
            if row is None or row.ends_at > now:
                # Another process has seen to it.
                continue
            rule = _rule(db, row)
            _turn(db, row, rule, now)
            if not row.held_back:
                continue
            if rule is not None and rule.whom is Whom.OPERATOR:
                self._alert_operator(db, rule, now, summary(row))
                continue
            self._alert_settings.open(db)
            chosen = self._alert_settings.of_account(db, row.account_id)
            if rule is None or chosen.is_silent(rule, now):
                continue
            for target, _ in routing.targets(db, chosen, row.account_id, [rule]).values():
                if not (rule.is_critical and target.is_machine):
                    self.outbox.alert(db, Alert(row.account_id, target, rule, now, summary(row)))

    def _observe(self, db: Transaction, event: EventRow) -> None:
        # For every event of every request: the rule set finds the candidates by the event's name first.
        fired = self._built_in.fired(event)
        if self._networks.is_new(db, event):
            fired.append(built_in.RULES[built_in.KEY_FROM_NEW_NETWORK])
        if self._refusals.are_many(event):
            fired.append(built_in.RULES[built_in.MANY_FAILURES])
        if detectors.makes_administrator(event):
            fired.append(built_in.RULES[built_in.ADMINISTRATOR_BY_POLICY])
        administrator = built_in.RULES[built_in.ADMINISTRATOR]
        if administrator not in fired and administrators.was_made(db, event):
            fired.append(administrator)
        if self._alert_settings.has_rules(event.account_id):
            fired += self._alert_settings.of_account(db, event.account_id).rules.fired(event)
        if not fired:
            return
        record = rule_set.decode(event.record)
        hearing: defaultdict[str, list[Rule]] = defaultdict(list)
        for rule in fired:
            hearing[_account(db, event, record, rule)].append(rule)
        for account_id, rules in hearing.items():
            self._alert(db, event, record, account_id, rules)

    def _tell_operator(self, db: Transaction, event: EventRow) -> None:
        for rule in self._of_server.fired(event):
            if not _is_repeated(db, event, "", rule):
                values = _values(event, rule_set.decode(event.record), "")
                self._alert_operator(db, rule, event.happened_at, values | {"others": ""})

    def _alert_operator(self, db: Transaction, rule: Rule, at: datetime, values: Mapping[str, str]) -> None:
        for account_id, target in routing.of_operator(db):
            self.outbox.alert(db, Alert(account_id, target, rule, at, {**values, "account_id": account_id}))

    def _alert(self, db: Transaction, event: EventRow, record: Record, account_id: str, rules: list[Rule]) -> None:
        chosen = self._alert_settings.of_account(db, account_id)
        audible = [rule for rule in rules if not chosen.is_silent(rule, event.happened_at)]
        repeated = [rule for rule in audible if _is_repeated(db, event, account_id, rule)]
        # What is critical is held back from people alone, where it is a flood: machines count each.
        # The order of the rules is kept, as the first one gives the message its subject.
        heard = [rule for rule in audible if rule.is_critical or rule not in repeated]
        details = record.get("serviceEventDetails")
        without = str(details.get("lane", "")) if isinstance(details, Mapping) else ""
        values = _values(event, record, _subject(event, record))
        for target, rule in routing.targets(db, chosen, account_id, heard, flooding=repeated, without=without).values():
            others = [each.name for each in heard if each is not rule]
            self.outbox.alert(db, Alert(account_id, target, rule, event.happened_at, values | {"others": " ".join(others)}))


def summary(row: AlertDigestRow) -> Mapping[str, str]:
    """Return what a summary says: how often the rule fired again, and until when."""
    return {
        "account_id": row.account_id,
        "event": "",
        "event_id": row.last_event_id,
        "when": moment(row.last_at),
        "address": "",
        "detail": "",
        "others": "",
        "digest": f"{row.held_back} more since the last message, the latest at {moment(row.last_at)}",
    }


def of(outbox: Outbox) -> Observer:
    """Return the observer that the wiring hands to every call as its outbox."""
    if not isinstance(outbox, Observer):
        raise TypeError("the wiring's outbox is no observer")
    return outbox


def _rule(db: Transaction, row: AlertDigestRow) -> Rule | None:
    found = built_in.RULES.get(row.rule)
    if found is not None:
        return found
    own = alert_rules.named(db, row.account_id, row.rule)
    return None if own is None else added(own)


def _is_repeated(db: Transaction, event: EventRow, account_id: str, rule: Rule) -> bool:
    """Count a rule; the first of a span are messages of their own, and what follows is summed up."""
    # A caller's refusals are counted apart from another's: a flood of one must not hide the other.
    topic = hashlib.sha256(event.username.encode()).digest() if rule.name == built_in.MANY_FAILURES else b""
    row = alert_digests.hold(db, account_id, rule.name, topic)
    at, event_id = event.happened_at, str(event.event_id)
    if row is None:
        alert_digests.begin(
            db, AlertDigestRow(account_id, rule.name, topic, at, at + rule.first_summary_after, 1, 0, at, event_id)
        )
        return False
    if row.sent < rule.most_single:
        alert_digests.count_sent(db, row)
        return False
    alert_digests.hold_back(db, row, at=at, event_id=event_id)
    return True


def _turn(db: Transaction, row: AlertDigestRow, rule: Rule | None, now: datetime) -> None:
    """End a span, or let a critical rule's go on to its end."""
    lasted = now - row.began_at
    if rule is None or not rule.is_critical or lasted >= SPAN:
        alert_digests.end(db, row)
        return
    # A flood that goes on is summed up ever later.
    alert_digests.go_on(db, row, ends_at=min(now + lasted, row.began_at + SPAN))


def _account(db: Transaction, event: EventRow, record: Record, rule: Rule) -> str:
    """Return the account whose people hear of it; an account's own rules are its own affair."""
    if not rule.is_built_in:
        return event.account_id
    subject = _subject(event, record)
    if rule.whom is Whom.ITS_OWN:
        return subject
    organization = organizations.of_account(db, subject)
    return subject if organization is None else organization.management_account_id


def _subject(event: EventRow, record: Record) -> str:
    """Return the account that it was done to, which may be another than the caller's."""
    parameter = DONE_TO_OTHERS.get(event.name)
    asked = record.get("requestParameters")
    named = asked.get(parameter) if parameter and isinstance(asked, Mapping) else None
    if not isinstance(named, str) or not named:
        return event.account_id
    parts = arn.parse(named)
    return parts.account_id if parts is not None else named


def _values(event: EventRow, record: Record, subject: str) -> dict[str, str]:
    return {
        "account_id": subject,
        "event": event.name,
        "event_id": str(event.event_id),
        "when": moment(event.happened_at),
        "address": str(record.get("sourceIPAddress", "")),
        "detail": detail(record),
        "digest": "",
    }


def detail(record: Record) -> str:
    """Return what the event was done to, where that is a credential: the id of a key or the serial number of a device."""
    answered = record.get("responseElements") or {}
    asked = record.get("requestParameters") or {}
    for name, inner in (("accessKey", "accessKeyId"), ("certificate", "certificateId")):
        made = answered.get(name)
        if isinstance(made, Mapping) and made.get(inner):
            return str(made[inner])
    for name in ("accessKeyId", "serialNumber", "certificateId", "alternateContactType"):
        if asked.get(name):
            return str(asked[name])
    due = record.get("serviceEventDetails")
    if not isinstance(due, Mapping):
        return ""
    return f"{due['what']} {due.get('id')}" if "what" in due else str(due.get("summary", ""))
