"""`crownkeep root` and `crownkeep mail`: what the operator sees of root users and of mail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.cli.conftest import Terminal

Made = Callable[..., dict[str, Any]]


def test_the_status_of_a_fresh_root_says_that_it_has_nothing(crownkeep: Terminal, made: Made):
    account = made()

    found = crownkeep("root", "status", account["account_id"], "--json").json()

    assert (False, [], [], 0) == (found["has_password"], found["mfa_devices"], found["access_keys"], found["recovery_codes"])
    assert account["root_email"] == found["root_email"]


def test_the_status_names_keys_and_custodian(crownkeep: Terminal, made: Made):
    account = made("--root-access-key")
    crownkeep("root", "custodian", account["account_id"], "--email", "custodian@cli.example")

    ended = crownkeep("root", "status", account["account_id"])

    assert (0, True, True) == (
        ended.code,
        f"{account['root']['access_key_id']} (Active)" in ended.out,
        "custodian@cli.example" in ended.out,
    )


def test_nothing_is_confirmed_where_nothing_waits(crownkeep: Terminal, made: Made):
    account = made()

    for words in (
        ("root", "recover", account["account_id"]),
        ("root", "recover", account["account_id"], "--confirm", "ABCD-EFGH"),
    ):
        ended = crownkeep(*words)
        assert (1, True) == (ended.code, "no recovery of root waits" in ended.err)


def test_a_custodian_is_named_or_removed_not_both(crownkeep: Terminal, made: Made):
    account = made()

    assert 2 == crownkeep("root", "custodian", account["account_id"]).code
    assert 2 == crownkeep("root", "custodian", account["account_id"], "--email", "c@cli.example", "--remove").code
    assert 1 == crownkeep("root", "custodian", account["account_id"], "--remove").code
    assert 0 == crownkeep("root", "custodian", account["account_id"], "--email", "c@cli.example").code
    assert 0 == crownkeep("root", "custodian", account["account_id"], "--remove").code


def test_an_account_that_is_not_there_is_said_so(crownkeep: Terminal, made: Made):
    made()

    for words in (("status",), ("recover",), ("custodian", "--remove")):
        ended = crownkeep("root", words[0], "000000000001", *words[1:])
        assert (1, True) == (ended.code, "there is no account `000000000001`" in ended.err)


def test_letters_that_wait_are_listed_and_shown(crownkeep: Terminal, made: Made):
    account = made()
    crownkeep("root", "custodian", account["account_id"], "--email", "custodian@cli.example")

    (listed,) = crownkeep("mail", "list", "--json").json()["messages"]
    shown = crownkeep("mail", "show", listed["id"])

    assert (account["root_email"], "waiting") == (listed["to"], listed["state"])
    assert (0, True) == (shown.code, "another custodian" in shown.out)


def test_files_of_the_outbox_are_listed_and_shown_without_driving_the_terminal(crownkeep: Terminal, made: Made, data: Path):
    made()
    folder = data / "outbox"
    folder.mkdir(mode=0o700)
    raw = (
        "From: a@b.example\r\nTo: root@acme.example\r\nSubject: hello\r\nDate: Tue, 24 Nov 2026 12:00:00 +0000\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n\r\nfirst \x1b[2J\r\nsecond\r\n"
    )
    (folder / f"{'1' * 32}.eml").write_bytes(raw.encode())

    listed = crownkeep("mail", "list")
    shown = crownkeep("mail", "show", "1" * 32)

    assert ("hello" in listed.out, "written" in listed.out) == (True, True)
    assert ("first ?[2J" in shown.out, "second" in shown.out, "\x1b" in shown.out) == (True, True, False)


def test_a_message_that_is_not_there_is_said_so(crownkeep: Terminal, made: Made):
    made()

    assert 1 == crownkeep("mail", "show", "0" * 32).code
    elsewhere = crownkeep("mail", "show", "../../etc/passwd")
    assert (1, True) == (elsewhere.code, "there is no message `../../etc/passwd`" in elsewhere.err)
