"""Servers of two neighbouring versions on one database: the older goes on where the newer's steps say so, and nowhere else.

tests/fixtures/schemas keeps the tables of earlier code. Whoever adds a step with `oldest_code` is held to them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from shared import schemas
from sqlalchemy import text
from tests.fixtures.crown import Crown

from crownkeep import clock, data_directory
from crownkeep.app import open_wiring
from crownkeep.backups import making
from crownkeep.storage import health, migrate, steps
from crownkeep.storage.database import Database, Transaction
from crownkeep.storage.migrate import NewerDatabase, OlderNodes

RECORDED = sorted((Path(__file__).parents[1] / "fixtures" / "schemas").glob("*.json"))
KNOWN: dict[str, Any] = {"columns": {"a": ["VARCHAR(8)", True, True]}, "key": ["a"], "unique": [], "foreign": [], "checks": 0}
WIDER = {"a": ["VARCHAR(9)", True, True], "b": ["INTEGER", False, True]}


def newer(database: Database, *, oldest_code: str) -> None:
    """Take a step that only a later version knows, which adds a column and a table."""
    with database.transaction() as db:
        db.execute(text("ALTER TABLE users ADD COLUMN later INTEGER NOT NULL DEFAULT 0"))
        db.execute(text("CREATE TABLE later (id INTEGER PRIMARY KEY)"))
        understood = {"by": f"{oldest_code}-9999"}
        db.execute(text("UPDATE alembic_version SET version_num = '9999', understood_by = :by"), understood)


@pytest.fixture
def running(fresh_crown: Callable[..., Crown]) -> Iterator[tuple[Crown, Database]]:
    """A server of this version, and another hand on its database."""
    crown = fresh_crown()
    database = Database(crown.settings.database_url)
    yield crown, database
    database.close()


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
def test_steps_that_say_so_keep_all_that_older_code_reads_and_writes(file: Path, tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/newest.db")
    migrate.upgrade(database)
    found = schemas.broken(json.loads(file.read_text()), schemas.describe(database.engine))
    database.close()

    if steps.oldest_code(steps.newest()) <= file.stem:
        assert [] == found, f"a step since {file.stem} says by `oldest_code` that it suits that code"


@pytest.mark.parametrize(
    ("changed", "breaks"),
    [
        ({"columns": {"b": ["INTEGER", True, True]}}, "a is gone"),
        ({"columns": {"a": ["INTEGER", True, True]}}, "a was VARCHAR(8) and is INTEGER"),
        ({"columns": {"a": ["VARCHAR(7)", True, True]}}, "a was VARCHAR(8) and is VARCHAR(7)"),
        ({"columns": {"a": ["VARCHAR(8)", False, False]}}, "a may no longer be null"),
        ({"columns": KNOWN["columns"] | {"b": ["INTEGER", False, False]}}, "b must be given, and has no default"),
        ({"unique": [["a"]]}, "a must be unique"),
        ({"foreign": [["a"]]}, "a must be known elsewhere"),
        ({"checks": 1}, "it has more checks"),
        ({"key": ["b"]}, "its key is another"),
    ],
)
def test_what_breaks_older_code_is_seen(changed: dict[str, Any], breaks: str) -> None:
    assert [f"t: {breaks}"] == schemas.broken({"t": KNOWN}, {"t": KNOWN | changed})
    assert ["t is gone"] == schemas.broken({"t": KNOWN}, {})
    assert [] == schemas.broken({"t": KNOWN}, {"t": KNOWN | {"columns": WIDER}, "new": KNOWN})


def test_a_server_goes_on_and_starts_anew_beside_a_newer_version_whose_steps_suit_it(running, fresh_crown) -> None:
    crown, database = running
    account = crown.account()
    account.client("iam").create_user(UserName="before")

    newer(database, oldest_code=migrate.newest())
    account.client("iam").create_user(UserName="after")
    again = fresh_crown(data=crown.settings.data, database=crown.settings.database)
    again.session(account.created["admin"], "iam").create_user(UserName="anew")

    assert {"admin", "before", "after", "anew"} == {each["UserName"] for each in account.client("iam").list_users()["Users"]}
    assert [] == migrate.lacking(database)


def test_a_server_does_not_start_on_a_newer_version_whose_steps_do_not_suit_it(running) -> None:
    crown, database = running
    newer(database, oldest_code="9999")

    with pytest.raises(NewerDatabase, match=r"the database is at step `9999`, this version knows .*; install the newer version"):
        open_wiring(crown.settings, data_directory.prepare(crown.settings))


def test_a_backup_by_an_older_node_is_refused_since_it_would_leave_out_what_is_new(running, tmp_path: Path) -> None:
    crown, database = running
    newer(database, oldest_code=migrate.newest())
    data = crown.settings.data_directory
    keyring = data_directory.load_keyring(data)

    with pytest.raises(NewerDatabase, match="install the newer version"):
        making.make(database, keyring, data, tmp_path, backup_id="00", now=clock.now())
    assert [] == list(tmp_path.iterdir())


def test_steps_that_do_not_suit_a_server_that_runs_are_not_taken(postgres) -> None:
    url = postgres.database()
    database = Database(url)

    with psycopg.connect(url, application_name=f"{steps.NODE}0001"), pytest.raises(OlderNodes, match=r"`0001`.* stop them first"):
        migrate.upgrade(database)
    with psycopg.connect(url, application_name=f"{steps.NODE}0001"), database.snapshot() as db:
        assert (None, ["0001", migrate.newest()]) == (health.step(db), health.nodes(db))

    database.close()


def test_a_step_that_waits_for_a_table_lets_requests_pass_and_tries_again(crowns, monkeypatch: pytest.MonkeyPatch) -> None:
    crown = crowns.fresh("postgres")
    url, pauses = crown.settings.database_url, []
    crown.close()
    database = Database(url)
    with database.transaction() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '0037'"))

    def take(transaction: Transaction, _: str) -> None:
        transaction.execute(text("ALTER TABLE memberships ADD COLUMN later INTEGER"))
        transaction.execute(text("UPDATE alembic_version SET version_num = :step"), {"step": migrate.newest()})

    monkeypatch.setattr(migrate, "_run", take)
    monkeypatch.setattr(migrate, "_LOCK_TIMEOUT", "1ms")
    with psycopg.connect(url) as reader:
        reader.execute("LOCK TABLE memberships IN ACCESS SHARE MODE")
        # Whoever reads for long ends once the step has given up: in the queue it would stop everybody behind it.
        monkeypatch.setattr(clock, "sleep", lambda seconds: (pauses.append(seconds), reader.rollback()))

        migrate.upgrade(database)

    assert (1, True) == (len(pauses), migrate.is_current(database))
    database.close()


def test_a_schema_knows_the_oldest_code_that_all_its_steps_suit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "versions").mkdir()
    for number, line in (("0001", ""), ("0002", ""), ("0003", 'oldest_code = "0002"'), ("0004", 'oldest_code = "0001"')):
        (tmp_path / "versions" / f"{number}_add.py").write_text(f'revision = "{number}"\n{line}\n')
    monkeypatch.setattr(steps, "FOLDER", tmp_path)

    assert ["0001", "0002", "0002", "0002"] == [steps.oldest_code(f"{number:04}") for number in (1, 2, 3, 4)]
    assert (True, False) == (migrate.is_online(steps.after("0002")), migrate.is_online(steps.after("0001")))
