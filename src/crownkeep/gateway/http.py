"""An HTTP request as it came over the wire, read within limits, and where it came from."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from crownkeep.gateway import signature
from crownkeep.gateway.bounds import CALLERS, STRANGERS
from crownkeep.values import value_type

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Network = IPv4Network | IPv6Network

_TLS = "crownkeep.tls"
_NO_TLS = ("", "")
_log = logging.getLogger("crownkeep.gateway")


class BodyTooLarge(Exception):
    """The request's body is larger than any operation takes."""


class Disconnected(Exception):
    """The client went away before it had sent its request."""


@value_type(frozen=True, slots=True)
class HttpRequest(signature.SignableRequest):
    """The parts of a request that routing, signatures and records need."""

    source_ip: str
    scheme: str
    tls: tuple[str, str] = ("", "")
    """The version and the cipher suite of TLS, where this server itself speaks it."""

    def header(self, name: bytes) -> str:
        """Return a header's value as text, empty where it is absent."""
        return self.headers.get(name, b"").decode("latin-1")


class Edge:
    """What this server believes about who connects: only trusted proxies may speak for others."""

    def __init__(self, trusted_proxies: tuple[str, ...]) -> None:
        self._trusted: tuple[Network, ...] = tuple(ip_network(proxy, strict=False) for proxy in trusted_proxies)
        self._has_warned = False

    async def read(self, scope: Scope, receive: Receive) -> HttpRequest:
        """Read a whole request; raises BodyTooLarge before it holds more than its sender may send, or Disconnected."""
        headers = signature.fold(scope["headers"])
        # Whether it is signed is only claimed here. It decides how much is read, and nothing else.
        largest = (CALLERS if _is_signed(scope, headers) else STRANGERS).body
        declared = headers.get(b"content-length", b"0")
        # Refused by what is declared, before a byte of the body is read; `_body` counts what comes without a declaration.
        if declared.isdigit() and int(declared[:20]) > largest:
            raise BodyTooLarge
        return self._request(scope, headers, await _body(receive, largest))

    def whole(self, scope: Scope, body: bytes) -> HttpRequest:
        """Return a request whose body has come with its head; raises BodyTooLarge as `read` does."""
        headers = signature.fold(scope["headers"])
        if len(body) > (CALLERS if _is_signed(scope, headers) else STRANGERS).body:
            raise BodyTooLarge
        return self._request(scope, headers, body)

    def plain(self, headers: Mapping[bytes, bytes], body: bytes, *, peer: str, scheme: str, tls: tuple[str, str]) -> HttpRequest:
        """Return a signed POST at the root, which is read in one piece and so is never too large."""
        source_ip, scheme = self._origin(peer, scheme, headers)
        return HttpRequest("POST", b"/", b"", headers, body, source_ip, scheme, tls if peer == source_ip else _NO_TLS)

    def without_body(self, scope: Scope) -> HttpRequest:
        """Return a request whose body is not going to be read."""
        return self._request(scope, signature.fold(scope["headers"]), b"")

    def locate(self, scope: Scope) -> Scope:
        """Return the scope with the client's address and scheme as this server believes them, for the pages."""
        client, peer = scope.get("client"), peer_of(scope)
        source_ip, scheme = self._origin(peer, scope["scheme"], signature.fold(scope["headers"]))
        located = {**scope, "client": (source_ip, client[1] if client else 0), "scheme": scheme}
        return located | {_TLS: _tls(scope, peer, source_ip)}

    def speaks_for_many(self, address: str) -> bool:
        """Return whether many clients may stand behind a connection: a trusted proxy's, or one from this computer."""
        return _is_address(address) and (ip_address(address).is_loopback or self.is_trusted(address))

    def is_trusted(self, address: str) -> bool:
        """Tell whether an address is a trusted proxy's."""
        if not _is_address(address):
            return False
        parsed = ip_address(address)
        return any(parsed in network for network in self._trusted)

    def _request(self, scope: Scope, headers: Mapping[bytes, bytes], body: bytes) -> HttpRequest:
        peer = peer_of(scope)
        source_ip, scheme = self._origin(peer, scope["scheme"], headers)
        return HttpRequest(
            method=scope["method"],
            path=scope.get("raw_path") or scope["path"].encode(),
            query=scope["query_string"],
            headers=headers,
            body=body,
            source_ip=source_ip,
            scheme=scheme,
            tls=_tls(scope, peer, source_ip),
        )

    def _origin(self, peer: str, scheme: str, headers: Mapping[bytes, bytes]) -> tuple[str, str]:
        """Return the client's address and scheme: the last hop that no trusted proxy vouches for as its own."""
        # The header is anybody's to write: without a trusted proxy in between it says nothing.
        if not self._trusted or not self.is_trusted(peer):
            if not self._has_warned and b"x-forwarded-for" in headers:
                self._warn(peer)
            return peer, scheme
        # The last value is the nearest proxy's own; those before it came from the client.
        forwarded_scheme = headers.get(b"x-forwarded-proto", b"").decode("latin-1").rpartition(",")[2].strip().lower()
        if forwarded_scheme in ("http", "https"):
            scheme = forwarded_scheme
        # From the right: each trusted proxy has appended the address it saw. The first one that is no trusted proxy is the
        # client, and what stands left of it is the client's claim.
        for hop in reversed(headers.get(b"x-forwarded-for", b"").decode("latin-1").split(",")):
            address = hop.strip()
            if not _is_address(address):
                # A hop that is no address ends the walk: nothing left of it can be believed.
                break
            peer = address
            if not self.is_trusted(address):
                break
        return peer, scheme

    def _warn(self, peer: str) -> None:
        """Say once what an undeclared proxy brings about; strangers may send the header as well, so once is enough."""
        self._has_warned = True
        _log.warning(
            "X-Forwarded-For from `%s` is not believed: if that is your proxy, name it in `trusted_proxies`, or all who come "
            "through it count as one address",
            peer if _is_address(peer) else "an unknown address",
        )


def peer_of(scope: Scope) -> str:
    """Return the address that a connection is with, whoever it may speak for."""
    client = scope.get("client")
    return client[0] if client else ""


def _tls(scope: Scope, peer: str, source_ip: str) -> tuple[str, str]:
    """Return what a client's own connection speaks; behind a proxy that would be the proxy's."""
    spoken: tuple[str, str] = scope.get(_TLS, _NO_TLS)
    return spoken if peer == source_ip else _NO_TLS


def _is_signed(scope: Scope, headers: Mapping[bytes, bytes]) -> bool:
    """Tell whether somebody claims to have signed a request; whether they have is for `authenticate` to say."""
    return b"authorization" in headers or b"X-Amz-Signature" in scope["query_string"]


async def _body(receive: Receive, largest: int) -> bytes:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Disconnected
    first: bytes = message.get("body", b"")
    if len(first) > largest:
        raise BodyTooLarge
    if not message.get("more_body", False):
        return first
    chunks, size = [first], len(first)
    while message.get("more_body", False):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > largest:
            raise BodyTooLarge
        chunks.append(chunk)
    return b"".join(chunks)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
