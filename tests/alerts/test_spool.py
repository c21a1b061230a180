"""The spool: a file for each notice, whole and its owner's alone, where the operator says so and nobody else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from tests.alerts.office import settle
from tests.fixtures.crown import Crowns

from crownkeep.alerts import spool
from crownkeep.alerts.undelivered import Undelivered


def put(folder: Path, content: bytes = b"{}") -> None:
    spool.put(folder, "soc", "1.json", content)


def test_an_alert_is_a_file_in_the_operator_s_folder(crowns: Crowns):
    crown = crowns.fresh("sqlite")
    account = crown.account()
    wanted = {"channel": "directory", "target": "soc", "rules": ["alternate-contact-set"]}
    assert 201 == crown.operator("POST", f"/accounts/{account.id}/alerts/receivers", wanted).status
    for fault in ("../etc", "/etc", "a/b", "UP", "", "x" * 64):
        assert 400 == crown.operator("POST", f"/accounts/{account.id}/alerts/receivers", {**wanted, "target": fault}).status
    with pytest.raises(ClientError, match="ValidationException"):
        account.root("alerts").create_alert_receiver(Channel="directory", Target="soc")

    account.client("account").put_alternate_contact(
        AlternateContactType="SECURITY", Name="S", Title="T", EmailAddress="s@acme.example", PhoneNumber="+1 555"
    )
    settle(crown)

    (file,) = (crown.settings.data_directory / "spool" / "soc").iterdir()
    answer = json.loads(file.read_text())
    assert ("alert.alternate-contact-set", account.id) == (answer["type"], answer["data"]["account_id"])
    assert f"{answer['id']}.json" == file.name.partition("-")[2]
    assert (0o600, 0o700) == (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777)
    crown.close()


def test_a_notice_that_is_written_again_is_one_file_even_after_a_kill(tmp_path: Path):
    put(tmp_path, b"1")
    (tmp_path / "soc" / "1.json.under-way").write_bytes(b"half")

    put(tmp_path, b"2")

    assert [("1.json", b"2")] == [(each.name, each.read_bytes()) for each in (tmp_path / "soc").iterdir()]


def test_a_folder_that_is_a_link_is_not_written_through(tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "soc").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(Undelivered, match="is a link"):
        put(tmp_path)

    assert [] == list((tmp_path / "elsewhere").iterdir())


def test_a_folder_that_nobody_empties_fills_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(spool, "MOST_FILES", 1)
    put(tmp_path)

    with pytest.raises(Undelivered, match="nobody takes them away"):
        spool.put(tmp_path, "soc", "2.json", b"{}")
