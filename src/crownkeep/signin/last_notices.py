"""What became of an account's last messages: shown to whoever may see the security contact.

Of addresses they see only those of contacts that they may see as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from crownkeep import errors
from crownkeep.operations import notices
from crownkeep.operations.call import Wiring
from crownkeep.operations.invoke import Door
from crownkeep.principals import PrincipalKind
from crownkeep.signin import acting
from crownkeep.signin.acting import Actor
from crownkeep.storage.notices import deliveries, outbox
from crownkeep.storage.notices.deliveries import DeliveryRow
from crownkeep.storage.notices.outbox import NoticeRow

MOST_TESTS = 5
"""Test alerts that an account may send within an hour: they go to people who have not asked for them."""

CONTACT_TYPES = ("BILLING", "OPERATIONS", "SECURITY")
_NOTICES = 20


class NoticeProgress(Enum):
    """How far a notice has come."""

    WAITING = "waiting"
    SENT = "sent"
    """The mail server has taken it, or it lies in the outbox folder; not that somebody has read it."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class LastNotice:
    """One notice of the account."""

    notice_id: str
    kind: str
    recipient: str
    """Empty where its reader may not see the address."""
    written_at: datetime
    progress: NoticeProgress
    at: datetime
    """When it was sent or given up, or when it is tried next."""
    attempts: int
    fault: str
    """Why the last attempt failed."""
    about: str
    """The event that it tells of, in a sentence; empty for other kinds."""
    event_id: str


async def last_notices(door: Door, actor: Actor) -> list[LastNotice]:
    """Return the account's last notices, the latest first; raises AccessDenied for who may not see the security contact."""
    seen = set()
    for contact_type in reversed(CONTACT_TYPES):
        try:
            found = await acting.call(door, actor, "account", "GetAlternateContact", {"AlternateContactType": contact_type})
        except errors.ResourceNotFound:
            continue
        except errors.AccessDenied:
            if contact_type == "SECURITY":
                raise
            continue
        contact = found["AlternateContact"]
        assert isinstance(contact, dict)  # noqa: S101 - the operation's own shape, for the type checker
        seen.add(str(contact["EmailAddress"]).lower())
    return _notices(door, actor, seen)


def _notices(door: Door, actor: Actor, seen: set[str]) -> list[LastNotice]:
    account_id, is_root = actor.principal.account_id, actor.principal.kind is PrincipalKind.ROOT

    def shown(address: str) -> str:
        return address if is_root or address.lower() in seen else ""

    with door.snapshot() as db:
        waiting = outbox.latest(db, account_id, limit=_NOTICES)
        ended = deliveries.latest(db, account_id, limit=_NOTICES)
    found = [_waiting(door.wiring, row, shown(row.recipient)) for row in waiting]
    found += [_ended(row, shown(row.recipient)) for row in ended]
    return sorted(found, key=lambda notice: notice.notice_id, reverse=True)[:_NOTICES]


def _waiting(wiring: Wiring, row: NoticeRow, recipient: str) -> LastNotice:
    heading = notices.heading(wiring.keyring, row)
    return LastNotice(
        row.notice_id,
        row.kind,
        recipient,
        row.created_at,
        NoticeProgress.WAITING,
        row.due_at,
        row.attempts,
        row.last_fault,
        heading.about,
        heading.event_id,
    )


def _ended(row: DeliveryRow, recipient: str) -> LastNotice:
    progress = NoticeProgress.FAILED if row.fault else NoticeProgress.SENT
    return LastNotice(
        row.notice_id,
        row.kind,
        recipient,
        row.created_at,
        progress,
        row.ended_at,
        row.attempts,
        row.fault,
        row.about,
        row.event_id,
    )
