"""Programs that people let act for them: each is what it registered as, sealed into its client id, so that nothing is kept."""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from crownkeep import base64url, clock
from crownkeep.credentials import sealing
from crownkeep.credentials.sealing import Keyring, Purpose, Unsealable
from crownkeep.credentials.secret import Secret

LASTS = timedelta(days=90)
"""How long a registration is good for, as AWS's."""

SCOPE = "sso:account:access"
"""Roles of permission sets: what a program gets that registers no scope."""
LIST_ROLES, TAKE_ROLES = "account_access:read_only", "account_access:assume"
"""Existing roles by entitlements: to list them, and to take them as well."""
SCOPES = (SCOPE, LIST_ROLES, TAKE_ROLES)

_CONTEXT = sealing.context_of("client of single sign-on")
_LONGEST = 4096
_LOOPBACK = re.compile(r"http://(?:127\.0\.0\.1|\[::1\]|localhost)(?::(?P<port>[1-9][0-9]{0,4}))?(?P<path>/[A-Za-z0-9._~/-]*)?")
_NAMED = re.compile(r"(?:^|[/.])(ssoins-[0-9a-f]{16}|d-[0-9a-z]{10})(?=$|[/.?#:])")


@dataclass(frozen=True, slots=True)
class Client:
    """What a program registered as."""

    name: str
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]
    start: str
    """The instance that its start URL names; empty where it named none."""
    until: datetime


def register(keyring: Keyring, client: Client) -> tuple[str, Secret]:
    """Return a program's client id and secret."""
    nonce = clock.token_bytes(sealing.NONCE_SIZE)
    plain = msgspec.json.encode(client)
    client_id = base64url.encode(sealing.seal(keyring, plain, purpose=Purpose.SIGN_IN_FLOW, context=_CONTEXT, nonce=nonce))
    return client_id, _secret(keyring, client_id)


def known(keyring: Keyring, client_id: str, *, now: datetime) -> Client | None:
    """Return what a client id was registered as; None for what never was, or is over."""
    if len(client_id) > _LONGEST:
        return None
    try:
        blob = base64url.decode(client_id)
        plain = sealing.unseal(keyring, blob, purpose=Purpose.SIGN_IN_FLOW, context=_CONTEXT)
        client = msgspec.json.decode(plain, type=Client)
    except (Unsealable, binascii.Error, ValueError, msgspec.MsgspecError):
        return None
    return client if now < client.until else None


def proven(keyring: Keyring, client_id: str, client_secret: str, *, now: datetime) -> Client | None:
    """Return the same for a program that shows its secret."""
    client = known(keyring, client_id, now=now)
    return client if client is not None and Secret(client_secret) == _secret(keyring, client_id) else None


def scopes_of(client: Client) -> str:
    """Return what a program's tokens are good for, as a grant keeps it."""
    return " ".join(sorted(set(client.scopes))) or SCOPE


def digest_of(client_id: str) -> bytes:
    """Return under which digest a grant keeps whose it is."""
    return hashlib.sha256(client_id.encode("utf-8", "surrogatepass")).digest()


def is_loopback(uri: str) -> bool:
    """Tell whether an address is of the computer that its program runs on (RFC 8252, section 7.3)."""
    found = _LOOPBACK.fullmatch(uri)
    return found is not None and ".." not in uri and int(found["port"] or 1) <= 65_535


def may_receive(client: Client, uri: str) -> bool:
    """Tell whether a program may be sent a code at an address: one that it registered, with any port (RFC 8252, section 7.3)."""
    return is_loopback(uri) and without_port(uri) in map(without_port, client.redirect_uris)


def without_port(uri: str) -> str:
    """Return a loopback address without its port."""
    found = _LOOPBACK.fullmatch(uri)
    return uri if found is None or found["port"] is None else uri.replace(f":{found['port']}", "", 1)


def origin_of(uri: str) -> str:
    """Return scheme, host and port of a loopback address."""
    found = _LOOPBACK.fullmatch(uri)
    return uri if found is None else uri.removesuffix(found["path"] or "")


def instance_in(start_url: str) -> str:
    """Return the instance or identity store that a start URL names, AWS's spellings and ours; empty where it names none."""
    found: Sequence[str] = _NAMED.findall(start_url)
    return found[0] if found else ""


def _secret(keyring: Keyring, client_id: str) -> Secret:
    message = f"client secret of {client_id}".encode()
    return Secret(base64url.encode(sealing.fingerprint(keyring, message, purpose=Purpose.SIGN_IN_FLOW)))
