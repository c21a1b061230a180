"""`crownkeep recoverability`: its exit code, its words and its JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.cli.conftest import Terminal

Made = Callable[..., dict[str, Any]]


def test_two_independent_ways_are_success(crownkeep: Terminal, made: Made):
    account = made("--admin-user", "admin")

    ended = crownkeep("recoverability", account["account_id"])

    assert 0 == ended.code, ended.err
    assert "At least two independent ways" in ended.out
    assert "the user admin signs with an access key" in ended.out


def test_a_single_point_of_failure_is_a_failure_and_named(crownkeep: Terminal, made: Made):
    account = made()

    ended = crownkeep("recoverability", account["account_id"], "--json")

    found = ended.json()
    assert (1, False, True) == (ended.code, found["ok"], found["recoverable"])
    assert [f"the mailbox {account['root_email']}", "the mail domain cli.example"] == found["single_points"]


def test_an_account_that_is_not_there_is_a_failure_with_a_sentence(crownkeep: Terminal, made: Made):
    made()

    ended = crownkeep("recoverability", "000000000001")

    assert (1, True) == (ended.code, "there is no account `000000000001`" in ended.err)
