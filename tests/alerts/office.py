"""The parts of the post office: an SMTP server that keeps what it is given, and mailboxes of a running Crownkeep."""

from __future__ import annotations

import email
import re
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from tests.fixtures.crown import Crown
from tests.fixtures.process import Process

_PATIENCE_SECONDS = 15


@dataclass
class Arrived:
    """One message as the server was given it."""

    sender: str
    recipients: list[str]
    message: EmailMessage
    was_encrypted: bool
    user: str | None


@dataclass
class MailServer:
    """An SMTP server on this machine, known as `localhost`; `answer` is what it says to each message."""

    tls: ssl.SSLContext | None = None
    implicit: bool = False
    username: str = ""
    password: str = ""
    answer: str = "250 OK"
    arrived: list[Arrived] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        options: dict[str, Any] = {
            "authenticator": self._authenticate,
            "auth_required": bool(self.username),
            "auth_exclude_mechanism": ["LOGIN"],
        }
        if not self.implicit and self.tls is not None:
            options |= {"tls_context": self.tls, "require_starttls": True}
        if self.implicit:
            options |= {"ssl_context": self.tls, "auth_require_tls": False}
        if self.tls is None:
            options["auth_require_tls"] = False
        self._controller = Controller(self, hostname="127.0.0.1", port=_free_port(), **options)
        self._controller.start()

    @property
    def port(self) -> int:
        return int(self._controller.port)

    def stop(self) -> None:
        self._controller.stop()

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.answer.startswith("250"):
            message = email.message_from_bytes(envelope.content, policy=policy.default)
            user = session.auth_data.login.decode() if session.auth_data else None
            encrypted = session.ssl is not None or self.implicit
            self.arrived.append(Arrived(envelope.mail_from, list(envelope.rcpt_tos), message, encrypted, user))
        return self.answer

    def _authenticate(self, server: SMTP, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.tried.append(data.password.decode())
        is_right = (data.login.decode(), data.password.decode()) == (self.username, self.password)
        return AuthResult(success=is_right, handled=False, auth_data=data)


class Mailbox:
    """The files that a running server without SMTP writes, to one address."""

    def __init__(self, server: Crown | Process, address: str) -> None:
        data = server.data if isinstance(server, Process) else server.settings.data_directory
        self._folder = Path(data) / "outbox"
        self._server = server
        self._address = address
        self._seen: set[str] = set()

    def wait(self, subject: str) -> EmailMessage:
        """Return the next message with this in its subject, when it has come; each is answered once."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            for name, message in self._messages():
                if name not in self._seen and subject in str(message["Subject"]):
                    self._seen.add(name)
                    return message
            found = [str(message["Subject"]) for _, message in self._messages()]
            assert time.monotonic() < deadline, f"no mail to {self._address} with `{subject}`, only {found}"
            time.sleep(0.05)

    def subjects(self) -> list[str]:
        """Return the subjects of what has come so far, once all that was due has been sent."""
        settle(self._server)
        return [str(message["Subject"]) for _, message in self._messages()]

    def _messages(self) -> list[tuple[str, EmailMessage]]:
        found = []
        for file in sorted(self._folder.glob("*.eml")):
            # Only the newest files are kept, so that one may go while others are read.
            with suppress(FileNotFoundError):
                message = _kept(file)
                if message["To"] == self._address:
                    found.append((file.name, message))
        return found


@cache
def _kept(file: Path) -> EmailMessage:
    """Read a message that was kept as a file, once: none is ever written again, and a server of many tests has a thousand."""
    return parsed(file.read_bytes())


def settle(server: Crown | Process) -> None:
    """Wait until a server has nothing left to send."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while _waiting(server):
        assert time.monotonic() < deadline, "the outbox does not get empty"
        time.sleep(0.05)


def parsed(raw: bytes) -> EmailMessage:
    """Read a message."""
    return email.message_from_bytes(raw, policy=policy.default)


def text_of(message: EmailMessage) -> str:
    """Return a message's plain text."""
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def link_in(message: EmailMessage) -> str:
    """Return the path of the one-time link in a message."""
    found = re.search(r"https?://[^/\s]+(/(?:signin|start)/\S+)", text_of(message))
    assert found, text_of(message)
    return found[1]


def _waiting(server: Crown | Process) -> bool:
    from crownkeep import clock
    from crownkeep.storage.database import Database
    from crownkeep.storage.notices import outbox

    if isinstance(server, Process):
        url = f"sqlite:///{server.data}/crownkeep.db"
    else:
        url = server.settings.database_url
    database = Database(url)
    with database.snapshot() as db:
        found = outbox.page(db, after="", limit=1000)
    database.close()
    # Tests that travelled in time leave notices that are due when they were written.
    return any(row.due_at <= clock.now() for row in found)


def _free_port() -> int:
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
