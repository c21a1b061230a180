"""Answers of identity providers elsewhere: held to what this browser asked for, verified, and turned into a session, once.

The order matters, and each attack has its step: whose request, which provider, the proof, its first use, whom it names.
"""

from __future__ import annotations

import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hmac import compare_digest

import msgspec

from crownkeep import base64url, clock
from crownkeep.credentials import saml_assertions, saml_metadata, sealing
from crownkeep.credentials.saml_assertions import InvalidAssertion, SamlAssertion, SamlUnavailable
from crownkeep.credentials.saml_metadata import UnusableMetadata
from crownkeep.credentials.sealing import Keyring, Purpose, Unsealable
from crownkeep.credentials.secret import Secret
from crownkeep.credentials.web_identities import WebIdentity
from crownkeep.domain.federation import openid_providers
from crownkeep.domain.federation.openid_providers import CodeExchange, ExchangeRefused
from crownkeep.domain.federation.outside import Reach
from crownkeep.domain.single_sign_on import external_people, provider_settings
from crownkeep.domain.single_sign_on.external_people import NobodyHere, VouchedSubject
from crownkeep.operations import sealed
from crownkeep.operations.invoke import Door
from crownkeep.signin import browsers, entry, external_requests, people, person_events, sessions, sign_in_steps, throttle
from crownkeep.signin.entry import Visit
from crownkeep.signin.external_requests import ExternalRequest
from crownkeep.signin.progress import Arrived
from crownkeep.signin.throttle import Claim, Counter, Scope
from crownkeep.storage.accounts import accounts
from crownkeep.storage.database import Transaction
from crownkeep.storage.federation import redeemed_assertions
from crownkeep.storage.sign_in import sign_in_nonces
from crownkeep.storage.single_sign_on import external_providers
from crownkeep.storage.single_sign_on.external_providers import ExternalProviderRow, ProviderKind
from crownkeep.storage.writer import Commit

HANDED_OVER_WITHIN = timedelta(minutes=2)
"""How long a browser may take from the address that SAML responses are sent to, to the one where it brings its cookies."""

_CONTEXT = sealing.context_of("external response")
_LONGEST_COOKIE = 3800
_NEVER = datetime.max.replace(tzinfo=UTC)
_LONGEST_CODE = 4096


class ExternalRefused(Exception):
    """An answer proves nothing here; the message is for the record, and people are not told it."""


@dataclass(frozen=True, slots=True)
class Received:
    """A SAML response that was verified, on its way to the browser that asked for it."""

    provider_id: str
    in_response_to: str
    subject: VouchedSubject
    assertion_digest: bytes
    redeemable_until: datetime
    session_ends_at: datetime | None
    received_at: datetime


@dataclass(frozen=True, slots=True)
class _Proof:
    """What a provider has proved, and until when at most the session may last that comes of it."""

    subject: VouchedSubject
    ends_at: datetime | None = None
    assertion_digest: bytes = b""
    redeemable_until: datetime | None = None


async def of_openid(door: Door, visit: Visit, start: str, request: ExternalRequest | None, answer: Mapping[str, str]) -> Arrived:
    """Sign somebody in by the answer of an OpenID Connect provider; raises ExternalRefused, and has recorded why."""
    _require_patience(door, visit)
    row = external_requests.provider_at(door, start)
    try:
        asked = _asked(row, request, ProviderKind.OIDC)
        return await _enter(door, visit, asked, await _openid_proof(door, visit, row, asked, answer))
    except ExternalRefused as refusal:
        await _record(door, visit, row, str(refusal))
        raise


async def receive(door: Door, visit: Visit, start: str, response: str) -> Received:
    """Verify a SAML response, whoever brings it; raises ExternalRefused. It opens nothing by itself."""
    row = external_requests.provider_at(door, start)
    if row is None or row.kind is not ProviderKind.SAML:
        raise ExternalRefused("nobody signs in by SAML here")
    _require_patience(door, visit)
    try:
        # In the pool, in its account's turn: anybody may post responses here.
        assertion = await door.compute(lambda: _verified(door, row, response, visit.now), account_id=row.account_id)
    except ExternalRefused as refusal:
        await _record(door, visit, row, str(refusal))
        raise
    # An attribute with several values names nobody in particular.
    said = external_people.kept(row, {name: values[0] for name, values in assertion.attributes.items() if len(values) == 1})
    return Received(
        row.provider_id,
        assertion.in_response_to,
        VouchedSubject(assertion.subject, said),
        hashlib.sha256(f"{row.provider_id} {assertion.id}".encode("utf-8", "surrogatepass")).digest(),
        assertion.redeemable_until,
        assertion.session_ends_at,
        visit.now,
    )


def seal(keyring: Keyring, received: Received) -> str:
    """Seal a verified response for the cookie; raises ExternalRefused for one that says more than a cookie holds."""
    nonce = clock.token_bytes(sealing.NONCE_SIZE)
    plain = msgspec.json.encode(received)
    text = base64url.encode(sealing.seal(keyring, plain, purpose=Purpose.SIGN_IN_FLOW, context=_CONTEXT, nonce=nonce))
    if len(text) > _LONGEST_COOKIE:
        raise ExternalRefused("the provider says more of the person than can be kept")
    return text


def unseal(keyring: Keyring, cookie: str, *, now: datetime) -> Received | None:
    """Open what `seal` made; None for anything else, and for what is too old."""
    try:
        plain = sealing.unseal(keyring, base64url.decode(cookie), purpose=Purpose.SIGN_IN_FLOW, context=_CONTEXT)
        received = msgspec.json.decode(plain, type=Received)
    except (Unsealable, binascii.Error, ValueError, msgspec.MsgspecError):
        return None
    return received if now < received.received_at + HANDED_OVER_WITHIN else None


async def of_saml(door: Door, visit: Visit, start: str, request: ExternalRequest | None, received: Received | None) -> Arrived:
    """Sign somebody in by a response that was received; raises ExternalRefused, and has recorded why."""
    row = external_requests.provider_at(door, start)
    try:
        asked = _asked(row, request, ProviderKind.SAML)
        # The response may have come before the provider was set anew: then its keys mean nothing.
        if received is None or received.provider_id != asked.provider_id:
            raise ExternalRefused("no response of the provider came with it")
        # A response that this browser didn't ask for would sign its person in as somebody of the sender's choice.
        if not compare_digest(received.in_response_to.encode("utf-8", "replace"), asked.request_id.encode()):
            raise ExternalRefused("the response does not answer what this browser asked for")
        proof = _Proof(received.subject, received.session_ends_at, received.assertion_digest, received.redeemable_until)
        return await _enter(door, visit, asked, proof)
    except ExternalRefused as refusal:
        await _record(door, visit, row, str(refusal))
        raise


def _asked(row: ExternalProviderRow | None, request: ExternalRequest | None, kind: ProviderKind) -> ExternalRequest:
    """Return the request of this browser; raises ExternalRefused where it has made none of this provider."""
    if request is None:
        raise ExternalRefused("this browser has asked for nothing, or too long ago")
    if (
        row is None
        or request.kind is not kind
        or (request.store_id, request.provider_id) != (row.identity_store_id, row.provider_id)
    ):
        raise ExternalRefused("the answer is to a request of another provider, or the provider was set anew")
    return request


async def _openid_proof(
    door: Door, visit: Visit, row: ExternalProviderRow | None, asked: ExternalRequest, answer: Mapping[str, str]
) -> _Proof:
    # 1. It is this browser's own request that is answered.
    if row is None or not compare_digest(answer.get("state", "").encode("utf-8", "replace"), asked.state.encode()):
        raise ExternalRefused("the answer is not to what this browser asked for: its state is another's")
    # 2. And by the provider that was asked (RFC 9207): nobody is sent another one's code.
    said = answer.get("iss")
    # A provider that says it names itself must do so: leaving it out is how codes are mixed up.
    if (said is not None and said != row.issuer) or (said is None and asked.names_itself):
        raise ExternalRefused("the answer is another issuer's")
    if answer.get("error"):
        raise ExternalRefused(f"the provider refused: {_seen(answer['error'])}")
    code = answer.get("code", "")
    if not code or len(code) > _LONGEST_CODE:
        raise ExternalRefused("the answer holds no code")
    # 3. The code is exchanged with the verifier of this request, and the token holds its nonce.
    wiring, secret = door.wiring, _secret(door, row)
    exchange = CodeExchange(
        row.account_id,
        row.issuer,
        row.client_id,
        secret,
        code,
        asked.verifier,
        provider_settings.redirect_uri(wiring.settings.url, row.identity_store_id),
        asked.nonce,
        visit.now,
    )
    found = await door.ask_outside(openid_providers.exchange(exchange, Reach.of(wiring.settings)))
    if not isinstance(found, WebIdentity):
        raise ExternalRefused(found.why if isinstance(found, ExchangeRefused) else "the provider did not answer")
    said_of = {name: value for name, value in found.claims.items() if isinstance(value, str)}
    # The claim is a boolean (OpenID Connect Core, 5.1): anything else, also the text `true`, proves nothing.
    is_verified = found.claims.get("email_verified") is True
    return _Proof(VouchedSubject(found.subject, external_people.kept(row, said_of), is_verified))


def _seen(text: str) -> str:
    """Return what a stranger wrote as a record may hold it: short, and in letters that can be seen."""
    return "".join(each for each in text[:64] if each.isascii() and each.isprintable())


def _secret(door: Door, row: ExternalProviderRow) -> Secret | None:
    if row.sealed_secret is None:
        return None
    place = {"account_id": row.account_id, "provider_id": row.provider_id}
    return sealed.open_client_secret(door.wiring.keyring, row.sealed_secret, **place)


def _verified(door: Door, row: ExternalProviderRow, response: str, now: datetime) -> SamlAssertion:
    ours = provider_settings.service_provider(door.wiring.settings.url, row.identity_store_id)
    try:
        metadata = saml_metadata.read(row.document)
        if metadata.valid_until is not None and now >= metadata.valid_until:
            raise ExternalRefused("the provider's metadata has expired")
        found = saml_assertions.verify(
            # Cut to one more than is allowed, so that what is too long is refused as such.
            response[: saml_assertions.LARGEST + 1],
            metadata,
            audiences=(ours.entity_id,),
            recipients=(ours.consumer,),
            now=now,
        )
    except (InvalidAssertion, UnusableMetadata) as error:
        raise ExternalRefused(f"the response is not accepted: {error}") from error
    except SamlUnavailable as error:
        raise ExternalRefused("SAML can't be verified here: install `crownkeep[saml]`") from error
    # Sign-in that begins at the provider would let anybody sign a browser in as somebody else.
    if not found.in_response_to:
        raise ExternalRefused("the response answers no request: responses that nobody asked for are refused")
    return found


async def _enter(door: Door, visit: Visit, asked: ExternalRequest, proof: _Proof) -> Arrived:
    """Open the session of whom a proof is of, and use the request and the proof up; raises ExternalRefused."""

    def work(db: Transaction) -> Commit[Arrived | ExternalRefused]:
        try:
            return _entered(db, door, visit, asked, proof)
        except ExternalRefused as refusal:
            return Commit(refusal, [])

    entered = await sign_in_steps.commit(door, work)
    if isinstance(entered, ExternalRefused):
        raise entered
    return entered


def _entered(
    db: Transaction, door: Door, visit: Visit, asked: ExternalRequest, proof: _Proof
) -> Commit[Arrived | ExternalRefused]:
    wiring, now = door.wiring, visit.now
    # Read again in the transaction: the operator may have removed the provider meanwhile.
    row = external_requests.provider_in(db, asked.store_id)
    if row is None or row.provider_id != asked.provider_id:
        raise ExternalRefused("the provider was set anew meanwhile")
    # 1. The account is held: neither another answer nor another setting of the provider comes between.
    accounts.hold(db, row.account_id)
    instance, row = people.instance_of(db, row.account_id), external_providers.of_store(db, asked.store_id)
    if instance is None or row is None or row.provider_id != asked.provider_id:
        raise ExternalRefused("the provider was set anew meanwhile")
    # 2. A request is answered once, and an assertion is good once.
    if sign_in_nonces.exists(db, asked.once):
        raise ExternalRefused("the request was answered before")
    sign_in_nonces.forget(db, before=now)
    sign_in_nonces.add(db, asked.once, row.account_id, expires_at=asked.began_at + external_requests.LASTS)
    if proof.redeemable_until is not None and not redeemed_assertions.redeem(
        db, row.account_id, proof.assertion_digest, expires_at=proof.redeemable_until, now=now
    ):
        raise ExternalRefused("the assertion has been used before")
    # 3. Whom it names. Whatever is refused from here on has used the request up.
    try:
        found = external_people.find(db, instance, row, proof.subject, now=now)
    except NobodyHere as refusal:
        return Commit(ExternalRefused(str(refusal)), [])
    # 4. The session, no longer than the provider lets it last. The second factor is the provider's to ask for.
    person = people.person_of(instance, found.user)
    lifetime = min(sessions.lifetime_of(db, person), (proof.ends_at or _NEVER) - now)
    if lifetime <= timedelta(0):
        return Commit(ExternalRefused("the provider's own session has ended"), [])
    version = people.credentials(db, person).version
    opened = sessions.open_session(db, person, origin=visit.origin, now=now, lifetime=lifetime, version=version)
    claim = entry.person_claim(instance.identity_store_id, found.user.user_name, instance.account_id)
    workflow, to = person_events.new_workflow(), f"{wiring.settings.url}{visit.to}"
    rows = [person_events.made(person, visit.origin, now, row.issuer, workflow=workflow)] if found.is_new else []
    rows.append(person_events.vouched_for(person, visit.origin, now, row.issuer, workflow=workflow))
    rows.append(person_events.entered_by_provider(person, visit.origin, now, row.issuer, to=to, workflow=workflow))
    return Commit(Arrived(opened, person, claim, visit.to, False, browsers.new_number()), list(rows))


async def _record(door: Door, visit: Visit, row: ExternalProviderRow | None, why: str) -> None:
    """Record a refusal in the trail of the account that owns the store, as often as an address may fail to sign in."""
    if row is None:
        return
    issuer, account_id, used = row.issuer, row.account_id, _counted(door, visit)

    def work(db: Transaction) -> Commit[None]:
        if throttle.reserve(db, used, now=visit.now) is not None:
            return Commit(None, [])
        event = person_events.refused_by_provider(account_id, visit.origin, visit.now, issuer, why)
        return Commit(None, [event])

    await sign_in_steps.commit(door, work)


def _require_patience(door: Door, visit: Visit) -> None:
    """Refuse unseen whoever sends answer upon answer that proves nothing: each costs a call, or a verification."""
    used = _counted(door, visit)
    with door.snapshot() as db:
        is_waiting = throttle.waiting(db, used, now=visit.now)
    if is_waiting:
        raise ExternalRefused("too many answers from this address were refused")


def _counted(door: Door, visit: Visit) -> list[Counter]:
    """Return what counts refused answers of an address, apart from passwords: nobody is kept from signing in elsewhere."""
    wiring, address = door.wiring, f"external provider {throttle.network(visit.origin.source_ip)}"
    counted = throttle.counters(wiring.keyring, wiring.settings, Claim("external provider"), address=address)
    return [each for each in counted if each.scope is Scope.ADDRESS]
