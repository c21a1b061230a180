"""Endings: what is noted when a notice has left, has not, or is given up."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta

from crownkeep import clock
from crownkeep.alerts import built_in, own_events, sealed_outbox, webhooks
from crownkeep.alerts.undelivered import Undelivered
from crownkeep.credentials.sealing import Keyring
from crownkeep.operations.notices import EVENT_NOTICE
from crownkeep.storage.database import Transaction
from crownkeep.storage.notices import alert_receivers, alert_revisions, deliveries, outbox
from crownkeep.storage.notices.outbox import NoticeRow
from crownkeep.storage.trail.events import EventRow
from crownkeep.storage.writer import Commit, Writer

GIVEN_UP_AFTER = timedelta(days=1)
"""How long mail and syslog messages are tried; webhooks have a schedule of their own."""
SHORTEST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(hours=1)
UNREACHABLE_AFTER = 3
"""Failed attempts after which others hear that somebody can't be reached."""

_log = logging.getLogger("crownkeep.alerts")


class Endings:
    """What a process notes of what it has sent; each method tells whether the next of the lane may follow."""

    def __init__(self, writer: Writer, keyring: Keyring) -> None:
        self._writer = writer
        self._keyring = keyring

    async def sent(self, row: NoticeRow) -> bool:
        """Forget a notice that has left, but for when and to whom."""
        await self._end(row, fault="", now=clock.now())
        return True

    async def put_off(self, row: NoticeRow, undelivered: Undelivered, *, now: datetime) -> bool:
        """Let a notice that did not leave wait, or give it up; its lane goes on only once it is out of the way."""
        fault, attempts = str(undelivered), row.attempts + 1
        if undelivered.is_gone:
            await self._give_up(row, fault, now=now, disables=True)
            return True
        # A webhook that has failed to the end of its schedule is disabled as well: its receiver is gone, or answers nobody.
        wait = _wait(row, attempts, now)
        if wait is None:
            await self._give_up(row, fault, now=now, disables=row.channel == outbox.WEBHOOK)
            return True
        if undelivered.retry_after is not None:
            wait = max(wait, undelivered.retry_after)
        _log.warning("a notice (%s, %s) did not leave, attempt %d: %s", row.notice_id, row.kind, attempts, fault)
        events: list[EventRow] = []
        # Told once, at this very attempt, and not of codes and links: whoever waits for those notices by themselves.
        if attempts == UNREACHABLE_AFTER and row.kind == EVENT_NOTICE:
            events.append(own_events.of_receiver(built_in.UNREACHABLE, row, fault, now=now))
        due_at = now + wait

        def postpone(db: Transaction) -> Commit[None]:
            outbox.postpone(db, row.notice_id, due_at=due_at, attempts=attempts, fault=fault)
            outbox.postpone_lane(db, row.lane, due_at=due_at)
            return Commit(None, list(events))

        await self._writer.submit(postpone)
        return False

    async def give_up(self, row: NoticeRow, fault: str, *, now: datetime) -> None:
        """Try a notice no more."""
        await self._give_up(row, fault, now=now, disables=False)

    async def _give_up(self, row: NoticeRow, fault: str, *, now: datetime, disables: bool) -> None:
        _log.error("a notice (%s, %s) of account %s is given up: %s", row.notice_id, row.kind, row.account_id, fault)
        if row.kind != EVENT_NOTICE:
            # A link or a code that comes too late is worth nothing.
            await self._end(row, fault=fault, now=now)
            return
        disabled = own_events.of_receiver(built_in.DISABLED, row, fault, now=now) if disables else None

        def give_up(db: Transaction) -> Commit[None]:
            if outbox.give_up(db, row.notice_id, at=now, attempts=row.attempts + 1, fault=fault):
                deliveries.add(db, sealed_outbox.ended(self._keyring, row, at=now, fault=fault))
            outbox.forget_dead(db, now=now)
            is_news = disabled is not None and _disable(db, row, fault, now)
            return Commit(None, [disabled] if is_news and disabled is not None else [])

        await self._writer.submit(give_up)

    async def _end(self, row: NoticeRow, *, fault: str, now: datetime) -> None:
        def remove(db: Transaction) -> Commit[None]:
            if outbox.remove(db, row.notice_id) and row.recipient:
                deliveries.add(db, sealed_outbox.ended(self._keyring, row, at=now, fault=fault))
            return Commit(None, [])

        await self._writer.submit(remove)


def delay(attempts: int) -> timedelta:
    """Return how long mail waits after so many failed attempts: twice as long after each, an hour at most."""
    # The exponent is held: a notice that was tried very often must not make a number that no timedelta can hold.
    doubled: timedelta = SHORTEST_DELAY * 2 ** min(attempts - 1, 20)
    return min(doubled, LONGEST_DELAY)


def _wait(row: NoticeRow, attempts: int, now: datetime) -> timedelta | None:
    if row.channel == outbox.WEBHOOK:
        return webhooks.delay(attempts, int.from_bytes(clock.id_bytes(4), "big") / (1 << 32))
    return None if now - row.created_at >= GIVEN_UP_AFTER else delay(attempts)


def _disable(db: Transaction, row: NoticeRow, fault: str, now: datetime) -> bool:
    """Send nothing more to a receiver; returns False where it is disabled already, or no more."""
    receiver = alert_receivers.with_id(db, row.account_id, row.receiver_id)
    if receiver is None or receiver.disabled_at is not None:
        return False
    alert_revisions.touch(db, clock.revision())
    return alert_receivers.change(db, replace(receiver, disabled_at=now, disabled_because=fault[:300]))
