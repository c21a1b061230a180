"""Channels: a real SMTP server with and without TLS and authentication, and files that only the operator reads."""

from __future__ import annotations

import itertools
import socket
import stat
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from ssl import SSLContext
from typing import Any

import pytest
from tests.alerts.office import MailServer, parsed, text_of
from tests.alerts.test_messages import NOON, VALUES

from crownkeep import settings as configuration
from crownkeep.alerts import channels, messages, smtp
from crownkeep.alerts.undelivered import Undelivered
from crownkeep.settings import InvalidSettings, Settings

PASSWORD = "the relay's password"


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., Settings]:
    (tmp_path / "password").write_text(f"{PASSWORD}\n")

    def make(server: MailServer | None = None, **options: Any) -> Settings:
        values: dict[str, Any] = {"data": str(tmp_path), "mail_from": "no-reply@acme.example"}
        if server is not None:
            values |= {"smtp_host": "localhost", "smtp_port": server.port}
        if "smtp_username" in options:
            values["smtp_password_file"] = str(tmp_path / "password")
        return Settings(**values | options)

    return make


def message(settings: Settings) -> EmailMessage:
    return messages.compose("notice", "root@acme.example", VALUES, notice_id="0" * 32, written_at=NOON, settings=settings)


def send(settings: Settings) -> None:
    channels.chosen(settings).send(message(settings), notice_id="0" * 32, account_id="111122223333")


def test_mail_leaves_in_the_clear_only_where_that_is_asked_for(
    settings: Callable[..., Settings], mail_server: Callable[..., MailServer]
):
    server = mail_server()

    send(settings(server, smtp_security="none"))

    assert [("no-reply@acme.example", ["root@acme.example"], False)] == [
        (each.sender, each.recipients, each.was_encrypted) for each in server.arrived
    ]


@pytest.mark.usefixtures("trusted")
def test_mail_leaves_over_starttls_with_user_name_and_password(
    settings: Callable[..., Settings], mail_server: Callable[..., MailServer], tls: SSLContext
):
    server = mail_server(tls=tls, username="keep", password=PASSWORD)

    send(settings(server, smtp_username="keep"))

    assert [(True, "keep")] == [(each.was_encrypted, each.user) for each in server.arrived]


@pytest.mark.usefixtures("trusted")
def test_mail_leaves_over_tls_from_the_first_byte(
    settings: Callable[..., Settings], mail_server: Callable[..., MailServer], tls: SSLContext
):
    server = mail_server(tls=tls, implicit=True, username="keep", password=PASSWORD)

    send(settings(server, smtp_security="tls", smtp_username="keep"))

    assert [(True, "keep")] == [(each.was_encrypted, each.user) for each in server.arrived]


def test_starttls_stripped_from_the_offer_sends_neither_mail_nor_password(
    settings: Callable[..., Settings], mail_server: Callable[..., MailServer]
):
    server = mail_server(username="keep", password=PASSWORD)

    with pytest.raises(Undelivered):
        send(settings(server, smtp_username="keep"))

    assert ([], []) == (server.arrived, server.tried)


@pytest.mark.parametrize(("security", "implicit"), [("starttls", False), ("tls", True)])
def test_a_server_whose_certificate_nobody_trusts_gets_neither_mail_nor_password(
    settings: Callable[..., Settings],
    mail_server: Callable[..., MailServer],
    tls: SSLContext,
    security: str,
    implicit: bool,
):
    server = mail_server(tls=tls, implicit=implicit, username="keep", password=PASSWORD)

    with pytest.raises(Undelivered, match="no trusted TLS connection"):
        send(settings(server, smtp_security=security, smtp_username="keep"))

    assert ([], []) == (server.arrived, server.tried)


@pytest.mark.usefixtures("trusted")
def test_a_wrong_password_is_a_fault_that_does_not_repeat_it(
    settings: Callable[..., Settings], mail_server: Callable[..., MailServer], tls: SSLContext
):
    server = mail_server(tls=tls, username="keep", password="another")

    with pytest.raises(Undelivered, match=r"refuses user name and password \(535\)") as fault:
        send(settings(server, smtp_username="keep"))

    assert PASSWORD not in str(fault.value)


def test_a_refusal_tells_the_code_and_not_the_servers_text(
    settings: Callable[..., Settings], mail_server: Callable[..., MailServer]
):
    server = mail_server(answer="554 \x1b[2Jno")

    with pytest.raises(Undelivered) as fault:
        send(settings(server, smtp_security="none"))

    assert "the server refuses the message (554)" == str(fault.value)


def test_a_server_that_is_not_there_is_a_fault(settings: Callable[..., Settings], mail_server: Callable[..., MailServer]):
    server = mail_server()
    server.stop()
    try:
        with pytest.raises(Undelivered, match="can't be reached"):
            send(settings(server, smtp_security="none"))
    finally:
        server.__post_init__()


def test_a_server_that_says_nothing_is_not_waited_for_for_ever(
    settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(smtp, "SECONDS_OF_REPLY", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Undelivered, match="the server ended the connection"):
        send(settings(smtp_host="127.0.0.1", smtp_port=silent.getsockname()[1], smtp_security="none"))


def test_without_a_server_mail_becomes_a_file_that_only_its_owner_reads(settings: Callable[..., Settings], tmp_path: Path):
    send(settings())

    (file,) = (tmp_path / "outbox").iterdir()
    assert (0o600, 0o700) == (stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(file.parent.stat().st_mode))
    written, wanted = parsed(file.read_bytes()), message(settings())
    assert (text_of(wanted), wanted["Subject"], wanted["To"]) == (text_of(written), written["Subject"], written["To"])


def test_a_flood_in_one_account_pushes_out_nobody_elses_mail(
    settings: Callable[..., Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name, number in {"MOST_FILES": 4, "MOST_OF_ACCOUNT": 3, "LOOKS_EVERY": 1}.items():
        monkeypatch.setattr(channels, name, number)
    channel = channels.chosen(settings())

    def send_to(accounts: str) -> list[str]:
        for account in accounts:
            number = next(numbers)
            channel.send(message(settings()), notice_id=f"{number:032}", account_id=account * 12)
        return [f"{file.stem[-1]}{int(channels.id_of(file))}" for file in channels.written(tmp_path / "outbox")]

    numbers = itertools.count()
    assert ["10", "23", "24", "25"] == send_to("122222")
    assert ["10", "25", "36", "37"] == send_to("33")
    assert ["10", "25", "38", "39"] == send_to("33")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"smtp_username": "keep"}, "go together"),
        ({"smtp_password_file": "/x"}, "go together"),
        ({"smtp_username": "keep", "smtp_password_file": "/x", "smtp_security": "none"}, "sends a password"),
        ({"smtp_security": "ssl"}, "give one of starttls, tls, none"),
        ({"smtp_port": 0}, "smtp_port"),
    ],
)
def test_settings_that_can_not_work_are_refused(options: dict[str, Any], said: str, tmp_path: Path):
    with pytest.raises(InvalidSettings, match=said):
        configuration.load({"data": str(tmp_path), **options}, environment={})


def test_a_server_without_a_sender_is_refused(settings: Callable[..., Settings]):
    with pytest.raises(InvalidSettings, match="mail_from"):
        channels.chosen(settings(smtp_host="mail.acme.example", mail_from=""))


def test_a_password_file_that_is_not_there_is_refused_at_once(settings: Callable[..., Settings], tmp_path: Path):
    made = settings(smtp_host="mail.acme.example", smtp_username="keep")
    (tmp_path / "password").unlink()

    with pytest.raises(InvalidSettings, match="smtp_password_file"):
        channels.chosen(made)
