"""Compressed bodies: unpacked within a limit, whatever they hold."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.patience import bounded

from crownkeep.errors import AwsError, RequestEntityTooLarge, SerializationException
from crownkeep.gateway.compression import decompress

LIMIT = 1 << 20


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("GZIP ", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress), ("", bytes)],
)
def test_a_body_is_unpacked_by_its_encoding(encoding, pack):
    assert decompress(pack(b"Action=GetUser"), encoding, limit=LIMIT) == b"Action=GetUser"


def test_a_body_may_be_as_long_as_the_limit_and_no_longer():
    limit = 10_000

    assert len(decompress(gzip.compress(b"a" * limit), "gzip", limit=limit)) == limit
    with pytest.raises(RequestEntityTooLarge):
        decompress(gzip.compress(b"a" * (limit + 1)), "gzip", limit=limit)


def test_a_body_that_becomes_much_more_than_it_was_is_refused_below_the_limit():
    document = b"".join(b'{"Sid": "%x", "Effect": "Allow"},' % (number * 7919) for number in range(10_000))

    assert decompress(gzip.compress(document), "gzip", limit=LIMIT) == document
    with pytest.raises(RequestEntityTooLarge):
        decompress(gzip.compress(b"[]," * 100_000), "gzip", limit=LIMIT)


def test_a_decompression_bomb_is_refused():
    bomb = gzip.compress(bytes(50 << 20), compresslevel=1)

    with bounded(), pytest.raises(RequestEntityTooLarge):
        decompress(bomb, "gzip", limit=LIMIT)


# With names of their own: gzip writes the time into its head, and test processes must agree on what their tests are called.
@pytest.mark.parametrize(
    "body",
    [b"", b"x", gzip.compress(b"abc")[:-1], gzip.compress(b"abc") + b"x", gzip.compress(b"a") * 2],
    ids=["nothing", "no gzip", "cut short", "with a rest", "twice"],
)
def test_a_broken_body_is_refused(body):
    with pytest.raises(SerializationException):
        decompress(body, "gzip", limit=LIMIT)


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "aws-chunked"])
def test_an_encoding_we_do_not_know_is_refused(encoding):
    with pytest.raises(SerializationException):
        decompress(b"x", encoding, limit=LIMIT)


@given(body=st.binary(max_size=200), encoding=st.sampled_from(["gzip", "deflate"]))
def test_whatever_is_sent_is_unpacked_or_refused_and_nothing_else(body, encoding):
    try:
        assert isinstance(decompress(body, encoding, limit=100), bytes)
    except AwsError:
        return
