"""The schema's history leads to the tables that the code knows, on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, event, inspect, text

from crownkeep.storage import migrate
from crownkeep.storage.database import Database, run_plainly
from crownkeep.storage.identities import tags
from crownkeep.storage.migrate import NewerDatabase
from crownkeep.storage.organizations import organization_tags
from crownkeep.storage.schema import metadata


@pytest.fixture
def empty(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without any table."""
    url = f"sqlite:///{tmp_path}/empty.db" if database_kind == "sqlite" else request.getfixturevalue("postgres").database()
    opened = Database(url)
    yield opened
    opened.close()


def test_the_steps_lead_to_the_tables_of_the_code(database: Database) -> None:
    with database.snapshot() as db:
        differences = compare_metadata(MigrationContext.configure(db), metadata)

    assert [] == differences


def test_a_database_that_is_up_to_date_is_left_alone(database: Database) -> None:
    migrate.upgrade(database)

    with database.snapshot() as db:
        assert migrate.newest() == db.execute(text("SELECT version_num FROM alembic_version")).scalar()


def test_a_server_killed_between_two_steps_leaves_a_database_without_any(empty: Database) -> None:
    def die(connection: Connection, cursor: object, statement: str, *_: object) -> None:
        if "CREATE TABLE organizations" in statement:
            raise KeyboardInterrupt

    event.listen(empty.engine, "before_cursor_execute", die)
    with pytest.raises(KeyboardInterrupt):
        migrate.upgrade(empty)
    event.remove(empty.engine, "before_cursor_execute", die)

    with empty.snapshot() as db:
        assert [] == inspect(db).get_table_names()
    migrate.upgrade(empty)
    with empty.snapshot() as db:
        assert migrate.newest() == db.execute(text("SELECT version_num FROM alembic_version")).scalar()


def test_a_database_of_a_newer_version_is_refused(database: Database) -> None:
    with database.transaction() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(NewerDatabase, match="install the newer version"):
        migrate.upgrade(database)


def at_step(database: Database, step: str) -> None:
    """Bring an empty database up to a step of the past."""
    with database.engine.begin() as transaction:
        if database.is_sqlite:
            run_plainly(transaction, "BEGIN IMMEDIATE")
        command.upgrade(migrate.configuration(transaction), step)


def test_tags_whose_keys_differed_in_case_keep_the_one_that_conditions_saw(empty: Database) -> None:
    at_step(empty, "0002")
    with empty.transaction() as db:
        for key, value in (("team", "lower"), ("Team", "upper"), ("env", "prod")):
            place = "'111122223333', 'ANPA1', :key, :key, :value"
            db.execute(text(f"INSERT INTO tags VALUES ({place})"), {"key": key, "value": value})
            place = "'o-1', '111122223333', 'ou-1', :key, :value"
            db.execute(text(f"INSERT INTO organization_tags VALUES ({place})"), {"key": key, "value": value})

    migrate.upgrade(empty)

    with empty.snapshot() as db:
        assert {"Team": "upper", "env": "prod"} == tags.of_resource(db, "111122223333", "ANPA1")
        assert {"Team": "upper", "env": "prod"} == organization_tags.of_entity(db, "o-1", "ou-1")
    with empty.transaction() as db:
        tags.put(db, "111122223333", "ANPA1", {"TEAM": "new"})
        organization_tags.put(db, "o-1", "111122223333", "ou-1", {"TEAM": "new"})
    with empty.snapshot() as db:
        assert {"TEAM": "new", "env": "prod"} == tags.of_resource(db, "111122223333", "ANPA1")
        assert {"TEAM": "new", "env": "prod"} == organization_tags.of_entity(db, "o-1", "ou-1")


def test_an_old_request_for_delegation_is_its_owners_and_no_namesakes(empty: Database) -> None:
    at_step(empty, "0002")
    user = "INSERT INTO users VALUES (:id, '111122223333', :name, :name, '/', :made, NULL, NULL, :number)"
    request = """INSERT INTO delegation_requests (request_id, account_id, owner_account_id, owner_arn, state, description,
        template_arn, parameters, policy, workflow_id, channel, seconds, only_send_by_owner, created_at, updated_at, expires_at)
        VALUES (:id, '444455556666', '111122223333', :arn, 'ASSIGNED', '', '', '', '', :id, '', 1, FALSE, 100, 100, 100)"""
    with empty.transaction() as db:
        db.execute(text(user), {"id": "AIDAOLD", "name": "old", "made": 50, "number": 1})
        db.execute(text(user), {"id": "AIDANEW", "name": "new", "made": 150, "number": 2})
        for name in ("old", "new", "gone"):
            db.execute(text(request), {"id": name, "arn": f"arn:aws:iam::111122223333:user/{name}"})

    migrate.upgrade(empty)

    with empty.snapshot() as db:
        found = db.execute(text("SELECT request_id, owner_id FROM delegation_requests ORDER BY request_id")).all()
    assert [("gone", None), ("new", None), ("old", "AIDAOLD")] == [tuple(row) for row in found]


def test_passkeys_that_were_registered_more_than_once_go_on_and_the_first_keeps_its_id(empty: Database) -> None:
    at_step(empty, "0002")
    device = """INSERT INTO mfa_devices (device_id, account_id, kind, serial, serial_key, name, path, created_at, drift,
        used_steps, span, attempts, credential_id)
        VALUES (:device, '111122223333', 'fido', :device, :device, '', '/', :made, 0, '', 0, 0, :credential)"""
    passkey = """INSERT INTO passkeys (device_id, account_id, transports, is_synced, attestation_format, attestation,
        certifications) VALUES (:device, '111122223333', '', false, 'none', :credential, '')"""
    with empty.transaction() as db:
        for name, made, credential in (("b", 1, b"same"), ("a", 2, b"same"), ("c", 3, b"other"), ("d", 4, bytes(1024))):
            values = {"device": name, "made": made, "credential": credential}
            db.execute(text(device), values)
            db.execute(text(passkey), values)

    migrate.upgrade(empty)

    with empty.snapshot() as db:
        kept = db.execute(text("SELECT device_id, credential_id FROM passkeys ORDER BY device_id")).all()
    assert [("a", None), ("b", b"same"), ("c", b"other"), ("d", None)] == [tuple(row) for row in kept]
