"""A sealing key in shares: on no disk, opened by enough holders after a restart, and never lost on the way."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.conftest import Terminal

from crownkeep import clock, data_directory, sealing_key_file
from crownkeep.cli import keys_split
from crownkeep.credentials import sealing


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that counts as memory; its key is `memory / "sealing.key"`."""
    place = tmp_path / "run"
    place.mkdir(mode=0o700)
    (tmp_path / "mounts").write_text(f"overlay / overlay rw 0 0\ntmpfs {place} tmpfs rw 0 0\n")
    monkeypatch.setattr(keys_split, "_MOUNTS", tmp_path / "mounts")
    return place


@pytest.fixture
def shares(crownkeep: Terminal, made, tmp_path: Path) -> list[str]:
    """Three shares, of which two are needed, and an installation with a secret in it."""
    made("--admin-user", "admin")
    return new_shares(crownkeep, tmp_path / "b", 3)


def new_shares(crownkeep: Terminal, file: Path, count: int) -> list[str]:
    """Make a recipient, and return the files of its shares, of which two are needed."""
    ended = crownkeep("backup", "new-recipient", str(file), "--shares", str(count), "--needed", "2", "--json")
    found: list[str] = ended.json()["shares"]
    return found


def split(crownkeep: Terminal, memory: Path, shares: list[str]) -> None:
    given = ("--share", shares[0], "--share", shares[1])
    ended = crownkeep("keys", "split", str(memory.parent / "b.pub"), "--into", str(memory / "sealing.key"), *given)
    assert (0, "") == (ended.code, ended.err)


def restart(memory: Path) -> None:
    """What is in memory is gone."""
    for each in memory.iterdir():
        shutil.rmtree(each) if each.is_dir() else each.unlink()


def test_a_split_key_is_on_no_disk_and_opens_with_enough_shares(crownkeep, data, memory, shares):
    key = data_directory.load_keyring(data).newest
    split(crownkeep, memory, shares)
    restart(memory)

    assert key.material not in b"".join(file.read_bytes() for file in data.rglob("*") if file.is_file())
    closed = crownkeep("account", "list")
    assert (1, True) == (closed.code, "hand in 2 of its shares with `crownkeep keys unseal" in closed.err)
    first = crownkeep("keys", "unseal", "--share", "-", "--json", stdin=Path(shares[2]).read_text())
    assert {"open": False, "given": 1, "needed": 2} == first.json()
    assert 1 == crownkeep("account", "list").code
    second = crownkeep("keys", "unseal", "--share", shares[0])

    assert (0, "The sealing key is open: start the server.\n") == (second.code, second.out)
    assert 0 == crownkeep("account", "list").code
    assert ["sealing.key"] == [each.name for each in memory.iterdir() if not each.name.startswith(".")]
    assert not (memory / "sealing.key.shares").exists()
    records = crownkeep("trail", "list", "--json").json()["events"]
    [opened] = [each["requestParameters"] for each in records if each["eventName"] == "OpenSealingKey"]
    assert {"shares": [1, 3]} == opened


def test_a_rotation_reaches_the_holders_of_shares(crownkeep, data, memory, shares):
    split(crownkeep, memory, shares)
    assert 0 == crownkeep("keys", "rotate", "--wait", "0").code
    newest = data_directory.load_keyring(data).newest
    restart(memory)

    assert 0 == crownkeep("keys", "unseal", "--share", shares[1], "--share", shares[2]).code

    assert newest == data_directory.load_keyring(data).newest
    assert 0 == crownkeep("keys", "reseal").code


def test_shares_of_another_key_are_refused_and_keep_nobody_out(crownkeep, memory, shares, tmp_path):
    split(crownkeep, memory, shares)
    others = crownkeep("backup", "new-recipient", str(tmp_path / "o"), "--shares", "2", "--needed", "2", "--json").json()[
        "shares"
    ]
    restart(memory)

    assert 2 == crownkeep("keys", "unseal", "--share", others[0]).code
    assert 1 == crownkeep("keys", "unseal", "--share", shares[0], "--json").json()["given"]
    assert 1 == crownkeep("keys", "unseal", "--share", shares[0], "--json").json()["given"]
    assert 1 == crownkeep("keys", "unseal", "--again", "--share", shares[1], "--json").json()["given"]
    assert crownkeep("keys", "unseal", "--share", shares[2], "--json").json()["open"]


def test_nothing_is_split_before_its_shares_have_opened_it(crownkeep, data, memory, shares, tmp_path):
    words = ("keys", "split", str(tmp_path / "b.pub"), "--into")
    others = crownkeep("backup", "new-recipient", str(tmp_path / "o"), "--shares", "2", "--needed", "2", "--json").json()[
        "shares"
    ]
    both = ("--share", others[0], "--share", others[1])

    ended = [
        crownkeep(*words, str(memory / "k"), "--share", shares[0]),
        crownkeep(*words, str(memory / "k"), *both),
        crownkeep(*words, str(memory / "k")),
        crownkeep(*words, str(tmp_path / "k"), "--share", shares[0], "--share", shares[1]),
        crownkeep(*words, str(memory / "nowhere" / "k"), "--share", shares[0], "--share", shares[1]),
    ]

    assert [1, 1, 2, 2, 2] == [each.code for each in ended]
    assert "is on a disk (overlay): name a file in memory" in ended[3].err
    assert [] == list(memory.iterdir())
    assert (data / "sealing.key").is_file()
    assert not (data / "sealing.key").is_symlink()


def test_a_split_key_that_is_joined_again_opens_without_shares(crownkeep, data, memory, shares):
    split(crownkeep, memory, shares)

    assert 1 == crownkeep("keys", "split", str(memory.parent / "b.pub"), "--into", str(memory / "k"), "--share", shares[0]).code
    assert 0 == crownkeep("keys", "join").code
    restart(memory)

    assert 0 == crownkeep("account", "list").code
    assert not (data / "sealing.key.split").exists()
    assert [1, 1] == [crownkeep("keys", "join").code, crownkeep("keys", "unseal", "--share", shares[0]).code]


def test_a_place_for_shares_that_is_open_to_others_is_refused(crownkeep, memory, shares):
    split(crownkeep, memory, shares)
    restart(memory)
    (memory / "sealing.key.shares").mkdir(mode=0o755)

    ended = crownkeep("keys", "unseal", "--share", shares[0])

    assert (1, "is somebody else's" in ended.err) == (ended.code, True)


def test_a_split_key_is_in_no_backup(crownkeep, data, memory, shares, tmp_path):
    split(crownkeep, memory, shares)
    assert 0 == crownkeep("backup", "create", "--to", str(tmp_path / "shelf")).code
    key = (memory / "sealing.key").rename(tmp_path / "sealing.key")

    words = ("backup", "restore", str(tmp_path / "shelf"), "--data", str(tmp_path / "new"), "--sealing-key", str(key))
    assert 0 == crownkeep(*words).code

    assert not (tmp_path / "new" / "sealing.key.split").exists()


def once_read(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object]) -> None:
    """Let something happen when the next command has read the shares that it was given."""
    read = keys_split._read

    def reading(*given: object) -> object:
        found = read(*given)  # type: ignore[arg-type]  # as they were given
        monkeypatch.setattr(keys_split, "_read", read)
        meanwhile()
        return found

    monkeypatch.setattr(keys_split, "_read", reading)


def test_a_key_that_is_rotated_in_while_somebody_hands_in_shares_again_stays_the_newest(
    crownkeep, data, memory, shares, monkeypatch
):
    split(crownkeep, memory, shares)
    key = sealing.mint_key(clock.token_bytes(sealing.KEY_SIZE), made=clock.now().date())
    once_read(monkeypatch, lambda: sealing_key_file.change_keyring(data, lambda found: sealing.rotated(found, key)))

    ended = crownkeep("keys", "unseal", "--share", shares[0], "--share", shares[1])

    assert (0, key) == (ended.code, data_directory.load_keyring(data).newest), ended.err


def test_two_holders_who_hand_in_their_shares_at_the_same_moment_open_the_key(crownkeep, memory, shares, monkeypatch):
    split(crownkeep, memory, shares)
    restart(memory)
    first = []
    once_read(monkeypatch, lambda: first.append(crownkeep("keys", "unseal", "--share", shares[0], "--json")))

    second = crownkeep("keys", "unseal", "--share", shares[1], "--json")

    assert [False, True] == [each.json()["open"] for each in (*first, second)]


def test_half_a_share_that_a_killed_command_left_keeps_nobody_out(crownkeep, memory, shares):
    split(crownkeep, memory, shares)
    restart(memory)
    assert 0 == crownkeep("keys", "unseal", "--share", shares[0]).code
    (memory / "sealing.key.shares" / ".2.abcdefgh").write_text("half a")

    assert crownkeep("keys", "unseal", "--share", shares[1], "--json").json()["open"]
