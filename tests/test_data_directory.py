"""The data directory: made whole when missing, refused where others could read it."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from crownkeep import data_directory, sealing_key_file
from crownkeep.credentials import sealing
from crownkeep.settings import Settings


def settings(path: Path) -> Settings:
    return Settings(data=str(path))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_missing_directory_is_made_with_its_secrets_readable_by_the_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "share" / "crownkeep"

    data_directory.prepare(settings(path))

    assert mode(path) == 0o700
    assert {file.name: mode(file) for file in path.iterdir()} == {
        "sealing.key": 0o600,
        "operator.token": 0o600,
        "metrics.token": 0o600,
    }


def test_a_second_start_reads_what_the_first_one_made(tmp_path: Path) -> None:
    first = data_directory.prepare(settings(tmp_path / "data"))

    second = data_directory.prepare(settings(tmp_path / "data"))

    assert first.keyring.newest.id == second.keyring.newest.id
    assert first.operator_token == second.operator_token


def test_two_directories_share_no_secret(tmp_path: Path) -> None:
    first = data_directory.prepare(settings(tmp_path / "one"))

    second = data_directory.prepare(settings(tmp_path / "two"))

    assert first.keyring.newest.id != second.keyring.newest.id
    assert first.operator_token != second.operator_token
    assert first.metrics_token not in (second.metrics_token, first.operator_token)


@pytest.mark.parametrize("name", ["sealing.key", "operator.token", "metrics.token", "."])
def test_a_secret_that_another_user_of_the_machine_could_read_is_refused(tmp_path: Path, name: str) -> None:
    data_directory.prepare(settings(tmp_path / "data"))
    file = (tmp_path / "data" / name).resolve()
    file.chmod(0o744)

    with pytest.raises(data_directory.UnusableDataDirectory) as refusal:
        data_directory.prepare(settings(tmp_path / "data"))

    assert f"others than its owner may use `{file}` (mode 0744); run `chmod" in str(refusal.value)


def test_no_new_sealing_key_is_made_beside_a_database_that_it_could_not_open(tmp_path: Path) -> None:
    data_directory.prepare(settings(tmp_path / "data"))
    (tmp_path / "data" / "crownkeep.db").touch()
    (tmp_path / "data" / "sealing.key").unlink()

    with pytest.raises(data_directory.UnusableDataDirectory, match="restore it from its backup"):
        data_directory.prepare(settings(tmp_path / "data"))


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("sealing.key", b"nonsense\n", "line 1 of the key file is no key"),
        ("sealing.key", b"\xff\xfe\n", "it is no text"),
        ("sealing.key", b"", "holds no key"),
        ("operator.token", b"short\n", "holds no token"),
        ("operator.token", b"\xff" * 40, "holds no token"),
    ],
)
def test_a_damaged_secret_is_named_and_not_replaced(tmp_path: Path, name: str, content: bytes, expected: str) -> None:
    data_directory.prepare(settings(tmp_path / "data"))
    (tmp_path / "data" / name).write_bytes(content)

    with pytest.raises(data_directory.UnusableDataDirectory, match=expected):
        data_directory.prepare(settings(tmp_path / "data"))

    assert content == (tmp_path / "data" / name).read_bytes()


def test_a_file_in_the_place_of_the_directory_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").touch()

    with pytest.raises(data_directory.UnusableDataDirectory, match="is not a directory; name another with `--data`"):
        data_directory.prepare(settings(tmp_path / "data"))


def test_a_directory_below_a_file_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(data_directory.UnusableDataDirectory, match=r"can't be used: .*; name another with `--data`"):
        data_directory.prepare(settings(tmp_path / "file" / "data"))


def test_a_rotated_keyring_takes_the_old_ones_place_and_still_opens_what_it_sealed(tmp_path: Path) -> None:
    before = data_directory.prepare(settings(tmp_path / "data"))
    key = sealing.mint_key(bytes(32), made=before.keyring.newest.made)

    sealing_key_file.change_keyring(before.path, lambda found: sealing.rotated(found, key))

    after = data_directory.load_keyring(before.path)
    assert [key.id, before.keyring.newest.id] == [held.id for held in after.keys]
    assert mode(before.path / "sealing.key") == 0o600
    assert {"sealing.key", ".sealing.key.lock", "operator.token", "metrics.token"} == {
        file.name for file in before.path.iterdir()
    }


def test_a_watch_goes_over_to_the_keys_of_a_changed_file_once(tmp_path: Path) -> None:
    directory = data_directory.prepare(settings(tmp_path / "data"))
    watch = data_directory.KeyFileWatch(directory)
    key = sealing.mint_key(bytes(32), made=directory.keyring.newest.made)
    assert not watch.look()

    sealing_key_file.change_keyring(directory.path, lambda found: sealing.rotated(found, key))

    assert [True, False] == [watch.look(), watch.look()]
    assert key.id == directory.keyring.newest.id


@pytest.mark.parametrize("damage", ["truncated", "missing", "readable"])
def test_a_watch_says_that_a_file_is_damaged_and_keeps_the_keys_it_has(tmp_path: Path, damage: str) -> None:
    directory = data_directory.prepare(settings(tmp_path / "data"))
    watch = data_directory.KeyFileWatch(directory)
    before = directory.keyring.newest.id
    sealing_key_file.change_keyring(directory.path, lambda found: found)
    file = directory.path / "sealing.key"
    match damage:
        case "truncated":
            file.write_text(file.read_text()[:-10])
        case "missing":
            file.unlink()
        case _:
            file.chmod(0o644)

    with pytest.raises(data_directory.UnusableDataDirectory, match=r"sealing\.key"):
        watch.look()

    assert before == directory.keyring.newest.id


def test_changes_of_the_key_file_at_the_same_moment_lose_no_key(tmp_path: Path) -> None:
    directory = data_directory.prepare(settings(tmp_path / "data"))
    new = [sealing.mint_key(bytes([number]) * 32, made=directory.keyring.newest.made) for number in range(1, 9)]
    barrier = Barrier(len(new))

    def put(key: sealing.SealingKey) -> None:
        barrier.wait()
        sealing_key_file.change_keyring(directory.path, lambda found: sealing.rotated(found, key))

    with ThreadPoolExecutor(len(new)) as threads:
        list(threads.map(put, new))

    found = data_directory.load_keyring(directory.path)
    assert {directory.keyring.newest.id, *(key.id for key in new)} == {key.id for key in found.keys}


def test_a_link_to_a_shared_key_file_that_is_not_mounted_is_refused_and_makes_no_key(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "sealing.key").symlink_to(tmp_path / "share" / "sealing.key")

    with pytest.raises(data_directory.UnusableDataDirectory, match="which is not there: restore or mount that file"):
        data_directory.prepare(settings(tmp_path / "data"))

    assert [tmp_path / "data" / "sealing.key"] == list((tmp_path / "data").iterdir())


@pytest.mark.parametrize("name", ["sealing.key", "operator.token", "metrics.token", "."])
def test_what_belongs_to_somebody_else_is_refused(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data_directory.prepare(settings(tmp_path / "data"))
    me = os.geteuid()
    if me == 0:
        os.chown((tmp_path / "data" / name).resolve(), 65534, 65534)
    else:
        # Only root can give files to somebody else; for others this process becomes the somebody else.
        monkeypatch.setattr(os, "geteuid", lambda: me + 1)

    with pytest.raises(data_directory.UnusableDataDirectory, match=r"belongs to the user `?\w+`?, and this is the user `?\w+`?"):
        data_directory.prepare(settings(tmp_path / "data"))


def test_a_watch_does_not_go_over_to_a_file_that_holds_none_of_its_keys(tmp_path: Path) -> None:
    directory = data_directory.prepare(settings(tmp_path / "data"))
    watch = data_directory.KeyFileWatch(directory)
    before = directory.keyring.newest.id
    stranger = sealing.Keyring([sealing.mint_key(bytes(32), made=directory.keyring.newest.made)])
    sealing_key_file.change_keyring(directory.path, lambda _: stranger)

    for _ in range(2):
        with pytest.raises(data_directory.UnusableDataDirectory, match="holds none of the keys that it held"):
            watch.look()

    assert before == directory.keyring.newest.id


def test_a_sealing_key_that_the_service_manager_hands_in_needs_no_file_of_the_directory(tmp_path, monkeypatch):
    first = data_directory.prepare(settings(tmp_path / "data"))
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (tmp_path / "data" / "sealing.key").rename(credentials / "sealing.key")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))

    second = data_directory.prepare(settings(tmp_path / "data"))

    assert first.keyring.keys == second.keyring.keys
    assert not (tmp_path / "data" / "sealing.key").exists()
    assert not data_directory.KeyFileWatch(second).look()


def test_a_sealing_key_in_the_variable_of_an_orchestrator_opens_what_it_sealed(tmp_path, monkeypatch):
    first = data_directory.prepare(settings(tmp_path / "data"))
    monkeypatch.setenv("CROWNKEEP_SEALING_KEY", (tmp_path / "data" / "sealing.key").read_text())
    (tmp_path / "data" / "sealing.key").unlink()
    (tmp_path / "data" / "crownkeep.db").touch(mode=0o600)

    second = data_directory.prepare(settings(tmp_path / "data"))

    assert first.keyring.keys == second.keyring.keys
    assert not data_directory.KeyFileWatch(second).look()
    with pytest.raises(data_directory.UnusableDataDirectory, match="can't be changed"):
        sealing_key_file.change_keyring(tmp_path / "data", lambda keyring: keyring)


def test_a_variable_that_holds_no_key_is_told_without_what_it_holds(tmp_path, monkeypatch):
    monkeypatch.setenv("CROWNKEEP_SEALING_KEY", "not-a-key-but-secret")

    with pytest.raises(data_directory.UnusableDataDirectory, match="CROWNKEEP_SEALING_KEY") as refused:
        data_directory.prepare(settings(tmp_path / "data"))

    assert "secret" not in str(refused.value)
    assert not (tmp_path / "data" / "sealing.key").exists()


@pytest.mark.parametrize(("mode", "owner", "is_taken"), [(0o440, 0, True), (0o444, 0, False), (0o440, 12345, False)])
def test_a_credential_is_read_by_an_access_list_and_by_nobody_else(tmp_path, monkeypatch, mode, owner, is_taken):
    data_directory.prepare(settings(tmp_path / "data"))
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    key = credentials / "sealing.key"
    (tmp_path / "data" / "sealing.key").rename(key)
    key.chmod(mode)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    found = key.stat()
    asked = Path.stat
    given = os.stat_result((found.st_mode, *found[1:4], owner, *found[5:10]))
    monkeypatch.setattr(Path, "stat", lambda path, **options: given if path == key else asked(path, **options))

    if is_taken:
        assert data_directory.load_keyring(tmp_path / "data").keys
    else:
        with pytest.raises(data_directory.UnusableDataDirectory):
            data_directory.load_keyring(tmp_path / "data")
