"""NT hashes: RFC 1320's own examples of MD4, and well-known hashes of passwords."""

from __future__ import annotations

import pytest

from crownkeep.credentials.nt_hashes import md4, nt_hash


@pytest.mark.parametrize(
    ("message", "digest"),
    [
        (b"", "31d6cfe0d16ae931b73c59d7e0c089c0"),
        (b"a", "bde52cb31de33e46245e05fbdbd6fb24"),
        (b"abc", "a448017aaf21d8525fc10ae87aa6729d"),
        (b"message digest", "d9130a8164549fe818874806e1c7014b"),
        (b"abcdefghijklmnopqrstuvwxyz", "d79e1c308aa5bbcdeea8ed63df412da9"),
        (b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "043f8582f241db351ce627e153e7f0e4"),
        (b"1234567890" * 8, "e33b4ddc9c38f2199c3e7b164fcc0536"),
    ],
)
def test_md4_is_as_in_the_rfc(message: bytes, digest: str) -> None:
    assert digest == md4(message).hex()


def test_the_nt_hash_of_password_is_the_one_everybody_knows() -> None:
    assert "8846f7eaee8fb117ad06bdd830b7586c" == nt_hash("password").hex()
