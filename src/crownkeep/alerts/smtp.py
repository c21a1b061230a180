"""Connections to the operator's mail relay (RFC 5321): secured before anything is said, and bounded in time and in what is read.

`smtplib` reads replies of any number of lines, each within a timeout of its own, and takes a mail that was accepted for one that
wasn't where the farewell goes wrong.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum

from crownkeep import clock
from crownkeep.domain.hanging_up import connect, hang_up_after

SECONDS = 60.0
"""Within which a message must have been taken, from the connection on to the last reply."""
SECONDS_OF_REPLY = 20.0
SECONDS_OF_FAREWELL = 2.0
LARGEST_REPLIES = 64 * 1024
"""Bytes of all that a relay says on one connection."""
_READY = 220


class RelaySecurity(Enum):
    """How the way to the relay is secured; the values are those of the setting `smtp_security`."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


@contextmanager
def connected(host: str, port: int, security: RelaySecurity, *, name: str) -> Iterator[smtplib.SMTP]:
    """Connect to a relay and introduce us by a name; raises OSError, which what `smtplib` raises is, and ValueError."""
    ends_at = clock.monotonic() + SECONDS
    connection = connect(host, port, ends_at=ends_at, seconds_each=SECONDS_OF_REPLY)
    connection.settimeout(SECONDS_OF_REPLY)
    client = _Relay(name)
    try:
        with hang_up_after(connection, max(0.0, ends_at - clock.monotonic())):
            if security is RelaySecurity.TLS:
                connection = ssl.create_default_context().wrap_socket(connection, server_hostname=host)
            client.greet(connection)
            if security is RelaySecurity.STARTTLS:
                client.secure(host)
            yield client
        client.take_leave()
    finally:
        client.close()
        connection.close()


class _Relay(smtplib.SMTP):
    def __init__(self, name: str) -> None:
        super().__init__(local_hostname=name, timeout=SECONDS_OF_REPLY)
        self._may_say = LARGEST_REPLIES

    def greet(self, connection: socket.socket) -> None:
        """Take a connection that was made; raises SMTPConnectError unless the relay is ready."""
        self._use(connection)
        code, said = self.getreply()
        if code != _READY:
            raise smtplib.SMTPConnectError(code, said)

    def secure(self, host: str) -> None:
        """Go over to TLS; raises SMTPNotSupportedError where it isn't offered."""
        self.ehlo_or_helo_if_needed()
        # Whoever strips the offer from the connection gets no mail in the clear.
        if not self.has_extn("starttls"):
            raise smtplib.SMTPNotSupportedError("STARTTLS extension not supported by server.")
        code, said = self.docmd("STARTTLS")
        if code != _READY or self.sock is None:
            raise smtplib.SMTPResponseException(code, said)
        self._use(ssl.create_default_context().wrap_socket(self.sock, server_hostname=host))
        # Nothing that was said in the clear counts any more, also what came behind the last reply (RFC 3207, 4.2).
        self.helo_resp = self.ehlo_resp = None
        self.esmtp_features, self.does_esmtp = {}, False

    def take_leave(self) -> None:
        """Say QUIT; whatever comes of it, what was accepted is on its way, and would leave again if this counted."""
        # In seconds of its own, outside of those of the message: a relay may take its time with this as well.
        if self.sock is not None:
            with suppress(OSError, ValueError), hang_up_after(self.sock, SECONDS_OF_FAREWELL):
                self.docmd("QUIT")

    def _use(self, connection: socket.socket) -> None:
        self.sock = connection
        self.file = _Replies(connection, self)

    def heard(self, count: int) -> None:
        """Count what the relay says; raises OSError beyond what is listened to."""
        self._may_say -= count
        if self._may_say < 0:
            raise OSError("the relay says too much")


class _Replies:
    """The lines that come from a relay."""

    def __init__(self, connection: socket.socket, relay: _Relay) -> None:
        self._file = connection.makefile("rb")
        self._relay = relay

    def readline(self, size: int) -> bytes:
        """Return the next line of a reply, of so many bytes at most, and count what it adds to all that was said."""
        line = self._file.readline(size)
        self._relay.heard(len(line))
        return line

    def close(self) -> None:
        """Let go of the connection."""
        self._file.close()
