"""The load generator: signed requests over raw keep-alive connections, each sent when the last was answered.

It does as little as it can between two requests, and measures its own CPU, so that a table can show it was not the bottleneck.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import cast

import uvloop

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"
_GRACE_SECONDS = 60


@dataclass(slots=True)
class Measured:
    """What a run of requests took. Times in seconds."""

    latencies: list[float] = field(default_factory=list)
    failures: list[bytes] = field(default_factory=list)
    seconds: float = 0.0
    generator_cpu_seconds: float = 0.0

    @property
    def count(self) -> int:
        """How many requests were answered."""
        return len(self.latencies)

    @property
    def per_second(self) -> float:
        """Answered requests per second."""
        return self.count / self.seconds if self.seconds else 0.0

    @property
    def generator_share(self) -> float:
        """The part of one core that the generator used."""
        return self.generator_cpu_seconds / self.seconds if self.seconds else 0.0

    def percentile(self, part: float) -> float:
        """Return the latency that `part` (0 to 1) of the requests stayed below."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0.0


def repeatedly(requests: Sequence[bytes], *, port: int, connections: int, seconds: float) -> Measured:
    """Send the requests to 127.0.0.1 over and over until the time is over."""
    return uvloop.run(_run(cycle(requests), port, connections, seconds))


def once(requests: Sequence[bytes], *, port: int, connections: int, seconds: float) -> Measured:
    """Send each request once, and stop early where the time is over."""
    return uvloop.run(_run(iter(requests), port, connections, seconds))


def body_of(request: bytes, *, port: int) -> str:
    """Send one request to 127.0.0.1 and return the body of its answer."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request)
        received = b""
        while not _is_whole(received):
            received += connection.recv(65536)
    return received.partition(_HEAD_END)[2].decode()


def _is_whole(received: bytes) -> bool:
    head, end, body = received.partition(_HEAD_END)
    return bool(end) and len(body) >= int(head.lower().partition(_LENGTH)[2].split(b"\r\n", 1)[0])


async def _run(source: Iterator[bytes], port: int, connections: int, seconds: float) -> Measured:
    loop = asyncio.get_running_loop()
    measured = Measured()
    began, cpu = time.perf_counter(), time.process_time()
    clients = [_Client(source, measured, port, began + seconds) for _ in range(connections)]
    for client in clients:
        await loop.create_connection(lambda client=client: client, "127.0.0.1", port)  # type: ignore[misc]  # bound in the loop
    async with asyncio.timeout(seconds + _GRACE_SECONDS):
        await asyncio.gather(*(client.done for client in clients))
    measured.seconds = time.perf_counter() - began
    measured.generator_cpu_seconds = time.process_time() - cpu
    return measured


class _Client(asyncio.Protocol):
    """One connection; made anew where the server closes it between two requests."""

    def __init__(self, source: Iterator[bytes], measured: Measured, port: int, deadline: float) -> None:
        self.done = asyncio.get_running_loop().create_future()
        self._source = source
        self._measured = measured
        self._port = port
        self._deadline = deadline
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._sent_at = 0.0
        self._is_waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's classes.
        self._transport = cast(asyncio.Transport, transport)
        self._received = b""
        self._send()

    def data_received(self, data: bytes) -> None:
        received = self._received = self._received + data if self._received else data
        end = received.find(_HEAD_END)
        if end < 0:
            return
        head = received[:end].lower()
        at = head.find(_LENGTH)
        length = int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(received) < end + len(_HEAD_END) + length:
            return
        self._measured.latencies.append(time.perf_counter() - self._sent_at)
        if received[9:12] != b"200":
            self._measured.failures.append(received[:1000])
        self._received = b""
        self._is_waiting = False
        if b"connection: close" in head or head.startswith(b"http/1.0"):
            assert self._transport is not None
            self._transport.close()
        else:
            self._send()

    def connection_lost(self, error: Exception | None) -> None:
        if self.done.done():
            return
        if self._is_waiting or time.perf_counter() > self._deadline:
            self._finish()
            return
        self._reconnecting = asyncio.ensure_future(
            asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", self._port)
        )

    def _send(self) -> None:
        now = time.perf_counter()
        request = next(self._source, None) if now < self._deadline else None
        if request is None or self._transport is None:
            self._finish()
            return
        self._sent_at = now
        self._is_waiting = True
        self._transport.write(request)

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)
        if self._transport is not None:
            self._transport.close()
