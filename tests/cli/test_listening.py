"""The socket that a service manager hands over."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import click
import pytest
from tests.fixtures.process import COMMAND, Process

from crownkeep.cli import listening


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables that say one socket was handed to this process."""
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    monkeypatch.setenv("LISTEN_FDS", "1")


def at(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    # Descriptor 3 is pytest's own.
    monkeypatch.setattr(listening, "_FIRST", number)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_serves_on_the_socket_that_it_was_handed(tmp_path: Path, workers: int):
    server = Process(tmp_path, workers=workers)
    with socket.create_server(("127.0.0.1", server.port)) as held:
        server.passed = (held.fileno(),)
        script = f"exec 3<&{held.fileno()}; LISTEN_FDS=1 LISTEN_PID=$$ exec {COMMAND} serve"
        server.command = ["/bin/bash", "-c", script]
        server.start()
        account = server.account()
        code = server.stop()
        # The service manager goes on listening, so that nobody is refused until the next start.
        with socket.create_connection(("127.0.0.1", server.port), timeout=10):
            pass

    assert account["root_arn"].endswith(":root")
    assert code in (0, -signal.SIGTERM)


def test_a_socket_for_another_process_is_left_alone(monkeypatch):
    monkeypatch.setenv("LISTEN_PID", "1")
    monkeypatch.setenv("LISTEN_FDS", "1")

    assert listening.inherited() is None
    assert "LISTEN_FDS" not in os.environ


def test_several_sockets_are_refused(handed, monkeypatch):
    monkeypatch.setenv("LISTEN_FDS", "2")

    with pytest.raises(click.ClickException, match="hands over 2 sockets, and one is served"):
        listening.inherited()


def test_what_does_not_listen_for_tcp_is_refused(handed, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as wrong:
        at(monkeypatch, wrong.fileno())

        with pytest.raises(click.ClickException, match="does not listen for TCP"):
            listening.inherited()


def test_what_is_no_socket_is_refused(handed, monkeypatch, tmp_path):
    with (tmp_path / "file").open("w") as wrong:
        at(monkeypatch, wrong.fileno())

        with pytest.raises(click.ClickException, match="is no socket"):
            listening.inherited()
