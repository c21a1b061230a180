"""Channels of mail: by SMTP where a server is set, else as files that the operator can read."""

from __future__ import annotations

import os
import smtplib
import ssl
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol

from crownkeep.alerts import messages, smtp
from crownkeep.alerts.undelivered import Undelivered
from crownkeep.settings import InvalidSettings, Settings

FOLDER = "outbox"
"""The folder of the data directory that messages are written to where no SMTP server is set."""

MOST_FILES = 5_000
MOST_OF_ACCOUNT = 1_000
"""How many messages the folder keeps, in all and of one account; the oldest give way, and no account pushes out another's."""
LOOKS_EVERY = 50
"""After how many messages a process makes room."""

_LONGEST_FAULT = 300


class Channel(Protocol):
    """A way out; `send` may take its time and is called on a thread."""

    def send(self, message: EmailMessage, *, notice_id: str, account_id: str) -> None:
        """Send a message; raises Undelivered."""


def chosen(settings: Settings) -> Channel:
    """Return the channel that the settings choose; raises InvalidSettings for what can't work."""
    messages.sender(settings)
    if not settings.smtp_host:
        return Files(settings.data_directory / FOLDER)
    if not settings.mail_from:
        raise InvalidSettings("setting `mail_from` is missing; with `smtp_host`, give the address that mail comes from")
    if settings.smtp_username:
        _password(settings)
    return Smtp(settings)


class Smtp:
    """Mail by an SMTP server (RFC 5321), one connection for each message."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def send(self, message: EmailMessage, *, notice_id: str, account_id: str) -> None:
        """Hand a message to the server, over TLS unless the settings say that the way to it is safe; raises Undelivered."""
        with self._logged_in() as client:
            client.send_message(message)

    def try_out(self) -> None:
        """Greet the server as for a message, and send none; raises Undelivered."""
        with self._logged_in() as client:
            client.noop()

    @contextmanager
    def _logged_in(self) -> Iterator[smtplib.SMTP]:
        settings = self._settings
        name, security = messages.sender(settings).domain, smtp.RelaySecurity(settings.smtp_security)
        try:
            with smtp.connected(settings.smtp_host, settings.smtp_port, security, name=name) as client:
                if settings.smtp_username:
                    client.login(settings.smtp_username, _password(settings))
                yield client
        except InvalidSettings as error:
            raise Undelivered(str(error)) from error
        except (OSError, ValueError) as error:
            # What smtplib raises is the one; what it can't read of a server's answers, or say of ours, the other.
            raise Undelivered(_explained(error)) from error


class Files:
    """Mail as files `ID.ACCOUNT.eml` in a folder that only the operator may enter; they hold one-time links."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._since_room = LOOKS_EVERY

    def send(self, message: EmailMessage, *, notice_id: str, account_id: str) -> None:
        """Write a message, whole and durable before it is there at all, and only its owner may read it; raises Undelivered."""
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            # mkstemp makes it with mode 0600.
            descriptor, name = tempfile.mkstemp(dir=self._folder, prefix=f".{notice_id}.")
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(message.as_bytes())
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).replace(self._folder / f"{notice_id}.{account_id}.eml")
            self._make_room()
        except OSError as error:
            raise Undelivered(f"`{self._folder}` can't be written to: {error.strerror}") from error

    def _make_room(self) -> None:
        self._since_room += 1
        if self._since_room < LOOKS_EVERY:
            return
        self._since_room = 0
        for file in _crowded_out(written(self._folder)):
            file.unlink(missing_ok=True)


def written(folder: Path) -> list[Path]:
    """Return the messages in a folder, the oldest first: notices' ids are ordered by time."""
    return sorted(folder.glob("*.eml"))


def id_of(file: Path) -> str:
    """Return the id of the notice that a file holds."""
    return file.name.partition(".")[0]


def _crowded_out(files: list[Path]) -> list[Path]:
    """Return what has to go: beyond each account's share, and in all of those that have most."""
    newer: Counter[str] = Counter()
    ranked: list[tuple[int, Path]] = []
    for file in reversed(files):
        # What former versions wrote names no account.
        account_id = file.stem.partition(".")[2]
        ranked.append((newer[account_id], file))
        newer[account_id] += 1
    ranked.sort(key=lambda pair: pair[0])
    return [file for place, (rank, file) in enumerate(ranked) if place >= MOST_FILES or rank >= MOST_OF_ACCOUNT]


def _password(settings: Settings) -> str:
    try:
        return Path(settings.smtp_password_file).expanduser().read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSettings(
            "the file that setting `smtp_password_file` names can't be read; write the password of `smtp_username` into it"
        ) from error


def _explained(error: OSError | ValueError) -> str:
    """Say what went wrong: of what a server answers only the code, for its text may repeat what we sent."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            codes = sorted({str(code) for code, _ in error.recipients.values()})
            return f"the server refuses the recipient ({', '.join(codes)})"
        case smtplib.SMTPAuthenticationError():
            return f"the server refuses user name and password ({error.smtp_code})"
        case smtplib.SMTPResponseException():
            return f"the server refuses the message ({error.smtp_code})"
        case smtplib.SMTPServerDisconnected():
            return "the server ended the connection"
        case smtplib.SMTPException():
            return str(error)[:_LONGEST_FAULT]
        case ssl.SSLError():
            return f"no trusted TLS connection to the server: {error.reason}"
        case OSError():
            return f"the server can't be reached: {error.strerror or type(error).__name__}"
        case _:
            return f"the server does not speak as it should: {type(error).__name__}"
