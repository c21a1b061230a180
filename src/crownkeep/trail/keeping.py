"""Keeping the trail as long as the settings say: months are sealed, old records withheld, and what was withheld leaves the files.

By default every record is kept for ever, and in the database. Each act is an operation of the operator's with a record of its
own, as if the operator had called for it. Of several processes one looks, under a lease.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from threading import Event
from typing import Any
from uuid import UUID

from crownkeep import clock, ids
from crownkeep.domain import withholding
from crownkeep.domain.month_sealing import REST
from crownkeep.errors import AwsError
from crownkeep.operations import asking
from crownkeep.operations.call import Wiring
from crownkeep.operations.sealed_acts import SealedAct
from crownkeep.principals import Operator
from crownkeep.storage.approvals import seals
from crownkeep.storage.database import Database, Transaction
from crownkeep.storage.recurring import RecurringLook, WorkLease
from crownkeep.storage.trail import sealed_months, withholdings
from crownkeep.storage.trail.sealed_files import SealedFileFault
from crownkeep.storage.writer import Writer
from crownkeep.trail import month_sealing
from crownkeep.trail.month_sealing import NotSealable

FIRST_LOOK_SECONDS = 120.0
SECONDS_BETWEEN_LOOKS = 3600.0
_LEASED_FOR = timedelta(minutes=50)
Ask = Callable[..., Mapping[str, Any]]
_log = logging.getLogger("crownkeep.trail")


class TrailKeeping:
    """The keeping of one process: a task of its event loop, whose work is done on a thread."""

    def __init__(self, database: Database, writer: Writer, wiring: Wiring) -> None:
        self._database = database
        self._wiring = wiring
        self._lease = WorkLease(writer, "trail-keeping", _LEASED_FOR)
        self._stopping = Event()
        self._looks = RecurringLook(
            self._look,
            first_after=FIRST_LOOK_SECONDS,
            every=SECONDS_BETWEEN_LOOKS,
            log=_log,
            complaint="the trail can't be looked after",
        )

    def start(self) -> None:
        """Begin to look, once an hour."""
        self._looks.start()

    async def stop(self) -> None:
        """End; what was begun goes on with the next look."""
        self._stopping.set()
        await self._looks.stop()

    async def _look(self) -> None:
        # The lease ends before the next look, and is given back by nobody: what is kept too long waits for an hour at most.
        if await self._lease.take():
            await asyncio.to_thread(keep, self._database, self._wiring, self._stopping)


def keep(database: Database, wiring: Wiring, stopping: Event) -> None:
    """Do what the settings ask for, as far as it can be done; what can't be done is said in the log. Raises DatabaseFault.

    It ends between two steps once `stopping` is set, and goes on with the next look.
    """
    settings, now = wiring.settings, clock.now()

    def ask(operation: str, **parameters: object) -> Mapping[str, Any]:
        return asking.ask(database, wiring, operation, parameters, caller=Operator(), who="crownkeep/settings")

    # What is withheld first is not sealed.
    if settings.trail_withhold_after_days:
        before = now - timedelta(days=settings.trail_withhold_after_days)
        _try(lambda: _withhold(database, before, ask, stopping))
    if settings.trail_seal_after_days:
        for month in _due(database, now - timedelta(days=settings.trail_seal_after_days) - REST):
            _try(partial(_seal, database, month, ask, stopping))
    if not stopping.is_set():
        _try(lambda: month_sealing.destroy_withheld(database))


def _try(step: Callable[[], object]) -> None:
    """Take a step; one that can't be taken keeps no other from being taken."""
    try:
        step()
    except (NotSealable, SealedFileFault, OSError, AwsError) as error:
        _log.error("the trail is kept longer than its settings say: %s", error)


def _seal(database: Database, month: str, ask: Ask, stopping: Event) -> None:
    if stopping.is_set():
        return
    for _ in month_sealing.steps(database, month, record=partial(_record, ask, month)):
        if stopping.is_set():
            return
    _log.info("the records of %s are sealed", month)


def _record(ask: Ask, month: str, sha256: str) -> None:
    ask("SealMonth", month=month, sha256=sha256)


def _withhold(database: Database, before: datetime, ask: Ask, stopping: Event) -> None:
    # By whole days: an account has one such act a day, and not one an hour.
    day = before.replace(hour=0, minute=0, second=0, microsecond=0)
    with database.snapshot() as db:
        # A setting is one person's, and a sealed trail nobody's alone: its records stay until they are withheld with approval.
        kept = seals.accounts_over(db, SealedAct.TRAIL.value)
        accounts = [each for each in withholding.accounts_older(db, day) if each not in kept]
    for account_id in accounts:
        if stopping.is_set():
            return
        ask("WithholdRecords", account_id=account_id, before=day, reason="older than `trail_withhold_after_days`")


def _due(database: Database, ended: datetime) -> list[str]:
    """Return the months that ended before a moment and are not sealed, the oldest first; those that were begun among them."""
    with database.snapshot() as db:
        oldest = sealed_months.oldest_event(db)
        if oldest is None:
            return []
        month, due = f"{ids.moment_of(UUID(bytes=bytes(oldest))):%Y-%m}", list[str]()
        while (ends := sealed_months.span(month)[1]) <= ended:
            if _has_to_be_sealed(db, month):
                due.append(month)
            month = f"{ends:%Y-%m}"
    return due


def _has_to_be_sealed(db: Transaction, month: str) -> bool:
    row = sealed_months.named(db, month)
    if row is None:
        return sealed_months.has_records(db, month)
    seals = withholdings.sealed_by(db, row.act_event_id)
    return any(sealed_months.count_kept(db, each.account_id, each.first_event_id, each.last_event_id) for each in seals)
