"""The one door. A request is validated, authorised, carried out and recorded; all of it commits, or none.

    read:   validate -> authorise -> handler (a snapshot, on this thread) -> event -> next group's COMMIT -> answer
    write:  [authorise -> prepare (small pool)] -> group: savepoint(validate, authorise, handler) -> event -> COMMIT -> answer

Reads that arrive in one turn of the event loop share a snapshot, and all that arrives in it is handed to the writer at once.

A refusal undoes what the handler did and is recorded in the same transaction. A write is authorised inside the transaction that
carries it out, so nobody acts on a permission that another request has just taken away.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from crownkeep import clock, errors, logs
from crownkeep.errors import AwsError
from crownkeep.operations import approvals, authorize, fair_pool, last_way_in, outcomes, record, validate
from crownkeep.operations.call import NOTHING, Answer, Call, Notes, Request, Result, Wiring
from crownkeep.operations.fair_pool import FairPool, PoolLimits
from crownkeep.operations.outbound_calls import OutboundCall, OutboundCalls
from crownkeep.operations.outcomes import Outcome
from crownkeep.operations.registry import Effect, Mode
from crownkeep.operations.standing import Standing
from crownkeep.operations.streams import Streams
from crownkeep.operations.uses import Uses
from crownkeep.principals import Principal
from crownkeep.storage.accounts import accounts
from crownkeep.storage.database import Database, DatabaseFault, Transaction, savepoint
from crownkeep.storage.trail.events import EventRow
from crownkeep.storage.writer import Commit, Item, WriteFailed, Writer, WriterBusy

Done = TypeVar("Done")

_log = logging.getLogger("crownkeep.operations")
_strangers = logging.getLogger(logs.STRANGERS)


Unavailable = DatabaseFault
"""What whoever reads outside of the door's operations gets to see where the database can't be used; to be answered with 503."""

_SIGN_IN = ""
"""Whose turn a sign-in takes: all of them share one."""


class Door:
    """The one door of a serving process: a database, its writer, and the small pool for what is slow on purpose."""

    def __init__(self, database: Database, writer: Writer, wiring: Wiring) -> None:
        self._database = database
        self._writer = writer
        self.wiring = wiring
        threads = wiring.settings.argon2_threads
        self._slow = FairPool("prepare", fair_pool.for_passwords(threads, shared=_SIGN_IN))
        self._long = FairPool("long-read", PoolLimits(threads=2, at_once=1, waiting_of_one=64, waiting=256))
        self._outbound = OutboundCalls()
        self._uses = Uses()
        self.streams = Streams(database, wiring)

    async def invoke(self, request: Request) -> Answer:
        """Lead one request through the door and return when its record is on disk."""
        try:
            if request.operation.mode is Mode.READ:
                with self._database.snapshot() as db:
                    outcome = self.read(db, request)
                return await self.keep(request, outcome)
            if request.operation.mode is Mode.LONG_READ:
                outcome, seconds = await self.apart(request, partial(self.read_apart, request))
                return replace(await self.keep(request, outcome), seconds=seconds)
            return await self._write(request)
        # Neither of these is recorded: the writer that would keep the record is what is full.
        except (WriterBusy, errors.Throttling):
            return outcomes.BUSY
        except WriteFailed:
            return outcomes.UNRECORDED
        except Unavailable as error:
            _strangers.error("the database can't be used: %s", type(error.orig).__name__)
            return outcomes.UNAVAILABLE

    def snapshot(self) -> AbstractContextManager[Transaction]:
        """Open a snapshot to read in, for what is looked up without an operation: sessions, sign-ins under way, links."""
        return self._database.snapshot()

    async def record(self, event: EventRow) -> None:
        """Keep the event of a request that reached no operation; raises WriterBusy or WriteFailed."""
        await self._writer.record(event)

    async def carry_out(self, work: Callable[[Transaction], Commit[Done]]) -> Done:
        """Do what no operation does, for `signin.sign_in_steps` alone: its changes and its events commit together.

        Work may run more than once and must not raise: what it refuses it answers. Raises Throttling where too much waits and
        ServiceUnavailable where the database does not take it.
        """
        try:
            return await self._writer.submit(work)
        except WriterBusy as error:
            raise errors.Throttling("Rate exceeded") from error
        except WriteFailed as error:
            raise errors.ServiceUnavailable("The service is temporarily unable to keep a record of the request.") from error

    async def apart(self, request: Request, work: Callable[[], Done]) -> Done:
        """Do a part of a long read in the pool for those, where accounts take turns; raises Throttling where too much waits."""
        return await self._long.run(_owner(request), work)

    def has_room_apart(self, request: Request) -> bool:
        """Tell whether the pool of long reads would take another one of the caller's account."""
        return self._long.has_room(_owner(request))

    async def compute(self, slow: Callable[[], Done], *, account_id: str = _SIGN_IN) -> Done:
        """Compute for a sign-in what is slow on purpose, in the small pool: strangers can't have all cores hash passwords.

        Accounts take turns there with all sign-ins; `account_id` is whose turn it is. Raises Throttling where too much waits.
        """
        return await self._slow.run(account_id, slow)

    async def compute_long(self, work: Callable[[], Done], *, account_id: str) -> Done:
        """Compute for a page what takes long, in the pool for long reads, where accounts take turns.

        Raises Throttling where too much of the account's waits already.
        """
        return await self._long.run(account_id, work)

    async def ask_outside(self, outbound: OutboundCall) -> object:
        """Make an outbound call of a sign-in, with no transaction open; raises Throttling where too many of the account wait."""
        return await self._outbound.run(outbound)

    def close(self) -> None:
        """Let go of the pool; what it is computing is finished first."""
        self._slow.close()
        self._long.close()
        self._outbound.close()

    def read(self, db: Transaction, request: Request, standing: Standing | None = None) -> Outcome:
        """Carry out a read in an open snapshot; nobody may be answered before `keep` has recorded it.

        `standing` is that of the caller's account, where this snapshot has seen it already.
        """
        return perform(db, request, self.wiring, standing=standing)

    def read_apart(self, request: Request) -> tuple[Outcome, float]:
        """Carry out a read in a snapshot of its own, for `apart`; return what it came to, and the seconds that it computed."""
        began = clock.cpu_seconds()
        with self._database.snapshot() as db:
            return self.read(db, request), clock.cpu_seconds() - began

    def reading(self, request: Request, outcome: Outcome, settle: Callable[[Item], None]) -> Item:
        """Return what must be committed before anybody hears what a read came to; for `put`."""
        use = self._uses.of(request)
        return Item(None if use is None else use.commit, outcome.kept(request), settle)

    def writing(self, request: Request, settle: Callable[[Item], None], *, prepared: object = None) -> Item:
        """Return a write that is still to be carried out, in the transaction that it commits in; for `put`."""
        use = self._uses.of(request)

        def work(db: Transaction) -> Commit[Answer]:
            outcome = perform(db, request, self.wiring, prepared=prepared)
            if use is not None:
                use.write(db)
            return Commit(outcome.answer(), outcome.kept(request))

        return Item(work, (), settle)

    def put(self, items: Sequence[Item]) -> None:
        """Hand over what came together; each item is settled once its commit is on disk, or could not be made."""
        for refused in self._writer.put(items):
            refused.failure = WriterBusy()
            refused.settle(refused)

    async def keep(self, request: Request, outcome: Outcome) -> Answer:
        """Record what a read came to, and only then answer."""
        settled = await self._settled(partial(self.reading, request, outcome))
        return outcome.answer() if settled.failure is None else outcomes.failed(settled)

    async def _settled(self, make: Callable[[Callable[[Item], None]], Item]) -> Item:
        """Hand one item over and wait until it is settled."""
        waiting: asyncio.Future[Item] = asyncio.get_running_loop().create_future()
        self.put([make(partial(_resolve, waiting))])
        return await waiting

    async def _write(self, request: Request) -> Answer:
        prepared: object = None
        if request.operation.prepare is not None:
            prepared = await self._slow.run(_owner(request), partial(self._prepare, request))
            if isinstance(prepared, OutboundCall):
                prepared = await self._called(request, prepared)
            if isinstance(prepared, Outcome):
                for event in prepared.kept(request):
                    await self._writer.record(event)
                return prepared.answer()
        return outcomes.answered(await self._settled(partial(self.writing, request, prepared=prepared)))

    async def _called(self, request: Request, outbound: OutboundCall) -> object:
        """Make an outbound call, with no transaction open; an `Outcome` where the request ends here."""
        try:
            return await self._outbound.run(replace(outbound, run=lambda: _guarded(request, outbound.run)))
        except AwsError as refusal:
            with self._database.snapshot() as db:
                alias = self.wiring.standings.of(db, request.caller).alias(db)
            return _refused(request, Notes(), refusal, account_alias=alias)

    def _prepare(self, request: Request) -> object:
        """Do the slow part of a write for a caller who is allowed to ask for it; an `Outcome` where it ends here."""
        with self._database.snapshot() as db:
            return prepare(db, request, self.wiring)


def _resolve(waiting: asyncio.Future[Item], item: Item) -> None:
    if not waiting.done():
        waiting.set_result(item)


def _owner(request: Request) -> str:
    """Return whose turn a request takes: its account's; those of strangers share one."""
    return request.caller.account_id if isinstance(request.caller, Principal) else "strangers"


def perform_now(database: Database, request: Request, wiring: Wiring) -> Answer:
    """Lead one request through the door on this thread, in a transaction of its own: for commands beside a server."""
    prepared: object = None
    if request.operation.prepare is not None:
        with database.snapshot() as db:
            prepared = prepare(db, request, wiring)
        if isinstance(prepared, OutboundCall):
            prepared = prepared.run()

    def work(db: Transaction) -> Answer:
        outcome = prepared if isinstance(prepared, Outcome) else perform(db, request, wiring, prepared=prepared)
        for event in (outcome.event, *outcome.copies):
            record.keep(db, event)
        wiring.outbox.observe(db, [outcome.event, *outcome.copies])
        return outcome.answer()

    return database.write(work)


def perform(
    db: Transaction, request: Request, wiring: Wiring, *, prepared: object = None, standing: Standing | None = None
) -> Outcome:
    """Validate, authorise and carry out one request in an open transaction; a refusal leaves the state untouched."""
    notes = Notes()
    writes = request.operation.mode is Mode.WRITE
    if writes:
        # A write holds its account's row from here to the commit. Without that, two nodes could both see a quota unfilled, or a
        # key still active, and both go on.
        standing = wiring.standings.held(db, request.caller)
        if request.operation.holds:
            # Held before the first look at that account, for the same reason.
            accounts.hold(db, str(request.parameters.get(request.operation.holds, "")))
    elif standing is None:
        standing = wiring.standings.of(db, request.caller)
    result: Result = NOTHING
    error: AwsError | None = None
    call = _call(db, request, wiring, standing, notes, prepared)
    try:
        # Everything that may fail for a fault of ours runs guarded, so that even a fault has a record.
        result = _guarded(request, lambda: _performed(call, request))
    except AwsError as refusal:
        error = refusal
    if error is not None and writes:
        # After the savepoint was rolled back, in the same transaction: a used-up attempt counts although the call is refused.
        for change in notes.lasting:
            change(db)
    return _recorded(request, notes, result, error, account_alias=standing.alias(db))


def _performed(call: Call, request: Request) -> Result:
    validate.validate(request.operation.model, request.parameters)
    arguments = _arguments(request)
    if request.operation.mode is not Mode.WRITE:
        return _carry_out(call, request, arguments)
    with savepoint(call.db):
        # The credential was verified in an earlier snapshot. Somebody may have deleted it since, so it is looked at again under
        # the row that is now held.
        call.standing.confirm(call.db, request.caller)
        if request.binding is not None:
            # The same for the browser session: a form that was sent before "Sign out" must not change anything after it.
            request.binding.confirm(call.db)
        at_stake = last_way_in.at_stake(call, request)
        result = _carry_out(call, request, arguments)
        last_way_in.require(call, request, at_stake)
        if request.binding is not None:
            request.binding.follow(call.db)
        if request.operation.effect is Effect.STANDING and call.account_id:
            # Last, and in the transaction of the change: no node can cache what was there before under the revision of after.
            accounts.touch(call.db, call.account_id, clock.revision())
    return result


def _guarded(request: Request, step: Callable[[], Done]) -> Done:
    """Take one step of a request; a fault of ours is logged, once, and raised as InternalFailure.

    A fault must neither tell the caller anything nor go unrecorded. Refusals pass, and so do faults of the database, which are no
    answer to anybody: whoever holds the transaction decides what becomes of it.
    """
    try:
        return step()
    except (AwsError, DatabaseFault):
        raise
    except Exception as fault:
        _log_fault(request, fault)
        raise errors.InternalFailure("The request processing has failed because of an unknown error.") from fault


def _log_fault(request: Request, fault: Exception) -> None:
    name, request_id = request.operation.name, request.origin.request_id
    if isinstance(request.caller, Principal):
        _log.exception("operation `%s` failed, request %s", name, request_id)
        return
    # Strangers repeat it as often as they like: a line, at a rate, of what went wrong where, and nothing that they have sent.
    place = traceback.extract_tb(fault.__traceback__)[-1]
    kind, where = type(fault).__name__, f"{Path(place.filename).name}, line {place.lineno}"
    _strangers.error("operation `%s` failed, request %s without credentials: %s in %s", name, request_id, kind, where)


def _recorded(request: Request, notes: Notes, result: Result, error: AwsError | None, *, account_alias: str) -> Outcome:
    event, *copies = record.copies_of_call(request, notes, result=result, error=error, account_alias=account_alias)
    nothing_stays = error is not None and not notes.lasting
    return Outcome(result, error, event, leaves_nothing=nothing_stays, copies=(*copies, *notes.further))


def prepare(db: Transaction, request: Request, wiring: Wiring) -> object:
    """Do the slow part of a write for a caller who may ask for it; an `Outcome` where the request ends here."""
    slow = request.operation.prepare
    if slow is None:
        return None
    notes = Notes()
    standing = wiring.standings.of(db, request.caller)
    call = _call(db, request, wiring, standing, notes, None)

    def work() -> object:
        validate.validate(request.operation.model, request.parameters)
        arguments = _arguments(request)
        # Authorised before the slow part, and again in the transaction: a stranger must not make us hash passwords, and a
        # permission may be taken away meanwhile.
        authorize.require(call, request.operation, arguments)
        return slow(call, **arguments)

    try:
        return _guarded(request, work)
    except AwsError as refusal:
        return _refused(request, notes, refusal, account_alias=standing.alias(db))


def _refused(request: Request, notes: Notes, refusal: AwsError, *, account_alias: str) -> Outcome:
    event = record.of_call(request, notes, result=NOTHING, error=refusal, account_alias=account_alias)
    return Outcome(NOTHING, refusal, event, leaves_nothing=True)


def _carry_out(call: Call, request: Request, arguments: Mapping[str, object]) -> Result:
    authorize.require(call, request.operation, arguments)
    return approvals.used_by(call, partial(request.operation.handler, call, **arguments))


def _call(db: Transaction, request: Request, wiring: Wiring, standing: Standing, notes: Notes, prepared: object) -> Call:
    return Call(
        db, standing.account_id, request.caller, request.now, request.origin, wiring, standing, prepared, notes, request.binding
    )


def _arguments(request: Request) -> dict[str, object]:
    names = request.operation.model.arguments
    return {names[member]: value for member, value in request.parameters.items() if member in names}
