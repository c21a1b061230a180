"""What a newcomer meets: links that lead to the server, warnings about what is misspelt, help that can be read to its end."""

from __future__ import annotations

import subprocess
from pathlib import Path

import click
import pytest
from tests.cli.conftest import Terminal

from crownkeep import server_address
from crownkeep.cli.main import main

FLAGS = ["account", "create", "--email", "root@acme.example", "--name", "acme"]


def test_links_lead_to_the_server_that_runs_on_the_data_directory(crownkeep: Terminal, data: Path):
    crownkeep("account", "list")

    with server_address.announced(data, "http://localhost:5123"):
        ended = crownkeep(*FLAGS, "--json")

    answer = ended.json()
    assert answer["sign_in_url"].startswith("http://localhost:5123/signin?")
    assert answer["set_password_url"].startswith("http://localhost:5123/signin/")
    assert "no server runs" not in ended.err


def test_making_an_account_without_a_server_says_so_and_stays_readable_as_json(crownkeep: Terminal):
    ended = crownkeep(*FLAGS, "--json")

    assert "note: no server runs on this data directory; start one with `crownkeep serve`" in ended.err
    assert ended.json()["account_id"]


def test_a_public_url_that_is_set_goes_before_where_a_server_runs(data: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(data.parent)
    cheap = {"CROWNKEEP_DATA": str(data), "CROWNKEEP_ARGON2_MEMORY_KIB": "8"}
    run = Terminal(cheap | {"CROWNKEEP_PUBLIC_URL": "https://accounts.acme.example"})
    run("account", "list")

    with server_address.announced(data, "http://localhost:5123"):
        answer = run(*FLAGS, "--json").json()

    assert answer["sign_in_url"].startswith("https://accounts.acme.example/signin?")


def test_a_misspelt_variable_is_warned_of(data: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(data.parent)

    ended = Terminal({"CROWNKEEP_DATA": str(data), "CROWNKEEP_PUBLIC_ULR": "x"})("account", "list")

    assert (0, True) == (ended.code, "warning: there is no setting for the variable `CROWNKEEP_PUBLIC_ULR`" in ended.err)


def test_a_public_url_that_is_none_stops_the_start_before_anything_is_made(crownkeep: Terminal, data: Path):
    ended = crownkeep("serve", "--public-url", "accounts.acme.example")

    assert (2, False) == (ended.code, data.exists())
    assert "setting `public_url` is `accounts.acme.example`" in ended.err


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_tls_files_that_can_not_be_used_stop_the_start_before_anything_is_made(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
):
    monkeypatch.chdir(tmp_path)
    files = [tmp_path / "certificate.pem", tmp_path / "key.pem"]
    if content is not None:
        for file in files:
            file.write_text(content)
    named = {"CROWNKEEP_TLS_CERTIFICATE": str(files[0]), "CROWNKEEP_TLS_KEY": str(files[1])}

    ended = Terminal({"CROWNKEEP_DATA": str(data), **named})("serve", "--port", "0")

    assert (2, False) == (ended.code, data.exists())
    assert "Traceback" not in ended.err
    assert str(files[0]) in ended.err


def test_a_key_with_a_password_does_not_make_the_start_wait_for_it(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-passout", "pass:secret", "-subj", "/CN=localhost"]
    subprocess.run([*request, "-keyout", key, "-out", certificate], check=True, capture_output=True)

    ended = Terminal({"CROWNKEEP_DATA": str(data), "CROWNKEEP_TLS_CERTIFICATE": str(certificate), "CROWNKEEP_TLS_KEY": str(key)})(
        "serve", "--port", "0"
    )

    assert (2, True) == (ended.code, "unencrypted PEM key" in ended.err)


def _groups(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(command, click.Group):
        return []
    below = [found for name, each in command.commands.items() for found in _groups(each, (*path, name))]
    return [path, *below]


@pytest.mark.parametrize("words", _groups(main), ids=" ".join)
def test_summaries_in_the_help_are_whole_on_a_narrow_terminal(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "80")

    shown = Terminal({"COLUMNS": "80"})(*words, "--help").out

    assert [] == [line for line in shown.splitlines() if line.endswith("...") and not line.startswith("Usage:")]
