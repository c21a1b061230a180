"""The life of one AWS request: bytes, route, caller, parameters, the one door, bytes.

Whatever goes wrong on the way is answered in the protocol's own shape and recorded: in the trail of the account that the
signature names or, where it names none, in the operator's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from crownkeep import clock, errors, ids
from crownkeep.arn import GLOBAL_REGION
from crownkeep.audit import event
from crownkeep.credentials.secret import Secret
from crownkeep.errors import AwsError
from crownkeep.gateway import authenticate, compression, decode, encode, route, signature, sigv4
from crownkeep.gateway.bounds import CALLERS, MOST_IN_QUERY, STRANGERS
from crownkeep.gateway.http import HttpRequest
from crownkeep.gateway.limits import KeyAllowances, RecordAllowance
from crownkeep.gateway.route import Route, Unroutable
from crownkeep.gateway.shares import Shares, Turns
from crownkeep.gateway.signature import Signature
from crownkeep.models import ServiceModel, regions
from crownkeep.operations import record, registry
from crownkeep.operations.call import Origin, Request, Signing
from crownkeep.operations.invoke import Door, Outcome
from crownkeep.operations.registry import Mode, Operation
from crownkeep.operations.standing import Standing
from crownkeep.principals import Anonymous, Caller, Operator, Principal
from crownkeep.storage.database import DatabaseFault, Transaction
from crownkeep.storage.writer import WriteFailed, WriterBusy

OPERATOR_PATH = b"/operator/"
_PACKED = "a compressed body is read of signed requests alone: send it as it is"


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back over the wire."""

    status: int
    headers: Iterable[tuple[bytes, bytes]]
    body: bytes
    service: str = ""
    operation: str = ""
    code: str = ""


@dataclass(slots=True)
class _Exchange:
    """What is known of a request so far: enough to answer and to record whatever happens next."""

    http: HttpRequest
    request_id: str
    signed: Signature | None = None
    routed: Route | Unroutable | None = None
    caller: Caller | None = None
    account_id: str = record.NOBODY
    standing: Standing | None = None

    @property
    def region(self) -> str:
        """The Region that the request counts as made to: a global service's is fixed, so that no caller chooses it."""
        service = registry.service(self.model.name) if self.model else None
        if self.signed is None or self.signed.region == regions.PSEUDO or (service is not None and service.is_global):
            return GLOBAL_REGION
        return self.signed.region

    @property
    def protocol(self) -> str:
        return self.routed.protocol if self.routed else "query"

    @property
    def model(self) -> ServiceModel | None:
        return self.routed.service if self.routed else None


class Pipeline:
    """The AWS endpoints of one serving process."""

    def __init__(self, door: Door, operator_token: Secret) -> None:
        self._door = door
        self._operator_token = operator_token
        settings = door.wiring.settings
        self._allowance = RecordAllowance(settings.unattributed_records_per_second)
        self._key_allowances = KeyAllowances()
        self._turns = Turns()
        self.shares = Shares(
            of_account=settings.requests_per_second_of_account, of_principal=settings.requests_per_second_of_principal
        )

    async def respond(self, http: HttpRequest) -> Response:
        """Respond to one request; never raises for anything that a client can send."""
        exchange = _Exchange(http, ids.request_id(clock.id_bytes(16)))
        await self._turns.take(_claimed_account(http))
        outcome: Outcome | None = None
        began = clock.cpu_seconds()
        try:
            # Authentication and, for a read, the whole call see one state of the database.
            with self._door.snapshot() as db:
                request = self._request(db, exchange)
                if request.operation.mode is Mode.READ:
                    outcome = self._door.read(db, request, exchange.standing)
        except AwsError as refusal:
            return await self._refuse(exchange, refusal)
        except DatabaseFault:
            _find_out_protocol(exchange)
            return self._failed(exchange, _unavailable())
        seconds = clock.cpu_seconds() - began
        answer = await (self._door.invoke(request) if outcome is None else self._door.keep(request, outcome))
        if isinstance(request.caller, Principal):
            self.shares.charge(request.caller, seconds + answer.seconds)
        if answer.error is not None:
            return self._failed(exchange, answer.error)
        operation = request.operation
        written = partial(
            encode.encode,
            operation.model,
            answer.result,
            request_id=exchange.request_id,
            accept=http.header(b"accept"),
            protocol=exchange.protocol,
        )
        # What took long to gather may take long to write.
        try:
            encoded = await self._door.apart(request, written) if operation.mode is Mode.LONG_READ else written()
        except errors.Throttling as refusal:
            return self._failed(exchange, refusal)
        return Response(encoded.status, encoded.headers, encoded.body, operation.service.name, operation.name)

    async def refuse_too_large(self, http: HttpRequest) -> Response:
        """Respond to a request whose body nobody read."""
        exchange = _Exchange(http, ids.request_id(clock.id_bytes(16)))
        return await self._refuse(exchange, errors.RequestEntityTooLarge("Request entity too large"))

    def _request(self, db: Transaction, exchange: _Exchange) -> Request:
        http, now = exchange.http, clock.now()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in http.headers.items()}
        query = http.query.decode("latin-1")
        coding = headers.get("content-encoding", "")
        packed = compression.is_packed(coding)
        fault: AwsError | None = None
        is_operators = http.path.startswith(OPERATOR_PATH)
        # 1. The signature as claimed: it says which service is meant. A broken one is refused once it is clear how.
        signed_request = signature.Request(http.method, http.path, http.query, http.headers, http.body)
        try:
            exchange.signed = None if is_operators else signature.parse(signed_request)
        except errors.MissingAuthenticationToken as refusal:
            fault = errors.UnsupportedMediaType(_PACKED) if packed else refusal
        except AwsError as refusal:
            fault = refusal
        if http.query.count(b"&") >= MOST_IN_QUERY:
            fault = errors.MalformedQueryString(f"too many parameters: at most {MOST_IN_QUERY:,} are read")
        # 2. The operation, as far as it stands in the clear: nothing is unpacked, and no parameter read, for strangers.
        exchange.routed = _routed(exchange, headers, b"" if packed else http.body, is_operators=is_operators)
        # 3. The caller, and a share for it, before anything is read that may be large.
        exchange.caller = self._caller(db, exchange, signed_request, fault, is_operators=is_operators)
        # 4. The body in the clear, and the operation that only it may name.
        body = compression.decompress(http.body, coding, limit=CALLERS.body)
        if packed:
            exchange.routed = _routed(exchange, headers, body, is_operators=is_operators)
        if isinstance(exchange.routed, Unroutable):
            raise exchange.routed.error
        if exchange.signed is not None and exchange.signed.service not in exchange.routed.service.signing_names:
            sigv4.check_service(exchange.signed, service=exchange.routed.service.signing_names[0])
        operation = _served(exchange.routed)
        if exchange.signed is not None and operation.mode is Mode.WRITE:
            sigv4.check_change(exchange.signed, now=now)
        # 5. The parameters.
        bounds = STRANGERS if isinstance(exchange.caller, Anonymous) else CALLERS
        parameters = decode.decode(exchange.routed, query=query, headers=headers, body=body, bounds=bounds)
        # The refusals of those who need no signature are recorded as far as strangers may fill the trail.
        may_record = self._has_room if isinstance(exchange.caller, Anonymous) else None
        return Request(operation, parameters, exchange.caller, _origin(exchange), now, may_record_refusal=may_record)

    def _may_record(self, exchange: _Exchange, *, is_throttled: bool) -> bool:
        if isinstance(exchange.caller, Principal):
            return not is_throttled or self.shares.may_record(exchange.caller.account_id)
        if exchange.account_id != record.NOBODY and exchange.signed is not None:
            return self._key_allowances.take(exchange.signed.access_key_id, clock.monotonic())
        return self._has_room()

    def _has_room(self) -> bool:
        return self._allowance.take(clock.monotonic())

    def _caller(
        self, db: Transaction, exchange: _Exchange, request: signature.Request, fault: AwsError | None, *, is_operators: bool
    ) -> Caller:
        if is_operators:
            if not authenticate.bearer_matches(exchange.http.header(b"authorization"), self._operator_token):
                raise errors.AccessDenied(
                    "the operator's token is missing or wrong; it is in `operator.token` of the data directory"
                )
            return Operator()
        signed = exchange.signed
        if fault is not None or signed is None:
            if isinstance(fault, errors.MissingAuthenticationToken):
                if isinstance(exchange.routed, Route) and exchange.routed.operation.auth == "none":
                    return Anonymous()
                if isinstance(exchange.routed, Unroutable):
                    raise exchange.routed.error
            raise fault or errors.MissingAuthenticationToken("Request is missing Authentication Token")
        wiring = self._door.wiring
        standing = exchange.standing = authenticate.standing_of(db, signed, wiring.standings)
        key = authenticate.known_key(db, signed, standing=standing, keyring=wiring.keyring)
        exchange.account_id = standing.account_id
        principal = authenticate.authenticate(db, request, signed, key, standing=standing, now=clock.now())
        exchange.caller = principal
        self.shares.require(principal)
        return principal

    async def _refuse(self, exchange: _Exchange, refusal: AwsError) -> Response:
        """Respond to a request that reached no operation, and record it as far as such requests may fill a trail."""
        is_throttled = isinstance(refusal, errors.Throttling)
        if isinstance(exchange.caller, Principal) and is_throttled:
            await self.shares.delay(exchange.caller)
        if self._may_record(exchange, is_throttled=is_throttled):
            try:
                await self._door.record(record.row_of(_refused(exchange, refusal)))
            except WriterBusy:
                return self._failed(exchange, errors.Throttling("Rate exceeded"))
            except WriteFailed:
                return self._failed(exchange, _unavailable())
        return self._failed(exchange, refusal)

    def _failed(self, exchange: _Exchange, error: AwsError) -> Response:
        encoded = encode.encode_error(
            error,
            protocol=exchange.protocol,
            service=exchange.model,
            request_id=exchange.request_id,
            accept=exchange.http.header(b"accept"),
        )
        operation = exchange.routed.operation.name if isinstance(exchange.routed, Route) else ""
        service = exchange.model.name if exchange.model else ""
        return Response(encoded.status, encoded.headers, encoded.body, service, operation, error.code)


def _claimed_account(http: HttpRequest) -> str:
    """Return the account that a request says to come from, to put it in line: nothing else is made of an unverified claim."""
    authorization = http.headers.get(b"authorization", b"")
    at = authorization.find(b"Credential=")
    # The id's characters behind its prefix that the account decides: a whole id would give each key a line of its own.
    return authorization[at + 15 : at + 23].decode("latin-1") if at >= 0 else http.source_ip


def _routed(exchange: _Exchange, headers: Mapping[str, str], body: bytes, *, is_operators: bool) -> Route | Unroutable:
    http = exchange.http
    scope = exchange.signed.service if exchange.signed else ("operator" if is_operators else None)
    path, query = http.path.decode("latin-1"), http.query.decode("latin-1")
    return route.find(method=http.method, path=path, query=query, headers=headers, body=body, scope=scope)


def _find_out_protocol(exchange: _Exchange) -> None:
    """Find out what a request speaks that was not read because of a fault of ours: the answer must be in its client's tongue."""
    http = exchange.http
    if exchange.routed is not None:
        return
    is_operators = http.path.startswith(OPERATOR_PATH)
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in http.headers.items()}
    with suppress(AwsError):
        request = signature.Request(http.method, http.path, http.query, http.headers, http.body)
        exchange.signed = None if is_operators else signature.parse(request)
    body = b"" if compression.is_packed(headers.get("content-encoding", "")) else http.body
    exchange.routed = _routed(exchange, headers, body, is_operators=is_operators)


def _served(found: Route) -> Operation:
    """Return the operation's registration; what isn't served is refused with AWS's own code for an unknown operation."""
    service = registry.service(found.service.name)
    operation = service.find(found.operation.name) if service else None
    if operation is not None:
        return operation
    if found.protocol == "query":
        raise errors.InvalidAction(f"Could not find operation {found.operation.name} for version {found.service.api_version}")
    if found.protocol == "ec2":
        raise errors.InvalidAction(f"operation `{found.operation.name}` is not served here")
    raise errors.UnknownOperation(f"operation `{found.operation.name}` is not served here")


def _origin(exchange: _Exchange) -> Origin:
    http, signed = exchange.http, exchange.signed
    signing = None
    if signed is not None:
        payload_hash = http.header(b"x-amz-content-sha256")
        signing = Signing(signed.algorithm.value, signed.expires is not None, signed.signed_at, payload_hash)
    return Origin(
        source_ip=http.source_ip,
        user_agent=http.header(b"user-agent"),
        region=exchange.region,
        request_id=exchange.request_id,
        host=http.header(b"host"),
        referer=http.header(b"referer"),
        scheme=http.scheme,
        dpop=http.header(b"dpop"),
        signing=signing,
    )


def _refused(exchange: _Exchange, refusal: AwsError) -> event.EventFacts:
    routed = exchange.routed
    additional: Mapping[str, object] = {}
    if exchange.signed is not None and exchange.caller is None:
        additional = {"claimedAccessKeyId": exchange.signed.access_key_id[:128]}
    return event.EventFacts(
        event_id="",
        happened_at=clock.now(),
        event_type="AwsApiCall",
        source=_source(exchange),
        name=routed.operation.name if isinstance(routed, Route) else "UnknownOperation",
        caller=exchange.caller,
        account_id=exchange.account_id,
        region=exchange.region,
        source_ip=exchange.http.source_ip,
        user_agent=exchange.http.header(b"user-agent"),
        request_id=exchange.request_id,
        read_only=False,
        error_code=record.error_name(refusal, exchange.model),
        error_message=refusal.message,
        additional=additional,
        host=exchange.http.header(b"host"),
    )


def _source(exchange: _Exchange) -> str:
    if exchange.model is None:
        return "crownkeep"
    service = registry.service(exchange.model.name)
    return service.event_source if service else f"{exchange.model.endpoint_prefix}.amazonaws.com"


def _unavailable() -> errors.ServiceUnavailable:
    return errors.ServiceUnavailable("The request has failed due to a temporary failure of the server.")
