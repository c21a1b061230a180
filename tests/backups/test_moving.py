"""Moving to another database: every row arrives, and nothing is written over."""

from __future__ import annotations

import pytest

from crownkeep import server_address
from crownkeep.backups import moving
from crownkeep.backups.faults import BackupFault
from crownkeep.storage import copying
from crownkeep.storage.database import Database


def test_rows_that_change_on_their_way_are_found(crownkeep, made, data, tmp_path, monkeypatch):
    made()
    old, new = Database(f"sqlite:///{data / 'crownkeep.db'}"), Database(f"sqlite:///{tmp_path / 'new.db'}")
    add = copying.add

    def lossy(db, name, columns, rows):
        add(db, name, columns, rows[1:] if name == "accounts" else rows)

    monkeypatch.setattr(copying, "add", lossy)
    with pytest.raises(BackupFault, match="did not arrive"):
        moving.move(old, new, progress=lambda *_: None)

    with new.snapshot() as db:
        kept = sum(len(rows) for name in ("accounts", "events") for rows in copying.rows(db, name))
    old.close()
    new.close()
    assert 0 == kept


def test_nothing_is_moved_over_what_is_there(crownkeep, made, data, tmp_path):
    made()
    url = f"sqlite:///{data / 'crownkeep.db'}"
    assert crownkeep("account", "list", "--data", str(tmp_path / "other")).code == 0

    ended = crownkeep("move", "--from", url, "--to", f"sqlite:///{tmp_path / 'other' / 'crownkeep.db'}")

    assert (1, True) == (ended.code, "not empty" in ended.err)


def test_nothing_is_moved_from_under_a_running_server(crownkeep, made, data, tmp_path):
    made()
    url = f"sqlite:///{data / 'crownkeep.db'}"

    with server_address.announced(data, "http://localhost:1"):
        ended = crownkeep("move", "--from", url, "--to", f"sqlite:///{tmp_path / 'new.db'}")

    assert (1, True) == (ended.code, "a server runs" in ended.err)
    assert not (tmp_path / "new.db").exists()


def test_nothing_is_moved_that_the_sealing_key_does_not_open(crownkeep, made, data, tmp_path):
    made()
    assert crownkeep("account", "list", "--data", str(tmp_path / "other")).code == 0

    ended = crownkeep(
        "move",
        "--from",
        f"sqlite:///{data / 'crownkeep.db'}",
        "--to",
        f"sqlite:///{tmp_path / 'new.db'}",
        "--data",
        str(tmp_path / "other"),
    )

    assert (1, True) == (ended.code, "lacks the key" in ended.err)


def test_a_database_that_is_not_there_is_not_made(crownkeep, made, data, tmp_path):
    made()

    ended = crownkeep("move", "--from", f"sqlite:///{tmp_path / 'none.db'}", "--to", f"sqlite:///{tmp_path / 'new.db'}")

    assert (2, False) == (ended.code, (tmp_path / "none.db").exists())
