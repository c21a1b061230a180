"""Making backups: whole or not at all, for nobody else to read, without the sealing key, in little memory."""

from __future__ import annotations

import signal
import subprocess
import sys
import tracemalloc
from pathlib import Path

import msgspec
import pytest
from tests.backups.conftest import backed_up, messages

from crownkeep import clock, data_directory
from crownkeep.backups import frames, making, targets
from crownkeep.backups.faults import BackupFault
from crownkeep.backups.frames import FrameWriter
from crownkeep.storage import copying
from crownkeep.storage.database import Database


@pytest.fixture(autouse=True)
def used(crownkeep, made, data):
    """An installation with something in it."""
    made("--admin-user", "admin")
    (data / "trail-buckets" / "b1").mkdir(parents=True)
    (data / "trail-buckets" / "b1" / ".log.json.gz.metadata").write_text("{}")
    (data / "crownkeep.toml").write_text("session_idle_minutes = 30\n")


def test_only_their_owner_may_read_backups(crownkeep, shelf):
    folder = backed_up(crownkeep, shelf)

    assert {0o700} == {path.stat().st_mode & 0o777 for path in (shelf, folder)}
    assert {0o600} == {path.stat().st_mode & 0o777 for path in folder.iterdir()}


def test_the_sealing_key_the_pin_and_the_tokens_are_not_in_a_backup(crownkeep, shelf, data):
    (data / "sealing.pin").write_bytes(b"31415926")
    (data / "sealing.pin").chmod(0o600)
    folder = backed_up(crownkeep, shelf)

    inside = msgspec.msgpack.encode(messages(folder, data))
    secrets = [data_directory.load_keyring(data).newest.material, (data / "operator.token").read_bytes().strip(), b"31415926"]
    assert [] == [each for each in secrets if each in inside]
    assert b"crownkeep.toml.from-backup" in inside
    assert b"trail-buckets/b1/.log.json.gz.metadata" in inside


def test_nothing_of_a_backup_can_be_read_without_the_key(crownkeep, shelf):
    folder = backed_up(crownkeep, shelf)

    content = b"".join(part.read_bytes() for part in folder.glob("part-*"))
    assert not any(text in content for text in (b"acme", b"admin", b"iam_users", b"cli.example"))


def test_every_table_and_row_is_in_a_backup(crownkeep, shelf, data):
    folder = backed_up(crownkeep, shelf)

    tables = [values[0] for kind, *values in messages(folder, data) if kind == "table"]
    found, _ = targets.read_manifest(folder)
    assert copying.tables() == tables
    assert found.rows["accounts"] == 1


def test_a_backup_is_recorded_before_it_begins_and_when_it_is_whole(crownkeep, shelf):
    folder = backed_up(crownkeep, shelf)

    events = {each["eventName"]: each for each in crownkeep("trail", "list", "--json").json()["events"]}
    assert str(shelf) == events["StartBackup"]["requestParameters"]["target"]
    assert folder.name.endswith(events["CompleteBackup"]["requestParameters"]["backup_id"])


def test_a_backup_that_is_killed_leaves_nothing_that_is_taken_for_one(crownkeep, shelf, data):
    program = (
        "import os, signal; from crownkeep.backups import targets; from crownkeep.cli.main import main; "
        "targets.write_manifest = lambda *_: os.kill(os.getpid(), signal.SIGKILL); "
        f"main(['backup', 'create', '--data', {str(data)!r}, '--to', {str(shelf)!r}])"
    )
    killed = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=120, cwd=data.parent, check=False)
    left = list(shelf.iterdir())

    assert -signal.SIGKILL == killed.returncode
    assert [True] == [each.name.startswith(".partial-") for each in left]
    assert [] == crownkeep("backup", "list", str(shelf), "--json").json()["backups"]
    folder = targets.folders(shelf)
    with targets.begun(shelf, "2026-11-30T00-00-00Z-00000000"):
        assert folder == targets.folders(shelf)
    assert ["2026-11-30T00-00-00Z-00000000"] == [each.name for each in shelf.iterdir()]


def test_a_backup_that_is_being_made_is_not_swept_away_by_another(shelf):
    names = [f"2026-11-30T00-00-00Z-0000000{number}" for number in (1, 2)]
    with targets.begun(shelf, names[0]) as first, targets.begun(shelf, names[1]):
        assert first.is_dir()

    assert 2 == len(targets.folders(shelf))


def test_a_failed_backup_is_recorded_and_leaves_nothing(crownkeep, shelf, monkeypatch):
    monkeypatch.setattr(making, "_write_file", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))

    ended = crownkeep("backup", "create", "--to", str(shelf))

    failed = crownkeep("trail", "list", "--json").json()["events"][0]
    assert (1, "no backup was made: No space left on device") == (ended.code, ended.err.strip().removeprefix("Error: "))
    assert ("FailBackup", "No space left on device") == (failed["eventName"], failed["requestParameters"]["reason"])
    assert [] == list(shelf.iterdir())


def test_a_failed_backup_alerts_the_account_that_is_named(crownkeep, made, data):
    account = made()["account_id"]

    ended = crownkeep("backup", "create", "--to", str(data / "inside"), "--account", account)

    alerts = crownkeep("alerts", "history", "--account", account, "--json").json()["alerts"]
    assert (1, True) == (ended.code, "inside the data directory" in ended.err)
    assert "backup-failed" in {each["rule"] for each in alerts}


def test_nothing_is_written_over(shelf):
    with targets.begun(shelf, "2026-11-30T00-00-00Z-00000001"):
        pass

    with pytest.raises(BackupFault, match="written over"), targets.begun(shelf, "2026-11-30T00-00-00Z-00000001"):
        pass
    assert 1 == len(targets.folders(shelf))


def test_memory_stays_flat_however_much_is_copied(tmp_path, crownkeep, data, shelf):
    with (data / "trail-buckets" / "b1" / "large").open("wb") as file:
        file.truncate(48 << 20)
    writer = FrameWriter(data_directory.load_keyring(data), "00000000", tmp_path)

    tracemalloc.start()
    making._write_file(data, data / "trail-buckets" / "b1" / "large", writer)
    writer.finish()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 8 << 20


def test_rows_are_read_as_they_were_at_one_moment(data, crownkeep, made):
    database = Database(f"sqlite:///{data / 'crownkeep.db'}")

    with database.snapshot() as db:
        before = sum(len(rows) for rows in copying.rows(db, "accounts"))
        made()
        during = sum(len(rows) for rows in copying.rows(db, "accounts"))
    with database.snapshot() as db:
        after = sum(len(rows) for rows in copying.rows(db, "accounts"))
    database.close()

    assert (1, 1, 2) == (before, during, after)


def test_a_stream_goes_on_over_several_parts(tmp_path, data, monkeypatch):
    monkeypatch.setattr(frames, "_PART", 1 << 16)
    keyring = data_directory.load_keyring(data)
    writer = FrameWriter(keyring, "00000000", tmp_path)

    for number in range(12):
        writer.add(["bytes", clock.token_bytes(1 << 16) + bytes([number])])
    writer.finish()

    found = list(frames.messages(keyring, "00000000", tmp_path, writer.parts))
    assert len(writer.parts) > 2
    assert list(range(12)) == [message[1][-1] for message in found]
    assert all(Path(tmp_path / part.name).stat().st_size == part.size for part in writer.parts)
