"""The outbox: notices are written in the transaction of the change they are about, and go out once it has committed."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from crownkeep import clock, ids
from crownkeep.alerts import contacts, rules
from crownkeep.alerts.rules import Heard, Whom
from crownkeep.audit.event import moment
from crownkeep.credentials.sealing import Keyring
from crownkeep.credentials.secret import Secret
from crownkeep.operations import notices, sealed
from crownkeep.operations.notices import Notice
from crownkeep.storage.database import Transaction
from crownkeep.storage.notices import deliveries, outbox
from crownkeep.storage.notices.deliveries import DeliveryRow
from crownkeep.storage.notices.outbox import NoticeRow
from crownkeep.storage.organizations import organizations
from crownkeep.storage.sign_in import tallies
from crownkeep.storage.trail.events import EventRow

_NO_ADDRESS = "no mail is sent to an address of this kind; give a plain one, such as security@acme.example"
_log = logging.getLogger("crownkeep.alerts")


class SealedOutbox:
    """The outbox of a house (`operations.notices.Outbox`), its contents sealed."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def send(self, db: Transaction, notice: Notice) -> None:
        """Put a notice into the outbox; one to an address that mail must not be sent to is dropped and logged."""
        notice_id = ids.event_id(notice.written_at, clock.id_bytes(10)).hex
        if notice.recipient and not contacts.is_deliverable(notice.recipient):
            # The address itself stays out of the log: it is what is wrong, and may be made to drive whatever reads logs.
            _log.warning(
                "account %s has an address that no mail is sent to; a notice (%s) is dropped", notice.account_id, notice.kind
            )
            deliveries.add(db, _dropped(notice, notice_id))
            return
        values = Secret(msgspec.json.encode(dict(notice.values)).decode())
        outbox.add(
            db,
            NoticeRow(
                notice_id=notice_id,
                account_id=notice.account_id,
                recipient=notice.recipient,
                kind=notice.kind,
                sealed_values=sealed.seal_notice(self._keyring, values, account_id=notice.account_id, notice_id=notice_id),
                created_at=notice.written_at,
                due_at=notice.written_at,
                claimed_until=notice.written_at,
            ),
        )

    def observe(self, db: Transaction, events: Sequence[EventRow]) -> None:
        """Write to whoever must hear of these events."""
        for event in events:
            heard = rules.heard(event)
            if heard is not None:
                self._notify(db, event, heard)

    def _notify(self, db: Transaction, event: EventRow, heard: Heard) -> None:
        count = tallies.count_up(db, _key(heard), heard.account_id, now=event.happened_at, span=rules.SPAN)
        last = heard.rule.first + rules.MOST - 1
        if not heard.rule.first <= count <= last:
            return
        values = {
            "says": heard.rule.says,
            "advice": heard.rule.advice,
            "account_id": heard.account_id,
            "event": event.name,
            "event_id": str(event.event_id),
            "when": moment(event.happened_at),
            "address": str(heard.record.get("sourceIPAddress", "")),
            "detail": rules.detail(heard.record),
            "times": str(count) if heard.rule.first > 1 else "",
            "held": "yes" if count == last else "",
        }
        subject = _subject(db, heard)
        for recipient in contacts.of_account(db, subject):
            self.send(db, Notice(notices.EVENT_NOTICE, recipient, subject, event.happened_at, values))


def read(keyring: Keyring, row: NoticeRow) -> Mapping[str, str]:
    """Return what a waiting notice says; raises Unsealable where its key is gone."""
    opened = sealed.open_notice(keyring, row.sealed_values, account_id=row.account_id, notice_id=row.notice_id)
    return msgspec.json.decode(opened.reveal(), type=dict[str, str])


def ended(keyring: Keyring, row: NoticeRow, *, at: datetime, fault: str) -> DeliveryRow:
    """Return what is remembered of a notice that left or, with a fault, was given up."""
    heading = notices.heading(keyring, row)
    return DeliveryRow(
        row.notice_id,
        row.account_id,
        row.recipient,
        row.kind,
        row.created_at,
        at,
        attempts=row.attempts + 1,
        fault=fault,
        about=heading.about,
        event_id=heading.event_id,
    )


def _dropped(notice: Notice, notice_id: str) -> DeliveryRow:
    shown, at = notice.recipient[: contacts.LONGEST], notice.written_at
    return DeliveryRow(notice_id, notice.account_id, shown, notice.kind, at, at, attempts=0, fault=_NO_ADDRESS)


def _subject(db: Transaction, heard: Heard) -> str:
    """Return the account whose contacts hear of it."""
    if heard.rule.whom is Whom.ITS_OWN:
        return heard.account_id
    organization = organizations.of_account(db, heard.account_id)
    return heard.account_id if organization is None else organization.management_account_id


def _key(heard: Heard) -> bytes:
    # Failures are counted apart from successes: a sign-in is reported however many failed before it.
    return hashlib.sha256(f"notice {heard.account_id} {heard.name} {heard.rule.first}".encode()).digest()
