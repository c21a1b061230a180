"""The keys of OpenID Connect providers: asked for when a token needs them, and remembered for a while, refusals too."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, replace
from threading import Lock

import msgspec

from crownkeep import clock, logs, untrusted_json
from crownkeep.credentials import web_identities
from crownkeep.credentials.web_identities import PublishedKey
from crownkeep.domain.federation import outside
from crownkeep.domain.federation.outside import OutOfReach, Reach
from crownkeep.operations.outbound_calls import OutboundCall
from crownkeep.storage.federation.oidc_providers import OidcProviderRow

_log = logging.getLogger(logs.STRANGERS)
KEPT_SECONDS = 900.0
"""For how long a provider's keys are used without asking again."""
ASK_AGAIN_SECONDS = 30.0
"""How soon a provider is asked again that could not be reached, or that did not publish the key that was looked for."""
_MOST_PROVIDERS = 4096
_MOST_KEYS = 20_000
"""Keys of all providers together, of 3 KiB each at most."""


class ProviderUnreachable(Exception):
    """A provider's keys could not be fetched; the cause is in the log."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A provider's keys, and when they were published so; `keys` is None where none could be had."""

    keys: tuple[PublishedKey, ...] | None
    at: float
    asked_at: float
    """When the provider was asked last, whether it answered or not."""

    def published(self) -> tuple[PublishedKey, ...]:
        """Return the keys; raises ProviderUnreachable."""
        if self.keys is None:
            raise ProviderUnreachable
        return self.keys

    def serves(self, key_id: str | None, *, now: float) -> bool:
        """Tell whether a token that names this key is judged by these keys, without asking the provider once more."""
        # An unknown key may be a new one. The provider is asked again, but not with every token that names a key of its own
        # invention.
        has_key = self.keys is not None and web_identities.has_key(self.keys, key_id)
        return now - self.asked_at < ASK_AGAIN_SECONDS or (has_key and now - self.at < KEPT_SECONDS)


class _Known:
    """What is known of providers, the least recently asked forgotten first: bounded by providers and by keys."""

    def __init__(self) -> None:
        self._fetched: OrderedDict[Hashable, Fetched] = OrderedDict()
        self._keys = 0
        self._lock = Lock()

    def of(self, place: Hashable) -> Fetched | None:
        with self._lock:
            # The lock is held for the look-up only, never while a provider is asked.
            return self._fetched.get(place)

    def keep(self, place: Hashable, fetched: Fetched) -> None:
        with self._lock:
            # The old entry goes first, so that its keys are not counted twice and the new one is the youngest.
            self._keys -= _weight(self._fetched.pop(place, None))
            self._fetched[place] = fetched
            self._keys += _weight(fetched)
            # Anybody with an account can register providers, so what they publish must not fill the memory.
            while len(self._fetched) > _MOST_PROVIDERS or self._keys > _MOST_KEYS:
                _, forgotten = self._fetched.popitem(last=False)
                self._keys -= _weight(forgotten)

    def forget(self) -> None:
        with self._lock:
            self._fetched.clear()
            self._keys = 0


def _weight(fetched: Fetched | None) -> int:
    return 0 if fetched is None or fetched.keys is None else len(fetched.keys)


_known = _Known()


def forget_all() -> None:
    """Forget what is known of every provider, so that each is asked anew."""
    _known.forget()


def wanted(provider: OidcProviderRow, key_id: str | None, reach: Reach) -> Fetched | OutboundCall:
    """Return a provider's keys as they are known or, where they may be others by now, the call that asks for them."""
    # With the thumbprints and the reach: keys that were fetched under other trust prove nothing under this one.
    place = (provider.url, provider.thumbprints, reach)
    known = _known.of(place)
    if known is not None and known.serves(key_id, now=clock.monotonic()):
        return known
    # The call is only described here. It is made outside the transaction, once for all who wait for the same.
    return OutboundCall(lambda: _fetch(provider, reach, place), provider.account_id, topic=place)


def _fetch(provider: OidcProviderRow, reach: Reach, place: Hashable) -> Fetched:
    try:
        keys = _published(provider, reach)
        now = clock.monotonic()
        fetched = Fetched(keys, now, now)
    # A failure is kept as well, or every token would make us wait for a provider that is down.
    except (OutOfReach, ValueError) as error:
        _log.warning("the keys of the identity provider `%s` can't be had: %s", provider.url, error)
        fetched = _without_answer(_known.of(place))
    _known.keep(place, fetched)
    return fetched


def _without_answer(known: Fetched | None) -> Fetched:
    """Return what stands while a provider does not answer: its keys are used for as long as if nobody had asked."""
    now = clock.monotonic()
    # Keys that are too old are not used any longer, even if there are no newer ones: one may have been withdrawn.
    if known is None or known.keys is None or now - known.at >= KEPT_SECONDS:
        return Fetched(None, now, now)
    return replace(known, asked_at=now)


def _published(provider: OidcProviderRow, reach: Reach) -> tuple[PublishedKey, ...]:
    """Ask for the provider's metadata and then for its keys (OpenID Connect Discovery 1.0, section 4)."""
    issuer = f"https://{provider.url}"
    text = outside.fetch(f"{issuer.rstrip('/')}/.well-known/openid-configuration", reach, thumbprints=provider.thumbprints)
    found = untrusted_json.read_as(text, _Configuration)
    # Otherwise a host could publish keys in another issuer's name.
    if found.issuer.rstrip("/") != issuer.rstrip("/"):
        raise ValueError("the provider's metadata is another issuer's")
    return web_identities.read_keys(outside.fetch(found.jwks_uri, reach, thumbprints=provider.thumbprints))


class _Configuration(msgspec.Struct):
    issuer: str
    jwks_uri: str
