"""Changes of the file that holds the sealing keys: one at a time, whoever makes them, and no key is ever lost by one.

The file is replaced whole under a lock that lies beside it. `sealing.key` may be a link, and which file it leads to is itself
changed, by `split` and `join`: so whoever has waited for a lock looks again where the keys are by then.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from crownkeep import data_directory, durable_files
from crownkeep.credentials import sealing
from crownkeep.credentials.sealing import Keyring, MalformedKeyFile
from crownkeep.credentials.split_keys import SplitKey
from crownkeep.data_directory import SEALING_KEY, SPLIT_KEY, UnusableDataDirectory
from crownkeep.wrapping import key_files
from crownkeep.wrapping.key_files import KeyHolder


def change_keyring(path: Path, change: Callable[[Keyring], Keyring]) -> Keyring:
    """Change the sealing keys of a data directory, and answer them once they are on the disk; nothing may be sealed before.

    Whoever changes them at the same moment waits, and then sees what was put in: no key is lost. Where `sealing.key` is a
    symbolic link, the file that it leads to is changed, for everybody who shares it. A reader sees the old or the new one, whole.
    Who has wrapped the keys wraps them again. Raises UnusableDataDirectory and UnusableKeyHolder.
    """
    try:
        with _locked(path) as file:
            changed, held = _changed(path, change)
            if (path / SPLIT_KEY).exists():
                # First where it outlives a restart: what is in memory alone must not seal anything.
                split = data_directory.split_key(path).with_keys(held.encode())
                durable_files.replace(path / SPLIT_KEY, split.encode().decode())
            durable_files.replace(file, held)
    except OSError as error:
        raise UnusableDataDirectory(f"`{path / SEALING_KEY}` can't be changed: {error.strerror}; nothing was") from error
    except (MalformedKeyFile, UnicodeDecodeError) as error:
        raise UnusableDataDirectory(f"`{path / SEALING_KEY}` holds no keys: restore it from its backup") from error
    return changed


def _changed(path: Path, change: Callable[[Keyring], Keyring]) -> tuple[Keyring, str]:
    """Return the changed sealing keys of a data directory, and the text of the file that is to hold them."""
    found = data_directory.wrapped_key(path)
    if found is None:
        changed = change(data_directory.load_keyring(path))
        text = _text(changed)
    else:
        # Opened and wrapped in one go: each time that it is asked, a token wants its PIN.
        with found.opened(lambda: data_directory.load_pin(path)) as held:
            changed = change(sealing.read_key_file(held.text))
            text = held.wrap(_text(changed)).encode()
    changed.source = data_directory.source_of(text)
    return changed, text


def hold_key(path: Path, holder: KeyHolder | None) -> None:
    """Let somebody wrap the sealing keys, or keep them open for None; what was in the file's place is written over.

    Raises OSError, UnusableDataDirectory and UnusableKeyHolder; the file then is as it was.
    """
    with _locked(path) as file, file.open("r+b") as old:
        if (path / SPLIT_KEY).exists():
            raise UnusableDataDirectory("the sealing key is split: run `crownkeep keys join` first")
        durable_files.replace(file, _held(path, data_directory.load_keyring(path), holder))
        _write_over(old)


def move_key(path: Path, split: SplitKey, into: Path) -> None:
    """Keep the sealing keys on the disk for the holders of shares alone: `sealing.key` leads into memory from now on.

    What is kept for them is what the file holds by now: keys may have been rotated since `split` was made. Whoever is interrupted
    has both, and may do it again. Raises OSError, and UnusableDataDirectory where that was done before.
    """
    place = path / SEALING_KEY
    with _locked(path) as file:
        if place.is_symlink():
            raise UnusableDataDirectory(f"`{place}` is a link already: only a file of this machine's own can be split")
        if data_directory.key_holder(path) is not None:
            raise UnusableDataDirectory("the sealing key is wrapped: run `crownkeep keys unwrap` first")
        text = file.read_text(encoding="utf-8")
        durable_files.replace(path / SPLIT_KEY, split.with_keys(text.encode()).encode().decode())
        durable_files.replace(into, text)
        link = place.with_name(f".{place.name}.link")
        link.unlink(missing_ok=True)
        link.symlink_to(into)
        with file.open("r+b") as old:
            link.replace(place)
            durable_files.sync_directory(path)
            _write_over(old)


def join_key(path: Path) -> None:
    """Put the sealing keys on the disk again, as a file that opens without shares; raises OSError and UnusableDataDirectory."""
    with _locked(path) as file:
        data_directory.split_key(path)
        durable_files.replace(path / SEALING_KEY, file.read_text(encoding="utf-8"))
        (path / SPLIT_KEY).unlink()
        durable_files.sync_directory(path)


@contextmanager
def opening(path: Path) -> Iterator[None]:
    """Keep everybody else from changing, and from handing in shares of, the sealing keys that are to be put into memory again.

    The file that `sealing.key` leads to need not be there. Raises OSError.
    """
    with _locked(path, strict=False):
        yield


@contextmanager
def _locked(path: Path, *, strict: bool = True) -> Iterator[Path]:
    place = path / SEALING_KEY
    while True:
        file = place.resolve(strict=strict)
        with durable_files.exclusively(file):
            # Whoever had the lock may have put a link into the file's place, or a file into the link's. Writing to where the keys
            # were would bring a split key back onto the disk, or lose what is put into a memory that nobody reads any more.
            if place.resolve(strict=strict) == file:
                yield file
                return


def _held(path: Path, keyring: Keyring, holder: KeyHolder | None) -> str:
    text = _text(keyring)
    return text if holder is None else key_files.wrap(text, holder, lambda: data_directory.load_pin(path)).encode()


def _text(keyring: Keyring) -> str:
    return sealing.write_key_file(keyring).reveal()


def _write_over(old: BinaryIO) -> None:
    # As far as the file system writes in place: `keys rotate` afterwards helps against what it keeps elsewhere.
    old.write(bytes(os.fstat(old.fileno()).st_size))
    os.fsync(old.fileno())
