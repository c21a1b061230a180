"""What a hostile server answers to whoever signs in from the command line."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.fixtures.raw_servers import Raw

from crownkeep.cli import sign_in_client
from crownkeep.cli.sign_in_client import SAME_DEVICE, Attempt, SignInFailed
from crownkeep.credentials.secret import Secret

ARN = "arn:aws:sts::111111111111:assumed-role/admin/ann"
KEYS = {"accessKeyId": "ASIA", "secretAccessKey": "s", "sessionToken": "t"}
GOOD = {"accessToken": KEYS, "tokenType": "aws_sigv4", "expiresIn": 900, "refreshToken": "r"}


def id_token(**claims: Any) -> str:
    return f"h.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode()}.s"


def answer(body: bytes, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def tokens(**changed: Any) -> bytes:
    return answer(json.dumps(GOOD | {"idToken": id_token(sub=ARN)} | changed).encode())


@pytest.fixture
def server() -> Iterator[Raw]:
    raw = Raw()
    yield raw
    raw.stop()


def redeem(server: Raw) -> str:
    attempt = Attempt(f"http://127.0.0.1:{server.port}", SAME_DEVICE, "http://127.0.0.1:1/oauth/callback")
    return sign_in_client.redeem(attempt, Secret("code"))[0]


def test_an_answer_as_it_should_be_names_who_signed_in(server: Raw):
    server.answer = tokens()

    assert ARN == redeem(server)


@pytest.mark.parametrize(
    "session",
    [
        f"{ARN}\n[profile other]\ncredential_process = sh -c id",
        f"{ARN}\rcredential_process = id",
        f"{ARN}\u2028x = 1",
        f"{ARN} # x",
        f"{ARN}\x1b[2J",
        "sub",
        "arn:" + "x" * 3000,
    ],
)
def test_a_server_can_not_write_lines_of_its_own_into_the_profile(server: Raw, session: str):
    server.answer = tokens(idToken=id_token(sub=session))

    with pytest.raises(SignInFailed, match="is it the right address"):
        redeem(server)


@pytest.mark.parametrize(
    "said",
    [
        tokens(expiresIn="soon"),
        tokens(expiresIn=10**30),
        tokens(expiresIn=None),
        tokens(accessToken=[]),
        tokens(accessToken="keys"),
        tokens(idToken=id_token(sub=ARN).partition(".")[0]),
        tokens(idToken=None),
        tokens(refreshToken="r" * 100_000),
        answer(b"[]"),
        answer(b"[" * 60_000),
        answer(b"not json"),
        answer(b"x" * 1_000_000, "500 Oh"),
        b"nothing of HTTP\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000,
        b"HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"",
    ],
)
def test_whatever_a_server_answers_is_one_sentence_for_whoever_signs_in(server: Raw, said: bytes):
    server.answer = said

    with pytest.raises(SignInFailed):
        redeem(server)


def test_an_answer_without_end_is_not_read_to_its_end(server: Raw):
    server.answer = b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * (sign_in_client._LARGEST_ANSWER + 1)
    server.drips = b"["

    with pytest.raises(SignInFailed):
        redeem(server)
