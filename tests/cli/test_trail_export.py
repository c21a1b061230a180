"""`crownkeep trail export`, `search`, `withhold` and `rotate-keys`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scripts import verify_trail
from tests.cli.conftest import Terminal

Made = Callable[..., dict[str, Any]]


@pytest.fixture
def accounts(made: Made, crownkeep: Terminal) -> list[str]:
    """Two accounts, and a checkpoint that counts their records."""
    found = [made()["account_id"] for _ in range(2)]
    crownkeep("trail", "checkpoint")
    return found


def keyed(crownkeep: Terminal) -> list[str]:
    return [word for vkey in crownkeep("trail", "keys", "--json").json()["log"] for word in ("--key", vkey)]


def test_an_export_is_verified_by_us_and_by_the_file_that_needs_nothing_of_ours(
    accounts: list[str], crownkeep: Terminal, tmp_path: Path
):
    file, keys = tmp_path / "trail.jsonl", keyed(crownkeep)

    written = crownkeep("trail", "export", "--out", str(file))
    ours = crownkeep("trail", "verify", "--export", str(file), *keys, "--json")

    assert (0, 0, True) == (written.code, ours.code, ours.json()["ok"])
    assert "2 records, 0 of them withheld" in verify_trail.verify_export(file, keys[1::2], None)


@pytest.mark.parametrize(("old", "new"), [("CreateAccount", "DeleteAccount"), ("us-east-1", "eu-west-1")])
def test_a_changed_export_is_found(accounts: list[str], crownkeep: Terminal, tmp_path: Path, old: str, new: str):
    file, keys = tmp_path / "trail.jsonl", keyed(crownkeep)
    crownkeep("trail", "export", "--out", str(file))
    file.write_text(file.read_text().replace(old, new, 1))

    ended = crownkeep("trail", "verify", "--export", str(file), *keys, "--json")

    assert 1 == ended.code
    with pytest.raises(verify_trail.Wrong):
        verify_trail.verify_export(file, keys[1::2], None)


def test_an_export_with_a_record_cut_out_is_found(accounts: list[str], crownkeep: Terminal, tmp_path: Path):
    file, keys = tmp_path / "trail.jsonl", keyed(crownkeep)
    crownkeep("trail", "export", "--out", str(file))
    first, _, *rest = file.read_text().splitlines(keepends=True)
    file.write_text("".join([first, *rest]))

    answer = crownkeep("trail", "verify", "--export", str(file), *keys, "--json").json()

    assert "leaf-missing" in {each["kind"] for each in answer["findings"]}


def test_a_selection_says_that_it_is_one(accounts: list[str], crownkeep: Terminal, tmp_path: Path):
    file, keys = tmp_path / "trail.jsonl", keyed(crownkeep)
    crownkeep("trail", "export", "--out", str(file), "--account", accounts[0])

    answer = crownkeep("trail", "verify", "--export", str(file), *keys, "--json").json()

    assert (True, 1) == (answer["ok"], answer["records"])
    assert "it is a selection" in answer["not_seen"][0]


def test_an_export_for_cloudtrail_s_tools_is_one_of_its_log_files(accounts: list[str], crownkeep: Terminal, tmp_path: Path):
    file = tmp_path / "trail.json"
    crownkeep("trail", "export", "--out", str(file), "--format", "cloudtrail")

    records = json.loads(file.read_text())["Records"]

    assert set(accounts) <= {each["recipientAccountId"] for each in records}
    assert "CreateAccount" == records[0]["eventName"]


def test_an_export_in_ocsf_has_what_its_classes_require(accounts: list[str], crownkeep: Terminal, tmp_path: Path):
    file = tmp_path / "trail.ocsf"
    crownkeep("trail", "export", "--out", str(file), "--format", "ocsf")

    events = [json.loads(line) for line in file.read_text().splitlines()]

    for each in events:
        assert each["type_uid"] == each["class_uid"] * 100 + each["activity_id"]
        assert "1.4.0" == each["metadata"]["version"]
        assert {"actor", "api", "cloud", "severity_id", "src_endpoint", "time"} <= each.keys()


def test_a_search_finds_by_anything(accounts: list[str], crownkeep: Terminal):
    by_name = crownkeep("trail", "search", "--event-name", "CreateAccount", "--json").json()["events"]
    by_account = crownkeep("trail", "search", "--account", accounts[1], "--json").json()["events"]
    by_text = crownkeep("trail", "search", "--text", "ROOT-1@CLI.EXAMPLE", "--json").json()["events"]
    by_id = crownkeep("trail", "search", "--event-id", by_name[1]["record"]["eventID"], "--json").json()["events"]
    none = crownkeep("trail", "search", "--until", "2001-01-01", "--json").json()["events"]

    assert accounts == [each["record"]["recipientAccountId"] for each in by_name]
    assert [by_name[1]] == by_account == by_id
    assert [by_name[0]] == by_text
    assert [] == none
    assert "CreateAccount" in crownkeep("trail", "search").out


def test_one_record_is_withheld_by_law(accounts: list[str], crownkeep: Terminal, tmp_path: Path):
    event = crownkeep("trail", "search", "--account", accounts[0], "--json").json()["events"][0]["record"]["eventID"]
    words = ("trail", "withhold", "--account", accounts[0], "--event-id", event, "--reason", "a court's order", "--json")

    unsure, done = crownkeep(*words), crownkeep(*words, "--yes")
    again = crownkeep(*words, "--yes")
    crownkeep("trail", "checkpoint")
    proof = crownkeep("trail", "prove", event, "--out", str(tmp_path / "proof"))
    answer = crownkeep("trail", "verify", "--json").json()

    assert (2, 0, 1) == (unsure.code, done.code, again.code)
    assert 1 == done.json()["records"]
    assert (True, 1) == (answer["ok"], answer["withheld"])
    assert (1, False) == (proof.code, (tmp_path / "proof").exists())
    assert "its record is gone" in proof.err
    assert [] == crownkeep("trail", "search", "--account", accounts[0], "--json").json()["events"]
    act = crownkeep("trail", "search", "--event-name", "WithholdRecords", "--json").json()["events"][0]["record"]
    assert "a court's order" == act["additionalEventData"]["withheld"][0]["reason"]


def test_old_records_are_withheld_for_retention(accounts: list[str], crownkeep: Terminal):
    words = ("--account", accounts[0], "--reason", "older than we keep", "--yes", "--json")

    early = crownkeep("trail", "withhold", "--before", "2001-01-01", *words)
    late = crownkeep("trail", "withhold", "--before", "2100-01-01", *words)

    assert ((0, 0), (0, 1)) == ((early.code, early.json()["records"]), (late.code, late.json()["records"]))
    assert crownkeep("trail", "verify", "--json").json()["ok"]


def test_keys_that_were_rotated_still_verify_what_they_signed(accounts: list[str], crownkeep: Terminal, tmp_path: Path):
    old = tmp_path / "old"
    old.write_text(crownkeep("trail", "checkpoint").out, encoding="utf-8")
    before = keyed(crownkeep)

    new = crownkeep("trail", "rotate-keys", "--json").json()["vkeys"]
    crownkeep("trail", "checkpoint")
    by_all = crownkeep("trail", "verify", "--checkpoint", str(old), "--json").json()
    by_old = crownkeep("trail", "verify", "--checkpoint", str(old), *before, "--json").json()
    by_new = crownkeep("trail", "verify", "--key", new[0], "--json").json()

    assert [[], [], []] == [each["findings"] for each in (by_all, by_old, by_new)]
    assert not set(new) & set(before)
