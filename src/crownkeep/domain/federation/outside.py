"""Reaching servers outside the house over HTTPS: within limits of time and size, never redirected, never led to ourselves.

`domain.reach` says which addresses may be reached at all.
"""

from __future__ import annotations

import hashlib
import http.client
import socket
import ssl
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from crownkeep import clock
from crownkeep.domain import reach as reachable
from crownkeep.domain.hanging_up import hang_up_after
from crownkeep.domain.reach import MayNotReach
from crownkeep.settings import Settings

SECONDS = 5.0
"""Within which an answer must be there: all that it takes together, from the first connection to the last byte."""
LARGEST = 256 * 1024
"""Bytes of the largest answer that is read."""
_HTTPS = 443


class OutOfReach(Exception):
    """A server can't be reached, may not be, or does not answer what was asked; the message says which, for the log."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What the operator lets us reach, and whom we believe there."""

    networks: tuple[str, ...]
    """Networks beyond the public internet, as in `10.0.0.0/8`."""
    certificates: str
    """A file of further certificate authorities, or nothing."""

    @classmethod
    def of(cls, settings: Settings) -> Reach:
        """Read it from the settings."""
        return cls(settings.identity_provider_networks, settings.identity_provider_certificates)


@dataclass(frozen=True, slots=True)
class Posted:
    """What was answered to a form."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class _Asked:
    method: str
    body: bytes | None
    headers: Mapping[str, str]


def fetch(url: str, reach: Reach, *, thumbprints: Sequence[str] = ()) -> bytes:
    """Get a document over HTTPS.

    The server's certificate must be trusted by the system, by the operator's authorities, or have one of `thumbprints` (SHA-1, in
    hexadecimal) at the end of its chain, as IAM's are. Raises OutOfReach.
    """
    parts, deadline = _parsed(url), _Deadline()
    try:
        try:
            return _get(parts, _connect(parts, reach, _trusting(reach), deadline), deadline)
        # Only if the usual trust fails does a thumbprint count, and then only the certificate it belongs to is trusted.
        except ssl.SSLCertVerificationError:
            if not thumbprints:
                raise
            anchor = _anchor(parts, reach, thumbprints, deadline)
            return _get(parts, _connect(parts, reach, _trusting_only(anchor), deadline), deadline)
    except (OSError, http.client.HTTPException, ValueError) as error:
        # Only the kind of the error is told: its text could reveal what is listening inside the network.
        raise OutOfReach(f"`{parts.hostname}` does not answer as it should: {type(error).__name__}") from error


def post_form(url: str, body: bytes, headers: Mapping[str, str], reach: Reach) -> Posted:
    """Send a form over HTTPS and return what is answered, whatever its status; raises OutOfReach."""
    parts, deadline = _parsed(url), _Deadline()
    sent = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    try:
        return _talk(parts, _connect(parts, reach, _trusting(reach), deadline), deadline, _Asked("POST", body, sent))
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise OutOfReach(f"`{parts.hostname}` does not answer as it should: {type(error).__name__}") from error


def top_thumbprint(url: str, reach: Reach) -> str:
    """Return the SHA-1, in hexadecimal, of the last certificate in the chain that a server presents; raises OutOfReach."""
    parts = _parsed(url)
    try:
        # SHA-1 is what IAM's thumbprints are made with. Here it names a certificate and protects nothing by itself.
        return hashlib.sha1(_presented(parts, reach, _Deadline())[-1], usedforsecurity=False).hexdigest()
    except (OSError, IndexError, ValueError) as error:
        raise OutOfReach(f"`{parts.hostname}` presents no certificate: {type(error).__name__}") from error


class _Deadline:
    """The end of what one answer may take, whatever it takes: addresses, connections and bytes."""

    __slots__ = ("_ends_at",)

    def __init__(self) -> None:
        self._ends_at = clock.monotonic() + SECONDS

    def left(self) -> float:
        """Return how many seconds are left; raises TimeoutError where there are none."""
        # On the monotonic clock: a clock that is set back must not give anybody more time.
        left = self._ends_at - clock.monotonic()
        if left <= 0:
            raise TimeoutError("it takes too long")
        return left


def _parsed(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        # A name and password in the address would be sent along, and are refused with all else.
        is_usable = parts.scheme == "https" and parts.hostname and not parts.username and parts.port != 0
    except ValueError as error:
        raise OutOfReach("the address is malformed") from error
    if not is_usable:
        raise OutOfReach("the address is not one of an HTTPS server")
    return parts


def _connect(parts: SplitResult, reach: Reach, context: ssl.SSLContext, deadline: _Deadline) -> ssl.SSLSocket:
    host = str(parts.hostname)
    # The name is resolved once and the connection is made to that address, so a second answer of the DNS can't lead inside.
    address = _address(host, parts.port or _HTTPS, reach)
    plain = socket.create_connection(address, timeout=deadline.left())
    try:
        # The handshake as a whole ends within the socket's timeout.
        plain.settimeout(deadline.left())
        # The certificate is still checked against the name, not against the address.
        return context.wrap_socket(plain, server_hostname=host)
    except BaseException:
        plain.close()
        raise


def _address(host: str, port: int, reach: Reach) -> tuple[str, int]:
    try:
        return reachable.resolve(host, port, reach.networks), port
    except MayNotReach as error:
        raise OutOfReach(f"{error}; see `identity_provider_networks`") from error


def _trusting(reach: Reach) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if reach.certificates:
        context.load_verify_locations(cafile=reach.certificates)
    return context


def _trusting_only(certificate: bytes) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=certificate)
    # The thumbprint may be of an authority in the middle, or of the server itself.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _anchor(parts: SplitResult, reach: Reach, thumbprints: Sequence[str], deadline: _Deadline) -> bytes:
    top = _presented(parts, reach, deadline)[-1]
    digest = hashlib.sha1(top, usedforsecurity=False).hexdigest()
    # The thumbprint alone proves nothing yet. It says which certificate to trust when the connection is made once more.
    if digest not in {each.lower() for each in thumbprints}:
        raise ssl.SSLCertVerificationError("the certificate has none of the thumbprints")
    return top


def _presented(parts: SplitResult, reach: Reach, deadline: _Deadline) -> list[bytes]:
    """Return the certificates that a server presents, its own first, before any of them is believed."""
    # Nothing is sent on this connection and nothing that it says is believed; it only shows its certificates.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with _connect(parts, reach, context, deadline) as connection:
        if sys.version_info >= (3, 13):
            return connection.get_unverified_chain()
        # Public since Python 3.13 (https://docs.python.org/3/library/ssl.html); before that the chain is only behind the object.
        chain = connection._sslobj.get_unverified_chain()  # type: ignore[attr-defined]  # see above
        return [ssl.PEM_cert_to_DER_cert(each.public_bytes()) for each in chain]


def _get(parts: SplitResult, connection: ssl.SSLSocket, deadline: _Deadline) -> bytes:
    answer = _talk(parts, connection, deadline, _Asked("GET", None, {}))
    if answer.status != http.client.OK:
        raise OutOfReach(f"`{parts.hostname}` answers with status {answer.status}")
    return answer.body


def _talk(parts: SplitResult, connection: ssl.SSLSocket, deadline: _Deadline, asked: _Asked) -> Posted:
    host = str(parts.hostname)
    with connection, hang_up_after(connection, deadline.left()):
        # It is handed the connection that was made above, and so never resolves the name itself or follows a redirect.
        client = http.client.HTTPSConnection(host, parts.port or _HTTPS)
        client.sock = connection
        with closing(client):
            return _answer(parts, client, asked)


def _answer(parts: SplitResult, client: http.client.HTTPSConnection, asked: _Asked) -> Posted:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Accept": "application/json", "User-Agent": "crownkeep", **asked.headers}
    client.request(asked.method, target, body=asked.body, headers=headers)
    answer = client.getresponse()
    # The body of a refusal is nobody's: only who asked by a form may have to read why.
    if asked.method == "GET" and answer.status != http.client.OK:
        return Posted(answer.status, b"")
    # One byte more than allowed is enough to tell that there is too much.
    body = answer.read(LARGEST + 1)
    if len(body) > LARGEST:
        raise OutOfReach(f"`{parts.hostname}` answers with more than {LARGEST} bytes")
    return Posted(answer.status, body)
