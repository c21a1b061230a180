"""SIGHUP: a server takes up its new certificate and how much it logs, and stays as it was where something is wrong."""

from __future__ import annotations

import logging
import os
import signal
import ssl
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from tests.fixtures.patience import until
from tests.fixtures.process import Process
from tests.services.iam import making_certificates

from crownkeep import settings
from crownkeep.cli import reloading


@pytest.fixture(autouse=True)
def unchanged_logging() -> Iterator[None]:
    """Leave this process's loggers as they were."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = handlers, level


def write(directory: Path, name: str) -> None:
    """Write a certificate and its key where the settings say that they are."""
    made = making_certificates.certificate(name, by=None)
    (directory / "cert.pem").write_text(made.certificate)
    (directory / "key.pem").write_text(made.private_key)


def shown(context: ssl.SSLContext) -> str:
    """Return whose certificate a client gets in a new handshake."""
    answer, heard = ssl.MemoryBIO(), ssl.MemoryBIO()
    client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_context.check_hostname, client_context.verify_mode = False, ssl.CERT_NONE
    client = client_context.wrap_bio(heard, answer)
    server = context.wrap_bio(answer, heard, server_side=True)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    der = client.getpeercert(binary_form=True)
    assert der is not None
    from cryptography import x509

    return x509.load_der_x509_certificate(der).subject.rfc4514_string()


@pytest.fixture
def over_tls(tmp_path: Path) -> Callable[[], tuple[str, uvicorn.Config]]:
    """A server's configuration; called, it takes settings up and returns whose certificate is shown."""
    write(tmp_path, "old.example")
    flags = {"data": str(tmp_path)}
    text = f'tls_certificate = "{tmp_path}/cert.pem"\ntls_key = "{tmp_path}/key.pem"\n'
    (tmp_path / "crownkeep.toml").write_text(text)
    started = settings.load(flags, environment={})
    config = uvicorn.Config(lambda: None, ssl_certfile=started.tls_certificate, ssl_keyfile=started.tls_key, log_config=None)
    config.load()

    def again() -> tuple[str, uvicorn.Config]:
        reloading.take_up(config, started, flags)
        assert config.ssl is not None
        return shown(config.ssl), config

    return again


def test_a_new_certificate_is_shown_in_the_next_handshake(over_tls, tmp_path):
    before, _ = over_tls()
    write(tmp_path, "new.example")

    after, _ = over_tls()

    assert ("CN=old.example", "CN=new.example") == (before, after)


def test_a_key_of_another_certificate_changes_nothing(over_tls, tmp_path):
    (tmp_path / "key.pem").write_text(making_certificates.certificate("other.example", by=None).private_key)

    after, _ = over_tls()

    assert "CN=old.example" == after


def test_a_setting_that_is_wrong_changes_nothing(over_tls, tmp_path):
    write(tmp_path, "new.example")
    with (tmp_path / "crownkeep.toml").open("a") as file:
        file.write('log_level = "loud"\n')

    after, _ = over_tls()

    assert "CN=old.example" == after


@pytest.mark.parametrize("workers", [1, 2])
def test_a_hangup_takes_settings_up_and_a_wrong_one_ends_nothing(serve: Callable[..., Process], workers: int):
    server = serve(workers=workers)
    file = server.data / "crownkeep.toml"

    def hang_up(text: str, says: str) -> None:
        file.write_text(text)
        file.chmod(0o600)
        os.kill(server.pid, signal.SIGHUP)
        until(lambda: says in server.log.read_text())

    hang_up('log_level = "loud"\n', "settings are not taken up")
    hang_up('log_level = "debug"\nsession_idle_minutes = 5\n', "these wait for a restart: session_idle_minutes")

    until(lambda: _answers(server))


def _answers(server: Process) -> bool:
    with urllib.request.urlopen(f"{server.url}/ready", timeout=60) as answer:
        return bool(answer.status == 200)
