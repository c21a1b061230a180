"""Console federation: temporary credentials are exchanged for a sign-in token, and that for a browser session.

The sign-in token is sealed, lasts fifteen minutes and is good for one session: it travels in an address, which browsers and
proxies remember.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from crownkeep import base64url, clock, errors, untrusted_json
from crownkeep.credentials import sealing, session_tokens
from crownkeep.credentials.sealing import Keyring, Purpose
from crownkeep.credentials.secret import Secret
from crownkeep.credentials.session_tokens import InvalidToken
from crownkeep.operations.call import Origin, Wiring
from crownkeep.operations.invoke import Door
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.signin import events, sessions, sign_in_steps, throttle
from crownkeep.signin.sessions import Opened
from crownkeep.signin.throttle import Claim, Scope
from crownkeep.storage.database import Transaction
from crownkeep.storage.identities import roles
from crownkeep.storage.sign_in import sign_in_nonces
from crownkeep.storage.writer import Commit
from crownkeep.untrusted_json import UnreadableJson

TOKEN_LIFETIME = timedelta(minutes=15)
SHORTEST, LONGEST = 900, 43_200
"""Seconds that a console session may be asked for (IAM user guide, "Enable custom identity broker access")."""

LONGEST_SESSION_TEXT = 16_384
"""Characters of the `Session` parameter that are looked at."""

_CONTEXT = sealing.context_of("sign-in token")
_NONCE_BYTES = 16
_KINDS = (PrincipalKind.ROLE, PrincipalKind.FEDERATED_USER)
_INVALID = "the credentials in `Session` are not valid: send those of a role or of a federated user, as STS answered them"


class FederationRefused(Exception):
    """What is asked for is refused; the message says why."""

    def __init__(self, message: str, *, principal: Principal | None = None) -> None:
        super().__init__(message)
        self.principal = principal
        """Whose credentials they are, where they are good."""


class _SessionText(msgspec.Struct):
    sessionId: str  # noqa: N815 - the names are the protocol's
    sessionKey: str  # noqa: N815
    sessionToken: str  # noqa: N815


class _Sealed(msgspec.Struct, array_like=True):
    principal: Principal
    nonce: bytes
    expires_at: int
    session_seconds: int | None


@dataclass(frozen=True, slots=True)
class SignInToken:
    """What a sign-in token says: who signs in, until when, and for how long."""

    principal: Principal
    nonce: bytes
    session_ends_at: datetime


async def sign_in_token(door: Door, session_text: str, *, seconds: int | None, origin: Origin, now: datetime) -> Secret:
    """Make a sign-in token of temporary credentials; raises FederationRefused and, where too much waits, AwsError.

    `seconds` is how long the console session shall last; where it is absent, the credentials' own end is the session's.
    """
    try:
        with door.snapshot() as db:
            principal = _holder(db, door.wiring, session_text, now)
        _check_duration(principal, seconds)
    except FederationRefused as refusal:
        await _record(door, refusal, origin, now)
        raise
    nonce = clock.token_bytes(_NONCE_BYTES)
    expires_at = now + TOKEN_LIFETIME

    def work(db: Transaction) -> Commit[None]:
        sign_in_nonces.forget(db, before=now)
        sign_in_nonces.add(db, nonce, principal.account_id, expires_at=expires_at)
        response = {"credentials": {"accessKeyId": principal.access_key_id}, "GetSigninToken": "Success"}
        additional = {"MobileVersion": "No", "MFAUsed": "Yes" if principal.has_mfa else "No"}
        return Commit(None, [events.of(principal, origin, now, "GetSigninToken", response=response, additional=additional)])

    await sign_in_steps.commit(door, work)
    sealed = msgspec.msgpack.encode(_Sealed(principal, nonce, int(expires_at.timestamp()), seconds))
    chance = clock.token_bytes(sealing.NONCE_SIZE)
    blob = sealing.seal(door.wiring.keyring, sealed, purpose=Purpose.SIGN_IN_FLOW, context=_CONTEXT, nonce=chance)
    return Secret(base64url.encode(blob))


def read(keyring: Keyring, token: str, *, now: datetime) -> SignInToken:
    """Open a sign-in token; raises FederationRefused for one that is not ours or too old."""
    refused = FederationRefused("the sign-in token is not valid, or too old: ask for a new one")
    try:
        blob = base64url.decode(token)
        opened = sealing.unseal(keyring, blob, purpose=Purpose.SIGN_IN_FLOW, context=_CONTEXT)
        sealed = msgspec.msgpack.decode(opened, type=_Sealed)
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise refused from error
    session = sealed.principal.session
    if session is None or now >= datetime.fromtimestamp(sealed.expires_at, UTC):
        raise refused
    ends_at = session.expires_at if sealed.session_seconds is None else now + timedelta(seconds=sealed.session_seconds)
    if now >= ends_at:
        raise refused
    return SignInToken(sealed.principal, sealed.nonce, ends_at)


async def sign_in(door: Door, token: SignInToken, *, to: str, origin: Origin, now: datetime) -> Opened:
    """Open a console session for whom a sign-in token names, once; raises FederationRefused."""

    def work(db: Transaction) -> Commit[Opened | None]:
        standing = door.wiring.standings.held(db, token.principal)
        try:
            principal = standing.vouch(db, token.principal)
        except errors.InvalidClientTokenId:
            return Commit(None, [events.failed_login(token.principal, origin, now, to=to)])
        lifetime = _lifetime(db, principal, token.session_ends_at, now)
        if not sign_in_nonces.spend(db, token.nonce) or lifetime <= timedelta(0):
            return Commit(None, [events.failed_login(token.principal, origin, now, to=to)])
        opened = sessions.open_session(db, principal, origin=origin, now=now, lifetime=lifetime)
        return Commit(opened, [events.console_login(token.principal, origin, now, to=to, mfa_serial=None)])

    opened = await sign_in_steps.commit(door, work)
    if opened is None:
        raise FederationRefused("the sign-in token was used before, or its credentials are void: ask for a new one")
    return opened


def _lifetime(db: Transaction, principal: Principal, ends_at: datetime, now: datetime) -> timedelta:
    """Return how long the console session lasts: as was asked for, which may be longer than the credentials live.

    Otherwise credentials that came from a console could open another one, and so on without end: those end with the first
    console's session, and last no longer than the role allows.
    """
    lifetime = min(ends_at - now, sessions.LIFETIME, sessions.lifetime_of(db, principal))
    ceiling = principal.session.ceiling if principal.session else None
    if ceiling is None:
        return lifetime
    role = roles.with_id(db, principal.account_id, principal.unique_id) if principal.kind is PrincipalKind.ROLE else None
    longest = sessions.LIFETIME if role is None else timedelta(seconds=role.max_session_seconds)
    return min(lifetime, ceiling - now, longest)


def _holder(db: Transaction, wiring: Wiring, session_text: str, now: datetime) -> Principal:
    """Return whose credentials these are; raises FederationRefused, in the same words whatever is wrong with them."""
    try:
        if len(session_text) > LONGEST_SESSION_TEXT:
            raise FederationRefused(_INVALID)
        given = untrusted_json.read_as(session_text, _SessionText)
        claims = session_tokens.read(wiring.keyring, given.sessionToken, access_key_id=given.sessionId)
        if claims.secret != Secret(given.sessionKey) or claims.is_expired(now) or claims.principal.kind not in _KINDS:
            raise FederationRefused(_INVALID)
        standing = wiring.standings.of_account(db, claims.principal.account_id)
        if standing is None:
            raise FederationRefused(_INVALID)
        return standing.vouch(db, claims.principal)
    except (UnreadableJson, UnicodeEncodeError, InvalidToken, errors.InvalidClientTokenId) as error:
        raise FederationRefused(_INVALID) from error


def _check_duration(principal: Principal, seconds: int | None) -> None:
    if seconds is None:
        return
    session = principal.session
    if principal.kind is PrincipalKind.FEDERATED_USER:
        text = "SessionDuration can't be given with credentials of GetFederationToken"
    elif session is not None and session.delegate:
        text = "SessionDuration can't be given with credentials that were lent: the console session ends with them"
    elif session is not None and session.is_scoped:
        text = "SessionDuration can't be given with credentials of GetScopedCredentials: the console session ends with them"
    elif session is not None and session.chained:
        text = "SessionDuration can't be given with credentials of a role that another role took on"
    elif not SHORTEST <= seconds <= LONGEST:
        text = f"SessionDuration must be from {SHORTEST} to {LONGEST} seconds"
    else:
        return
    raise FederationRefused(text, principal=principal)


async def _record(door: Door, refusal: FederationRefused, origin: Origin, now: datetime) -> None:
    """Record a refusal: in the operator's trail where nobody can be made out, as often as an address may fail to sign in."""
    wiring, principal = door.wiring, refusal.principal
    # Counted apart: a broker that goes wrong must not keep people at its address from signing in.
    address = f"federation {throttle.network(origin.source_ip)}"
    counted = throttle.counters(wiring.keyring, wiring.settings, Claim("federation"), address=address)
    used = [each for each in counted if each.scope is Scope.ADDRESS]
    response = {"GetSigninToken": "Failure"}

    def work(db: Transaction) -> Commit[None]:
        if principal is not None:
            return Commit(None, [events.of(principal, origin, now, "GetSigninToken", response=response, message=str(refusal))])
        if throttle.reserve(db, used, now=now) is not None:
            return Commit(None, [])
        return Commit(None, [events.of(None, origin, now, "GetSigninToken", response=response, message=str(refusal))])

    await sign_in_steps.commit(door, work)
