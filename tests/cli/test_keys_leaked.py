"""`crownkeep keys leaked`: finds our keys wherever they are, says whose they are, stops them, and tells no secret."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

UNKNOWN = "AKIAIOSFODNN7EXAMPLE"


@pytest.fixture
def told(made) -> dict[str, Any]:
    """An account with an administrator and a root key."""
    return made("--admin-user", "admin", "--root-access-key")


def git(folder: Path, *words: str) -> None:
    settings = ("-c", "user.name=t", "-c", "user.email=t@test.example", "-c", "commit.gpgSign=false")
    subprocess.run(("git", *settings, "-C", str(folder), *words), check=True, capture_output=True)


def written(key: dict[str, str]) -> str:
    return f"[default]\naws_access_key_id = {key['access_key_id']}\naws_secret_access_key = {key['secret_access_key']}\n"


def test_nothing_of_ours_is_nothing_to_worry_about(crownkeep, told, tmp_path):
    (tmp_path / "notes").write_text(f"an example: {UNKNOWN}\n")

    ended = crownkeep("keys", "leaked", str(tmp_path / "notes"))

    assert (0, "No access key of ours is there.\n") == (ended.code, ended.out)


def test_a_key_is_found_with_its_owner_its_place_and_whether_its_secret_lies_beside_it(crownkeep, told, tmp_path):
    (tmp_path / "credentials").write_text("\n" + written(told["admin"]))
    (tmp_path / "log").write_text(f"signed with {told['root']['access_key_id']} at noon\n")

    ended = crownkeep("keys", "leaked", str(tmp_path / "credentials"), str(tmp_path / "log"), "--json")

    admin, root = sorted(ended.json()["leaked"], key=lambda key: "user_name" not in key)
    assert 1 == ended.code
    assert {
        "access_key_id": told["admin"]["access_key_id"],
        "account_id": told["account_id"],
        "owner_arn": f"arn:aws:iam::{told['account_id']}:user/admin",
        "user_name": "admin",
        "status": "Active",
        "secret_seen": True,
        "places": [f"{tmp_path / 'credentials'}:3"],
        "deactivated": False,
        "quarantined": False,
    } == {name: value for name, value in admin.items() if name != "created_at"}
    assert (f"arn:aws:iam::{told['account_id']}:root", False) == (root["owner_arn"], root["secret_seen"])


def test_no_secret_is_printed_or_recorded(crownkeep, told, tmp_path):
    (tmp_path / "credentials").write_text(written(told["admin"]))

    shown = crownkeep("keys", "leaked", str(tmp_path / "credentials"), "--deactivate")
    as_json = crownkeep("keys", "leaked", str(tmp_path / "credentials"), "--json")
    trail = crownkeep("trail", "list", "--json")

    secret = told["admin"]["secret_access_key"]
    assert [] == [ended for ended in (shown, as_json, trail) if secret in ended.out + ended.err]
    assert "FindAccessKeys" in trail.out


def test_what_is_found_is_deactivated_and_its_user_quarantined_in_the_accounts_own_trail(crownkeep, told, tmp_path):
    (tmp_path / "both").write_text(written(told["admin"]) + written(told["root"]))

    ended = crownkeep("keys", "leaked", str(tmp_path / "both"), "--deactivate", "--quarantine", "--json")
    again = crownkeep("keys", "leaked", str(tmp_path / "both"), "--deactivate", "--quarantine", "--json")
    trail = crownkeep("trail", "list", "--account", told["account_id"], "--json")

    done = {key.get("user_name", "root"): (key["deactivated"], key["quarantined"]) for key in ended.json()["leaked"]}
    assert {"admin": (True, True), "root": (True, False)} == done
    assert {"Inactive"} == {key["status"] for key in again.json()["leaked"]}
    assert {False} == {key["deactivated"] for key in again.json()["leaked"]}
    names = [event["eventName"] for event in trail.json()["events"]]
    assert (2, 2) == (names.count("DeactivateAccessKey"), names.count("QuarantineUser"))


def test_a_folder_is_read_as_a_whole_and_a_utf_16_file_too(crownkeep, told, tmp_path):
    (tmp_path / "deep/er").mkdir(parents=True)
    (tmp_path / "deep/er/windows.txt").write_bytes(written(told["admin"]).encode("utf-16"))
    os.mkfifo(tmp_path / "deep/pipe")

    ended = crownkeep("keys", "leaked", str(tmp_path / "deep"), "--json")

    (key,) = ended.json()["leaked"]
    assert (True, 1) == (key["secret_seen"], len(key["places"]))


def test_a_key_in_one_long_line_is_not_cut_in_two(crownkeep, told, tmp_path):
    key = told["admin"]["access_key_id"]
    for position, name in ((1 << 20) - 7, "cut"), ((1 << 20) - 30, "whole"):
        (tmp_path / name).write_text("." * position + key + "." * 100)

        ended = crownkeep("keys", "leaked", str(tmp_path / name), "--json")

        assert [key] == [each["access_key_id"] for each in ended.json()["leaked"]]


def test_what_was_committed_once_is_found_though_it_was_removed(crownkeep, told, tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "config.ini").write_text(written(told["admin"]))
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    (folder / "config.ini").write_text("nothing\n")
    git(folder, "commit", "-qam", "second")

    ended = crownkeep("keys", "leaked", str(folder), "--json")
    without = crownkeep("keys", "leaked", str(folder), "--no-history")

    (key,) = ended.json()["leaked"]
    assert (True, True) == (key["secret_seen"], all(":config.ini" in place for place in key["places"]))
    assert 0 == without.code


def test_a_repository_that_is_looked_at_runs_no_program_of_its_own(crownkeep, told, tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / ".gitattributes").write_text("* diff=evil\n")
    (folder / "a").write_text("a\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    for name in ("diff.evil.command", "diff.evil.textconv", "core.fsmonitor", "core.pager"):
        git(folder, "config", name, f"touch {tmp_path / 'ran'}; cat")

    ended = crownkeep("keys", "leaked", str(folder))

    assert (0, False) == (ended.code, (tmp_path / "ran").exists())


def test_without_git_a_repositorys_history_is_refused_and_not_left_out_in_silence(crownkeep, told, tmp_path, monkeypatch):
    (tmp_path / "project/.git").mkdir(parents=True)
    monkeypatch.setenv("PATH", "")

    refused = crownkeep("keys", "leaked", str(tmp_path / "project"))
    allowed = crownkeep("keys", "leaked", str(tmp_path / "project"), "--no-history")

    assert (2, 0) == (refused.code, allowed.code)
    assert "git is not installed: install it, or add `--no-history`" in refused.err


def test_a_broken_repository_is_said_to_be_one(crownkeep, told, tmp_path):
    (tmp_path / "project/.git").mkdir(parents=True)

    ended = crownkeep("keys", "leaked", str(tmp_path / "project"))

    assert 1 == ended.code
    assert "git can't read the history of" in ended.err


def test_an_escape_sequence_in_a_name_does_not_reach_the_terminal(crownkeep, told, tmp_path):
    (tmp_path / "evil\x1b[2J").write_text(told["admin"]["access_key_id"])

    ended = crownkeep("keys", "leaked", str(tmp_path))

    assert "\x1b" not in ended.out + ended.err
