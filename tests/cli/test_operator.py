"""`crownkeep operator`: tokens for people, and whose name a command's record bears."""

from __future__ import annotations

import os
import pwd

import pytest


def test_an_operator_is_added_listed_rotated_and_removed(crownkeep):
    added = crownkeep(
        "operator", "add", "alice", "--scope", "accounts", "--scope", "trail:read,mail", "--expires", "30d", "--json"
    )
    rotated = crownkeep("operator", "rotate", "alice", "--json").json()
    (listed,) = crownkeep("operator", "list", "--json").json()["operators"]
    removed = crownkeep("operator", "remove", "alice", "--json")

    assert ["accounts", "mail", "trail:read"] == added.json()["scopes"] == listed["scopes"]
    assert added.json()["token"] != rotated["token"]
    assert (rotated["token_id"], "ACTIVE") == (listed["token_id"], listed["state"])
    assert "token" not in listed
    assert {"removed": "alice"} == removed.json()
    assert [] == crownkeep("operator", "list", "--json").json()["operators"]


def test_the_token_is_shown_once_and_in_no_list(crownkeep):
    shown = crownkeep("operator", "add", "bob").out
    token = next(word for word in shown.split() if word.startswith("ckop_"))

    listed = crownkeep("operator", "list").out

    assert "bob" in listed
    assert token not in listed + crownkeep("trail", "list", "--json").out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("add", "carol", "--scope", "everything"), 2, "`everything` is no scope; give some of all, read, accounts,"),
        (("add", "carol", "--expires", "soon"), 2, "give a date or a time"),
        (("add", "carol", "--expires", "999d"), 1, "a token expires within 366 days"),
        (("rotate", "carol"), 1, "there is no operator `carol`; `crownkeep operator list` shows them all"),
        (("remove", "carol"), 1, "there is no operator `carol`"),
    ],
)
def test_what_is_asked_for_wrongly_is_told_in_a_sentence(crownkeep, words, code, said):
    ended = crownkeep("operator", *words)

    assert code == ended.code
    assert said in ended.err


def test_a_commands_record_names_the_system_user_who_ran_it(crownkeep):
    crownkeep("operator", "add", "dave")

    (record,) = crownkeep("trail", "list", "--json").json()["events"]

    user = pwd.getpwuid(os.getuid()).pw_name
    assert ("AddOperator", {"systemUser": user}) == (record["eventName"], record["additionalEventData"])
