"""Whatever a key management service answers, a start ends in one sentence, which never holds the sealing key."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.credentials.hostile import changed, edited, json_values
from tests.fixtures.raw_servers import HEADERS, STATUS_LINES, Raw

from crownkeep import bounded_clients
from crownkeep.credentials.secret import Secret
from crownkeep.wrapping import key_files, services
from crownkeep.wrapping.faults import UnusableKeyHolder
from crownkeep.wrapping.services import ServiceKey

SECRET = "the sealing key that nobody may read"
ANSWER = {"KeyId": "alias/crownkeep", "Plaintext": b64encode(b"plain").decode(), "CiphertextBlob": b64encode(b"blob").decode()}
BODIES = st.one_of(
    changed(ANSWER).map(lambda each: json.dumps(each).encode()),
    edited(json.dumps(ANSWER).encode()),
    json_values.map(lambda each: json.dumps(each).encode()),
    st.sampled_from(
        [b"", b"\xff", b"[" * 50_000, b"null", json.dumps({"__type": "\x1b[2J" + SECRET, "message": SECRET}).encode()]
    ),
)


@pytest.fixture(scope="module")
def raw() -> Iterator[Raw]:
    """A server in the service's place; the SDK rests between its attempts for no time."""
    server = Raw()
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        patched.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        patched.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
        yield server
    server.stop()


def wrap(raw: Raw) -> str:
    """Return what is told where a key file can't be wrapped."""
    holder = ServiceKey(key="alias/crownkeep", region="eu-central-1", endpoint=raw.url)
    with pytest.raises(UnusableKeyHolder) as fault:
        key_files.wrap(SECRET, holder, lambda: Secret(""))
    return str(fault.value)


@settings(max_examples=settings.default.max_examples // 8)
@given(status=STATUS_LINES, headers=HEADERS, body=BODIES)
def test_a_hostile_answer_of_a_key_service_is_one_sentence(raw: Raw, status: bytes, headers: list[bytes], body: bytes):
    raw.answer = b"\r\n".join([status, *headers, b"", body])

    said = wrap(raw)

    assert len(said) < 300
    assert said.isprintable()


def test_what_a_key_service_says_beside_its_code_is_not_told(raw: Raw):
    body = json.dumps({"__type": "AccessDeniedException", "message": SECRET}).encode()
    raw.answer = b"HTTP/1.1 400 Bad\r\n\r\n" + body

    said = wrap(raw)

    assert "was refused: AccessDeniedException" in said
    assert SECRET not in said


def test_a_key_service_whose_answer_never_ends_is_given_up(raw: Raw, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(services, "_SECONDS", 0.2)
    monkeypatch.setattr(bounded_clients, "LARGEST", 10_000)
    monkeypatch.setattr(raw, "answer", b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 20_000)
    said = [wrap(raw)]
    monkeypatch.setattr(raw, "answer", b"HTTP/1.1 200 OK\r\n")
    monkeypatch.setattr(raw, "drips", b"X: y\r\n")

    said.append(wrap(raw))

    assert all("can't be used" in each for each in said)
