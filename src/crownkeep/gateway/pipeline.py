"""The life of one AWS request: bytes, route, caller, parameters, the one door, bytes.

Whatever goes wrong on the way is answered in the protocol's own shape and recorded: in the trail of the account that the
signature names or, where it names none, in the operator's.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from crownkeep import clock, errors, ids
from crownkeep.credentials.secret import Secret
from crownkeep.errors import AwsError
from crownkeep.gateway import authenticate, compression, long_reads, own_paths, reading, responses, sigv4
from crownkeep.gateway import exchange as exchanges
from crownkeep.gateway.bounds import CALLERS, MOST_IN_QUERY, STRANGERS
from crownkeep.gateway.exchange import Exchange
from crownkeep.gateway.http import HttpRequest
from crownkeep.gateway.intake import Intake
from crownkeep.gateway.limits import KeyAllowances, RecordAllowance
from crownkeep.gateway.long_reads import LongReads
from crownkeep.gateway.responses import Response
from crownkeep.gateway.route import Route, Unroutable
from crownkeep.gateway.shares import Shares
from crownkeep.operations import giving_way, outcomes, record
from crownkeep.operations.call import Request
from crownkeep.operations.giving_way import GivingWay
from crownkeep.operations.invoke import Door, Unavailable
from crownkeep.operations.outcomes import Outcome
from crownkeep.operations.registry import Mode
from crownkeep.operations.standing import SeenStandings
from crownkeep.principals import Anonymous, Caller, Principal
from crownkeep.storage.database import Transaction
from crownkeep.storage.trail.events import EventRow
from crownkeep.storage.writer import Item
from crownkeep.values import value_type

_log = logging.getLogger("crownkeep.gateway")
_UNAVAILABLE = errors.ServiceUnavailable("The request has failed due to a temporary failure of the server.")
_PACKED = "a compressed body is read of signed requests alone: send it as it is"


@value_type(frozen=True, slots=True, eq=False)
class _Arrival:
    """A request that has come in, and whoever waits for the response."""

    account: Hashable
    """In whose line it waited, as it says itself."""
    http: HttpRequest
    respond: Callable[[Response], None]


@dataclass(slots=True, eq=False)
class _Turn:
    """What the requests of one turn of the event loop share: one state of the database, and the standings as of then."""

    db: Transaction
    standings: SeenStandings
    computed: float
    """The seconds of computing of this thread when the last request ended: the clock costs a system call."""


class Pipeline:
    """The AWS endpoints of one serving process."""

    def __init__(self, door: Door, operator_token: Secret) -> None:
        self._door = door
        self._operator_token = operator_token
        settings = door.wiring.settings
        self._own_host = urlsplit(settings.url).hostname or ""
        self._allowance = RecordAllowance(settings.unattributed_records_per_second)
        self._key_allowances = KeyAllowances()
        self._intake: Intake[_Arrival] = Intake(self._carry_out)
        self._long_reads = LongReads()
        self._apart: set[asyncio.Task[None]] = set()
        self.shares = Shares(
            of_account=settings.requests_per_second_of_account, of_principal=settings.requests_per_second_of_principal
        )

    async def respond(self, http: HttpRequest) -> Response:
        """Respond to one request; never raises for anything that a client can send."""
        waiting: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self.take(http, partial(_resolve, waiting))
        return await waiting

    def _exchange(self, http: HttpRequest) -> Exchange:
        return Exchange(http, ids.request_id(clock.id_bytes(16)), own_host=self._own_host)

    def take(self, http: HttpRequest, respond: Callable[[Response], None]) -> None:
        """Take a request in, and have it responded to on the event loop once its record is on disk."""
        account = _claimed_account(http)
        self._intake.add(account, _Arrival(account, http, respond))

    def _carry_out(self, together: list[_Arrival]) -> None:
        """Carry out what has come together: authentication, and reads as a whole, see one state of the database."""
        # The writer gets all items at once, at the end of the turn: waking it costs more than most requests do.
        items: list[Item] = []
        waiting = deque(together)
        with giving_way.turn_of_the_loop():
            try:
                # Each round ends with an empty line, or with the request that met a fault: it ends, whatever the database does.
                while waiting:
                    for arrival in self._begin_in_one_snapshot(waiting, items):
                        exchange = self._exchange(arrival.http)
                        reading.find_out_protocol(exchange)
                        arrival.respond(responses.refusing(exchange, _UNAVAILABLE))
            finally:
                # What has begun goes on, whatever went wrong with those behind it.
                if items:
                    self._door.put(items)

    def _begin_in_one_snapshot(self, waiting: deque[_Arrival], items: list[Item]) -> Iterable[_Arrival]:
        """Begin what waits and return what a fault kept from it; the rest waits for another snapshot."""
        begun: _Arrival | None = None
        is_open = False
        try:
            with self._door.snapshot() as db:
                is_open = True
                turn = _Turn(db, SeenStandings(db, self._door.wiring.standings), clock.cpu_seconds())
                while waiting:
                    begun = waiting.popleft()
                    self._begin(turn, begun, items)
                    # Forgotten only once it is through: what `begun` holds at a fault is the request that met it.
                    begun = None
        except Exception as fault:  # noqa: BLE001 - all who waits behind it is to be served, and whoever met it hears of it
            if not isinstance(fault, Unavailable):
                _log.error("a request could neither be carried out nor refused", exc_info=fault)
            if begun is not None:
                return (begun,)
            if not is_open:
                # The others would meet the same fault, one after the other, while everybody waits for each.
                unserved = tuple(waiting)
                waiting.clear()
                return unserved
        return ()

    def _begin(self, turn: _Turn, arrival: _Arrival, items: list[Item]) -> None:
        """Carry out a request as far as this turn goes, and add what must be committed before it is responded to."""
        exchange = self._exchange(arrival.http)
        try:
            items += self._begun(turn, arrival, exchange)
        except AwsError as refusal:
            self._begin_refusal(arrival, exchange, refusal, items)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - a fault of ours in one request must keep no neighbour from an answer
            exchanges.log_fault(exchange, error)
            self._begin_refusal(arrival, exchange, responses.unknown_fault(), items)
        # The difference since the request before, so that one call of the clock serves both. What a turn costs beyond that (its
        # snapshot) is nobody's.
        began, turn.computed = turn.computed, clock.cpu_seconds()
        self._intake.took(arrival.account, turn.computed - began)
        if isinstance(exchange.caller, Principal):
            self.shares.charge(exchange.caller, turn.computed - began)

    def _begun(self, turn: _Turn, arrival: _Arrival, exchange: Exchange) -> Sequence[Item]:
        request = self._request(turn, exchange)
        operation = request.operation
        # A read is answered from the turn's snapshot, but its answer leaves with the commit of its record: no record, no
        # answer.
        if operation.mode is Mode.READ:
            if self._takes_long_beside_others(arrival, request):
                # It counts as one that waits for its commit, so the account's further ones wait in its line.
                self._intake.begun(arrival.account)
                self._see_to(self._read_apart(arrival, exchange, request))
                return ()
            outcome = self._door.read(turn.db, request, exchange.standing)
            response = responses.of(exchange, request, outcome.result, outcome.error)
            if long_reads.is_long(clock.cpu_seconds() - turn.computed, response.body):
                self._long_reads.note(arrival.account, operation)
            settle = partial(self._settle_read, arrival, exchange, response)
            return self._in_commit(arrival, self._door.reading(request, outcome, settle))
        # Writes that need nothing beforehand wait for the writer, who gives each its own savepoint; its handler sees the newest
        # state, not the snapshot's.
        if operation.mode is Mode.WRITE and operation.prepare is None:
            return self._in_commit(arrival, self._door.writing(request, partial(self._settle_write, arrival, exchange, request)))
        # What remains hashes passwords, reads for long or calls another server: never on this thread.
        self._see_to(self._respond_apart(arrival, exchange, request))
        return ()

    def _takes_long_beside_others(self, arrival: _Arrival, request: Request) -> bool:
        is_known = self._long_reads.holds(arrival.account, request.operation)
        if not is_known or not isinstance(request.caller, Principal) or not self._intake.is_beside(arrival.account):
            return False
        # None is refused that the loop would have answered, however many long reads wait.
        return self._door.has_room_apart(request)

    def _in_commit(self, arrival: _Arrival, item: Item) -> Sequence[Item]:
        self._intake.begun(arrival.account)
        return (item,)

    def _begin_refusal(self, arrival: _Arrival, exchange: Exchange, refusal: AwsError, items: list[Item]) -> None:
        """Refuse a request that reached no operation, and record it as far as such requests may fill a trail."""
        is_throttled = isinstance(refusal, errors.Throttling)
        response = responses.refusing(exchange, refusal)
        events: tuple[EventRow, ...] = ()
        if self._may_record(exchange, is_throttled=is_throttled):
            events = (record.row_of(exchanges.refused(exchange, refusal)),)
        item = Item(None, events, partial(self._settle_refusal, arrival, exchange, response))
        # A refusal for asking too often is held back, and so are its bytes: the client's next request comes later.
        if isinstance(exchange.caller, Principal) and is_throttled:
            self._see_to(self._refuse_later(exchange.caller, item))
        elif events:
            items.append(item)
        else:
            arrival.respond(response)

    async def _refuse_later(self, principal: Principal, item: Item) -> None:
        """Refuse whoever asks too often once the next request has a chance, so that a flood is slowed down."""
        await self.shares.delay(principal)
        if item.events:
            self._door.put([item])
        else:
            item.settle(item)

    async def _respond_apart(self, arrival: _Arrival, exchange: Exchange, request: Request) -> None:
        """Respond to a request that has to wait for something before its commit: for a pool, or for another server."""
        try:
            answer = await self._door.invoke(request)
            if isinstance(request.caller, Principal):
                self.shares.charge(request.caller, answer.seconds)
            written = partial(responses.of, exchange, request, answer.result, answer.error)
            # What took long to gather may take long to write.
            is_long = request.operation.mode is Mode.LONG_READ and answer.error is None
            response = await self._door.apart(request, written) if is_long else written()
        except Exception as fault:  # noqa: BLE001 - whatever it was, somebody waits for a response
            response = responses.refusing(exchange, _refusal_of(exchange, fault))
        arrival.respond(response)

    async def _read_apart(self, arrival: _Arrival, exchange: Exchange, request: Request) -> None:
        """Carry out a read beside the loop, and write its answer there; it leaves with the commit of its record, as any does."""
        try:
            outcome, response, seconds = await self._door.apart(request, partial(self._read_and_written, exchange, request))
            if isinstance(request.caller, Principal):
                self.shares.charge(request.caller, seconds)
            if not long_reads.is_long(seconds, response.body):
                self._long_reads.forget(arrival.account, request.operation)
            self._door.put([self._door.reading(request, outcome, partial(self._settle_read, arrival, exchange, response))])
        except Exception as fault:  # noqa: BLE001 - whatever it was, somebody waits for a response
            self._intake.ended(arrival.account)
            arrival.respond(responses.refusing(exchange, _refusal_of(exchange, fault)))

    def _read_and_written(self, exchange: Exchange, request: Request) -> tuple[Outcome, Response, float]:
        began, pace = clock.cpu_seconds(), GivingWay()
        outcome, _ = self._door.read_apart(request)
        pace.pause()
        response = responses.of(exchange, request, outcome.result, outcome.error)
        return outcome, response, clock.cpu_seconds() - began

    def _see_to(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        # The loop itself keeps no task alive.
        self._apart.add(task)
        task.add_done_callback(self._apart.discard)

    def _settle_read(self, arrival: _Arrival, exchange: Exchange, response: Response, item: Item) -> None:
        self._intake.ended(arrival.account)
        self._settle_refusal(arrival, exchange, response, item)

    def _settle_refusal(self, arrival: _Arrival, exchange: Exchange, response: Response, item: Item) -> None:
        error = outcomes.failed(item).error if item.failure is not None else None
        arrival.respond(response if error is None else responses.refusing(exchange, error))

    def _settle_write(self, arrival: _Arrival, exchange: Exchange, request: Request, item: Item) -> None:
        self._intake.ended(arrival.account)
        answer = outcomes.answered(item)
        arrival.respond(responses.of(exchange, request, answer.result, answer.error))

    async def refuse_too_large(self, http: HttpRequest) -> Response:
        """Respond to a request whose body nobody read."""
        exchange = self._exchange(http)
        waiting: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        items: list[Item] = []
        refusal = errors.RequestEntityTooLarge("Request entity too large")
        self._begin_refusal(_Arrival(None, http, partial(_resolve, waiting)), exchange, refusal, items)
        self._door.put(items)
        return await waiting

    def _request(self, turn: _Turn, exchange: Exchange) -> Request:
        # One moment for everything that is decided of this request, so that no check sees another time than the next.
        http, now = exchange.http, clock.now()
        coding = http.header(b"content-encoding")
        packed = compression.is_packed(coding)
        fault: AwsError | None = None
        is_operators, own = own_paths.is_operators(http), own_paths.service_of(http)
        # The numbered steps are a security procedure: what is read for whom depends on what is known by then. Keep their order.
        # 1. The signature as claimed: it says which service is meant. A broken one is refused once it is clear how.
        try:
            exchange.signed = None if is_operators else own_paths.claimed(http, own)
        except errors.MissingAuthenticationToken as refusal:
            fault = errors.UnsupportedMediaType(_PACKED) if packed else refusal
        except AwsError as refusal:
            fault = refusal
        # The count comes before any parsing: the canonical query sorts all parameters, for strangers too.
        if http.query.count(b"&") >= MOST_IN_QUERY:
            fault = errors.MalformedQueryString(f"too many parameters: at most {MOST_IN_QUERY:,} are read")
        # 2. The operation, as far as it stands in the clear: nothing is unpacked, and no parameter read, for strangers.
        exchange.routed = reading.routed(exchange, b"" if packed else http.body, own=own)
        # 3. The caller, and a share for it, before anything is read that may be large.
        exchange.caller = self._caller(turn, exchange, fault, is_operators=is_operators)
        # 4. The body in the clear, and the operation that only it may name.
        body = compression.decompress(http.body, coding, limit=CALLERS.body)
        if packed:
            exchange.routed = reading.routed(exchange, body, own=own)
        if isinstance(exchange.routed, Unroutable):
            raise exchange.routed.error
        # The scope is compared last, since only the body in the clear may say for sure which service is meant.
        if exchange.signed is not None and exchange.signed.service not in exchange.routed.service.signing_names:
            sigv4.check_service(exchange.signed, service=exchange.routed.service.signing_names[0])
        operation = reading.served(exchange.routed)
        if exchange.signed is not None and operation.mode is Mode.WRITE:
            sigv4.check_change(exchange.signed, now=now)
        # 5. The parameters.
        bounds = STRANGERS if isinstance(exchange.caller, Anonymous) else CALLERS
        parameters = reading.parameters(http, exchange.routed, body, bounds)
        # The refusals of those who need no signature are recorded as far as strangers may fill the trail.
        may_record = self._has_room if isinstance(exchange.caller, Anonymous) else None
        return Request(operation, parameters, exchange.caller, exchanges.origin(exchange), now, may_record_refusal=may_record)

    def _may_record(self, exchange: Exchange, *, is_throttled: bool) -> bool:
        if isinstance(exchange.caller, Principal):
            # Throttled requests are recorded at a rate of their own: a flood must not fill its account's trail.
            return not is_throttled or self.shares.may_record(exchange.caller.account_id)
        # A known key that nobody has signed with: what strangers do in its name is limited for each key.
        if exchange.account_id != record.NOBODY and exchange.signed is not None:
            return self._key_allowances.take(exchange.signed.access_key_id, clock.monotonic())
        return self._has_room()

    def _has_room(self) -> bool:
        return self._allowance.take(clock.monotonic())

    def _caller(self, turn: _Turn, exchange: Exchange, fault: AwsError | None, *, is_operators: bool) -> Caller:
        if is_operators:
            header = exchange.http.header(b"authorization")
            # Known first, so that the record of an expired token's refusal says whose it was.
            operator = exchange.caller = authenticate.operator(turn.db, header, self._operator_token)
            authenticate.require_unexpired(operator, now=clock.now())
            return operator
        signed = exchange.signed
        # AWS's order: no signature at all is a missing token, before anything is said of the operation; but an operation that
        # needs no signature goes on, and a path that means nothing is reported as such.
        if fault is not None or signed is None:
            if isinstance(fault, errors.MissingAuthenticationToken):
                if isinstance(exchange.routed, Route) and exchange.routed.operation.auth == "none":
                    return Anonymous()
                if isinstance(exchange.routed, Unroutable):
                    raise exchange.routed.error
            raise fault or errors.MissingAuthenticationToken("Request is missing Authentication Token")
        # The standing comes before the key: it says which revision of the account the cached keys must belong to.
        standing = exchange.standing = authenticate.standing_of(signed, turn.standings)
        key = authenticate.known_key(turn.db, signed, standing=standing, keyring=self._door.wiring.keyring)
        # Set before the signature is checked: a wrong signature by a known key is recorded in that account's own trail.
        exchange.account_id = standing.account_id
        principal = authenticate.authenticate(turn.db, exchange.http, signed, key, standing=standing, now=clock.now())
        exchange.caller = principal
        # After the signature only: nobody may use up another's share by naming its key.
        self.shares.require(principal)
        return principal


def _resolve(waiting: asyncio.Future[Response], response: Response) -> None:
    if not waiting.done():
        waiting.set_result(response)


def _claimed_account(http: HttpRequest) -> str:
    """Return the account that a request says to come from, to put it in line: nothing else is made of an unverified claim."""
    authorization = http.headers.get(b"authorization", b"")
    at = authorization.find(b"Credential=")
    # AKIA or ASIA, then eight characters that encode the account: 11 for `Credential=`, 4 for the prefix.
    # The id's characters behind its prefix that the account decides: a whole id would give each key a line of its own.
    return authorization[at + 15 : at + 23].decode("latin-1") if at >= 0 else http.source_ip


def _refusal_of(exchange: Exchange, fault: Exception) -> AwsError:
    """Return what is told where a step beside the loop could not be taken; a fault of ours is logged."""
    if isinstance(fault, errors.Throttling):
        return fault
    if isinstance(fault, Unavailable):
        return _UNAVAILABLE
    exchanges.log_fault(exchange, fault)
    return responses.unknown_fault()
