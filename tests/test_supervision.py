"""What a service manager is told."""

from __future__ import annotations

import asyncio
import socket

import pytest
from tests.fixtures import coroutines

from crownkeep import supervision


@pytest.fixture
def manager(tmp_path, monkeypatch):
    """A service manager that listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listening


def test_the_service_manager_is_told_that_the_server_listens_lives_and_ends(manager, monkeypatch, serve):
    monkeypatch.setenv("WATCHDOG_USEC", "6000000000")
    server = serve()
    server.stop()

    answer = [manager.recv(100) for _ in range(3)]

    assert {b"READY=1", b"WATCHDOG=1"} == set(answer[:2])
    assert b"STOPPING=1" == answer[2]


def test_nobody_is_told_where_nobody_asks(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)

    supervision.tell(supervision.READY)
    coroutines.run(asyncio.wait_for(supervision.keep_telling(), 10))


@pytest.mark.parametrize("place", ["/nowhere/at/all", "nonsense"])
def test_a_service_manager_that_is_not_there_keeps_nobody_waiting(monkeypatch, place):
    monkeypatch.setenv("NOTIFY_SOCKET", place)

    supervision.tell(supervision.READY)


@pytest.mark.parametrize(("given", "seconds"), [("30000000", 15.0), ("", None), ("0", None), ("-1", None), ("soon", None)])
def test_the_watchdog_is_answered_twice_within_its_time(monkeypatch, given, seconds):
    monkeypatch.setenv("WATCHDOG_USEC", given)

    assert seconds == supervision.watchdog_seconds()
