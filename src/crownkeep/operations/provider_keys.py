"""The keys of OpenID Connect providers: asked for when a token needs them, and remembered for a while, refusals too."""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

import msgspec

from crownkeep import clock
from crownkeep.credentials import web_identities
from crownkeep.credentials.web_identities import PublishedKey
from crownkeep.operations import outside
from crownkeep.operations.errands import Errand
from crownkeep.operations.outside import OutOfReach, Reach
from crownkeep.storage.oidc_providers import OidcProviderRow

_log = logging.getLogger("crownkeep.operations")
_MOST_PROVIDERS = 1024
KEPT_SECONDS = 900.0
"""For how long a provider's keys are used without asking again."""
_ASK_AGAIN_SECONDS = 30.0
"""How soon a provider is asked again that could not be reached, or that did not publish the key that was looked for."""


class ProviderUnreachable(Exception):
    """A provider's keys could not be fetched; the cause is in the log."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What asking a provider came to, and when that was; `keys` is None where it could not be reached."""

    keys: tuple[PublishedKey, ...] | None
    at: float

    def published(self) -> tuple[PublishedKey, ...]:
        """Answer the keys; raises ProviderUnreachable."""
        if self.keys is None:
            raise ProviderUnreachable
        return self.keys


_known: OrderedDict[tuple[object, ...], Fetched] = OrderedDict()
_lock = Lock()


def wanted(provider: OidcProviderRow, key_id: str | None, reach: Reach) -> Fetched | Errand:
    """Answer a provider's keys as they are known or, where they may be others by now, the errand that asks for them."""
    place = (provider.url, provider.thumbprints, reach)
    with _lock:
        known = _known.get(place)
    if known is not None:
        age = clock.monotonic() - known.at
        has_key = known.keys is not None and web_identities.has_key(known.keys, key_id)
        if age < (KEPT_SECONDS if has_key else _ASK_AGAIN_SECONDS):
            return known
    return Errand(lambda: _fetch(provider, reach, place))


def _fetch(provider: OidcProviderRow, reach: Reach, place: tuple[object, ...]) -> Fetched:
    keys: tuple[PublishedKey, ...] | None = None
    try:
        keys = _published(provider, reach)
    except (OutOfReach, ValueError) as error:
        _log.warning("the keys of the identity provider `%s` can't be had: %s", provider.url, error)
    fetched = Fetched(keys, clock.monotonic())
    with _lock:
        _known[place] = fetched
        _known.move_to_end(place)
        if len(_known) > _MOST_PROVIDERS:
            _known.popitem(last=False)
    return fetched


def _published(provider: OidcProviderRow, reach: Reach) -> tuple[PublishedKey, ...]:
    """Ask for the provider's metadata and then for its keys (OpenID Connect Discovery 1.0, section 4)."""
    issuer = f"https://{provider.url}"
    text = outside.fetch(f"{issuer.rstrip('/')}/.well-known/openid-configuration", reach, thumbprints=provider.thumbprints)
    found = msgspec.json.decode(text, type=_Configuration)
    if found.issuer.rstrip("/") != issuer.rstrip("/"):
        raise ValueError("the provider's metadata is another issuer's")
    return web_identities.read_keys(outside.fetch(found.jwks_uri, reach, thumbprints=provider.thumbprints))


class _Configuration(msgspec.Struct):
    issuer: str
    jwks_uri: str
