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
from crownkeep.storage.database import Database, DatabaseFault, Transaction
from crownkeep.storage.notices import leases
from crownkeep.storage.trail import sealed_months, withholdings
from crownkeep.storage.trail.sealed_files import SealedFileFault
from crownkeep.storage.writer import Commit, WriteFailed, Writer, WriterBusy
from crownkeep.trail import month_sealing
from crownkeep.trail.month_sealing import NotSealable

FIRST_LOOK_SECONDS = 120.0
SECONDS_BETWEEN_LOOKS = 3600.0
_LEASED_FOR = timedelta(minutes=50)
_LANE = "trail-keeping"
_NOBODY = "000000000000"
Ask = Callable[..., Mapping[str, Any]]
_log = logging.getLogger("crownkeep.trail")


class TrailKeeping:
    """The keeping of one process: a task of its event loop, whose work is done on a thread."""

    def __init__(self, database: Database, writer: Writer, wiring: Wiring) -> None:
        self._database = database
        self._writer = writer
        self._wiring = wiring
        self._holder = clock.token_bytes(16).hex()
        self._stopping = Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look, once an hour."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """End; what was begun goes on with the next look."""
        self._stopping.set()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        await asyncio.sleep(FIRST_LOOK_SECONDS)
        while True:
            try:
                if await self._writer.submit(self._lease):
                    await asyncio.to_thread(keep, self._database, self._wiring, self._stopping)
            except (DatabaseFault, WriteFailed, WriterBusy) as error:
                _log.warning("the trail can't be looked after (%s); trying again", type(error).__name__)
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)

    def _lease(self, db: Transaction) -> Commit[bool]:
        now = clock.now()
        return Commit(leases.take(db, _LANE, _NOBODY, holder=self._holder, now=now, until=now + _LEASED_FOR), [])


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
