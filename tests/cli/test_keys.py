"""`crownkeep keys`: secrets are sealed with a new key while they go on working, and the old key opens nothing any more."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from sqlalchemy import LargeBinary
from tests.cli.conftest import Terminal
from tests.fixtures.process import COMMAND

from crownkeep import clock, data_directory, sealing_key_file
from crownkeep.cli import house
from crownkeep.credentials import sealing
from crownkeep.credentials.sealing import Keyring
from crownkeep.domain.accounts import key_check
from crownkeep.operations import sealed
from crownkeep.settings import Settings
from crownkeep.storage import sealed_values
from crownkeep.storage.database import Database
from crownkeep.storage.schema import metadata


def blobs(url: str) -> list[bytes]:
    database = Database(url)
    with database.snapshot() as db:
        pages = [sealed_values.page(db, column, after="", limit=10_000) for column in sealed_values.COLUMNS]
    database.close()
    return [value.blob for page in pages for value in page]


def database_in(data: Path) -> str:
    return f"sqlite:///{data / 'crownkeep.db'}"


def test_every_secret_is_sealed_with_the_new_key(made, crownkeep, data):
    for _ in range(3):
        made("--admin-user", "admin", "--root-access-key")
    old = data_directory.load_keyring(data).newest.id

    ended = crownkeep("keys", "rotate", "--wait", "0", "--json")

    keyring = data_directory.load_keyring(data)
    assert (0, {"sealing_key_id": keyring.newest.id, "resealed": 6, "unopenable": 0}) == (ended.code, ended.json())
    assert [keyring.newest.id, old] == [key.id for key in keyring.keys]
    assert 6 == len([blob for blob in blobs(database_in(data)) if sealing.is_current(keyring, blob)])
    assert 0o600 == (data / "sealing.key").stat().st_mode & 0o777


@pytest.mark.parametrize("asked", ["rotate --wait 0", "add", "reseal", "unwrap"])
def test_a_mistyped_directory_makes_no_new_installation_whose_keys_are_rotated(crownkeep, tmp_path, asked):
    elsewhere = tmp_path / "elsewhere"

    ended = crownkeep("keys", *asked.split(), "--data", str(elsewhere))

    assert (2, True) == (ended.code, f"there is no data directory `{elsewhere}`" in ended.err)
    assert not elsewhere.exists()


def test_many_secrets_are_sealed_in_steps_that_are_each_in_the_trail(made, crownkeep, data):
    made("--admin-user", "admin", "--root-access-key")
    multiply(database_in(data), 1200)

    ended = crownkeep("keys", "rotate", "--wait", "0")

    keyring = data_directory.load_keyring(data)
    steps = [each for each in crownkeep("trail", "list", "--json").json()["events"] if each["eventName"] == "ResealSecrets"]
    assert (1, f"2 secrets sealed anew with the key {keyring.newest.id}.\n") == (ended.code, ended.out)
    columns = [each["additionalEventData"]["column"] for each in steps]
    assert (3, 1) == (columns.count("access_keys.sealed_secret"), columns.count("mfa_devices.sealed_seed"))
    assert {keyring.newest.id} == {each["additionalEventData"]["sealingKeyId"] for each in steps}


def multiply(url: str, count: int) -> None:
    """Keep many more access keys; their secrets open nowhere, since each is bound to the row it was made for."""
    from crownkeep.storage.credentials import access_keys

    database = Database(url)

    def copy(db: Any) -> None:
        column = sealed_values.COLUMNS[0]
        first = sealed_values.page(db, column, after="", limit=1)[0]
        row = access_keys.with_id(db, first.key)
        for number in range(count):
            values = {name: getattr(row, name) for name in row.__slots__}
            access_keys.add(db, type(row)(**values | {"access_key_id": f"ZZZZ{number:016}"}))

    database.write(copy)
    database.close()


def test_what_no_key_opens_is_left_alone_and_said(made, crownkeep, data):
    made("--admin-user", "admin")
    multiply(database_in(data), 2)
    before = sorted(blobs(database_in(data)))

    ended = crownkeep("keys", "rotate", "--wait", "0", "--json")

    assert 1 == ended.code
    assert (1, 2) == (ended.json()["resealed"], ended.json()["unopenable"])
    assert "2 secrets can't be opened with any key of the key file" in ended.err
    assert 2 == len([blob for blob in blobs(database_in(data)) if blob in before])


def test_an_interrupted_rotation_is_finished_by_a_reseal(made, crownkeep, data):
    made("--admin-user", "admin")
    keyring = data_directory.load_keyring(data)
    new = sealing.mint_key(os.urandom(32), made=keyring.newest.made)
    sealing_key_file.change_keyring(data, lambda found: sealing.rotated(found, new))

    first = crownkeep("keys", "reseal", "--json").json()
    second = crownkeep("keys", "reseal", "--json").json()

    assert [1, 0] == [first["resealed"], second["resealed"]]
    assert new.id == first["sealing_key_id"]


def test_rotations_at_the_same_moment_lose_no_key_and_no_secret(serve):
    server = serve()
    answer = [server.account(email=f"root-{number}@acme.example", admin_user="admin") for number in range(3)]
    before = data_directory.load_keyring(server.data).newest.id
    commands = [str(COMMAND), "keys", "rotate", "--wait", "0", "--json"]

    started = [subprocess.Popen(commands, env=server.environment, cwd=server.directory, stdout=-1, stderr=-1) for _ in range(3)]
    said = [each.communicate(timeout=60) for each in started]
    assert [b""] * 3 == [err for _, err in said]
    ended = [json.loads(out) for out, _ in said]

    keyring = data_directory.load_keyring(server.data)
    assert 4 == len(keyring.keys)
    assert before == keyring.keys[-1].id
    assert {0} == {each["unopenable"] for each in ended}
    assert all(sealing.is_current(keyring, blob) for blob in blobs(database_in(server.data)))
    for each in answer:
        assert server.client("iam", each["admin"]).get_user()["User"]["UserName"] == "admin"


def test_a_rotation_that_another_one_overtakes_goes_on_with_the_newer_key(made, crownkeep, data, monkeypatch):
    made("--admin-user", "admin")
    change_keyring, overtaken = sealing_key_file.change_keyring, []

    def change(path, changed):
        ours = change_keyring(path, changed)
        if not overtaken:
            overtaken.append(True)
            with house.opened(str(data), None) as other:
                key = sealing.mint_key(os.urandom(sealing.KEY_SIZE), made=clock.now().date())
                change_keyring(path, lambda found: sealing.rotated(found, key))
                key_check.begin(other.database, data_directory.load_keyring(path))
        return ours

    monkeypatch.setattr(sealing_key_file, "change_keyring", change)

    ended = crownkeep("keys", "rotate", "--wait", "0", "--json")

    keyring = data_directory.load_keyring(data)
    assert (0, keyring.newest.id, 3) == (ended.code, ended.json()["sealing_key_id"], len(keyring.keys)), ended.err
    assert all(sealing.is_current(keyring, blob) for blob in blobs(database_in(data)))


def test_rotation_changes_the_file_that_machines_share_and_leaves_the_link_to_it(made, crownkeep, data):
    made("--admin-user", "admin")
    shared = data.parent / "share" / "sealing.key"
    shared.parent.mkdir(mode=0o700)
    (data / "sealing.key").rename(shared)
    (data / "sealing.key").symlink_to(shared)

    ended = crownkeep("keys", "rotate", "--wait", "0", "--json")

    assert 0 == ended.code, ended.err
    assert (data / "sealing.key").is_symlink()
    keys = sealing.read_key_file(shared.read_text()).keys
    assert (2, ended.json()["sealing_key_id"]) == (len(keys), keys[0].id)
    assert 0o600 == shared.stat().st_mode & 0o777


def test_machines_with_copies_of_the_file_get_the_key_before_anything_is_sealed_with_it(made, crownkeep, data, crowns):
    answer = made("--admin-user", "admin")
    new = crownkeep("keys", "add", "--json").json()["sealing_key_id"]
    other = data.parent / "other"
    other.mkdir(mode=0o700)
    for name in ("sealing.key", "operator.token"):
        shutil.copy2(data / name, other / name)
    crown = crowns.fresh("sqlite", data=str(other), database=database_in(data))
    assert new != data_directory.load_keyring(data).newest.id

    ended = crownkeep("keys", "rotate", "--to", new, "--wait", "0", "--json")

    assert (0, new, 6) == (ended.code, ended.json()["sealing_key_id"], ended.json()["resealed"])
    assert answer["account_id"] == crown.session(answer["admin"], "account").get_account_information()["AccountId"]
    crown.close()
    assert 1 == crownkeep("keys", "rotate", "--to", "00000000").code


def test_nothing_is_sealed_with_a_key_that_the_file_lacks(fresh_crown):
    crown = fresh_crown()
    crown.account()
    file = Path(crown.settings.data) / "sealing.key"
    file.write_text(sealing.write_key_file(Keyring([sealing.mint_key(bytes(32), made=clock.now().date())])).reveal())

    answer = crown.operator("POST", "/reseal-secrets", {})

    assert 409 == answer.status
    assert "the key file lacks the key" in answer.text


def test_a_secret_that_was_sealed_with_a_key_which_a_server_has_not_read_yet_opens(tmp_path):
    directory = data_directory.prepare(Settings(data=str(tmp_path / "data")))
    data_directory.KeyFileWatch(directory)
    key = sealing.mint_key(bytes(32), made=directory.keyring.newest.made)

    elsewhere = sealing_key_file.change_keyring(directory.path, lambda found: sealing.rotated(found, key))
    blob = sealed.seal_key_check(elsewhere)

    assert sealed.opens_key_check(directory.keyring, blob, key_id=key.id)


def test_a_stolen_database_with_an_old_key_file_opens_nothing_that_was_sealed_anew(made, crownkeep, data):
    made("--admin-user", "admin")
    stolen = data.parent / "stolen.key"
    shutil.copy(data / "sealing.key", stolen)

    crownkeep("keys", "rotate", "--wait", "0")

    old = sealing.read_key_file(stolen.read_text())
    column = sealed_values.COLUMNS[0]
    blob = blobs(database_in(data))[0]
    with pytest.raises(sealing.Unsealable):
        sealing.unseal(Keyring(old.keys), blob, purpose=column.purpose, context=b"")


def test_a_running_server_goes_over_to_the_new_key_and_no_credential_notices(fresh_crown):
    crown = fresh_crown()
    account = crown.account()
    client = account.client("account")
    client.get_account_information()
    terminal = Terminal({"CROWNKEEP_DATA": crown.settings.data, "CROWNKEEP_DATABASE": crown.settings.database_url})

    ended = terminal("keys", "rotate", "--wait", "2.5", "--json")

    keyring = data_directory.load_keyring(Path(crown.settings.data))
    # The keys of the account's two people, those that sign the trail's checkpoints, and the one that signs backups.
    assert (0, 7) == (ended.code, ended.json()["resealed"])
    client.put_account_name(AccountName="still here")
    later = crown.account()
    assert later.client("account").get_account_information()["AccountId"] == later.id
    assert all(sealing.is_current(keyring, blob) for blob in blobs(crown.settings.database_url))


def test_a_running_server_keeps_its_keys_when_the_file_is_damaged(fresh_crown):
    crown = fresh_crown()
    account = crown.account()
    file = Path(crown.settings.data) / "sealing.key"
    kept = file.read_text()

    file.write_text("damaged\n")
    time.sleep(1.5)

    account.client("account").put_account_name(AccountName="still here")
    assert crown.account().client("account").get_account_information()
    file.write_text(kept)


def test_the_operators_token_reaches_resealing_over_http_and_a_wrong_step_is_refused(crown):
    answer = crown.operator("POST", "/reseal-secrets", {"max_results": 1000})

    assert 200 == answer.status
    assert 0 == answer.json()["unopenable"]
    assert 400 == crown.operator("POST", "/reseal-secrets", {"next_token": "nonsense"}).status


def test_no_sealed_column_is_forgotten_when_keys_are_rotated():
    secret = [each for table in metadata.tables.values() for each in table.columns if isinstance(each.type, LargeBinary)]
    named = {(each.table.name, each.name) for each in secret if "sealed" in each.name}

    assert named == {(each.column.table.name, each.column.name) for each in sealed_values.COLUMNS}


def test_a_secret_that_changed_since_it_was_read_is_not_overwritten(made, data):
    made("--admin-user", "admin")
    database = Database(database_in(data))
    column = sealed_values.COLUMNS[0]

    with database.transaction() as db:
        value = sealed_values.page(db, column, after="", limit=1)[0]
        first = sealed_values.replace(db, column, value, b"changed meanwhile")
        second = sealed_values.replace(db, column, value, b"sealed anew")

    assert [True, False] == [first, second]
    assert [b"changed meanwhile"] == blobs(database_in(data))
    database.close()


def test_rotation_never_loses_a_credential_of_the_account(made, crownkeep, fresh_crown, data):
    answer = made("--admin-user", "admin")
    for _ in range(3):
        assert 0 == crownkeep("keys", "rotate", "--wait", "0").code

    crown = fresh_crown(data=str(data), database=database_in(data))

    assert answer["account_id"] == crown.session(answer["admin"], "account").get_account_information()["AccountId"]
    with pytest.raises(ClientError):
        crown.session(answer["admin"] | {"secret_access_key": "x" * 40}, "account").get_account_information()
