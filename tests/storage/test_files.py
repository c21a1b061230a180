"""The embedded database's files: for their owner's eyes alone, whatever the umask."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from crownkeep.storage.database import Database


def modes(directory: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in directory.iterdir()}


def opened(file: Path) -> Database:
    database = Database(f"sqlite:///{file}")
    database.write(lambda db: db.exec_driver_sql("CREATE TABLE IF NOT EXISTS t (a INTEGER)"))
    return database


def test_a_new_database_and_its_log_are_their_owner_s_alone(tmp_path: Path):
    before = os.umask(0)
    try:
        database = opened(tmp_path / "crownkeep.db")
        found = modes(tmp_path)
        database.close()
    finally:
        os.umask(before)

    assert dict.fromkeys(("crownkeep.db", "crownkeep.db-wal", "crownkeep.db-shm"), 0o600) == found


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o666])
def test_a_database_that_others_could_read_is_its_owner_s_alone_from_now_on(tmp_path: Path, mode: int):
    first = opened(tmp_path / "crownkeep.db")
    for file in tmp_path.iterdir():
        file.chmod(mode)

    second = opened(tmp_path / "crownkeep.db")

    assert {0o600} == set(modes(tmp_path).values())
    second.close()
    first.close()


def test_a_database_that_can_not_be_made_is_said_by_the_database(tmp_path: Path):
    with pytest.raises(Exception, match="unable to open database file"):
        opened(tmp_path / "none" / "crownkeep.db")
