"""Routing: who hears of a rule that fired in an account, and on which way."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from crownkeep.alerts.alert_settings import AlertSettings
from crownkeep.alerts.rule import AlertSeverity, ContactType, Rule
from crownkeep.storage.accounts import accounts, contacts
from crownkeep.storage.database import Transaction
from crownkeep.storage.notices import alert_receivers, outbox
from crownkeep.storage.notices.alert_receivers import AlertReceiverRow
from crownkeep.storage.organizations import organizations

OPERATORS_LANE = "o"
"""What the lanes of receivers that the operator has added begin with."""

_DAY = 24 * 60
_MOST_OF_OPERATOR = 200


@dataclass(frozen=True, slots=True)
class AlertTarget:
    """One way to somebody."""

    channel: str
    address: str
    """An e-mail address, an URL, or `HOST:PORT`."""
    receiver: AlertReceiverRow | None = None

    @property
    def is_machine(self) -> bool:
        """Whether something counts what arrives, rather than somebody reads it."""
        return self.channel not in {outbox.MAIL, outbox.APPRISE}

    @property
    def key(self) -> str:
        """What tells this way from all others of its account."""
        return self.receiver.receiver_id if self.receiver is not None else self.address.lower()


def targets(
    db: Transaction,
    chosen: AlertSettings,
    account_id: str,
    rules: list[Rule],
    *,
    flooding: Collection[Rule] = (),
    without: str = "",
) -> dict[str, tuple[AlertTarget, Rule]]:
    """Return who hears, each with the first of the rules that they hear of: nobody twice, and nobody on the lane `without`.

    Of rules that are flooding only machines hear.
    """
    found: dict[str, tuple[AlertTarget, Rule]] = {}
    for rule in rules:
        people = () if rule in flooding else _people(db, account_id, rule)
        for target in (*people, *_receivers(chosen, rule)):
            is_held_back = rule in flooding and not target.is_machine
            if not is_held_back and lane(account_id, target, is_urgent=True) != without:
                found.setdefault(target.key, (target, rule))
    mailed = {target.address.lower() for target, _ in found.values() if target.receiver is None}
    # Somebody who is a contact, too, is written to once.
    return {key: pair for key, pair in found.items() if pair[0].receiver is None or pair[0].address.lower() not in mailed}


def of_operator(db: Transaction) -> Iterator[tuple[str, AlertTarget]]:
    """Yield the receivers that the operator has added to any accounts, each with one of its accounts: none is told twice."""
    answer: set[tuple[str, str]] = set()
    for receiver in alert_receivers.of_operator(db, limit=_MOST_OF_OPERATOR):
        # Of a service, what would tell it from others is sealed.
        key = (receiver.channel, receiver.receiver_id if receiver.channel == outbox.APPRISE else receiver.target)
        if key not in answer:
            answer.add(key)
            yield receiver.account_id, AlertTarget(receiver.channel, receiver.target, receiver)


def lane(account_id: str, target: AlertTarget, *, is_urgent: bool) -> str:
    """Return the lane of what goes to a target; what may wait for the end of quiet hours has one of its own."""
    if target.receiver is None:
        digest = hashlib.sha256(f"{account_id} {target.address.lower()}".encode()).hexdigest()[:40]
        return f"m{digest}"
    has_quiet_hours = target.receiver.quiet_from is not None
    owner = "r" if target.receiver.added_by else OPERATORS_LANE
    return f"{owner}{target.receiver.receiver_id}{'' if is_urgent or not has_quiet_hours else '-quiet'}"


def due_at(target: AlertTarget, rule: Rule, now: datetime) -> datetime:
    """Return when something may be sent: at once, or at the end of a receiver's quiet hours, which bind nothing critical."""
    receiver = target.receiver
    if rule.is_critical or receiver is None or receiver.quiet_from is None or receiver.quiet_until is None:
        return now
    # By the clock's circle: quiet hours such as 22:00 to 06:00 go over midnight.
    minute = now.hour * 60 + now.minute
    length = (receiver.quiet_until - receiver.quiet_from) % _DAY
    since = (minute - receiver.quiet_from) % _DAY
    if since >= length:
        return now
    return now.replace(second=0, microsecond=0) + timedelta(minutes=length - since)


def _people(db: Transaction, account_id: str, rule: Rule) -> Iterator[AlertTarget]:
    account = accounts.with_id(db, account_id)
    if account is None:
        return
    named = [contacts.alternate(db, account_id, contact_type.value) for contact_type in rule.contact_types]
    addresses = [contact.email_address for contact in named if contact is not None]
    # Somebody always hears: an account without contacts is told at its root user's address.
    if rule.root_hears or not addresses:
        yield AlertTarget(outbox.MAIL, account.email)
    for address in addresses:
        yield AlertTarget(outbox.MAIL, address)
    if rule.is_built_in and rule.severity is not AlertSeverity.LOW:
        yield from _management(db, account_id)


def _management(db: Transaction, account_id: str) -> Iterator[AlertTarget]:
    """Yield the security contact of whoever manages the organization of a member."""
    organization = organizations.of_account(db, account_id)
    if organization is None or organization.management_account_id == account_id:
        return
    contact = contacts.alternate(db, organization.management_account_id, ContactType.SECURITY.value)
    if contact is not None:
        yield AlertTarget(outbox.MAIL, contact.email_address)


def _receivers(chosen: AlertSettings, rule: Rule) -> Iterator[AlertTarget]:
    for receiver in chosen.receivers:
        if receiver.confirmed_at is None or receiver.disabled_at is not None:
            continue
        if rule.name in receiver.rules.split() or (not receiver.rules and rule.is_built_in):
            yield AlertTarget(receiver.channel, receiver.target, receiver)
