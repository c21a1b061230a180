"""Restoring backups: what comes back proves itself, and nothing that was touched comes back at all."""

from __future__ import annotations

import json
import shutil
import tempfile

import pytest
from tests.backups.conftest import backed_up, restored
from tests.cli.conftest import Terminal
from tests.fixtures.clients import Credentials

from crownkeep.backups import frames
from crownkeep.backups.faults import BackupFault


@pytest.fixture
def folder(crownkeep, made, shelf):
    """A backup of an installation with something in it."""
    made("--admin-user", "admin")
    return backed_up(crownkeep, shelf)


def refused(crownkeep, shelf, data, new, *words):
    """Return why a restore is refused; nothing of it is left."""
    key = str(data / "sealing.key")
    ended = crownkeep("backup", "restore", str(shelf), "--data", str(new), "--sealing-key", key, *words)
    assert 1 == ended.code
    assert not new.exists()
    assert [] == list(new.parent.glob(f".{new.name}*"))
    return ended.err


def test_everything_comes_back(crownkeep, made, data, shelf, tmp_path):
    answer = made("--admin-user", "admin")
    (data / "trail-buckets").mkdir()
    (data / "trail-buckets" / "log").write_bytes(b"kept")
    (data / "crownkeep.toml").write_text("session_idle_minutes = 30\n")
    backed_up(crownkeep, shelf)
    new = tmp_path / "new"

    said = restored(crownkeep, shelf, data, new)

    shown = [crownkeep("account", "show", answer["account_id"], "--json", "--data", str(each)).json() for each in (data, new)]
    assert shown[0] == shown[1]
    assert (2, None, b"kept") == (said["files"], said["missing"], (new / "trail-buckets" / "log").read_bytes())
    assert (new / "crownkeep.toml.from-backup").exists()
    assert not (new / "crownkeep.toml").exists()
    assert "All is well." in crownkeep("doctor", "--data", str(new)).out
    assert 0 == crownkeep("trail", "verify", "--data", str(new)).code
    newest = crownkeep("trail", "list", "--data", str(new), "--json").json()["events"][0]
    assert ("RestoreBackup", said["backup_id"]) == (newest["eventName"], newest["requestParameters"]["backup_id"])


def test_files_that_come_back_are_their_owner_s_alone(crownkeep, folder, data, shelf, tmp_path):
    restored(crownkeep, shelf, data, tmp_path / "new")

    assert "ok       permissions" in crownkeep("doctor", "--data", str(tmp_path / "new")).out
    assert (data / "sealing.key").read_bytes() == (tmp_path / "new" / "sealing.key").read_bytes()
    assert (data / "operator.token").read_bytes() != (tmp_path / "new" / "operator.token").read_bytes()


def test_the_records_that_followed_are_counted_by_a_checkpoint_from_elsewhere(crownkeep, made, folder, data, shelf, tmp_path):
    for _ in range(3):
        made()
    (tmp_path / "checkpoint").write_text(crownkeep("trail", "checkpoint").out)
    listed = json.loads(crownkeep("trail", "checkpoint", "--json").out)["size"]

    said = restored(crownkeep, shelf, data, tmp_path / "new", "--checkpoint", str(tmp_path / "checkpoint"))

    # The backup's own end, the three accounts with their administrators' parts, all that came after the snapshot.
    assert (listed - said["records"], True) == (said["missing"], said["missing"] >= 4)


def test_a_restore_leaves_other_databases_alone_that_settings_name(folder, data, shelf, tmp_path):
    """A machine's own settings name its own database; what comes back is another."""
    theirs = f"sqlite:///{tmp_path / 'theirs.db'}"
    there = Terminal({"CROWNKEEP_DATABASE": theirs, "CROWNKEEP_ARGON2_MEMORY_KIB": "8"})

    restored(there, shelf, data, tmp_path / "new")

    listed = there(
        "trail", "list", "--data", str(tmp_path / "new"), "--database", f"sqlite:///{tmp_path / 'new' / 'crownkeep.db'}"
    )
    assert not (tmp_path / "theirs.db").exists()
    assert "RestoreBackup" in listed.out


def test_a_drill_proves_a_backup_and_leaves_nothing(crownkeep, folder, data, shelf, tmp_path, monkeypatch):
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    assert 0 == crownkeep("account", "list", "--data", str(tmp_path / "other")).code

    done = crownkeep("backup", "drill", str(shelf), "--sealing-key", str(data / "sealing.key"), "--json")
    wrong = crownkeep("backup", "drill", str(shelf), "--sealing-key", str(tmp_path / "other" / "sealing.key"))

    assert (0, True, 1) == (done.code, done.json()["ok"], wrong.code)
    assert [] == list((tmp_path / "scratch").iterdir())


def test_another_sealing_key_opens_no_backup(crownkeep, folder, data, shelf, tmp_path):
    assert crownkeep("account", "list", "--data", str(tmp_path / "other")).code == 0

    assert "sealed with another" in refused(crownkeep, shelf, tmp_path / "other", tmp_path / "new")


@pytest.mark.parametrize("damage", ["changed", "cut off", "removed"])
def test_a_damaged_part_is_found_without_any_key(crownkeep, folder, data, shelf, tmp_path, damage):
    part = folder / "part-00001"
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 1
    match damage:
        case "changed":
            part.write_bytes(content)
        case "cut off":
            part.write_bytes(content[:-1])
        case _:
            part.unlink()

    verified = crownkeep("backup", "verify", str(shelf), "--json")

    assert (1, False) == (verified.code, verified.json()["ok"])
    assert "not sound" in refused(crownkeep, shelf, data, tmp_path / "new")


def test_a_manifest_that_was_rewritten_is_found(crownkeep, folder, data, shelf, tmp_path):
    manifest = folder / "manifest"
    manifest.write_text(manifest.read_text().replace('"records":', '"records":1'))

    assert 1 == crownkeep("backup", "verify", str(shelf)).code
    assert "signature" in refused(crownkeep, shelf, data, tmp_path / "new")


def test_a_backup_that_somebody_else_signed_is_found_by_the_key(crownkeep, folder, shelf, tmp_path):
    other = str(tmp_path / "other")
    theirs = backed_up(crownkeep, tmp_path / "theirs", "--data", other)
    vkey = json.loads((folder / "manifest").read_text().splitlines()[0])["vkey"]

    assert 0 == crownkeep("backup", "verify", str(shelf), "--key", vkey).code
    assert 0 == crownkeep("backup", "verify", str(theirs)).code
    assert 1 == crownkeep("backup", "verify", str(theirs), "--key", vkey).code


def test_frames_of_another_backup_or_in_another_order_do_not_open(crownkeep, folder, data, shelf, tmp_path):
    from crownkeep import data_directory
    from crownkeep.backups.frames import FrameWriter

    keyring = data_directory.load_keyring(data)
    writer = FrameWriter(keyring, "0000000a", tmp_path)
    for _ in range(3):
        writer.add(["bytes", bytes(1 << 19)])
    writer.finish()
    content = (tmp_path / "part-00001").read_bytes()
    first = 4 + int.from_bytes(content[:4], "big")

    def fault(backup_id: str, changed: bytes) -> str:
        (tmp_path / "part-00001").write_bytes(changed)
        with pytest.raises(BackupFault) as raised:
            list(frames.messages(keyring, backup_id, tmp_path, writer.parts))
        return str(raised.value)

    assert "sealed with another" in fault("0000000b", content)
    assert "sealed with another" in fault("0000000a", content[first:])
    assert "end of the backup is missing" in fault("0000000a", content[:first])
    assert "behind the end" in fault("0000000a", content + content[:first])


def test_nothing_is_restored_over_what_is_there(crownkeep, folder, data, shelf, tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "file").touch()

    ended = crownkeep(
        "backup", "restore", str(shelf), "--data", str(tmp_path / "new"), "--sealing-key", str(data / "sealing.key")
    )

    assert (1, True) == (ended.code, "written over" in ended.err)
    assert ["file"] == [each.name for each in (tmp_path / "new").iterdir()]


def test_a_backup_of_a_newer_version_is_refused(crownkeep, folder, data, shelf, tmp_path, monkeypatch):
    from crownkeep.storage import migrate

    monkeypatch.setattr(migrate, "newest", lambda: "0001")

    assert "install the newer version" in refused(crownkeep, shelf, data, tmp_path / "new")


def test_sessions_and_one_time_links_do_not_come_back(crownkeep, made, data, shelf, tmp_path):
    from crownkeep.storage.database import Database

    made()
    backed_up(crownkeep, shelf)
    restored(crownkeep, shelf, data, tmp_path / "new")

    counts = []
    for directory in (data, tmp_path / "new"):
        opened = Database(f"sqlite:///{directory / 'crownkeep.db'}")
        with opened.snapshot() as db:
            counts.append(db.exec_driver_sql("SELECT count(*) FROM one_time_links").scalar_one())
        opened.close()
    assert [1, 0] == counts


def test_the_restored_server_serves_what_was_backed_up_while_it_ran(serve, crownkeep, shelf, tmp_path):
    server = serve()
    answer = server.account(root_access_key=True)
    root = Credentials.of(answer["root"])
    server.client("iam", root).create_user(UserName="bob")

    backed_up(crownkeep, shelf, "--data", str(server.data))
    server.client("iam", root).create_user(UserName="late")
    restored(crownkeep, shelf, server.data, tmp_path / "new")
    server.stop()
    shutil.rmtree(server.data)
    (tmp_path / "new").rename(server.data)
    server.start()

    assert ["bob"] == [each["UserName"] for each in server.client("iam", root).list_users()["Users"]]
    server.client("iam", root).create_user(UserName="carol")
    assert 0 == crownkeep("trail", "verify", "--data", str(server.data)).code


def test_postgresql_is_backed_up_restored_into_sqlite_and_moved_back(crownkeep, made, postgres, shelf, data, tmp_path):
    """One story over every way that rows can take: COPY out of PostgreSQL, into SQLite, and from there back."""
    url, back = postgres.database(), postgres.database()
    answer = made("--admin-user", "admin", "--database", url)
    folder = backed_up(crownkeep, shelf, "--database", url)
    new = tmp_path / "new"

    restored(crownkeep, shelf, data, new)
    moved = crownkeep("move", "--from", f"sqlite:///{new / 'crownkeep.db'}", "--to", back, "--data", str(new), "--json")

    assert (0, "") == (moved.code, moved.err)
    rows = moved.json()["tables"]
    kept = json.loads((folder / "manifest").read_text().splitlines()[0])["rows"]
    same = [
        name for name in kept if name not in ("browser_sessions", "one_time_links") and not name.startswith(("event", "trail"))
    ]
    assert {name: kept[name] for name in same} == {name: rows[name] for name in same}
    shown = [crownkeep("account", "show", answer["account_id"], "--json", "--database", each) for each in (url, back)]
    assert shown[0].json() == shown[1].json()
    assert 0 == crownkeep("trail", "verify", "--database", back).code
    assert 0 == crownkeep("account", "create", "--email", "z@cli.example", "--name", "z", "--database", back).code
