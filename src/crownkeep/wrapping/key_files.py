"""A key file that somebody else's key has wrapped: JSON that says whose, and holds nothing that opens without them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec

from crownkeep.wrapping.faults import UnusableKeyHolder
from crownkeep.wrapping.services import ServiceKey
from crownkeep.wrapping.tokens import OpenToken, Pin, TokenKey

KeyHolder = TokenKey | ServiceKey
_FORMAT = "crownkeep-wrapped-key/1"


class WrappedKeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The file `sealing.key` where its keys are wrapped."""

    format: str
    holder: KeyHolder
    wrapped: bytes

    def open(self, pin: Pin) -> str:
        """Return the key file; raises UnusableKeyHolder."""
        with self.opened(pin) as held:
            return held.text

    @contextmanager
    def opened(self, pin: Pin) -> Iterator[OpenKeyFile]:
        """Open the key file for one change at the most; a PIN is asked for once. Raises UnusableKeyHolder."""
        with self.holder.opened(pin) as held:
            yield OpenKeyFile(self.holder, held, _opened(held, self))

    def encode(self) -> str:
        """Return the key file's text: JSON, indented for people to read."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2).decode() + "\n"


@dataclass(frozen=True, slots=True)
class OpenKeyFile:
    """A key file whose holder can still be asked."""

    _holder: KeyHolder
    _held: OpenToken | ServiceKey
    text: str

    def wrap(self, key_file: str) -> WrappedKeyFile:
        """Wrap what follows it, and see that it opens; raises UnusableKeyHolder."""
        return _wrapped(self._held, key_file, self._holder)


def wrap(key_file: str, holder: KeyHolder, pin: Pin) -> WrappedKeyFile:
    """Wrap a key file, and see that it opens; a PIN is asked for once. Raises UnusableKeyHolder."""
    with holder.opened(pin) as held:
        return _wrapped(held, key_file, holder)


def _wrapped(held: OpenToken | ServiceKey, key_file: str, holder: KeyHolder) -> WrappedKeyFile:
    made = WrappedKeyFile(format=_FORMAT, holder=holder, wrapped=held.wrap(key_file.encode(), _FORMAT.encode()))
    # Tried at once: what turns out not to open only at the next start would have cost every secret of the installation.
    if _opened(held, made) != key_file:
        raise UnusableKeyHolder(f"{holder.spoken} doesn't open what it has wrapped; nothing was changed")
    return made


def _opened(held: OpenToken | ServiceKey, found: WrappedKeyFile) -> str:
    try:
        return held.unwrap(found.wrapped, _FORMAT.encode()).decode()
    except UnicodeDecodeError as error:
        raise UnusableKeyHolder(f"what {found.holder.spoken} opened is no key file") from error


def read(text: str) -> WrappedKeyFile | None:
    """Return a wrapped key file, None for one that lies open; raises UnusableKeyHolder for one that was damaged."""
    # An open key file has a key in each line, and no line of it begins with a brace.
    if not text.lstrip().startswith("{"):
        return None
    try:
        found = msgspec.json.decode(text, type=WrappedKeyFile)
    except msgspec.DecodeError as error:
        raise UnusableKeyHolder("it is a damaged wrapped key: restore it from its backup") from error
    if found.format != _FORMAT:
        raise UnusableKeyHolder("it was wrapped by a newer version: install that one")
    return found
