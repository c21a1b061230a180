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


@contextmanager
def http_connection(parts: SplitResult, seconds: float) -> Iterator[http.client.HTTPConnection]:
    """Connect to an HTTP server that the operator has named, for so many seconds at most; raises OSError.

    Whatever goes on in the block may raise OSError, `http.client.HTTPException` and ValueError for what the server does.
    """
    host, is_tls = str(parts.hostname), parts.scheme == "https"
    client_type = http.client.HTTPSConnection if is_tls else http.client.HTTPConnection
    client = client_type(host, parts.port)
    ends_at = clock.monotonic() + seconds
    connection = socket.create_connection((host, client.port), timeout=seconds)
    try:
        with hang_up_after(connection, max(0.0, ends_at - clock.monotonic())):
            context = ssl.create_default_context() if is_tls else None
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
