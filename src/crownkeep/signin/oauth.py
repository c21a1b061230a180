"""Command lines: what they may ask of somebody at a browser, and the codes they are given (`aws login`, OAuth 2.1 with PKCE).

    browser  GET /v1/authorize?client_id&redirect_uri&state&code_challenge     `read`, then a page that asks its person
    browser  POST /v1/authorize, from that page                                `grant`: a code, for ten minutes and one use
    client   POST /v1/token                                                    services.signin: CreateOAuth2Token

A code alone is worth nothing: it is redeemed with the verifier whose hash came with the request (RFC 7636) and binds what it
is redeemed for to the key that the client proves to have (RFC 9449).
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

import msgspec

from crownkeep import base64url, errors
from crownkeep.credentials import code_challenges
from crownkeep.credentials.secret import Secret
from crownkeep.operations.call import Origin
from crownkeep.operations.invoke import Door
from crownkeep.operations.registry import Target
from crownkeep.principals import Principal
from crownkeep.signin import acting, people
from crownkeep.signin.acting import Actor
from crownkeep.signin.sessions import BrowserSession, SessionBinding, sign_in_context
from crownkeep.storage.database import Transaction
from crownkeep.storage.sign_in import browser_sessions
from crownkeep.storage.sign_in.command_line_grants import GrantRow
from crownkeep.translation import gettext

SAME_DEVICE = "arn:aws:signin:::devtools/same-device"
CROSS_DEVICE = "arn:aws:signin:::devtools/cross-device"
CONFIRMATION = "/v1/sessions/confirmation"
"""Where a cross-device client says that the browser shall go; the code is shown in its stead."""

CODE_LIFETIME = timedelta(minutes=10)

_LOOPBACK = re.compile(r"http://127\.0\.0\.1:(?P<port>[1-9][0-9]{0,4})/oauth/callback")
_RESOURCES = {SAME_DEVICE: "localhost", CROSS_DEVICE: "remote"}


class InvalidAuthorization(ValueError):
    """A client asks for what it can't have; nobody is sent back to it, for its address may be as wrong as the rest."""


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """What a command line asks for."""

    client_id: str
    redirect_uri: str
    state: str
    code_challenge: str

    @property
    def is_cross_device(self) -> bool:
        """Whether the code is shown to the person, who takes it to another computer."""
        return self.client_id == CROSS_DEVICE

    @property
    def origin(self) -> str:
        """Scheme, host and port of a loopback address."""
        return self.redirect_uri.removesuffix("/oauth/callback")

    def answer(self, code: Secret) -> str:
        """Return the address that takes the code to a client on the same computer."""
        return f"{self.redirect_uri}?{urlencode({'code': code.reveal(), 'state': self.state})}"

    def refusal(self) -> str:
        """Return the address that tells such a client that its person has refused (RFC 6749, 4.1.2.1)."""
        return f"{self.redirect_uri}?{urlencode({'error': 'access_denied', 'state': self.state})}"

    def spelled(self, code: Secret) -> str:
        """Return what a person copies to a client on another computer: the code and the state, as the AWS CLI reads them."""
        pairs = urlencode({"state": self.state, "code": code.reveal()})
        return base64.b64encode(pairs.encode()).decode()


def read(parameters: Mapping[str, Sequence[str]], *, bases: Sequence[str]) -> AuthorizationRequest:
    """Read an authorization request; `bases` are the addresses that this server has. Raises InvalidAuthorization."""
    given = {name: _only(name, values) for name, values in parameters.items()}
    client_id = given.get("client_id", "")
    if client_id not in _RESOURCES:
        raise InvalidAuthorization(gettext("the client is not known here"))
    redirect_uri = given.get("redirect_uri", "")
    if not may_receive(client_id, redirect_uri, bases):
        raise InvalidAuthorization(gettext("the client wants the code sent to an address that it must not be sent to"))
    if given.get("response_type") != "code" or given.get("scope", "openid") != "openid":
        raise InvalidAuthorization(gettext("the client asks for something other than a code"))
    is_known_method = given.get("code_challenge_method") in code_challenges.METHODS
    if not is_known_method or not code_challenges.is_challenge(given.get("code_challenge", "")):
        raise InvalidAuthorization(gettext("the client does not protect the code with a SHA-256 challenge (PKCE)"))
    if not code_challenges.is_state(given.get("state", "")):
        raise InvalidAuthorization(gettext("the client sends no state that it could know the answer by"))
    return AuthorizationRequest(client_id, redirect_uri, given["state"], given["code_challenge"])


def may_receive(client_id: str, redirect_uri: str, bases: Sequence[str]) -> bool:
    """Tell whether a client may be sent codes at an address: its own computer's, or none but this server's own page."""
    if client_id == CROSS_DEVICE:
        return redirect_uri in [f"{base}{CONFIRMATION}" for base in bases]
    loopback = _LOOPBACK.fullmatch(redirect_uri)
    return loopback is not None and int(loopback["port"]) <= 65_535


async def grant(door: Door, session: BrowserSession, request: AuthorizationRequest, *, origin: Origin, now: datetime) -> Secret:
    """Let a command line act as whoever the session acts as, and return the code that it redeems for credentials.

    Raises AccessDenied unless the principal may (signin:AuthorizeOAuth2Access), and ExpiredToken where the session has ended.
    """
    actor = Actor(_marked(session, origin), origin, now, SessionBinding(session))
    asked = {
        "client_id": request.client_id,
        "redirect_uri": request.redirect_uri,
        "code_challenge": request.code_challenge,
        "scope": "openid",
    }
    answered = await acting.call(door, actor, "account-security", "AuthorizeOAuth2Access", asked)
    return Secret(str(answered["code"]))


def target(principal: Principal, client_id: str, origin: Origin, *, redirect_uri: str, grant_type: str | None = None) -> Target:
    """Return the client as policies see it (service authorization reference, "AWS Signin")."""
    context: dict[str, str | tuple[str, ...]] = {"signin:OAuthClientId": client_id, "signin:OAuthRedirectUri": redirect_uri}
    if grant_type is not None:
        context["signin:OAuthGrantType"] = grant_type
    resource = f"oauth2/public-client/{_RESOURCES[client_id]}"
    return Target(f"arn:aws:signin:{origin.region}:{principal.account_id}:{resource}", context=context)


def holds(db: Transaction, row: GrantRow) -> bool:
    """Tell whether the session that a grant was given in has not been ended, and its person's credentials are the same."""
    session = browser_sessions.with_digest(db, row.session_digest)
    if session is None or session.ended_at is not None:
        return False
    person = msgspec.json.decode(session.principal, type=Principal)
    return people.credentials(db, person).version == row.credential_version


def principal_of(row: GrantRow) -> Principal:
    """Return who acts by a grant."""
    return msgspec.json.decode(row.principal, type=Principal)


def is_answered(challenge: str, verifier: str) -> bool:
    """Tell whether this is the verifier whose hash is the challenge (RFC 7636, 4.6)."""
    answer = base64url.encode(hashlib.sha256(verifier.encode()).digest())
    return Secret(answer) == Secret(challenge)


def spelled(random: bytes) -> Secret:
    """Return a code or refresh token made of random bytes."""
    return Secret(base64url.encode(random))


def digest_of(token: str) -> bytes:
    """Return under which digest a code or refresh token is kept."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _only(name: str, values: Sequence[str]) -> str:
    if len(values) != 1:
        raise InvalidAuthorization(gettext("the parameter `%(name)s` comes more than once", name=name[:64]))
    return values[0]


def _marked(session: BrowserSession, origin: Origin) -> Principal:
    """Return who acts, with the session's ARN, which policies may ask about (aws:SignInSessionArn)."""
    principal = session.principal
    if principal.session is None:
        raise errors.AccessDenied("a command line acts within a session, and there is none")
    context = {**principal.session.context, **sign_in_context(principal.account_id, session.session_id, region=origin.region)}
    return replace(principal, session=replace(principal.session, context=context))
