"""Denial of service by raw sockets: heads without an end, bodies that never come, connections by the thousand."""

from __future__ import annotations

import resource
import socket
import ssl
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from tests.fixtures.crown import read_trail
from tests.fixtures.process import Process
from tests.services.sts.identity_provider import _certificates

LARGEST_HEAD = 64 * 1024
PATIENCE_SECONDS = 30
HEAD = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /v1/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def impatient(served: Process) -> Process:
    """The module's server, with short deadlines and room for few connections."""
    served.stop()
    served._settings |= {"connections": 40, "request_head_seconds": 1, "request_body_seconds": 1}
    served.start()
    return served


def opened(server: Process) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_SECONDS)


def answer(connection: socket.socket) -> bytes:
    """Read until the server closes; a reset ends what it says, too."""
    parts = []
    try:
        while part := connection.recv(65_536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def sent(server: Process, *parts: bytes) -> bytes:
    """Send parts until the server stops listening, and return what it says."""
    with opened(server) as connection:
        try:
            for part in parts:
                connection.sendall(part)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return answer(connection)


def first_status(text: bytes) -> bytes:
    return text.split(b" ", 2)[1] if text else b""


def whole_answer(connection: socket.socket) -> bytes:
    """Read one answer to its end, in however many pieces it comes."""
    text = b""
    while b"\r\n\r\n" not in text:
        text += connection.recv(65_536)
    head, _, body = text.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(65_536)
    return text


def metric(server: Process, name: str) -> float:
    token = (server.data / "operator.token").read_text().strip()
    request = urllib.request.Request(f"{server.url}/metrics", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answered:
        lines = answered.read().decode().splitlines()
    return float(next(line for line in lines if line.startswith(name)).rpartition(" ")[2])


@pytest.mark.parametrize(
    "parts",
    [
        (HEAD + b"X: " + b"a" * 2 * LARGEST_HEAD,),
        (HEAD, *([b"X: " + b"a" * 1_000 + b"\r\n"] * 100)),
        (HEAD + b"X: ", *([b"a" * 1_000] * 100)),
        (b"GET /" + b"a" * 2 * LARGEST_HEAD,),
        (b"GET / HTTP/1.1\r\n" + b"a" * 2 * LARGEST_HEAD,),
        (HEAD + b"X: a\r\n" * 201 + b"\r\n",),
    ],
    ids=["a value", "headers", "a value in parts", "a request line", "a name", "many headers"],
)
def test_denial_of_service_a_head_beyond_the_limit_is_refused_while_it_is_read(served: Process, parts: tuple[bytes, ...]):
    assert b"431" == first_status(sent(served, *parts))


def test_a_head_of_the_greatest_length_is_read(served: Process):
    end = b"\r\nConnection: close\r\n\r\n"
    value = b"a" * (LARGEST_HEAD - len(HEAD) - len(b"X: ") - len(end))

    assert b"200" == first_status(sent(served, HEAD + b"X: " + value + end))
    assert b"431" == first_status(sent(served, HEAD + b"X: " + value + b"a" + end))


def test_heads_of_later_requests_are_counted_anew(served: Process):
    value = b"X: " + b"a" * 40_000 + b"\r\n"
    with opened(served) as connection:
        for _ in range(3):
            connection.sendall(HEAD + value + b"\r\n")
            assert b"200" == first_status(whole_answer(connection))


@pytest.mark.parametrize(
    "parts",
    [
        (b"1;" + b"a" * 1_000_000,),
        (b"2\r\n{}\r\n0\r\n", *([b"X: " + b"a" * 1_000 + b"\r\n"] * 1_000)),
        (b"1\r\n \r\n" * 100_000,),
    ],
    ids=["an extension", "trailers", "tiny chunks"],
)
def test_denial_of_service_what_frames_a_chunked_body_is_counted(served: Process, parts: tuple[bytes, ...]):
    assert b"400" == first_status(sent(served, POST + b"Transfer-Encoding: chunked\r\n\r\n", *parts))


def test_a_trailer_is_no_header(served: Process):
    chunked = b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\n{}\r\n0\r\n"

    said = sent(served, POST + chunked + b"Content-Encoding: gzip\r\n\r\n")

    # As a header it would have been refused with 415.
    assert b"400" == first_status(said)
    assert b"ValidationException" in said


def test_denial_of_service_a_body_that_was_refused_is_not_read_to_its_end(served: Process):
    head = POST + b"Content-Length: 1000000000000\r\n\r\n"

    said = sent(served, head, *([b" " * 65_536] * 10_000))

    assert first_status(said) in {b"413", b""}
    with opened(served) as connection:
        connection.sendall(head)
        assert b"413" == first_status(connection.recv(65_536))


def test_denial_of_service_pipelined_requests_do_not_pile_up(served: Process):
    said = sent(served, (HEAD + b"\r\n") * 20_000)

    assert said.count(b"HTTP/1.1 200") < 20_000
    assert metric(served, 'crownkeep_connections_ended_total{reason="malformed"}') > 0


def test_pipelined_requests_are_answered_in_order(served: Process):
    said = sent(served, (HEAD + b"\r\n") * 8 + HEAD + b"Connection: close\r\n\r\n")

    assert 9 == said.count(b"HTTP/1.1 200")


def test_a_pipelined_request_is_asked_for_the_body_that_its_client_keeps_back(served: Process):
    head, body = asked_for_body(), IDENTITY
    with opened(served) as connection:
        connection.sendall(whole(IDENTITY) + head)
        first = whole_answer(connection)
        asked = first.partition(b"</ErrorResponse>")[2]
        while not asked.endswith(b"\r\n\r\n"):
            asked += connection.recv(65_536)
        connection.sendall(body)
        second = whole_answer(connection)

    assert (b"403", b"HTTP/1.1 100 Continue", b"403") == (first_status(first), asked.split(b"\r\n")[0], first_status(second))


def test_an_answer_is_the_same_whether_its_request_came_as_a_whole_or_in_parts(served: Process):
    with opened(served) as connection:
        connection.sendall(whole(IDENTITY))
        at_once = whole_answer(connection)
        connection.sendall(asked_for_body())
        asked = connection.recv(65_536)
        connection.sendall(IDENTITY)
        in_parts = whole_answer(connection)

    assert asked.startswith(b"HTTP/1.1 100 Continue")
    # Clients correct their clocks by the date of what refuses them.
    assert {b"date", b"x-amzn-requestid", b"content-type", b"content-length"} == header_names(at_once)
    assert header_names(at_once) == header_names(in_parts)


@pytest.mark.parametrize("request_text", [b"no request\r\n\r\n", HEAD + b"X: a\r\n" * 201 + b"\r\n"])
def test_what_is_no_request_is_refused_with_a_date_as_all_else(served: Process, request_text: bytes):
    assert b"date" in header_names(sent(served, request_text))


IDENTITY = b"Action=GetCallerIdentity&Version=2011-06-15"


def whole(body: bytes) -> bytes:
    return b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def asked_for_body() -> bytes:
    return b"POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(IDENTITY)


def header_names(text: bytes) -> set[bytes]:
    return {line.partition(b":")[0].lower() for line in text.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]}


def test_a_request_for_another_protocol_is_answered_in_this_one(served: Process):
    said = sent(served, HEAD + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n")

    assert b"200" == first_status(said)


def test_flooding_the_log_what_is_no_request_leaves_no_line(served: Process):
    before = served.log.read_text()

    for _ in range(3):
        assert b"400" == first_status(sent(served, b"\x16\x03\x01 nonsense\r\n\r\n"))

    assert before == served.log.read_text()


@pytest.mark.parametrize("half", [HEAD, HEAD + b"X: y", b"G", POST + b"Content-Length: 9\r\n\r\n{", POST + b"Accept: "])
def test_denial_of_service_half_of_a_request_is_waited_for_so_long_and_no_longer(impatient: Process, half: bytes):
    assert b"408" == first_status(sent(impatient, half))


def test_denial_of_service_a_head_that_comes_byte_by_byte_is_as_late_as_any_other(impatient: Process):
    with opened(impatient) as connection:
        deadline = time.monotonic() + PATIENCE_SECONDS
        try:
            connection.sendall(HEAD)
            while time.monotonic() < deadline:
                connection.sendall(b"X")
                time.sleep(0.2)
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert time.monotonic() < deadline


def test_denial_of_service_a_connection_that_never_asks_is_closed(impatient: Process):
    assert b"" == sent(impatient)


def test_a_half_sent_form_is_refused_without_a_traceback(impatient: Process):
    head = b"POST /signin HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"

    assert b"408" == first_status(sent(impatient, head + b"Content-Length: 9\r\n\r\na"))

    assert "Traceback" not in impatient.log.read_text()


def test_denial_of_service_idle_connections_from_one_host_shut_nobody_out(impatient: Process):
    before = metric(impatient, 'crownkeep_connections_ended_total{reason="made_room"}')
    with idle(impatient, 100):
        assert b"200" == first_status(sent(impatient, HEAD + b"Connection: close\r\n\r\n"))
        after = metric(impatient, 'crownkeep_connections_ended_total{reason="made_room"}')

    assert after - before >= 60


@pytest.fixture(scope="module")
def over_tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Process, ssl.SSLContext]]:
    """A server that speaks TLS itself, and a client's side of it."""
    directory = tmp_path_factory.mktemp("tls")
    made = _certificates(directory)
    server = Process(directory, tls_certificate=made.chain, tls_key=made.key, request_head_seconds=1)
    server.url = server.url.replace("http:", "https:")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(made.authority))
        server.start()
        yield server, ssl.create_default_context()
        server.stop()


def test_the_same_limits_hold_over_tls(over_tls: tuple[Process, ssl.SSLContext]):
    server, context = over_tls

    def said(text: bytes) -> bytes:
        with context.wrap_socket(opened(server), server_hostname="127.0.0.1") as connection:
            connection.sendall(text)
            return answer(connection)

    assert b"200" == first_status(said(HEAD + b"Connection: close\r\n\r\n"))
    assert b"431" == first_status(said(HEAD + b"X: " + b"a" * 2 * LARGEST_HEAD))
    assert b"408" == first_status(said(HEAD))


def test_a_record_says_which_tls_the_client_spoke(over_tls: tuple[Process, ssl.SSLContext]):
    server, context = over_tls
    asked = b"GET /?Action=GetCallerIdentity&Version=2011-06-15 HTTP/1.1\r\nHost: crown.example\r\nConnection: close\r\n\r\n"

    with context.wrap_socket(opened(server), server_hostname="127.0.0.1") as connection:
        version, cipher = connection.version(), (connection.cipher() or ("",))[0]
        connection.sendall(asked)
        status = first_status(answer(connection))

    reply = next(each for each in read_trail(server.database_url, "", limit=20) if each["eventName"] == "GetCallerIdentity")
    expected = {"tlsVersion": version, "cipherSuite": cipher, "clientProvidedHostHeader": "crown.example"}
    assert (b"403", expected) == (status, reply["tlsDetails"])


def test_denial_of_service_a_tls_handshake_that_does_not_begin_ends_soon(over_tls: tuple[Process, ssl.SSLContext]):
    assert b"" == sent(over_tls[0])


def test_the_limit_of_open_files_is_raised_at_the_start(serve: Callable[..., Process]):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(1_024, hard), hard))
    try:
        server = serve()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    limit = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)

    assert min(10_256, hard) <= limit[0]


@contextmanager
def idle(server: Process, count: int) -> Iterator[None]:
    """Hold so many connections that ask nothing."""
    with ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(opened(server))
        yield
