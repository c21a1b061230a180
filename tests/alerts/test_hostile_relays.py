"""Whatever a mail relay says, a mail leaves once, or it is told why not: within its time, and without the relay's words."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.alerts.test_messages import NOON, VALUES
from tests.credentials.hostile import edited

from crownkeep.alerts import channels, messages, smtp
from crownkeep.alerts.undelivered import Undelivered
from crownkeep.settings import Settings

PASSWORD = "the relay's password"
GREETING = b"220 relay.example ESMTP\r\n"
OFFER = b"250-relay.example\r\n250-SIZE 1000\r\n250-AUTH CRAM-MD5 PLAIN LOGIN\r\n250 8BITMIME\r\n"
REPLIES = st.one_of(
    st.sampled_from(
        [
            b"250 ok\r\n",
            b"354 go on\r\n",
            b"235 welcome\r\n",
            b"334 !!!!\r\n",
            b"334 " + b"\xff" * 40 + b"\r\n",
            b"250-SIZE " + b"9" * 900 + b"\r\n250 STARTTLS\r\n",
            b"250-AUTH " + b"CRAM-MD5 " * 500 + b"\r\n250 x\r\n",
            b"250-" + b"x" * 9_000 + b"\r\n250 x\r\n",
            b"220 go over\r\n",
            b"",
            b"\r\n",
            b"-1 \r\n",
            b"\xd9\xa2\xd9\xa5\xd9\xa0 digits\r\n",
            b"250\r\n250 x\r\n" * 3,
            b"421 \x1b[2J\r\n",
        ]
    ),
    edited(OFFER),
    edited(b"334 UGFzc3dvcmQ6\r\n"),
)


class HostileRelay:
    """A server that greets, and answers each line that it reads with the next of its replies, and with the last ones again."""

    def __init__(self) -> None:
        self.greeting = GREETING
        self.replies: Sequence[bytes] = ()
        self.farewell = b"221 bye\r\n"
        self.farewells = 1
        self.drips = b""
        self.taken = 0
        self.heard = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stopped = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def stop(self) -> None:
        self._stopped.set()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                connection.settimeout(2)
                self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        connection.sendall(self.greeting)
        for _ in range(500 if self.drips else 0):
            self._stopped.wait(0.02)
            connection.sendall(self.drips)
        replies, is_message = iter(self.replies), False
        with connection.makefile("rb") as lines:
            for line in lines:
                self.heard += line
                if is_message and line != b".\r\n":
                    continue
                # Commands have no case (RFC 5321, 2.4), and smtplib writes this one small.
                is_message = line.upper() == b"DATA\r\n"
                if line == b".\r\n":
                    self.taken += 1
                if line == b"QUIT\r\n":
                    for _ in range(self.farewells):
                        connection.sendall(self.farewell)
                        self._stopped.wait(0.02)
                    return
                connection.sendall(next(replies, b"500 no\r\n"))


@pytest.fixture
def relay() -> Iterator[HostileRelay]:
    server = HostileRelay()
    yield server
    server.stop()


def sending(relay: HostileRelay, folder: Path) -> Callable[..., None]:
    """Return what sends a mail by the relay: `send(smtp_username="keep")`."""
    (folder / "password").write_text(f"{PASSWORD}\n")

    def send(**options: str) -> None:
        given: dict[str, Any] = {"smtp_security": "none", "smtp_password_file": str(folder / "password"), **options}
        settings = Settings(
            data=str(folder), mail_from="no-reply@acme.example", smtp_host="127.0.0.1", smtp_port=relay.port, **given
        )
        message = messages.compose("notice", "root@acme.example", VALUES, notice_id="0" * 32, written_at=NOON, settings=settings)
        channels.chosen(settings).send(message, notice_id="0" * 32, account_id="111122223333")

    return send


@pytest.fixture
def send(relay: HostileRelay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Send a mail by the relay, which has a second for it."""
    monkeypatch.setattr(smtp, "SECONDS", 1.0)
    return sending(relay, tmp_path)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HostileRelay, Callable[..., None]]]:
    """One relay for all answers, and what sends a mail by it."""
    server = HostileRelay()
    with pytest.MonkeyPatch.context() as patched:
        # Answers without an end are waited for so long, each time.
        patched.setattr(smtp, "SECONDS", 0.05)
        yield server, sending(server, tmp_path_factory.mktemp("relay"))
    server.stop()


@pytest.mark.parametrize("farewell", [b"250 ok\r\n", b"500 what\r\n", b"nonsense\r\n", b""])
def test_a_mail_that_was_accepted_leaves_once_whatever_the_relay_says_to_the_farewell(
    relay: HostileRelay, send: Callable[..., None], farewell: bytes
):
    relay.replies, relay.farewell = (OFFER, b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n", b"250 taken\r\n"), farewell

    send()

    assert 1 == relay.taken


def test_a_mail_that_was_accepted_leaves_once_though_the_farewell_has_no_end(
    relay: HostileRelay, send: Callable[..., None], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(smtp, "SECONDS", 0.3)
    monkeypatch.setattr(smtp, "SECONDS_OF_FAREWELL", 0.5)
    relay.replies = (OFFER, b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n", b"250 taken\r\n")
    relay.farewell, relay.farewells = b"221-bye\r\n", 500
    began = time.monotonic()

    send()

    assert 1 == relay.taken
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("challenge", [b"334 !!!\r\n", b"334 A\r\n", b"334 \xff\xfe\r\n"])
def test_a_challenge_that_is_none_is_a_failed_delivery(relay: HostileRelay, send: Callable[..., None], challenge: bytes):
    relay.replies = (OFFER, *[challenge] * 9)

    with pytest.raises(Undelivered):
        send(smtp_username="keep")


def test_a_password_that_no_mechanism_can_carry_is_told_and_not_repeated(
    relay: HostileRelay, send: Callable[..., None], tmp_path: Path
):
    (tmp_path / "password").write_text("pässword\n")
    relay.replies = (OFFER.replace(b"CRAM-MD5 ", b""),)

    with pytest.raises(Undelivered, match="does not speak as it should: UnicodeEncodeError"):
        send(smtp_username="keep")


@pytest.mark.parametrize(("greeting", "drips"), [(b"220-hello\r\n", b"220-hello\r\n"), (b"", b"2")])
def test_a_relay_that_never_comes_to_an_end_is_hung_up_on(
    relay: HostileRelay, send: Callable[..., None], monkeypatch: pytest.MonkeyPatch, greeting: bytes, drips: bytes
):
    monkeypatch.setattr(smtp, "SECONDS", 0.3)
    relay.greeting, relay.drips = greeting, drips
    began = time.monotonic()

    with pytest.raises(Undelivered):
        send()

    assert time.monotonic() - began < 5


def test_a_relay_that_says_too_much_is_not_listened_to(relay: HostileRelay, send: Callable[..., None]):
    relay.replies = (b"250-x\r\n" * (smtp.LARGEST_REPLIES // 7 + 1),)

    with pytest.raises(Undelivered):
        send()


def test_what_a_relay_says_in_the_clear_behind_its_last_reply_is_forgotten(relay: HostileRelay, send: Callable[..., None]):
    """Else whoever is in between could answer for the server behind the TLS that follows (CVE-2021-38371 and its kin)."""
    relay.replies = (OFFER.replace(b"8BITMIME", b"STARTTLS"), b"220 go over\r\n250 AUTH PLAIN\r\n235 welcome\r\n")

    with pytest.raises(Undelivered):
        send(smtp_security="starttls", smtp_username="keep")

    assert b"AUTH" not in relay.heard
    assert 0 == relay.taken


@given(greeting=st.one_of(st.just(GREETING), REPLIES), replies=st.lists(REPLIES, max_size=6), farewell=REPLIES)
def test_a_hostile_relay_takes_a_mail_or_fails_to_in_our_own_words(
    hostile: tuple[HostileRelay, Callable[..., None]], greeting: bytes, replies: list[bytes], farewell: bytes
):
    relay, send = hostile
    relay.greeting, relay.replies, relay.farewell, relay.taken = greeting, replies, farewell, 0
    fault = ""

    try:
        send(smtp_username="keep")
    except Undelivered as error:
        fault = str(error)

    assert bool(relay.taken) or bool(fault)
    assert fault.isprintable()
    assert PASSWORD not in fault
