"""Connections to receivers: only to where alerts may go, at the address that was checked, and within one deadline for it all."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

from crownkeep import clock
from crownkeep.alerts.undelivered import Undelivered
from crownkeep.domain import reach
from crownkeep.domain.hanging_up import hang_up_after
from crownkeep.domain.reach import MayNotReach

SECONDS = 15.0
"""Within which a receiver must have answered: all that it takes together, from resolving its name to the last byte."""

_PORTS = {"https": 443, "http": 80}
_REFUSED = "leads to an address inside; the operator can allow its network with `alert_networks`"

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What a receiver said to a request."""

    status: int
    retry_after: str


def check_url(url: str, networks: Sequence[str]) -> str:
    """Return why an URL can't be a receiver's, empty where it can; names are resolved only when something is sent."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "it is malformed"
    if parts.scheme not in _PORTS or not parts.hostname or port == 0:
        return "it does not begin with `https://` and a host"
    # Credentials in an URL would stand in records and logs.
    if parts.username is not None or parts.fragment or not url.isascii() or not url.isprintable() or " " in url:
        return "it holds something that no request can be sent to"
    return check_host(parts.hostname, networks, is_plain=parts.scheme == "http")


def check_host(host: str, networks: Sequence[str], *, is_plain: bool = False) -> str:
    """Return why a host can't be a receiver's, where its name alone says so."""
    try:
        address = str(ipaddress.ip_address(host))
    except ValueError:
        return "it is plain `http`, which only networks in `alert_networks` may have" if is_plain and not networks else ""
    if not reach.may_reach(address, networks):
        return f"it {_REFUSED}"
    if is_plain and not reach.is_named(address, networks):
        return "it is plain `http`, which only networks in `alert_networks` may have"
    return ""


def post(url: str, body: bytes, headers: Mapping[str, str], networks: Sequence[str]) -> HttpAnswer:
    """Send a request and return what is answered; redirects are answers, and not followed. Raises Undelivered."""
    parts = urlsplit(url)
    host = str(parts.hostname)

    def talk(connection: socket.socket) -> HttpAnswer:
        # The connection is made already, to the address that was checked: the client must not resolve the name again.
        client = http.client.HTTPConnection(host, parts.port or _PORTS[parts.scheme])
        client.sock = connection
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        client.request("POST", target, body=body, headers=dict(headers))
        answer = client.getresponse()
        return HttpAnswer(answer.status, answer.headers.get("Retry-After", ""))

    return _connected(host, parts.port or _PORTS[parts.scheme], networks, talk, is_plain=parts.scheme == "http")


def send_tls(host: str, port: int, message: bytes, networks: Sequence[str]) -> None:
    """Send bytes over TLS and end the connection in order; raises Undelivered."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(message)
        assert isinstance(connection, ssl.SSLSocket)  # noqa: S101 - for the type checker: it is not plain
        # Nothing is answered; that the other side ends the connection in order, too, says that it has read to the end.
        with suppress(ssl.SSLError, TimeoutError):
            connection.settimeout(2.0)
            connection.unwrap()

    _connected(host, port, networks, talk, is_plain=False)


def _connected(
    host: str, port: int, networks: Sequence[str], talk: Callable[[socket.socket], Result], *, is_plain: bool
) -> Result:
    ends_at = clock.monotonic() + SECONDS
    try:
        address = reach.resolve(host, port, networks)
        # Asked of the address and not of the name, which could lead anywhere by now.
        if is_plain and not reach.is_named(address, networks):
            raise Undelivered(f"`{host}` is plain `http`, and its network is not in `alert_networks`")
        connection = socket.create_connection((address, port), timeout=_left(ends_at))
        with closing(connection), hang_up_after(connection, _left(ends_at)):
            if is_plain:
                return talk(connection)
            with _secured(connection, host, ends_at) as secured:
                return talk(secured)
    except MayNotReach as error:
        raise Undelivered(f"`{host}` {_REFUSED}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Undelivered(_explained(host, error)) from error


def _secured(connection: socket.socket, host: str, ends_at: float) -> ssl.SSLSocket:
    connection.settimeout(_left(ends_at))
    # The certificate is that of the name, although the address was resolved by us.
    return ssl.create_default_context().wrap_socket(connection, server_hostname=host)


def _left(ends_at: float) -> float:
    left = ends_at - clock.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _explained(host: str, error: Exception) -> str:
    match error:
        case ssl.SSLError():
            return f"no trusted TLS connection to `{host}`: {error.reason}"
        case TimeoutError():
            return f"`{host}` does not answer in time"
        case socket.gaierror():
            return f"`{host}` is no name that can be resolved"
        case http.client.HTTPException():
            return f"`{host}` does not answer as HTTP asks: {type(error).__name__}"
        case OSError() if error.strerror:
            return f"`{host}` can't be reached: {error.strerror}"
        case _:
            return f"`{host}` can't be reached: {type(error).__name__}"


def split_host_port(text: str) -> tuple[str, int] | None:
    """Read `HOST:PORT`, an IPv6 address in brackets; None where it is none."""
    try:
        parts: SplitResult = urlsplit(f"//{text}")
        port = parts.port
    except ValueError:
        return None
    if not parts.hostname or port is None or port == 0 or parts.path or parts.query or parts.username is not None:
        return None
    return parts.hostname, port
