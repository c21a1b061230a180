"""`make serve` and `crownkeep serve`: started twice, and stopped without dropping what is under way."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable

import pytest
from bench.requests import Signer
from tests.fixtures.process import ROOT, Process


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_a_stopping_server_finishes_the_requests_in_flight(serve: Callable[..., Process], stop: signal.Signals):
    server = serve()
    root = server.account()["root"]
    request = Signer(root["access_key_id"], root["secret_access_key"], server.port).sign("sts", "GetCallerIdentity")
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(request[:-10])
        # Time to read what there is: the request is in flight from its headers on.
        time.sleep(0.5)

        os.kill(server.pid, stop)
        time.sleep(0.5)
        connection.sendall(request[-10:])
        answer = _read(connection)

    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"<GetCallerIdentityResult>" in answer
    assert server.wait() in {0, -stop, 128 + stop}


def test_a_server_that_is_started_again_has_all_it_had(serve: Callable[..., Process]):
    server = serve()
    root = server.account()["root"]
    before = server.client("sts", root).get_caller_identity()["Arn"]

    server.stop()
    server.start()

    assert before == server.client("sts", root).get_caller_identity()["Arn"]


def test_the_second_make_serve_installs_nothing():
    # `-o`: whoever edits these two and runs the tests alone has not installed what they say.
    made = subprocess.run(
        ["make", "--no-print-directory", "-n", "-o", "pyproject.toml", "-o", "uv.lock", "serve"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))},
        capture_output=True,
        text=True,
        check=True,
    )

    assert ["exec .venv/bin/crownkeep serve"] == [line.strip() for line in made.stdout.splitlines()]


def _read(connection: socket.socket) -> bytes:
    received = b""
    while part := connection.recv(65_536):
        received += part
        if b"</GetCallerIdentityResponse>" in received:
            break
    return received
