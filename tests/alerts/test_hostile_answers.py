"""Whatever a receiver, witness, bucket, identity provider or mail relay sends back, it ends in time and in its own error."""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fixtures.raw_servers import HEADERS, STATUS_LINES, Raw

from crownkeep.alerts import outbound, webhooks
from crownkeep.alerts.undelivered import Undelivered
from crownkeep.credentials.secret import Secret
from crownkeep.domain.federation import outside
from crownkeep.domain.federation.outside import OutOfReach, Reach
from crownkeep.trail import endpoints, witnesses
from crownkeep.trail.directories import BucketRefused
from crownkeep.trail.endpoints import EndpointBucket
from crownkeep.trail.witnesses import Unwitnessed

INSIDE = ("127.0.0.0/8",)
BODIES = st.sampled_from([b"", b"{}", b"ffffffffffffffff\r\nx", b"\r\n" * 30 + b"5", b" " * 20 + b"7", b"-1\n", b"x" * 9_000])


@pytest.fixture(scope="module")
def raw() -> Iterator[Raw]:
    """One server for all of them."""
    server = Raw()
    yield server
    server.stop()


@pytest.fixture
def raw_tls(tls: ssl.SSLContext, trusted: None) -> Iterator[Raw]:
    """One behind TLS, which this process trusts."""
    server = Raw(tls)
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


def bucket(server: Raw) -> EndpointBucket:
    return EndpointBucket(server.url, "eu-central-1", "logs", "writer", Secret("a-secret-key"))


@given(status=STATUS_LINES, headers=HEADERS, body=BODIES)
def test_a_hostile_answer_of_a_bucket_s_server_is_a_refusal_in_few_words(
    raw: Raw, status: bytes, headers: list[bytes], body: bytes
) -> None:
    raw.answer = b"\r\n".join([status, *headers, b"", b"<Code>" + body[:50] + b"</Code>" + body])

    refusal = ""
    try:
        bucket(raw).put("AWSLogs/x", b"body", {})
    except BucketRefused as error:
        refusal = str(error)

    assert len(refusal) <= 200
    assert refusal.isprintable()


def test_whoever_never_comes_to_an_end_is_hung_up_on_with_tls_and_without(
    raw: Raw, raw_tls: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name in ((outbound, "SECONDS"), (witnesses, "_SECONDS_TO_ANSWER"), (endpoints, "SECONDS"), (outside, "SECONDS")):
        monkeypatch.setattr(module, name, 0.3)
    reach = Reach(INSIDE, os.environ["SSL_CERT_FILE"])
    began = time.monotonic()
    for server in (raw, raw_tls):
        monkeypatch.setattr(server, "answer", b"HTTP/1.1 200 OK\r\n")
        monkeypatch.setattr(server, "drips", b"X: y\r\n")

        with pytest.raises(Undelivered):
            outbound.post(server.url, b"{}", {}, INSIDE)
        with pytest.raises(Unwitnessed):
            witnesses._post(server.url, b"old 0\n")
        with pytest.raises(BucketRefused):
            bucket(server).put("AWSLogs/x", b"body", {})
    with pytest.raises(OutOfReach):
        outside.fetch(raw_tls.url, reach)
    with pytest.raises(OutOfReach):
        outside.post_form(raw_tls.url, b"code=1", {}, reach)

    # A server that drips for ten seconds would be heard to its end eight times.
    assert time.monotonic() - began < 10


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(status=STATUS_LINES, headers=HEADERS, body=BODIES)
def test_a_hostile_answer_of_an_identity_provider_is_out_of_reach(
    raw_tls: Raw, status: bytes, headers: list[bytes], body: bytes
) -> None:
    raw_tls.answer = b"\r\n".join([status, *headers, b"", body])
    reach = Reach(INSIDE, os.environ["SSL_CERT_FILE"])

    with suppress(OutOfReach):
        assert len(outside.fetch(raw_tls.url, reach)) <= outside.LARGEST
    with suppress(OutOfReach):
        assert len(outside.post_form(raw_tls.url, b"code=1", {}, reach).body) <= outside.LARGEST


@pytest.mark.parametrize("url", ["https://witness.example:port", "http://[::1", "gopher://x", "https://", "https://x:99999999"])
def test_a_witness_whose_address_is_none_is_told_as_silent(url: str) -> None:
    with pytest.raises(Unwitnessed, match="no address"):
        witnesses._post(url, b"old 0\n")
