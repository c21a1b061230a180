"""`crownkeep upgrade`: what would be done is said first, and nothing is changed by saying it."""

from __future__ import annotations

import subprocess
import sys

from crownkeep.storage import migrate
from crownkeep.storage.database import Database


def test_a_database_that_is_up_to_date_needs_nothing(crownkeep, made):
    made()

    answer = crownkeep("upgrade", "--check", "--json").json()

    assert (migrate.newest(), [], False) == (answer["newest_step"], answer["steps"], answer["taken"])


def test_a_check_names_the_steps_that_are_lacking_and_takes_none(crownkeep, data):
    data.mkdir(mode=0o700)
    database = Database(f"sqlite:///{data / 'crownkeep.db'}")
    migrate.upgrade_to(database, "0017")
    database.close()

    checked = crownkeep("upgrade", "--check", "--json").json()
    again, taken = crownkeep("upgrade", "--check").out, crownkeep("upgrade", "--json").json()

    assert {"step": "0018", "says": "remember how far reviews have come"} == checked["steps"][0]
    assert "remember how far reviews have come" in again
    assert (checked["steps"], True) == (taken["steps"], taken["taken"])
    assert [] == crownkeep("upgrade", "--check", "--json").json()["steps"]


def test_a_database_of_a_newer_version_is_told(crownkeep, made, data):
    made()
    database = Database(f"sqlite:///{data / 'crownkeep.db'}")
    with database.transaction() as db:
        db.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    database.close()

    ended = crownkeep("upgrade", "--check")

    assert (1, True) == (ended.code, "the database is at step `9999`" in ended.err)


def test_a_check_makes_no_database(crownkeep, data):
    assert 1 == crownkeep("upgrade", "--check").code
    assert not data.exists()


def test_a_server_that_starts_keeps_nothing_in_memory_of_what_takes_the_steps(tmp_path):
    code = (
        "import sys\n"
        "from crownkeep import data_directory\n"
        "from crownkeep.cli import serve\n"
        "from crownkeep.settings import Settings\n"
        "from crownkeep.storage import migrate\n"
        "from crownkeep.storage.database import Database\n"
        "chosen = Settings(data=sys.argv[1])\n"
        "data_directory.prepare(chosen)\n"
        "serve._bring_up_to_date(chosen)\n"
        "print('alembic' in sys.modules, migrate.serves(Database(chosen.database_url)))\n"
    )

    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path / "own")], capture_output=True, text=True, check=True)

    assert "False True\n" == ended.stdout
