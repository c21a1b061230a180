"""Base64 without padding: what is written is read, and nothing else than it."""

from __future__ import annotations

import binascii

import pytest
from hypothesis import given
from hypothesis import strategies as some

from crownkeep import base64url


@given(some.binary(max_size=100))
def test_bytes_are_read_as_they_were_written(value: bytes):
    assert value == base64url.decode(base64url.encode(value))


def test_a_text_needs_no_escaping_in_an_address_and_has_no_padding():
    assert ("-_-_", "AA") == (base64url.encode(b"\xfb\xff\xbf"), base64url.encode(b"\x00"))


@pytest.mark.parametrize("text", ["A", "AA AA", "AA\nAA", "é", "AAé", "AA.A", "=AAA", "A=AA"])
def test_a_text_that_is_none_is_refused_and_not_read_around(text: str):
    with pytest.raises(binascii.Error):
        base64url.decode(text)
