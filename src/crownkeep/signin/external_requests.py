"""Requests to identity providers elsewhere: who sits at this browser? What the answer must fit is sealed into its cookie.

    browser  GET  /start/ID/external      `begin`: to the provider, with a state, a nonce and a challenge that nobody can guess
    browser  GET  /start/ID/oidc          `signin.external_sign_in`: back with a code (OpenID Connect)
    browser  POST /start/ID/saml/acs      back with a response (SAML), then GET /start/ID/saml, for which it brings its cookies

Nothing is written down before an answer comes. A request is of one browser, one identity store and one setting of its provider,
and is answered once.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec

from crownkeep import base64url, clock
from crownkeep.credentials import openid_sign_in, saml_metadata, saml_requests, sealing, web_addresses
from crownkeep.credentials.saml_metadata import UnusableMetadata
from crownkeep.credentials.sealing import Keyring, Purpose, Unsealable
from crownkeep.domain.federation import openid_providers
from crownkeep.domain.federation.openid_providers import PublishedProvider
from crownkeep.domain.federation.outside import Reach
from crownkeep.domain.single_sign_on import provider_settings
from crownkeep.operations.invoke import Door
from crownkeep.operations.outbound_calls import OutboundCall
from crownkeep.signin import people
from crownkeep.storage.database import Transaction
from crownkeep.storage.single_sign_on import external_providers
from crownkeep.storage.single_sign_on.external_providers import ExternalProviderRow, ProviderKind

LASTS = timedelta(minutes=15)
"""How long an answer may take: the person may have to sign in over there."""

_CONTEXT = sealing.context_of("external sign-in")
_CHANCE = 32
_NONCE = 16


class ProviderSilent(Exception):
    """A provider can't be asked at the moment; the message says why, for the record."""


@dataclass(frozen=True, slots=True)
class ExternalRequest:
    """What was asked, and what the answer must fit."""

    store_id: str
    provider_id: str
    kind: ProviderKind
    once: bytes
    """The number that is spent by the answer."""
    began_at: datetime
    to: str
    state: str = ""
    nonce: str = ""
    verifier: str = ""
    request_id: str = ""
    """What the provider says that it answers (SAML)."""
    names_itself: bool = False
    """Whether the provider says in its answers who it is (RFC 9207)."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A request that the browser is to carry to the provider."""

    request: ExternalRequest
    address: str


def provider_at(door: Door, start: str) -> ExternalProviderRow | None:
    """Return the provider with which the people of a start URL sign in."""
    with door.snapshot() as db:
        return provider_in(db, start)


def provider_in(db: Transaction, start: str) -> ExternalProviderRow | None:
    """Return the same in an open transaction."""
    instance = people.instance_named(db, start)
    return None if instance is None else external_providers.of_store(db, instance.identity_store_id)


async def begin(door: Door, row: ExternalProviderRow, *, to: str, now: datetime) -> Begun:
    """Return a new request; raises ProviderSilent, and Throttling where too many wait for this account's provider."""
    request = ExternalRequest(row.identity_store_id, row.provider_id, row.kind, clock.token_bytes(_NONCE), now, to)
    if row.kind is ProviderKind.SAML:
        return _begin_saml(door, row, request)
    return await _begin_openid(door, row, request)


def seal(keyring: Keyring, request: ExternalRequest) -> str:
    """Seal a request for the cookie."""
    nonce = clock.token_bytes(sealing.NONCE_SIZE)
    plain = msgspec.json.encode(request)
    return base64url.encode(sealing.seal(keyring, plain, purpose=Purpose.SIGN_IN_FLOW, context=_CONTEXT, nonce=nonce))


def unseal(keyring: Keyring, cookie: str, *, now: datetime) -> ExternalRequest | None:
    """Open what `seal` made; None for anything else, and for what has taken too long."""
    try:
        plain = sealing.unseal(keyring, base64url.decode(cookie), purpose=Purpose.SIGN_IN_FLOW, context=_CONTEXT)
        request = msgspec.json.decode(plain, type=ExternalRequest)
    except (Unsealable, binascii.Error, ValueError, msgspec.MsgspecError):
        return None
    return request if now < request.began_at + LASTS else None


def _random() -> str:
    return base64url.encode(clock.token_bytes(_CHANCE))


async def _begin_openid(door: Door, row: ExternalProviderRow, request: ExternalRequest) -> Begun:
    found: object = openid_providers.wanted(row.issuer, row.account_id, Reach.of(door.wiring.settings))
    if isinstance(found, OutboundCall):
        found = await door.ask_outside(found)
    if not isinstance(found, PublishedProvider):
        raise ProviderSilent("the provider does not say what it must")
    asked = replace(request, state=_random(), nonce=_random(), verifier=_random(), names_itself=found.names_itself)
    address = web_addresses.with_query(
        found.authorization_endpoint,
        response_type="code",
        client_id=row.client_id,
        redirect_uri=provider_settings.redirect_uri(door.wiring.settings.url, row.identity_store_id),
        scope=" ".join(row.scopes),
        state=asked.state,
        nonce=asked.nonce,
        code_challenge=openid_sign_in.challenge_of(asked.verifier),
        code_challenge_method="S256",
    )
    return Begun(asked, address)


def _begin_saml(door: Door, row: ExternalProviderRow, request: ExternalRequest) -> Begun:
    try:
        metadata = saml_metadata.read(row.document)
    except UnusableMetadata as error:
        raise ProviderSilent("the metadata can't be read any more") from error
    # An id begins with a letter or underscore (xs:NCName).
    asked = replace(request, request_id=f"_{clock.token_bytes(_CHANCE).hex()}")
    ours = provider_settings.service_provider(door.wiring.settings.url, row.identity_store_id)
    address = saml_requests.address_of_request(metadata.sign_in_address, ours, request_id=asked.request_id, now=request.began_at)
    return Begun(asked, address)
