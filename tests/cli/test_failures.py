"""What goes wrong is said in one sentence that says what to do: no traceback, no secret, exit code 1, or 2 for a wrong call."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import click
import pytest
from tests.cli.conftest import Terminal

from crownkeep.cli import failures
from crownkeep.cli.main import main


def one_sentence(text: str) -> bool:
    return text.startswith("Error: ") and text.count("\n") == 1 and "Traceback" not in text


def test_a_directory_that_others_may_enter_is_refused(crownkeep, data):
    data.mkdir(mode=0o755)
    data.chmod(0o755)

    ended = crownkeep("account", "list")

    assert (1, "") == (ended.code, ended.out)
    assert one_sentence(ended.err)
    assert f"run `chmod 700 {data}`" in ended.err


def test_a_setting_that_can_not_be_is_a_wrong_call(crownkeep, data):
    data.mkdir(mode=0o700)
    (data / "crownkeep.toml").write_text("port = 99999\n")

    ended = crownkeep("account", "list")

    assert 2 == ended.code
    assert one_sentence(ended.err)


def test_a_setting_of_the_wrong_kind_is_named_with_what_it_is(crownkeep, data):
    data.mkdir(mode=0o700)
    (data / "crownkeep.toml").write_text('port = "abc"\n')
    wrong = crownkeep("account", "list")
    (data / "crownkeep.toml").write_text("prot = 4747\n")

    unknown = crownkeep("account", "list")

    assert [2, 2] == [wrong.code, unknown.code]
    assert [True, True] == [one_sentence(wrong.err), one_sentence(unknown.err)]
    assert "setting `port` is `abc`" in wrong.err
    assert "there is no setting `prot`" in unknown.err


def test_a_port_that_is_taken_is_said_before_anything_is_made(crownkeep, data):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        ended = crownkeep("serve", "--port", str(port))

    assert (1, "") == (ended.code, ended.out)
    assert one_sentence(ended.err)
    assert f"can't listen on port {port}" in ended.err
    assert not data.exists()


def test_a_damaged_database_is_said_to_be_one(crownkeep, data):
    crownkeep("account", "list")
    (data / "crownkeep.db").write_bytes(b"no database at all" * 100)

    ended = crownkeep("account", "list")

    assert 1 == ended.code
    assert one_sentence(ended.err)
    assert "the database can't be used: file is not a database" in ended.err


@pytest.mark.parametrize(
    ("url", "code", "reason"),
    [
        ("mysql://root:hunter2@localhost/x", 2, "no driver for the database `mysql`; use a sqlite or postgresql URL"),
        ("nonsense hunter2", 2, "the database's URL can't be read"),
        ("postgresql://crown:hunter2@localhost:port/x", 2, "the database's URL can't be read"),
        ("postgresql://crown:hunter2@127.0.0.1:1/none", 1, "Connection refused"),
        ("sqlite:////proc/nowhere/hunter2.db", 1, "the database can't be used: unable to open database file"),
    ],
)
def test_a_database_that_can_not_be_reached_is_named_without_its_password(data, url, code, reason):
    ended = Terminal({"CROWNKEEP_DATA": str(data), "CROWNKEEP_DATABASE": url})("account", "list")

    assert code == ended.code
    assert one_sentence(ended.err), ended.err
    assert reason in ended.err
    assert "hunter2" not in ended.err


def test_a_fault_of_ours_shows_its_kind_alone(crownkeep, monkeypatch):
    def fail(*_: object) -> None:
        raise ZeroDivisionError("a secret of somebody's")

    monkeypatch.setattr("crownkeep.data_directory.prepare", fail)

    ended = crownkeep("account", "list")

    assert (1, "") == (ended.code, ended.out)
    assert "Error: a fault of crownkeep's own (ZeroDivisionError); report it with what you called\n" == ended.err


@pytest.mark.parametrize(
    "words", [["frobnicate"], ["account", "frobnicate"], ["account", "list", "--frobnicate"], ["account", "show"]]
)
def test_a_wrong_call_ends_with_two(crownkeep, words):
    ended = crownkeep(*words)

    assert (2, "") == (ended.code, ended.out)
    assert "Error: " in ended.err


def test_help_says_something_of_every_command(crownkeep):
    for words in commands(main, []):
        ended = crownkeep(*words, "--help")

        assert 0 == ended.code
        assert f"Usage: crownkeep {' '.join(words)}".strip() in ended.out


def test_the_summaries_of_the_first_page_are_the_commands_own(crownkeep):
    page = " ".join(crownkeep("--help").out.split())

    for name, command in main.commands.items():
        assert f" {name} {command.get_short_help_str(80)}" in page


def test_every_command_that_answers_something_answers_json():
    silent = {"serve"}

    without = [
        " ".join(words)
        for words in commands(main, [])
        if words and not isinstance(find(words), click.Group) and words[0] not in silent
        if "--json" not in {option for each in find(words).params for option in each.opts}
    ]

    assert [] == without


def test_an_exit_of_clicks_own_is_left_to_it():
    assert 2 == failures.WrongCall("x").exit_code


def find(words: list[str]) -> click.Command:
    found: click.Command = main
    for word in words:
        assert isinstance(found, click.Group)
        found = found.commands[word]
    return found


def commands(group: click.Group, path: list[str]) -> Iterator[list[str]]:
    yield path
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, [*path, name])
        else:
            yield [*path, name]
