"""OpenID Connect providers that people sign in with: what they publish of themselves, and codes exchanged for ID tokens.

OpenID Connect Discovery 1.0, section 4; OAuth 2.0 (RFC 6749, 4.1.3) with PKCE (RFC 7636). Nothing is believed that comes from
another host than the issuer names, and everything ends within a bounded time.
"""

from __future__ import annotations

import base64
import logging
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from urllib.parse import quote, urlencode

import msgspec

from crownkeep import clock, logs
from crownkeep.credentials import openid_sign_in, web_addresses, web_identities
from crownkeep.credentials.secret import Secret
from crownkeep.credentials.web_identities import PublishedKey, UnknownKey, WebIdentity
from crownkeep.domain.federation import outside
from crownkeep.domain.federation.outside import OutOfReach, Reach
from crownkeep.operations.outbound_calls import OutboundCall

_log = logging.getLogger(logs.STRANGERS)
KEPT_SECONDS = 900.0
"""For how long what a provider publishes is used without asking again."""
ASK_AGAIN_SECONDS = 10.0
"""How soon a provider is asked again that could not be reached, or whose keys lack the one that was looked for."""

_MOST = 1024
_LONGEST_PATH = 1024
_CONFIGURATION = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class PublishedProvider:
    """What a provider publishes of itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    posts_secret: bool
    """Whether it takes a secret in the form alone, and not in the header."""
    names_itself: bool
    """Whether it says in its answers who it is (RFC 9207)."""
    keys: tuple[PublishedKey, ...]
    at: float


@dataclass(frozen=True, slots=True)
class Unpublished:
    """A provider did not say what it must; the message is for the operator's log and the administrator."""

    why: str
    at: float


@dataclass(frozen=True, slots=True)
class CodeExchange:
    """What an authorization code is exchanged with."""

    account_id: str
    issuer: str
    client_id: str
    client_secret: Secret | None
    code: str
    verifier: str
    redirect_uri: str
    nonce: str
    now: datetime


@dataclass(frozen=True, slots=True)
class ExchangeRefused:
    """A code, or the token that came for it, proves nothing; the message is for the record."""

    why: str


class _Configuration(msgspec.Struct):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: list[str] = []
    authorization_response_iss_parameter_supported: bool = False


class _Tokens(msgspec.Struct):
    id_token: str


class _Known:
    """What is known of providers, the least recently asked forgotten first."""

    def __init__(self) -> None:
        self._found: OrderedDict[tuple[str, Reach], PublishedProvider | Unpublished] = OrderedDict()
        self._lock = Lock()

    def of(self, issuer: str, reach: Reach) -> PublishedProvider | Unpublished | None:
        with self._lock:
            found = self._found.get((issuer, reach))
        # A failure is remembered for a shorter time, so that a provider which is back is soon noticed.
        kept = KEPT_SECONDS if isinstance(found, PublishedProvider) else ASK_AGAIN_SECONDS
        return found if found is not None and clock.monotonic() - found.at < kept else None

    def keep(self, issuer: str, reach: Reach, found: PublishedProvider | Unpublished) -> None:
        with self._lock:
            self._found[(issuer, reach)] = found
            self._found.move_to_end((issuer, reach))
            while len(self._found) > _MOST:
                self._found.popitem(last=False)

    def forget(self) -> None:
        with self._lock:
            self._found.clear()


_known = _Known()


def forget_all() -> None:
    """Forget what is known of every provider, so that each is asked anew."""
    _known.forget()


def wanted(issuer: str, account_id: str, reach: Reach) -> PublishedProvider | Unpublished | OutboundCall:
    """Return what a provider publishes as it is known or, where it may be something else by now, the call that asks for it."""
    known = _known.of(issuer, reach)
    if known is not None:
        return known
    return OutboundCall(lambda: _asked(issuer, reach), account_id, topic=("openid", issuer, reach))


def is_issuer(text: str) -> bool:
    """Tell whether a text can be an issuer: an https address without a query (OpenID Connect Discovery 1.0, section 3)."""
    # People's browsers are sent there, so it must be an address that a browser can be sent to.
    return web_addresses.is_for_browsers(text) and "?" not in text and len(text) <= _LONGEST_PATH


def exchange(wanted_code: CodeExchange, reach: Reach) -> OutboundCall:
    """Return the call that exchanges a code and verifies what comes for it: a WebIdentity, or a ExchangeRefused."""
    return OutboundCall(lambda: _exchanged(wanted_code, reach), wanted_code.account_id)


def _asked(issuer: str, reach: Reach) -> PublishedProvider | Unpublished:
    found: PublishedProvider | Unpublished
    try:
        found = _published(issuer, reach)
    # Whatever a provider answers may be hostile, nested too deeply among other things. It is a failure and nothing worse.
    except (OutOfReach, ValueError, msgspec.DecodeError, RecursionError) as error:
        _log.warning("the identity provider `%s` can't be asked: %s", issuer, error)
        found = Unpublished(str(error), clock.monotonic())
    _known.keep(issuer, reach, found)
    return found


def _published(issuer: str, reach: Reach) -> PublishedProvider:
    text = outside.fetch(f"{issuer.rstrip('/')}{_CONFIGURATION}", reach)
    said = msgspec.json.decode(text, type=_Configuration)
    # To the letter: another issuer's metadata would have its own endpoints be sent our codes (mix-up, RFC 9700, 4.4).
    if said.issuer != issuer:
        raise ValueError("its metadata is another issuer's")
    # Checked since it comes from outside: a `javascript:` address would run in the browser.
    if not web_addresses.is_for_browsers(said.authorization_endpoint):
        raise ValueError("its authorization endpoint is no https address")
    keys = web_identities.read_keys(outside.fetch(said.jwks_uri, reach))
    methods = said.token_endpoint_auth_methods_supported
    return PublishedProvider(
        issuer,
        said.authorization_endpoint,
        said.token_endpoint,
        posts_secret="client_secret_post" in methods and "client_secret_basic" not in methods,
        names_itself=said.authorization_response_iss_parameter_supported,
        keys=keys,
        at=clock.monotonic(),
    )


def _exchanged(code: CodeExchange, reach: Reach) -> WebIdentity | ExchangeRefused:
    # It may have been forgotten since the sign-in began, and is then asked once more.
    known = _known.of(code.issuer, reach)
    provider = known if known is not None else _asked(code.issuer, reach)
    if isinstance(provider, Unpublished):
        return ExchangeRefused(f"the provider does not say what it must: {provider.why}")
    try:
        token = _token(provider, code, reach)
        return _verified(token, provider, code, reach)
    except (OutOfReach, ValueError, msgspec.DecodeError, RecursionError) as error:
        return ExchangeRefused(str(error))


def _token(provider: PublishedProvider, code: CodeExchange, reach: Reach) -> str:
    fields = {
        "grant_type": "authorization_code",
        "code": code.code,
        "redirect_uri": code.redirect_uri,
        # PKCE: a stolen code is worth nothing without the secret that only this sign-in has.
        "code_verifier": code.verifier,
    }
    headers: dict[str, str] = {}
    if code.client_secret is None or provider.posts_secret:
        fields["client_id"] = code.client_id
    if code.client_secret is not None and provider.posts_secret:
        fields["client_secret"] = code.client_secret.reveal()
    elif code.client_secret is not None:
        # Both are encoded before they are joined (RFC 6749, 2.3.1): a colon in the id would otherwise shift the border.
        pair = f"{quote(code.client_id, safe='')}:{quote(code.client_secret.reveal(), safe='')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    answer = outside.post_form(provider.token_endpoint, urlencode(fields).encode(), headers, reach)
    # The provider's own words are not repeated: they could say anything, and end up in the record.
    if answer.status != 200:
        raise ValueError(f"the provider does not take the code: it answers with status {answer.status}")
    return msgspec.json.decode(answer.body, type=_Tokens).id_token


def _verified(token: str, provider: PublishedProvider, code: CodeExchange, reach: Reach) -> WebIdentity:
    try:
        return _identity(token, provider, code)
    except UnknownKey:
        # It may have been published since; asked for once in a while, whatever keys tokens name.
        if clock.monotonic() - provider.at < ASK_AGAIN_SECONDS:
            raise
        again = _asked(code.issuer, reach)
        if isinstance(again, Unpublished):
            raise
        return _identity(token, again, code)


def _identity(token: str, provider: PublishedProvider, code: CodeExchange) -> WebIdentity:
    keys, issuer, client_id, nonce = provider.keys, code.issuer, code.client_id, code.nonce
    return openid_sign_in.verify(token, keys, issuer=issuer, client_id=client_id, nonce=nonce, now=code.now)
