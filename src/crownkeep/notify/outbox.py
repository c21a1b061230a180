"""The post: letters are put into the outbox in the transaction of the change they are about, and go out once it has committed."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from crownkeep import clock, ids
from crownkeep.audit.event import moment
from crownkeep.credentials.sealing import Keyring
from crownkeep.credentials.secret import Secret
from crownkeep.notify import contacts, rules
from crownkeep.notify.rules import Heard, Whom
from crownkeep.operations import letters, sealed
from crownkeep.operations.letters import Letter
from crownkeep.storage.database import Transaction
from crownkeep.storage.notices import deliveries, outbox
from crownkeep.storage.notices.deliveries import DeliveryRow
from crownkeep.storage.notices.outbox import LetterRow
from crownkeep.storage.organizations import organizations
from crownkeep.storage.sign_in import tallies
from crownkeep.storage.trail.events import EventRow

_NO_ADDRESS = "no mail is sent to an address of this kind; give a plain one, such as security@acme.example"
_log = logging.getLogger("crownkeep.notify")


class Outbox:
    """The post of a house (`operations.letters.Post`)."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def send(self, db: Transaction, letter: Letter) -> None:
        """Put a letter into the outbox; one to an address that mail must not be sent to is dropped and logged."""
        letter_id = ids.event_id(letter.written_at, clock.id_bytes(10)).hex
        if letter.recipient and not contacts.is_deliverable(letter.recipient):
            # The address itself stays out of the log: it is what is wrong, and may be made to drive whatever reads logs.
            _log.warning(
                "account %s has an address that no mail is sent to; a letter (%s) is dropped", letter.account_id, letter.kind
            )
            deliveries.add(db, _dropped(letter, letter_id))
            return
        values = Secret(msgspec.json.encode(dict(letter.values)).decode())
        outbox.add(
            db,
            LetterRow(
                letter_id=letter_id,
                account_id=letter.account_id,
                recipient=letter.recipient,
                kind=letter.kind,
                sealed_values=sealed.seal_letter(self._keyring, values, account_id=letter.account_id, letter_id=letter_id),
                created_at=letter.written_at,
                due_at=letter.written_at,
                claimed_until=letter.written_at,
            ),
        )

    def heed(self, db: Transaction, events: Sequence[EventRow]) -> None:
        """Write to whoever must hear of these events."""
        for event in events:
            heard = rules.heard(event)
            if heard is not None:
                self._tell(db, event, heard)

    def _tell(self, db: Transaction, event: EventRow, heard: Heard) -> None:
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
        told = _told(db, heard)
        for recipient in contacts.of_account(db, told):
            self.send(db, Letter(letters.NOTICE, recipient, told, event.happened_at, values))


def read(keyring: Keyring, row: LetterRow) -> Mapping[str, str]:
    """Return what a waiting letter says; raises Unsealable where its key is gone."""
    opened = sealed.open_letter(keyring, row.sealed_values, account_id=row.account_id, letter_id=row.letter_id)
    return msgspec.json.decode(opened.reveal(), type=dict[str, str])


def ended(keyring: Keyring, row: LetterRow, *, at: datetime, fault: str) -> DeliveryRow:
    """Return what is remembered of a letter that left or, with a fault, was given up."""
    told = letters.told(keyring, row)
    return DeliveryRow(
        row.letter_id,
        row.account_id,
        row.recipient,
        row.kind,
        row.created_at,
        at,
        attempts=row.attempts + 1,
        fault=fault,
        about=told.about,
        event_id=told.event_id,
    )


def _dropped(letter: Letter, letter_id: str) -> DeliveryRow:
    shown, at = letter.recipient[: contacts.LONGEST], letter.written_at
    return DeliveryRow(letter_id, letter.account_id, shown, letter.kind, at, at, attempts=0, fault=_NO_ADDRESS)


def _told(db: Transaction, heard: Heard) -> str:
    """Return the account that hears of it."""
    if heard.rule.whom is Whom.ITS_OWN:
        return heard.account_id
    organization = organizations.of_account(db, heard.account_id)
    return heard.account_id if organization is None else organization.management_account_id


def _key(heard: Heard) -> bytes:
    # Failures are counted apart from successes: a sign-in is told however many failed before it.
    return hashlib.sha256(f"notice {heard.account_id} {heard.name} {heard.rule.first}".encode()).digest()
