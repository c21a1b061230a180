"""`crownkeep doctor`: a fresh installation is well, and each thing that can go wrong is said by the check that it concerns."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from cryptography.hazmat.primitives.serialization import Encoding
from tests.cli.conftest import Ended, Terminal
from tests.credentials.mds import certify

from crownkeep import clock
from crownkeep.alerts import channels
from crownkeep.cli import doctor_house, doctor_machine
from crownkeep.cli.doctor_diagnosis import Health, Installation
from crownkeep.settings import Settings
from crownkeep.storage.database import Database
from crownkeep.storage.notices import outbox
from crownkeep.storage.notices.outbox import NoticeRow


@pytest.fixture
def well(crownkeep: Terminal, data: Path) -> Path:
    """The data directory of an installation that has been used."""
    assert crownkeep("account", "list").code == 0
    return data


def examined(crownkeep: Terminal, *words: str) -> dict[str, Any]:
    """Return what the checks said, by their names."""
    ended = crownkeep("doctor", "--json", *words)
    answer = ended.json()
    failed = [each["check"] for each in answer["checks"] if each["status"] == "failed"]
    assert (not failed, int(bool(failed)), "") == (answer["ok"], ended.code, ended.err)
    return {each["check"]: each for each in answer["checks"]}


def failed(crownkeep: Terminal, *words: str) -> set[str]:
    """Return the names of the checks that failed."""
    return {name for name, each in examined(crownkeep, *words).items() if each["status"] == "failed"}


def test_a_fresh_installation_is_well(crownkeep, well):
    found = examined(crownkeep)
    spoken: Ended = crownkeep("doctor")

    assert [] == [each for each in found.values() if each["status"] == "failed"]
    assert (0, "All is well.") == (spoken.code, spoken.out.splitlines()[-1])
    assert all(each["remedy"] for each in found.values() if each["status"] == "warning")


def test_what_is_not_there_is_said_and_not_made(crownkeep, data):
    assert {"permissions", "database", "sealing-key"} == failed(crownkeep)
    assert not data.exists()


@pytest.mark.parametrize("name", ["sealing.key", "operator.token", "metrics.token", "crownkeep.db", ""])
def test_files_that_others_may_use_are_found(crownkeep, well, name):
    (well / name).chmod(0o755)

    assert "permissions" in failed(crownkeep)


def test_a_missing_sealing_key_is_not_made_anew(crownkeep, well):
    (well / "sealing.key").unlink()

    assert {"permissions", "sealing-key"} == failed(crownkeep)
    assert not (well / "sealing.key").exists()


@pytest.mark.parametrize(
    "content", [b"SQLite format 3\0" + os.urandom(50_000), os.urandom(50_000)], ids=["damaged", "something else"]
)
def test_a_damaged_database_is_said_without_a_traceback(crownkeep, well, content):
    (well / "crownkeep.db").write_bytes(content)
    (well / "crownkeep.db-wal").unlink(missing_ok=True)

    ended = crownkeep("doctor")

    assert (1, "") == (ended.code, ended.err)
    assert {"journal", "database"} <= failed(crownkeep)
    assert content == (well / "crownkeep.db").read_bytes()


def test_damage_in_the_middle_of_the_database_is_found(crownkeep, well):
    crownkeep("doctor")
    with (well / "crownkeep.db").open("r+b") as file:
        file.seek(3 * 4096)
        file.write(os.urandom(40 * 4096))

    assert "database" in failed(crownkeep)


def test_a_database_that_lost_its_journal_mode_is_not_opened(crownkeep, well):
    raw = sqlite3.connect(well / "crownkeep.db")
    raw.execute("PRAGMA journal_mode = DELETE")
    raw.close()

    assert {"journal", "database"} == failed(crownkeep)
    assert sqlite3.connect(well / "crownkeep.db").execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_a_key_file_of_another_installation_is_found(crownkeep, well, tmp_path):
    assert crownkeep("account", "list", "--data", str(tmp_path / "other")).code == 0
    shutil.copy(tmp_path / "other" / "sealing.key", well / "sealing.key")

    assert {"sealing-key"} == failed(crownkeep)


@pytest.mark.parametrize(("step", "status"), [("0014", "warning"), ("9999", "failed")])
def test_another_schema_step_is_found(crownkeep, well, step, status):
    raw = sqlite3.connect(well / "crownkeep.db")
    with raw:
        raw.execute("UPDATE alembic_version SET version_num = ?", (step,))
    raw.close()

    assert status == examined(crownkeep)["schema"]["status"]


def test_settings_that_can_not_be_read_are_a_finding(crownkeep, well):
    (well / "crownkeep.toml").write_text("port = 'harbour'\n")

    assert {"settings"} == failed(crownkeep)


def test_a_database_server_that_does_not_answer_is_a_finding(crownkeep, well):
    assert {"database"} == failed(crownkeep, "--database", "postgresql://127.0.0.1:1/crownkeep")


def test_postgresql_that_confirms_before_it_has_written_is_found(crownkeep, well, postgres, data):
    """The tests' own servers are unsafe and quick."""
    settings = Settings(data=str(data), database=postgres.database())
    opened = Database(settings.database_url)

    found = doctor_house.durability(Installation(settings, clock.now(), database=opened))
    opened.close()

    assert Health.AMISS is found.health
    assert "synchronous_commit, fsync, full_page_writes off" in found.text


@pytest.mark.parametrize(
    ("host", "url", "has_tls", "health"),
    [
        ("127.0.0.1", "http://localhost:4747", False, Health.WELL),
        ("0.0.0.0", "http://localhost:4747", False, Health.AMISS),
        ("127.0.0.1", "http://crown.example", False, Health.AMISS),
        ("127.0.0.1", "https://crown.example", False, Health.WELL),
        ("0.0.0.0", "https://crown.example", False, Health.ADVICE),
        ("0.0.0.0", "https://crown.example", True, Health.WELL),
        ("::1", "http://[::1]:4747", False, Health.WELL),
    ],
)
def test_passwords_in_the_clear_beyond_this_machine_are_found(host, url, has_tls, health):
    assert health is doctor_machine.listens(host, url, has_tls=has_tls).health


@pytest.mark.parametrize(("days", "health"), [(-1, Health.AMISS), (5, Health.AMISS), (15, Health.ADVICE), (90, Health.WELL)])
def test_a_certificate_that_ends_soon_is_found(tmp_path, days, health):
    certificate = certify("crown.example")
    (tmp_path / "cert.pem").write_bytes(certificate.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "key.pem").touch(0o600)
    settings = Settings(tls_certificate=str(tmp_path / "cert.pem"), tls_key=str(tmp_path / "key.pem"))

    now = certificate.certificate.not_valid_after_utc - timedelta(days=days)

    assert health is doctor_machine.certificate(Installation(settings, now)).health


@pytest.mark.parametrize(("free", "health"), [(100 << 20, Health.AMISS), (600 << 20, Health.ADVICE), (9 << 30, Health.WELL)])
def test_a_disk_without_room_is_found(tmp_path, monkeypatch, free, health):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10 << 30, 0, free))

    assert health is doctor_machine.disk(Installation(Settings(data=str(tmp_path)), clock.now())).health


@pytest.mark.parametrize(("state", "health"), [(True, Health.WELL), (False, Health.ADVICE), (None, Health.UNSEEN)])
def test_a_clock_that_nobody_keeps_right_is_found(monkeypatch, state, health):
    monkeypatch.setattr(clock, "is_synchronised", lambda: state)

    assert health is doctor_machine.time(Installation(Settings(), clock.now())).health


def test_a_clock_that_went_back_is_found(crownkeep, well):
    assert crownkeep("account", "create", "--email", "root@acme.example", "--name", "acme").code == 0
    settings = Settings(data=str(well))
    opened = Database(settings.database_url)

    found = doctor_house.database(Installation(settings, clock.now() - timedelta(hours=1), database=opened))
    opened.close()

    assert (Health.AMISS, True) == (found.health, "yet to come" in found.text)


def test_a_mail_server_is_greeted(tmp_path):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    controller = Controller(Sink(), hostname="127.0.0.1", port=port)
    controller.start()
    reached = Settings(data=str(tmp_path), smtp_host="127.0.0.1", smtp_port=port, smtp_security="none", mail_from="a@b.example")

    answered = doctor_house.mail(Installation(reached, clock.now()))
    controller.stop()
    gone = doctor_house.mail(Installation(reached, clock.now()))

    assert (Health.WELL, Health.AMISS) == (answered.health, gone.health)


@pytest.mark.parametrize(
    ("change", "health"),
    [
        ({}, Health.WELL),
        ({"created": 2}, Health.AMISS),
        ({"created": 2, "due": -6}, Health.WELL),
        ({"created": 2, "due": -1, "attempts": 5}, Health.AMISS),
        ({"created": 2, "channel": outbox.WEBHOOK, "attempts": 5}, Health.WELL),
    ],
    ids=["just written", "due for two hours", "in quiet hours", "tried in vain", "a webhook tried in vain"],
)
def test_mail_that_does_not_leave_is_found_and_what_waits_for_a_reason_is_not(
    well: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], health: Health
):
    """Times are hours ago."""
    monkeypatch.setattr(channels.Smtp, "try_out", lambda _: None)
    settings, now = Settings(data=str(well), smtp_host="relay.example", mail_from="a@b.example"), clock.now()
    created, due = (now - timedelta(hours=change.get(name, 0)) for name in ("created", "due"))
    due = due if "due" in change else created
    row = NoticeRow(
        "n", "111122223333", "root@acme.example", "notice", b"", created, due, due, attempts=change.get("attempts", 0)
    )
    opened = Database(settings.database_url)
    opened.write(lambda db: outbox.add(db, replace(row, channel=change.get("channel", outbox.MAIL))))

    found = doctor_house.mail(Installation(settings, now, database=opened))
    opened.close()

    assert health is found.health, found.text


def test_witnesses_that_never_cosigned_are_found(crownkeep, well, tmp_path):
    crownkeep("trail", "checkpoint")
    vkey = "witness.example+8a6b3b6d+AYJUwympKFD21TndN29IFu4nZFF9peAjVRSvQzFkSA16"
    policy = tmp_path / "policy"
    policy.write_text(crownkeep("trail", "keys").out.replace("quorum none\n", f"witness w {vkey}\nquorum w\n"))
    settings = Settings(data=str(well), trail_policy=str(policy))
    opened = Database(settings.database_url)

    found = doctor_house.witness(Installation(settings, clock.now(), database=opened))
    opened.close()

    assert Health.AMISS is found.health


def test_a_checkpoint_that_does_not_reach_its_file_is_found(crownkeep, well, tmp_path):
    newest, file = crownkeep("trail", "checkpoint").out, tmp_path / "elsewhere.checkpoint"
    settings = Settings(data=str(well), trail_checkpoint_file=str(file))
    opened = Database(settings.database_url)

    def examined_after(minutes: int) -> Health:
        now = clock.now() + timedelta(minutes=minutes)
        return doctor_house.checkpoint_file(Installation(settings, now, database=opened)).health

    missing = [examined_after(0), examined_after(10)]
    file.write_text(newest)
    written = examined_after(10)
    file.write_text(newest.replace("\n", "\nold", 1))
    damaged = examined_after(0)
    file.write_text(newest.replace("crownkeep.internal/trail/", "crownkeep.internal/trail/0", 1))
    another = examined_after(0)
    opened.close()

    assert [Health.WELL, Health.AMISS, Health.WELL, Health.AMISS, Health.AMISS] == [*missing, written, damaged, another]


def test_a_token_of_an_operator_that_ends_soon_is_named(crownkeep, well):
    crownkeep("operator", "add", "late", "--expires", "90d")
    before = examined(crownkeep)["operator-tokens"]

    crownkeep("operator", "add", "alice", "--expires", "3d")
    found = examined(crownkeep)["operator-tokens"]

    assert "ok" == before["status"]
    assert ("warning", True, False) == (found["status"], "alice on" in found["message"], "late" in found["message"])
    assert "crownkeep operator rotate" in found["remedy"]
