"""Whatever a receiver or a witness sends back, delivery ends within its time, and in its own error."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.credentials.hostile import edited

from crownkeep.alerts import outbound, webhooks
from crownkeep.alerts.undelivered import Undelivered
from crownkeep.trail import witnesses
from crownkeep.trail.witnesses import Unwitnessed

INSIDE = ("127.0.0.0/8",)
STATUS_LINES = st.one_of(
    st.sampled_from(
        [b"HTTP/1.1 200 OK", b"HTTP/1.1 302 Found", b"HTTP/1.1 99 x", b"HTTP/1.1 1000 x", b"HTTP/9 200", b"", b"200"]
    ),
    edited(b"HTTP/1.1 503 Service Unavailable"),
)
HEADERS = st.lists(
    st.one_of(
        st.sampled_from(
            [
                b"Location: http://169.254.169.254/latest",
                b"Content-Length: -1",
                b"Content-Length: 99999999999999999999",
                b"Transfer-Encoding: chunked",
                b"Retry-After: \xd9\xa5",
                b"Retry-After: 999999",
                b"Connection: close",
                b" folded",
                b":",
                b"X: " + b"y" * 70_000,
            ]
        ),
        edited(b"Retry-After: 120"),
    ),
    max_size=4,
)
BODIES = st.sampled_from([b"", b"{}", b"ffffffffffffffff\r\nx", b"\r\n" * 30 + b"5", b" " * 20 + b"7", b"-1\n", b"x" * 9_000])


class Raw:
    """A server on this machine that answers each connection with the bytes that it is told, whatever they are."""

    def __init__(self) -> None:
        self.answer = b""
        self.drips = False
        self._stopped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/hook"

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
                connection.recv(65536)
                connection.sendall(self.answer)
                # No single read is ever late, and a client that waits for the end is rewarded.
                for _ in range(500 if self.drips else 0):
                    self._stopped.wait(0.02)
                    connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                if self.drips:
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


@pytest.fixture(scope="module")
def raw() -> Iterator[Raw]:
    """One server for all of them."""
    server = Raw()
    yield server
    server.stop()


@given(status=STATUS_LINES, headers=HEADERS, body=BODIES)
def test_a_hostile_answer_of_a_receiver_is_a_failed_delivery_and_never_followed(
    raw: Raw, status: bytes, headers: list[bytes], body: bytes
) -> None:
    raw.answer = b"\r\n".join([status, *headers, b"", body])

    with suppress(Undelivered):
        answer = outbound.post(raw.url, b"{}", {}, INSIDE)
        assert 100 <= answer.status <= 999
        assert (webhooks._wait(answer.retry_after) or timedelta()) <= timedelta(days=1)


@given(status=STATUS_LINES, headers=HEADERS, body=BODIES)
def test_a_hostile_answer_of_a_witness_is_no_cosignature(raw: Raw, status: bytes, headers: list[bytes], body: bytes) -> None:
    raw.answer = b"\r\n".join([status, *headers, b"", body])

    with suppress(Unwitnessed):
        found, said = witnesses._post(raw.url, b"old 0\n")
        assert 100 <= found <= 999
        assert len(said) <= 1 << 20


def test_a_receiver_or_witness_that_never_comes_to_an_end_is_hung_up_on(raw: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound, "SECONDS", 0.1)
    monkeypatch.setattr(witnesses, "_SECONDS_TO_ANSWER", 0.1)
    monkeypatch.setattr(raw, "answer", b"")
    monkeypatch.setattr(raw, "drips", True)

    with pytest.raises(Undelivered):
        outbound.post(raw.url, b"{}", {}, INSIDE)
    with pytest.raises(Unwitnessed):
        witnesses._post(raw.url, b"old 0\n")


@pytest.mark.parametrize("url", ["https://witness.example:port", "http://[::1", "gopher://x", "https://", "https://x:99999999"])
def test_a_witness_whose_address_is_none_is_told_as_silent(url: str) -> None:
    with pytest.raises(Unwitnessed, match="no address"):
        witnesses._post(url, b"old 0\n")
