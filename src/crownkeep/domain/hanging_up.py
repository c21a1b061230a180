"""Connections to servers elsewhere end in time, whatever those send, and however slowly.

A socket's own timeout begins anew with every byte. So a timer ends the connection itself, and by a descriptor of its own: a
socket that is wrapped in TLS gives its descriptor away, and to end that one would then end nothing.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Timer
from urllib.parse import SplitResult

from crownkeep import clock


@contextmanager
def hang_up_after(connection: socket.socket, seconds: float) -> Iterator[None]:
    """End a connection after so many seconds: whoever reads from it then, or writes to it, gets an OSError or its end.

    Raises TimeoutError at the end of the block where that was done: what came may look whole, and isn't.
    """
    held = socket.socket(fileno=os.dup(connection.fileno()))
    has_ended = Event()
    timer = Timer(seconds, _hang_up, (held, has_ended))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        # It may be at it: the descriptor must not be somebody else's by then.
        timer.join()
        held.close()
    if has_ended.is_set():
        raise TimeoutError("it takes too long")


def connect(host: str, port: int, *, ends_at: float, seconds_each: float) -> socket.socket:
    """Connect to the first address of a host that answers, each in so many seconds and all by `ends_at` of the monotonic clock.

    Raises OSError. What finding a name's addresses takes is up to the system's resolver.
    """
    fault = OSError("the host has no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        left = ends_at - clock.monotonic()
        if left <= 0:
            raise TimeoutError("it takes too long") from fault
        connection = socket.socket(family, kind, protocol)
        connection.settimeout(min(left, seconds_each))
        try:
            connection.connect(address)
        except OSError as error:
            connection.close()
            fault = error
        else:
            return connection
    raise fault


@contextmanager
def http_connection(parts: SplitResult, seconds: float) -> Iterator[http.client.HTTPConnection]:
    """Connect to an HTTP server that the operator has named, for so many seconds at most; raises OSError.

    Whatever goes on in the block may raise OSError, `http.client.HTTPException` and ValueError for what the server does.
    """
    host = str(parts.hostname)
    context = ssl.create_default_context() if parts.scheme == "https" else None
    client = (
        http.client.HTTPConnection(host, parts.port)
        if context is None
        else http.client.HTTPSConnection(host, parts.port, context=context)
    )
    ends_at = clock.monotonic() + seconds
    # Half of it for one address at most, so that there is some left for another.
    connection = connect(host, client.port, ends_at=ends_at, seconds_each=seconds / 2)
    try:
        with hang_up_after(connection, max(0.0, ends_at - clock.monotonic())):
            connection.settimeout(seconds)
            client.sock = connection if context is None else context.wrap_socket(connection, server_hostname=host)
            yield client
    finally:
        client.close()
        connection.close()


def _hang_up(held: socket.socket, has_ended: Event) -> None:
    has_ended.set()
    with suppress(OSError):
        # Shut down and not closed: the thread that reads is woken.
        held.shutdown(socket.SHUT_RDWR)
