"""`crownkeep trail`: the operator reads what happened, an account's or what belongs to none."""

from __future__ import annotations

import json
import logging
import os
import re
from datetime import UTC, datetime

import click
import pytest
from click.testing import CliRunner
from tests.cli.conftest import Terminal

from crownkeep.cli import output
from crownkeep.logs import TextFormatter
from crownkeep.storage.database import Database
from crownkeep.storage.trail import checkpoints
from crownkeep.storage.trail.checkpoints import CheckpointRow


def events(ended):
    assert ended.code == 0, ended.err
    return ended.json()["events"]


def test_an_accounts_trail_is_read_the_newest_first(made, crownkeep):
    account_id = made()["account_id"]
    crownkeep("account", "close", account_id)

    found = events(crownkeep("trail", "list", "--account", account_id, "--json"))

    assert ["CloseAccount", "CreateAccount"] == [each["eventName"] for each in found]
    assert {"type": "AWSService", "invokedBy": "crownkeep operator"} == found[0]["userIdentity"]
    assert re.fullmatch(r"crownkeep-cli/\S+ user/\S+(?: login/\S+)?", found[0]["userAgent"])


def test_the_operators_own_trail_says_what_was_purged_and_what_was_refused(made, crownkeep):
    account_id = made()["account_id"]
    crownkeep("account", "purge", account_id, "--yes")
    crownkeep("account", "show", account_id)

    found = events(crownkeep("trail", "list", "--json"))

    assert [("GetAccount", "ResourceNotFoundException"), ("PurgeAccount", None)] == [
        (each["eventName"], each.get("errorCode")) for each in found[:2]
    ]
    assert {"account_id": account_id} == found[1]["requestParameters"]


def test_pages_and_limits_hold_every_event_once(made, crownkeep):
    account_id = made()["account_id"]
    for _ in range(5):
        crownkeep("account", "show", account_id)

    few = events(crownkeep("trail", "list", "--account", account_id, "--limit", "4", "--json"))
    all_of_them = events(crownkeep("trail", "list", "--account", account_id, "--json"))

    assert (4, 6) == (len(few), len(all_of_them))
    assert few == all_of_them[:4]


@pytest.mark.parametrize(("since", "count"), [("2000-01-01", 1), ("2999-12-31T00:00:00+02:00", 0), ("0001-01-01", 1)])
def test_nothing_older_than_asked_for_is_listed(made, crownkeep, since, count):
    account_id = made()["account_id"]

    assert count == len(events(crownkeep("trail", "list", "--account", account_id, "--since", since, "--json")))


@pytest.mark.parametrize("options", [["--account", "12"], ["--since", "yesterday"], ["--limit", "0"]])
def test_what_does_not_fit_is_refused(crownkeep, options):
    assert 2 == crownkeep("trail", "list", *options).code


def test_an_escape_sequence_in_a_strangers_request_does_not_reach_the_operators_terminal(fresh_crown):
    crown = fresh_crown()
    crown.request("POST", "/", headers={"User-Agent": "x\x1b]0;owned\x07", "X-Amz-Target": "evil\x1b[2J.Op"}, body=b"{}")
    terminal = Terminal({"CROWNKEEP_DATA": crown.settings.data, "CROWNKEEP_DATABASE": crown.settings.database_url})

    ended = terminal("trail", "list")

    assert 0 == ended.code
    assert ended.out
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", ended.out)


def test_a_table_is_drawn_for_a_terminal_and_its_cells_are_no_markup(made, crownkeep, monkeypatch):
    from crownkeep.cli import output

    drawn = []
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setattr("rich.console.Console.print", lambda _, table: drawn.append(table))

    output.print_table(("A", "B"), [("[red]x[/red]", "y")])

    assert ["[red]x[/red]"] == [str(cell) for cell in drawn[0].columns[0].cells]


@pytest.mark.parametrize("sent", ["\x1b[2J", "\x9b2J", "\x7f", "\u202eabc", "\u2066", "\u200b", "\r"], ids=ascii)
def test_no_control_character_of_a_stranger_reaches_the_operators_terminal(sent):
    shown = capture(lambda: output.print_json({"userAgent": f"curl {sent}", "sourceIPAddress": "192.0.2.1"}))
    answer = capture(lambda: output.print_table(("AGENT",), [(f"curl {sent}",)]))
    paired = capture(lambda: output.print_pairs([("agent", f"curl {sent}")]))

    assert f"curl {sent}" == json.loads(shown)["userAgent"]
    for text in (shown, answer, paired):
        assert all(character.isprintable() for character in text.replace("\n", ""))


def capture(show):
    @click.command()
    def command():
        show()

    return CliRunner().invoke(command, []).output


def test_a_log_line_for_people_holds_no_control_character():
    record = logging.LogRecord("crownkeep", logging.INFO, "", 0, "from %s", ("\x9b2J\u202e\x1b[2J",), None)

    assert "from ?2J??[2J" == TextFormatter("%(message)s").format(record)


@pytest.mark.parametrize(
    ("login", "said"),
    [("4294967295", ""), (str(os.getuid()), ""), ("64747", " login/64747"), ("", ""), ("nobody", "")],
    ids=["a service", "oneself", "somebody by sudo", "unknown", "unreadable"],
)
def test_the_record_names_who_had_signed_in_behind_sudo(crownkeep, tmp_path, monkeypatch, login, said):
    (tmp_path / "loginuid").write_text(login)
    monkeypatch.setattr("crownkeep.cli.house._LOGIN", tmp_path / "loginuid")

    crownkeep("account", "show", "111122223333")

    agent = events(crownkeep("trail", "list", "--json"))[0]["userAgent"]
    assert said == agent.removeprefix(agent.partition(" login/")[0])


def test_commands_say_that_a_tree_was_altered_and_sign_nothing(made, crownkeep, tmp_path):
    made()
    database = Database(f"sqlite:///{tmp_path}/data/crownkeep.db")
    with database.transaction() as db:
        checkpoints.add(db, CheckpointRow(1_000_000, "log", bytes(32), datetime(2026, 11, 1, tzinfo=UTC), ""), [])
    database.close()
    event_id = "0197a1b2-0000-7000-8000-000000000000"

    refused = [
        crownkeep("trail", "checkpoint"),
        crownkeep("trail", "prove", event_id, "--out", str(tmp_path / "proof")),
        crownkeep("trail", "seal-month", "2026-10"),
        crownkeep("backup", "create", "--to", str(tmp_path / "backups")),
    ]

    for each in refused:
        assert 1 == each.code
        assert "the last checkpoint counts 1000000 records" in each.err
