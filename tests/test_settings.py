"""Settings: the address that people are told."""

from __future__ import annotations

import pytest

from crownkeep import settings


@pytest.mark.parametrize(
    ("flags", "url"),
    [
        ({}, "http://localhost:4747"),
        ({"host": "0.0.0.0", "port": 5000}, "http://localhost:5000"),
        ({"host": "::1"}, "http://localhost:4747"),
        ({"host": "192.0.2.7"}, "http://192.0.2.7:4747"),
        ({"host": "2001:db8::7"}, "http://[2001:db8::7]:4747"),
        ({"public_url": "https://sign-in.example/"}, "https://sign-in.example"),
    ],
)
def test_the_address_is_a_name_where_there_is_one_since_passkeys_need_it(flags: dict[str, object], url: str) -> None:
    assert url == settings.load(flags, environment={}).url
