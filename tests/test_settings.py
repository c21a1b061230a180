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


@pytest.mark.parametrize(
    "url",
    [
        "accounts.acme.example",
        "ftp://acme.example",
        "https://",
        "https://acme.example/crown",
        "https://user@acme.example",
        "https://acme.example?x=1",
        "https://acme.example:port",
        "https://acme .example",
        "javascript:alert(1)",
    ],
)
def test_a_public_url_that_is_none_is_said_in_one_sentence(url: str):
    with pytest.raises(settings.InvalidSettings) as refused:
        settings.load({"public_url": url}, environment={})

    assert f"setting `public_url` is `{url}`; give " in str(refused.value)


@pytest.mark.parametrize(
    "url", ["https://acme.example", "http://localhost:4747/", "https://[2001:db8::1]:8443", "https://10.0.0.1"]
)
def test_a_public_url_names_a_host_and_perhaps_a_port(url: str):
    assert url.rstrip("/") == settings.load({"public_url": url}, environment={}).url


def test_a_misspelt_variable_is_named():
    given = {"CROWNKEEP_PORT": "1", "CROWNKEEP_PROT": "2", "PATH": "/bin", "CROWNKEEP_": ""}

    assert ["CROWNKEEP_", "CROWNKEEP_PROT"] == settings.unknown_variables(given)
