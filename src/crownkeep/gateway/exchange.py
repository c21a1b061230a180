"""One request on its way through the gateway: what is known of it, where it came from, what is recorded of its refusal."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from crownkeep import clock, logs
from crownkeep.arn import GLOBAL_REGION
from crownkeep.audit import event
from crownkeep.errors import AwsError
from crownkeep.gateway import authenticate
from crownkeep.gateway.http import HttpRequest
from crownkeep.gateway.route import Route, Unroutable
from crownkeep.gateway.signature import Signature
from crownkeep.models import ServiceModel, regions
from crownkeep.operations import record, registry
from crownkeep.operations.call import Origin, Signing
from crownkeep.operations.standing import Standing
from crownkeep.principals import Anonymous, Caller

_strangers = logging.getLogger(logs.STRANGERS)


@dataclass(slots=True)
class Exchange:
    """What is known of a request so far: enough to answer and to record whatever happens next."""

    http: HttpRequest
    request_id: str
    signed: Signature | None = None
    routed: Route | Unroutable | None = None
    caller: Caller | None = None
    account_id: str = record.NOBODY
    standing: Standing | None = None
    own_host: str = ""
    """The name that people and clients reach this server by."""

    @property
    def region(self) -> str:
        """The Region that the request counts as made to: a global service's is fixed, so that no caller chooses it."""
        service = registry.service(self.model.name) if self.model else None
        # A signature may name any Region; policies and records of a global service must not depend on what a caller writes.
        if self.signed is None or self.signed.region == regions.PSEUDO or (service is not None and service.is_global):
            return GLOBAL_REGION
        return self.signed.region

    @property
    def protocol(self) -> str:
        """The protocol that the answer is written in."""
        return self.routed.protocol if self.routed else "query"

    @property
    def model(self) -> ServiceModel | None:
        """The service that the request is for, as far as that is known."""
        return self.routed.service if self.routed else None


def origin(exchange: Exchange) -> Origin:
    """Return where a request came from."""
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
        tls_version=http.tls[0],
        tls_cipher=http.tls[1],
        dpop=http.header(b"dpop"),
        bearer=authenticate.bearer_in(http.header(b"authorization")) if isinstance(exchange.caller, Anonymous) else "",
        signing=signing,
    )


def refused(exchange: Exchange, refusal: AwsError) -> event.EventFacts:
    """Return what is recorded of a request that reached no operation."""
    model, name = exchange.model, exchange.routed.operation.name if isinstance(exchange.routed, Route) else ""
    service = registry.service(model.name) if model is not None else None
    operation = service.find(name) if service is not None and name else None
    additional: Mapping[str, object] = {}
    # Only where nobody was recognized: a claimed key id is worth a hint to who reads the trail, and no identity.
    if exchange.signed is not None and exchange.caller is None:
        additional = {"claimedAccessKeyId": exchange.signed.access_key_id[:128]}
    return event.EventFacts(
        event_id="",
        happened_at=clock.now(),
        event_type="AwsApiCall",
        source=_source(exchange),
        name=name or "UnknownOperation",
        caller=exchange.caller,
        account_id=exchange.account_id,
        region=exchange.region,
        source_ip=exchange.http.source_ip,
        user_agent=exchange.http.header(b"user-agent"),
        request_id=exchange.request_id,
        read_only=registry.is_recorded_as_read(name),
        api_version=model.api_version if model is not None and name and model.protocol == "query" else "",
        error_code=record.error_name(refusal, exchange.model),
        error_message=refusal.message,
        additional=additional,
        tls_version=exchange.http.tls[0],
        tls_cipher=exchange.http.tls[1],
        host=exchange.http.header(b"host"),
        is_data_event=operation is not None and operation.is_data_event,
    )


def _source(exchange: Exchange) -> str:
    if exchange.model is None:
        return "crownkeep"
    service = registry.service(exchange.model.name)
    return service.event_source if service else f"{exchange.model.endpoint_prefix}.amazonaws.com"


def log_fault(exchange: Exchange, fault: Exception) -> None:
    """Log a fault of ours, by one line at a rate: strangers repeat what brings a fault about as often as they like."""
    # The last frame alone, and no message: an exception's text may hold what the stranger sent.
    place = traceback.extract_tb(fault.__traceback__)[-1]
    kind, where = type(fault).__name__, f"{Path(place.filename).name}, line {place.lineno}"
    _strangers.error("request %s failed: %s in %s", exchange.request_id, kind, where)
