"""The file of the sealing keys while two commands change it at once: no key is lost, and none comes back onto the disk."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from crownkeep import clock, data_directory, durable_files, sealing_key_file
from crownkeep.credentials import recipients, sealing, split_keys
from crownkeep.credentials.recipients import Identity
from crownkeep.credentials.sealing import SealingKey
from crownkeep.credentials.split_keys import SplitKey
from crownkeep.data_directory import UnusableDataDirectory
from crownkeep.settings import Settings

SPLIT = 7


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory, beside which `run` counts as memory."""
    (tmp_path / "run").mkdir(mode=0o700)
    return data_directory.prepare(Settings(data=str(tmp_path / "data"))).path


@pytest.fixture
def holders() -> Identity:
    """What enough holders of shares have together."""
    return recipients.from_secret(clock.token_bytes(32))


def wrapped(data: Path, holders: Identity) -> SplitKey:
    """Return the sealing keys as they are now, for the holders of shares."""
    return split_keys.wrap((data / "sealing.key").read_bytes(), holders.public, split=SPLIT, needed=2)


def new_key() -> SealingKey:
    """Return a key to rotate to."""
    return sealing.mint_key(clock.token_bytes(sealing.KEY_SIZE), made=clock.now().date())


def rotate(data: Path, key: SealingKey) -> None:
    """Put a key first."""
    sealing_key_file.change_keyring(data, lambda found: sealing.rotated(found, key))


def for_holders(data: Path, holders: Identity) -> SealingKey:
    """Return the newest key that the holders of shares find after a restart."""
    return sealing.read_key_file(data_directory.split_key(data).open(holders).decode()).newest


def while_it_holds_the_lock(
    monkeypatch: pytest.MonkeyPatch, look: str, first: Callable[[], None], second: Callable[[], None]
) -> Future[None]:
    """Let the second begin, and wait for the lock, while the first is at its first `look`; return how the second ended."""
    inside, go_on = Event(), Event()
    looking = getattr(data_directory, look)

    def stopped(path: Path) -> object:
        if not inside.is_set():
            inside.set()
            assert go_on.wait(20)
        return looking(path)

    monkeypatch.setattr(data_directory, look, stopped)
    waits = Event()
    exclusively = durable_files.exclusively

    with ThreadPoolExecutor(2) as threads:
        one = threads.submit(first)
        assert inside.wait(20)

        def told(file: Path) -> object:
            waits.set()
            return exclusively(file)

        monkeypatch.setattr(durable_files, "exclusively", told)
        two = threads.submit(second)
        assert waits.wait(20)
        go_on.set()
        one.result(20)
    return two


def test_a_key_that_is_rotated_in_while_the_holders_show_their_shares_is_kept_for_them(data: Path, holders: Identity):
    made, key = wrapped(data, holders), new_key()
    rotate(data, key)

    sealing_key_file.move_key(data, made, data.parent / "run" / "sealing.key")

    assert [key, key] == [for_holders(data, holders), data_directory.load_keyring(data).newest]


def test_a_rotation_that_waits_for_a_split_puts_no_key_back_onto_the_disk(
    data: Path, holders: Identity, monkeypatch: pytest.MonkeyPatch
):
    made, key, into = wrapped(data, holders), new_key(), data.parent / "run" / "sealing.key"

    while_it_holds_the_lock(
        monkeypatch, "key_holder", lambda: sealing_key_file.move_key(data, made, into), lambda: rotate(data, key)
    ).result(20)

    assert into == (data / "sealing.key").readlink()
    assert [key, key] == [for_holders(data, holders), sealing.read_key_file(into.read_text()).newest]
    assert not any(key.material in each.read_bytes() for each in data.iterdir() if not each.is_symlink())


def test_a_rotation_that_waits_for_a_join_is_on_the_disk_and_not_in_a_memory_that_nobody_reads(
    data: Path, holders: Identity, monkeypatch: pytest.MonkeyPatch
):
    sealing_key_file.move_key(data, wrapped(data, holders), data.parent / "run" / "sealing.key")
    key = new_key()

    while_it_holds_the_lock(monkeypatch, "split_key", lambda: sealing_key_file.join_key(data), lambda: rotate(data, key)).result(
        20
    )

    assert not (data / "sealing.key").is_symlink()
    assert key == data_directory.load_keyring(data).newest


def test_of_two_splits_at_once_the_second_is_refused_and_the_first_opens(
    data: Path, holders: Identity, monkeypatch: pytest.MonkeyPatch
):
    into, others = data.parent / "run" / "sealing.key", recipients.from_secret(clock.token_bytes(32))
    key = data_directory.load_keyring(data).newest
    mine, theirs = wrapped(data, holders), wrapped(data, others)

    second = while_it_holds_the_lock(
        monkeypatch,
        "key_holder",
        lambda: sealing_key_file.move_key(data, mine, into),
        lambda: sealing_key_file.move_key(data, theirs, into),
    )

    assert isinstance(second.exception(20), UnusableDataDirectory)
    assert [key, key] == [for_holders(data, holders), data_directory.load_keyring(data).newest]


def test_a_key_that_is_split_meanwhile_is_not_unwrapped_onto_the_disk(
    data: Path, holders: Identity, monkeypatch: pytest.MonkeyPatch
):
    made, into = wrapped(data, holders), data.parent / "run" / "sealing.key"

    second = while_it_holds_the_lock(
        monkeypatch,
        "key_holder",
        lambda: sealing_key_file.move_key(data, made, into),
        lambda: sealing_key_file.hold_key(data, None),
    )

    assert isinstance(second.exception(20), UnusableDataDirectory)
    assert (data / "sealing.key").is_symlink()
