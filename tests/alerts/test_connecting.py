"""A host of several addresses is reached by the first that answers, and takes no longer than it may, however many are dead."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from crownkeep import clock
from crownkeep.domain import hanging_up

DEAD = "127.0.0.2"


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A server on one address of a name, beside one where nobody listens."""
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in (DEAD, "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    yield server
    server.close()


def test_a_dead_address_of_a_host_keeps_nobody_from_the_next(listener: Any):
    connection = hanging_up.connect("several.example", 1, ends_at=clock.monotonic() + 5, seconds_each=1)

    assert "127.0.0.1" == connection.getpeername()[0]
    connection.close()


def test_denial_of_service_no_address_is_tried_once_the_time_is_over(listener: Any):
    with pytest.raises(TimeoutError):
        hanging_up.connect("several.example", 1, ends_at=clock.monotonic(), seconds_each=1)
