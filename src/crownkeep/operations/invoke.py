"""The one door. A request is validated, authorised, carried out and recorded; all of it commits, or none.

    read:   validate -> authorise -> handler (a snapshot, on this thread) -> event -> next group's COMMIT -> answer
    write:  [authorise -> prepare (small pool)] -> group: savepoint(validate, authorise, handler) -> event -> COMMIT -> answer

A refusal undoes what the handler did and is recorded in the same transaction. A write is authorised inside the transaction that
carries it out, so nobody acts on a permission that another request has just taken away.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from crownkeep import clock, errors
from crownkeep.errors import AwsError
from crownkeep.operations import authorize, record, validate
from crownkeep.operations.call import NOTHING, Answer, Call, Notes, Request, Result, Wiring
from crownkeep.operations.registry import Effect, Mode
from crownkeep.operations.standing import Standing
from crownkeep.principals import Principal
from crownkeep.storage import access_keys, accounts
from crownkeep.storage.database import Database, DatabaseFault, Transaction, savepoint
from crownkeep.storage.events import EventRow
from crownkeep.storage.writer import Deed, WriteFailed, Writer, WriterBusy

_log = logging.getLogger("crownkeep.operations")
_MOST_KEYS_REMEMBERED = 10_000
LAST_USED_SPAN_SECONDS = 900
"""Only the first use of a key in fifteen minutes is written down (IAM user guide, "Finding unused credentials")."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    result: Result
    error: AwsError | None
    event: EventRow

    def answer(self) -> Answer:
        return Answer(self.result, self.error, str(self.event.event_id))


class Door:
    """The one door of a serving process: a database, its writer, and the small pool for what is slow on purpose."""

    def __init__(self, database: Database, writer: Writer, wiring: Wiring) -> None:
        self.database = database
        self.writer = writer
        self.wiring = wiring
        self._pool = ThreadPoolExecutor(wiring.settings.argon2_threads, thread_name_prefix="prepare")
        self._last_used_spans: dict[str, int] = {}

    async def invoke(self, request: Request) -> Answer:
        """Lead one request through the door and answer when its record is on disk."""
        try:
            if request.operation.mode is Mode.READ:
                return await self._read(request)
            return await self._write(request)
        except WriterBusy:
            return Answer(NOTHING, errors.Throttling("Rate exceeded"))
        except WriteFailed:
            return Answer(
                NOTHING, errors.ServiceUnavailable("The service is temporarily unable to keep a record of the request.")
            )

    async def record(self, event: EventRow) -> None:
        """Keep the event of a request that reached no operation; raises WriterBusy or WriteFailed."""
        await self.writer.record(event)

    def close(self) -> None:
        """Let go of the pool; what it is computing is finished first."""
        self._pool.shutdown()

    async def _read(self, request: Request) -> Answer:
        with self.database.snapshot() as db:
            outcome = perform(db, request, self.wiring)
        use = self._use_to_record(request)
        if use is None:
            await self.writer.record(outcome.event)
        else:
            await self.writer.submit(lambda tx: _with_use(tx, Deed(None, [outcome.event]), use))
        return outcome.answer()

    async def _write(self, request: Request) -> Answer:
        prepared: object = None
        if request.operation.prepare is not None:
            early = await asyncio.get_running_loop().run_in_executor(self._pool, self._prepare, request)
            if isinstance(early, _Outcome):
                await self.writer.record(early.event)
                return early.answer()
            prepared = early
        use = self._use_to_record(request)

        def work(db: Transaction) -> Deed[Answer]:
            outcome = perform(db, request, self.wiring, prepared=prepared)
            deed = Deed(outcome.answer(), [outcome.event])
            return deed if use is None else _with_use(db, deed, use)

        return await self.writer.submit(work)

    def _prepare(self, request: Request) -> object:
        """Do the slow part of a write for a caller who is allowed to ask for it; an `_Outcome` where it ends here."""
        with self.database.snapshot() as db:
            return prepare(db, request, self.wiring)

    def _use_to_record(self, request: Request) -> _KeyUse | None:
        caller = request.caller
        if not isinstance(caller, Principal) or caller.session is not None or not caller.access_key_id:
            return None
        span = int(request.now.timestamp()) // LAST_USED_SPAN_SECONDS
        if self._last_used_spans.get(caller.access_key_id) == span:
            return None
        if len(self._last_used_spans) >= _MOST_KEYS_REMEMBERED:
            self._last_used_spans.clear()
        self._last_used_spans[caller.access_key_id] = span
        return _KeyUse(caller.access_key_id, request.now, request.operation.service.action_prefix, request.origin.region)


@dataclass(frozen=True, slots=True)
class _KeyUse:
    access_key_id: str
    at: datetime
    service: str
    region: str


def perform_now(database: Database, request: Request, wiring: Wiring) -> Answer:
    """Lead one request through the door on this thread, in a transaction of its own: for commands beside a server."""
    prepared: object = None
    if request.operation.prepare is not None:
        with database.snapshot() as db:
            prepared = prepare(db, request, wiring)

    def work(db: Transaction) -> Answer:
        outcome = prepared if isinstance(prepared, _Outcome) else perform(db, request, wiring, prepared=prepared)
        record.keep(db, outcome.event)
        return outcome.answer()

    return database.write(work)


def perform(db: Transaction, request: Request, wiring: Wiring, *, prepared: object = None) -> _Outcome:
    """Validate, authorise and carry out one request in an open transaction; a refusal leaves the state untouched."""
    notes = Notes()
    writes = request.operation.mode is Mode.WRITE
    standing = wiring.standings.held(db, request.caller) if writes else wiring.standings.of(db, request.caller)
    result: Result = NOTHING
    error: AwsError | None = None
    try:
        validate.validate(request.operation.model, request.parameters)
        arguments = _arguments(request)
        call = _call(db, request, wiring, standing, notes, prepared)
        if writes:
            with savepoint(db):
                standing.confirm(db, request.caller)
                result = _carry_out(call, request, arguments)
                if request.operation.effect is Effect.STANDING and standing.account_id:
                    accounts.touch(db, standing.account_id, clock.revision())
        else:
            result = _carry_out(call, request, arguments)
    except AwsError as refusal:
        error, result = refusal, NOTHING
    except DatabaseFault:
        raise
    except Exception:  # noqa: BLE001 - see below; it is logged with its trace
        # A fault of ours must neither tell the caller anything nor go unrecorded.
        _log.exception("operation `%s` failed, request %s", request.operation.name, request.origin.request_id)
        error, result = errors.InternalFailure("The request processing has failed because of an unknown error."), NOTHING
    if error is not None and writes:
        for change in notes.lasting:
            change(db)
    event = record.of_call(request, notes, result=result, error=error, account_alias=standing.alias(db))
    return _Outcome(result, error, event)


def prepare(db: Transaction, request: Request, wiring: Wiring) -> object:
    """Do the slow part of a write for a caller who may ask for it; an `_Outcome` where the request ends here."""
    slow = request.operation.prepare
    if slow is None:
        return None
    notes = Notes()
    standing = wiring.standings.of(db, request.caller)
    try:
        validate.validate(request.operation.model, request.parameters)
        arguments = _arguments(request)
        call = _call(db, request, wiring, standing, notes, None)
        authorize.require(call, request.operation, arguments)
        return slow(call, **arguments)
    except AwsError as refusal:
        event = record.of_call(request, notes, result=NOTHING, error=refusal, account_alias=standing.alias(db))
        return _Outcome(NOTHING, refusal, event)


def _carry_out(call: Call, request: Request, arguments: Mapping[str, object]) -> Result:
    authorize.require(call, request.operation, arguments)
    return request.operation.handler(call, **arguments)


def _call(db: Transaction, request: Request, wiring: Wiring, standing: Standing, notes: Notes, prepared: object) -> Call:
    return Call(db, standing.account_id, request.caller, request.now, request.origin, wiring, standing, prepared, notes)


def _arguments(request: Request) -> dict[str, object]:
    names = request.operation.model.arguments
    return {names[member]: value for member, value in request.parameters.items() if member in names}


def _with_use(db: Transaction, deed: Deed[Answer] | Deed[None], use: _KeyUse) -> Deed:  # type: ignore[type-arg]  # whichever came in
    access_keys.set_used(db, use.access_key_id, at=use.at, service=use.service, region=use.region)
    return deed
