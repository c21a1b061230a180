"""Plain requests are read as the parser reads them, and everything else is left to it."""

from __future__ import annotations

import asyncio
from typing import Any

import httptools
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.fixtures.coroutines import run
from uvicorn.config import Config
from uvicorn.server import ServerState

from crownkeep.gateway import plain_head
from crownkeep.gateway.connections import ConnectionLimits, Connections, Stage
from crownkeep.gateway.protocol import EdgeProtocol
from crownkeep.gateway.responses import Response
from crownkeep.gateway.signature import fold

HEADERS = b"Host: sts.example\r\nX-Amz-Date: 20261130T120000Z\r\nAuthorization: AWS4-HMAC-SHA256 Credential=A\r\n"
LIMITS = ConnectionLimits(total=6, per_address=3, idle=75, head=20, body=60)
BODY = b"Action=GetCallerIdentity&Version=2011-06-15"
PLAIN = b"POST / HTTP/1.1\r\n" + HEADERS + b"Content-Length: 43\r\n\r\n" + BODY


class Parsed:
    """What the parser makes of bytes."""

    def __init__(self, piece: bytes) -> None:
        self.url, self.body, self.headers, self.whole = b"", b"", list[tuple[bytes, bytes]](), 0
        self.parser = httptools.HttpRequestParser(self)
        self.parser.feed_data(piece)

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.whole += 1


def with_header(line: bytes) -> bytes:
    return PLAIN.replace(b"Content-Length", line + b"\r\nContent-Length")


OTHER = {
    "another method": PLAIN.replace(b"POST", b"GET"),
    "another path": PLAIN.replace(b"POST /", b"POST /x"),
    "a query": PLAIN.replace(b"POST /", b"POST /?a=b"),
    "an older version": PLAIN.replace(b"1.1", b"1.0"),
    "no signature": PLAIN.replace(b"AWS4-", b"Bearer "),
    "no host": PLAIN.replace(b"Host", b"Hose"),
    "no length": PLAIN.replace(b"Content-Length: 43\r\n", b""),
    "less than its length": PLAIN[:-1],
    "more than its length": PLAIN + b"P",
    "a sign before its length": PLAIN.replace(b" 43", b" +43"),
    "a length that is no number": PLAIN.replace(b" 43", b" 4_3"),
    "a length said twice": with_header(b"content-length: 43"),
    "chunks": with_header(b"Transfer-Encoding: chunked"),
    "an upgrade": with_header(b"Upgrade: h2c"),
    "a connection that ends": with_header(b"Connection: close"),
    "a wait for 100": with_header(b"Expect: 100-continue"),
    "a repeated header": with_header(b"Host: other.example"),
    "a folded line": with_header(b"X-A: 1\r\n 2"),
    "a space before the colon": with_header(b"X-A : 1"),
    "no colon": with_header(b"X-A"),
    "an empty value": with_header(b"X-A:"),
    "a value of blanks": with_header(b"X-A:   "),
    "a blank after a value": with_header(b"X-A: 1 "),
    "a bare line feed": with_header(b"X-A: 1\nX-B: 2"),
    "a bare carriage return": with_header(b"X-A: 1\rX-B: 2"),
    "a tab": with_header(b"X-A:\t1"),
    "a zero byte": with_header(b"X-A: 1\0"),
    "other letters": with_header(b"X-A: \xe9"),
    "a name with an underscore": with_header(b"X_Amz_Target: 1"),
    "more headers than anybody sends": with_header(b"\r\n".join(b"X-%d: 1" % each for each in range(80))),
}


def test_a_plain_request_is_read_as_the_parser_reads_it():
    parsed = Parsed(PLAIN)

    assert (dict(parsed.headers), parsed.body) == plain_head.read(PLAIN)


@pytest.mark.parametrize("what", OTHER)
def test_left_to_the_parser_is(what: str):
    assert plain_head.read(OTHER[what]) is None


PARTS = st.sampled_from(
    [
        *(b"X-A", b"Connection", b"content-length", b"Transfer-Encoding", b": ", b":", b" ", b"\r\n", b"\n", b"\r", b"\t", b"\0"),
        *(b"43", b"0", b"close", b"chunked", b"1", b"\r\n\r\n", b"\x80", b"POST / HTTP/1.1\r\n", BODY),
    ]
)


@settings(max_examples=150)
@example(inserted=[b": ", b"\r\n", b"X-A", b": "], at=22, cut=0)
@given(inserted=st.lists(PARTS, max_size=6), at=st.integers(0, len(PLAIN)), cut=st.integers(0, 4))
def test_whatever_comes_no_request_is_read_in_two_ways(inserted: list[bytes], at: int, cut: int):
    piece = PLAIN[:at] + b"".join(inserted) + PLAIN[at + cut :]

    found = plain_head.read(piece)

    if found is not None:
        parsed = Parsed(piece)
        assert (fold(parsed.headers), parsed.body) == found
        assert (b"/", b"POST", 1) == (parsed.url, parsed.parser.get_method(), parsed.whole)
        assert parsed.parser.should_keep_alive()
        assert not parsed.parser.should_upgrade()


class Wire(asyncio.Transport):
    """The other side of a connection, which keeps what is written."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.7", 5_000), "sockname": ("127.0.0.1", 4747)})
        self.written = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def is_closing(self) -> bool:
        return False

    def resume_reading(self) -> None:
        """Go on."""

    def pause_reading(self) -> None:
        """Wait."""


class Edge:
    """A connection whose application keeps what it is handed."""

    def __init__(self) -> None:
        self.plain: list[Any] = []
        self.parsed: list[Any] = []
        self.served: list[bytes] = []

    async def serve(self, scope: Any, receive: Any, send: Any) -> None:
        body, message = b"", {"more_body": True}
        while message["more_body"]:
            message = await receive()
            body += message["body"]
        self.served.append(body)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    def connected(self) -> tuple[EdgeProtocol, Wire]:
        state = {
            "connections": Connections(LIMITS, is_exempt=lambda address: False),
            "take": self.take,
            "take_plain": self.take_plain,
            "end": lambda: None,
        }
        config = Config(self.serve, log_config=None, lifespan="off", proxy_headers=False, interface="asgi3")
        config.load()
        protocol, wire = EdgeProtocol(config, ServerState(), state, asyncio.get_running_loop()), Wire()
        protocol.connection_made(wire)
        return protocol, wire

    def take_plain(self, headers: Any, body: bytes, peer: str, scheme: str, tls: Any, respond: Any) -> bool:
        self.plain.append((headers, body, peer, scheme, tls, respond))
        return True

    def take(self, scope: Any, body: bytes, respond: Any) -> bool:
        self.parsed.append((scope, body, respond))
        return True


ANSWER = Response(200, ((b"content-type", b"text/xml"),), b"<a/>")


def test_a_plain_request_and_one_behind_it_are_answered_in_their_order():
    async def story() -> None:
        edge = Edge()
        protocol, wire = edge.connected()

        protocol.data_received(PLAIN)
        protocol.data_received(PLAIN)

        # The second waits with the parser until the first is answered.
        assert (1, 0, Stage.SERVED) == (len(edge.plain), len(edge.parsed), protocol.stage)
        edge.plain[0][-1](ANSWER)
        assert (1, 1, Stage.SERVED) == (len(edge.plain), len(edge.parsed), protocol.stage)
        assert BODY == edge.parsed[0][1]
        edge.parsed[0][-1](ANSWER)
        assert 2 == wire.written.count(b"HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: 4\r\n\r\n<a/>")
        assert Stage.IDLE is protocol.stage
        protocol.data_received(PLAIN)
        assert 2 == len(edge.plain)

    run(story())


def test_half_a_plain_request_is_the_parsers_to_its_end():
    async def story() -> None:
        edge = Edge()
        protocol, _ = edge.connected()

        protocol.data_received(PLAIN[:-9])
        protocol.data_received(PLAIN[-9:])
        await asyncio.gather(*protocol.tasks)

        assert ([], [], [BODY]) == (edge.plain, edge.parsed, edge.served)

    run(story())


def test_a_plain_request_behind_bytes_that_were_refused_is_not_served():
    async def story() -> None:
        edge = Edge()
        protocol, wire = edge.connected()
        wire.can_write_eof = lambda: False  # type: ignore[method-assign]  # as over TLS

        protocol.data_received(b"\x16\x03\x01")
        protocol.data_received(PLAIN)

        assert wire.written.startswith(b"HTTP/1.1 400 ")
        assert ([], [], []) == (edge.plain, edge.parsed, edge.served)

    run(story())


def test_what_ends_while_a_plain_request_is_served_gets_no_answer():
    async def story() -> None:
        edge = Edge()
        protocol, wire = edge.connected()
        protocol.data_received(PLAIN)

        protocol.connection_lost(ConnectionResetError())
        edge.plain[0][-1](ANSWER)

        assert b"" == wire.written

    run(story())


def test_a_server_that_stops_closes_after_the_answer_to_a_plain_request():
    async def story() -> None:
        edge = Edge()
        protocol, wire = edge.connected()
        protocol.data_received(PLAIN)
        closed: list[bool] = []
        wire.close = lambda: closed.append(True)  # type: ignore[method-assign]  # what the protocol asks for

        protocol.shutdown()
        edge.plain[0][-1](ANSWER)

        assert b"connection: close\r\n\r\n<a/>" in wire.written
        assert [True] == closed

    run(story())


def test_denial_of_service_long_names_of_headers_are_not_remembered():
    plain_head._name.cache_clear()
    for number in range(3):
        name = b"x" * 30_000 + b"%d" % number

        assert plain_head.read(PLAIN.replace(b"\r\n\r\n", b"\r\n" + name + b": 1\r\n\r\n", 1)) is None

    assert plain_head._name.cache_info().currsize < 20
