"""The data directory: the sealing key and the operator's token, made when missing, and refused where others could read them.

DIR/                 0700   whoever may enter it is the operator
  crownkeep.db              the embedded database (with its -wal and -shm beside it)
  sealing.key        0600   opens every sealed secret in the database; back it up apart from the database. It may be a
                            symbolic link to a file that several machines share: the file is changed, never the link. It may be
                            missing where a service manager hands it in as a credential, or an orchestrator in a variable; and
                            it may be wrapped by a key of a token or a key management service
  sealing.pin        0600   the PIN of that token, where nobody else hands it in
  sealing.key.split  0600   the same keys for the holders of shares, where `sealing.key` is a link into memory: whoever starts
                            a server then needs enough of them
  operator.token     0600   the bearer token of /operator/v1
  metrics.token      0600   the bearer token of /metrics, which opens nothing else
  outbox/            0700   mail, one file a message, where no SMTP server is set

Beside them what the operator has imported: a file is written whole beside its place, under a lock, and then put into it at once.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from crownkeep import base64url, clock, durable_files
from crownkeep.credentials import sealing, split_keys
from crownkeep.credentials.sealing import Keyring
from crownkeep.credentials.secret import Secret
from crownkeep.credentials.split_keys import MalformedSplitKey, SplitKey
from crownkeep.settings import SEALING_KEY_VARIABLE, Settings
from crownkeep.wrapping import key_files, pins
from crownkeep.wrapping.faults import UnusableKeyHolder
from crownkeep.wrapping.key_files import KeyHolder, WrappedKeyFile

SEALING_KEY = "sealing.key"
SPLIT_KEY = "sealing.key.split"
PIN = "sealing.pin"
_CREDENTIALS = "CREDENTIALS_DIRECTORY"
"""The variable by which systemd says where a service's credentials are (systemd.exec(5), "Credentials")."""
OPERATOR_TOKEN = "operator.token"
METRICS_TOKEN = "metrics.token"

_DATABASE = "crownkeep.db"
_TOKEN_BYTES = 32
_SHORTEST_TOKEN = 32


class UnusableDataDirectory(Exception):
    """The data directory can't be used as it is; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class DataDirectory:
    """A data directory that was checked, and what it holds."""

    path: Path
    keyring: Keyring
    operator_token: Secret
    metrics_token: Secret


class KeyFileWatch:
    """Notices that the sealing keys in the file were changed.

    A server looks every second, so that a command can rotate them; and the keyring makes it look when it meets a key it hasn't.
    """

    def __init__(self, directory: DataDirectory) -> None:
        self._directory = directory
        self._lock = Lock()
        # Of no file: it may have changed since it was read.
        self._seen: tuple[int, int, int] | None = None
        directory.keyring.look_again = self._look_quietly

    def look(self) -> bool:
        """Go over to the file's keys where they are others than ours, and return whether they were; costs one `stat` where not.

        Raises UnusableDataDirectory where the file can't be used; the keyring then stays as it is.
        """
        path, keyring = self._directory.path, self._directory.keyring
        with self._lock:
            try:
                file = key_file(path)
                if file is None:
                    return False  # It is in a variable, which doesn't change.
                stamp = _stamp(file)
                if stamp == self._seen:
                    return False
                found = keyring if has_keys_of(path, keyring) else load_keyring(path)
            except OSError as error:
                raise UnusableDataDirectory(f"`{path / SEALING_KEY}` can't be read: {error.strerror}; restore it") from error
            if not {key.id for key in found.keys} & {key.id for key in keyring.keys}:
                raise UnusableDataDirectory(f"`{path / SEALING_KEY}` holds none of the keys that it held; restore it")
            self._seen = stamp
            is_another = found.keys != keyring.keys
            # Also the same keys, wrapped by somebody else: they are known by the file's text from now on.
            keyring.adopt(found)
            return is_another

    def _look_quietly(self) -> None:
        # What is wrong with the file says the next look of the server, or the next step of the command.
        with suppress(UnusableDataDirectory):
            self.look()


def prepare(settings: Settings) -> DataDirectory:
    """Make what is missing, check what is there, and read it; raises UnusableDataDirectory.

    A sealing key is never made beside a database that already holds secrets, for it could not open them.
    """
    path = settings.data_directory
    try:
        _make_directory(path)
        _refuse_others(path, wanted=0o700, owners={os.geteuid()})
        file = key_file(path)
        if file is not None and not file.exists():
            _make_sealing_key(path)
        for name in (OPERATOR_TOKEN, METRICS_TOKEN):
            if not (path / name).exists():
                token = base64url.encode(clock.token_bytes(_TOKEN_BYTES))
                durable_files.write_if_missing(path / name, f"{token}\n")
        return DataDirectory(path, load_keyring(path), load_operator_token(path), _load_token(path / METRICS_TOKEN))
    except OSError as error:
        raise UnusableDataDirectory(
            f"the data directory `{path}` can't be used: {error.strerror}; name another with `--data`"
        ) from error


def unsafe(path: Path) -> list[str]:
    """Return what is wrong with who may use a data directory and the files in it, each with what to do; nothing is changed.

    Raises OSError where the directory itself can't be looked at.
    """
    # Whoever examines an installation may be root, and need not be the user that it runs as.
    owners = {path.stat().st_uid, os.geteuid(), 0}
    found = [_unsafe_part(path, wanted=0o700, owners=owners)]
    databases = (_DATABASE, f"{_DATABASE}-wal", f"{_DATABASE}-shm")
    for name in (SEALING_KEY, SPLIT_KEY, PIN, OPERATOR_TOKEN, METRICS_TOKEN, *databases, "outbox"):
        with suppress(FileNotFoundError, PermissionError):
            found.append(_unsafe_part(path / name, wanted=0o700 if name == "outbox" else 0o600, owners=owners))
    return [each for each in found if each]


def _unsafe_part(path: Path, *, wanted: int, owners: set[int]) -> str:
    try:
        _refuse_others(path, wanted=wanted, owners=owners)
    except UnusableDataDirectory as error:
        return str(error)
    return ""


def key_file(path: Path) -> Path | None:
    """Return the file that holds the sealing keys of a data directory; None where a variable holds them.

    The directory's own comes first; then a credential of the service; then CROWNKEEP_SEALING_KEY, which holds a file's text.
    """
    own = path / SEALING_KEY
    if own.exists() or own.is_symlink():
        return own
    handed = Path(os.environ.get(_CREDENTIALS) or "/nowhere") / SEALING_KEY
    if handed.exists():
        return handed
    return None if os.environ.get(SEALING_KEY_VARIABLE) else own


def load_keyring(path: Path) -> Keyring:
    """Read the sealing keys of a data directory, newest first; raises UnusableDataDirectory and OSError."""
    file = key_file(path)
    named = f"the variable `{SEALING_KEY_VARIABLE}` can't be used" if file is None else f"`{file}` can't be read"
    try:
        text = _text(file)
        found = key_files.read(text)
        keyring = sealing.read_key_file(text if found is None else found.open(lambda: load_pin(path)))
        keyring.source = source_of(text)
        return keyring
    except (sealing.MalformedKeyFile, UnusableKeyHolder) as error:
        raise UnusableDataDirectory(f"{named}: {error}") from error
    except UnicodeDecodeError as error:
        raise UnusableDataDirectory(f"{named}: it is no text: restore it from its backup") from error


def has_keys_of(path: Path, keyring: Keyring) -> bool:
    """Tell whether a keyring has just the keys that a data directory has now; whoever wraps them isn't asked.

    Raises OSError, and UnusableDataDirectory where others can read the file.
    """
    try:
        return source_of(_text(key_file(path))) == keyring.source
    except UnicodeDecodeError:
        return False


def source_of(text: str) -> bytes:
    """Return what a keyring has as its source that was read from a key file of this text."""
    return hashlib.sha256(text.encode()).digest()


def wrapped_key(path: Path) -> WrappedKeyFile | None:
    """Return the sealing keys as somebody has wrapped them, None where they lie open.

    Raises OSError, UnusableKeyHolder, and UnusableDataDirectory where others can read the file.
    """
    return key_files.read(_text(key_file(path)))


def key_holder(path: Path) -> KeyHolder | None:
    """Return who has wrapped the sealing keys, None where they lie open; raises OSError and UnusableKeyHolder."""
    found = wrapped_key(path)
    return None if found is None else found.holder


def _text(file: Path | None) -> str:
    if file is None:
        return os.environ[SEALING_KEY_VARIABLE]
    _refuse_other_readers(file)
    return file.read_text(encoding="utf-8")


def split_key(path: Path) -> SplitKey:
    """Return the sealing keys of a data directory as the holders of shares open them; raises UnusableDataDirectory."""
    try:
        return split_keys.read((path / SPLIT_KEY).read_bytes())
    except FileNotFoundError as error:
        raise UnusableDataDirectory(f"the sealing key of `{path}` is not split: see `crownkeep keys split`") from error
    except (OSError, MalformedSplitKey) as error:
        raise UnusableDataDirectory(f"`{path / SPLIT_KEY}` can't be read: {error}") from error


def load_pin(path: Path) -> Secret:
    """Read the PIN of the token that has wrapped the sealing keys; raises UnusableKeyHolder and UnusableDataDirectory."""
    return pins.find((path / PIN, Path(os.environ.get(_CREDENTIALS) or "/nowhere", PIN)), check=_refuse_other_readers)


def _refuse_other_readers(file: Path) -> None:
    # A key file that several machines share may be root's, as may one that a service manager hands in.
    found = file.stat()
    folder = os.environ.get(_CREDENTIALS)
    is_credential = bool(folder) and file.resolve().parent == Path(str(folder)).resolve()
    # systemd lets the service's user read root's credential by an access list, whose mask stands in the group's bits.
    if is_credential and found.st_uid == 0 and stat.S_IMODE(found.st_mode) == 0o440:
        return
    _refuse_others(file, wanted=0o600, owners={os.geteuid(), 0})


def load_operator_token(path: Path) -> Secret:
    """Read the operator's token of a data directory; raises UnusableDataDirectory and OSError."""
    return _load_token(path / OPERATOR_TOKEN)


def _load_token(file: Path) -> Secret:
    _refuse_others(file, wanted=0o600, owners={os.geteuid(), 0})
    token = file.read_bytes().strip()
    if len(token) < _SHORTEST_TOKEN or not token.isascii():
        raise UnusableDataDirectory(f"`{file}` holds no token: delete it, and the next start makes a new one")
    return Secret(token.decode())


def staged(path: Path, name: str) -> Path:
    """Return where a file is written that will be put into the place of `name`."""
    return path / f".{name}.new"


@contextmanager
def staging(path: Path, name: str) -> Iterator[BinaryIO]:
    """Open a file that is to be put into the place of `name`; what is not installed by the end is removed.

    Only one process at a time may: raises UnusableDataDirectory where another does. What a killed process left is written over.
    """
    place = staged(path, name)
    with _locked(place) as file:
        file.truncate()
        try:
            yield file
        finally:
            # Once installed, the file is no longer at this place.
            place.unlink(missing_ok=True)


def install(path: Path, name: str) -> None:
    """Put a staged file into its place, at once and durably: a reader sees the old or the new one. Raises FileNotFoundError."""
    place = staged(path, name)
    durable_files.sync(place)
    place.replace(path / name)
    durable_files.sync_directory(path)


@contextmanager
def _locked(place: Path) -> Iterator[BinaryIO]:
    descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever held the lock before may have put this very file into its place: it must not be written over.
            is_here = place.exists() and os.path.samestat(place.stat(), os.fstat(file.fileno()))
        except BlockingIOError:
            is_here = False
        if not is_here:
            raise UnusableDataDirectory(f"another import is writing `{place}`: wait until it has ended")
        yield file


def _stamp(file: Path) -> tuple[int, int, int]:
    found = file.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


def _make_directory(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir(mode=0o700)
    except FileExistsError as error:
        if not path.is_dir():
            raise UnusableDataDirectory(f"`{path}` is not a directory; name another with `--data`") from error


def _refuse_others(path: Path, *, wanted: int, owners: set[int]) -> None:
    found = path.stat()
    mode = stat.S_IMODE(found.st_mode)
    if found.st_uid not in owners:
        raise UnusableDataDirectory(
            f"`{path}` belongs to {_name_of(found.st_uid)}, and this is {_name_of(os.geteuid())}: "
            "run crownkeep as its owner, or change the owner with `chown`"
        )
    if mode & 0o077:
        raise UnusableDataDirectory(f"others than its owner may use `{path}` (mode {mode:04o}); run `chmod {wanted:o} {path}`")


def _name_of(user_id: int) -> str:
    try:
        return f"the user `{pwd.getpwuid(user_id).pw_name}`"
    except KeyError:
        return f"the user {user_id}"


def _make_sealing_key(path: Path) -> None:
    database, file = path / _DATABASE, path / SEALING_KEY
    if (path / SPLIT_KEY).exists():
        wanted = f"{split_key(path).needed} of its shares"
        raise UnusableDataDirectory(f"the sealing key is split: hand in {wanted} with `crownkeep keys unseal --data {path}`")
    if file.is_symlink():
        raise UnusableDataDirectory(f"`{file}` leads to `{file.readlink()}`, which is not there: restore or mount that file")
    if database.exists():
        raise UnusableDataDirectory(
            f"`{file}` is missing, and only it opens the secrets in `{database}`: restore it from its backup"
        )
    key = sealing.mint_key(clock.token_bytes(sealing.KEY_SIZE), made=clock.now().date())
    durable_files.write_if_missing(file, sealing.write_key_file(Keyring([key])).reveal())
