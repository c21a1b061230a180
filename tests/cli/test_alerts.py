"""`crownkeep alerts`: receivers, rules and history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.cli.conftest import Terminal


@pytest.fixture
def account_id(made: Callable[..., dict[str, Any]]) -> str:
    return str(made()["account_id"])


def run(crownkeep: Terminal, account_id: str, *words: str) -> Any:
    done = crownkeep("alerts", *words, "--account", account_id, "--json")
    assert done.code == 0, done.err
    return done.json()


def test_a_webhook_is_added_with_its_secret_listed_tested_and_removed(crownkeep: Terminal, account_id: str):
    made = run(crownkeep, account_id, "receiver", "add", "--webhook", "https://hook.acme.example/x", "--rule", "root-signed-in")

    (listed,) = run(crownkeep, account_id, "receiver", "list")["receivers"]
    tested = run(crownkeep, account_id, "receiver", "test", made["id"])
    known = {each["notice_id"] for each in run(crownkeep, account_id, "history")["alerts"]}
    run(crownkeep, account_id, "receiver", "remove", made["id"])

    assert {"id", "secret"} == set(made)
    assert (made["id"], ["root-signed-in"], "active") == (listed["receiver_id"], listed["rules"], listed["state"])
    assert tested["id"] in known
    assert [] == run(crownkeep, account_id, "receiver", "list")["receivers"]


def test_mail_and_syslog_receivers_have_no_secret(crownkeep: Terminal, account_id: str):
    for words in (("--email", "soc@acme.example"), ("--syslog", "logs.acme.example:6514")):
        made = run(crownkeep, account_id, "receiver", "add", *words)
        assert {"id"} == set(made)
        run(crownkeep, account_id, "receiver", "remove", made["id"])


def test_the_url_of_a_service_is_read_from_the_input_and_not_shown(crownkeep: Terminal, account_id: str):
    words = ("alerts", "receiver", "add", "--account", account_id, "--apprise", "-", "--json")

    done = crownkeep(*words, stdin="slack://a-path-that-admits/b/c\n")

    (listed,) = run(crownkeep, account_id, "receiver", "list")["receivers"]
    run(crownkeep, account_id, "receiver", "remove", listed["receiver_id"])
    assert (0, ["id"], "slack://") == (done.code, list(done.json()), listed["target"])


def test_the_url_of_a_webhook_need_not_stand_in_argv(crownkeep: Terminal, account_id: str):
    url = "https://hook.acme.example/a-path-that-admits"

    done = crownkeep("alerts", "receiver", "add", "--account", account_id, "--webhook", "-", "--json", stdin=f"{url}\n")

    (listed,) = run(crownkeep, account_id, "receiver", "list")["receivers"]
    run(crownkeep, account_id, "receiver", "remove", listed["receiver_id"])
    assert (0, url) == (done.code, listed["target"])


def test_ssrf_by_a_receiver_inside_is_refused_in_one_sentence(crownkeep: Terminal, account_id: str):
    words = ("receiver", "add", "--account", account_id, "--webhook", "https://169.254.169.254/")

    done = crownkeep("alerts", *words)

    assert done.code != 0
    assert "alert_networks" in done.err


def test_one_channel_is_asked_for(crownkeep: Terminal, account_id: str):
    assert 2 == crownkeep("alerts", "receiver", "add", "--account", account_id).code


def test_a_rule_is_tried_added_switched_off_and_removed(crownkeep: Terminal, account_id: str):
    pattern = "{ $.eventName = CreateAccount }"
    assert 1 == run(crownkeep, account_id, "rule", "test", "--pattern", pattern)["matched"]

    run(crownkeep, account_id, "rule", "add", "made", "--pattern", pattern)
    run(crownkeep, account_id, "rule", "off", "made", "--reason", "a drill")
    silent = {each["name"]: each for each in run(crownkeep, account_id, "rule", "list")["rules"]}["made"]
    run(crownkeep, account_id, "rule", "on", "made")
    run(crownkeep, account_id, "rule", "remove", "made")

    assert "a drill" == silent["silenced_because"]
    assert "made" not in {each["name"] for each in run(crownkeep, account_id, "rule", "list")["rules"]}
    assert {"replayed": 0} == run(crownkeep, account_id, "replay")
