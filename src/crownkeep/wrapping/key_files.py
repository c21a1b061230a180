"""A key file that somebody else's key has wrapped: JSON that says whose, and holds nothing that opens without them."""

from __future__ import annotations

import msgspec

from crownkeep.wrapping.faults import UnusableKeyHolder
from crownkeep.wrapping.services import ServiceKey
from crownkeep.wrapping.tokens import Pin, TokenKey

KeyHolder = TokenKey | ServiceKey
_FORMAT = "crownkeep-wrapped-key/1"


class WrappedKeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The file `sealing.key` where its keys are wrapped."""

    format: str
    holder: KeyHolder
    wrapped: bytes

    def open(self, pin: Pin) -> str:
        """Return the key file; raises UnusableKeyHolder."""
        try:
            return self.holder.unwrap(self.wrapped, _FORMAT.encode(), pin).decode()
        except UnicodeDecodeError as error:
            raise UnusableKeyHolder(f"what {self.holder.spoken} opened is no key file") from error

    def encode(self) -> str:
        """Return the file."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2).decode() + "\n"


def wrap(key_file: str, holder: KeyHolder, pin: Pin) -> WrappedKeyFile:
    """Wrap a key file, and see that it opens; raises UnusableKeyHolder."""
    made = WrappedKeyFile(format=_FORMAT, holder=holder, wrapped=holder.wrap(key_file.encode(), _FORMAT.encode(), pin))
    if made.open(pin) != key_file:
        raise UnusableKeyHolder(f"{holder.spoken} doesn't open what it has wrapped; nothing was changed")
    return made


def read(text: str) -> WrappedKeyFile | None:
    """Return a wrapped key file, None for one that lies open; raises UnusableKeyHolder for one that was damaged."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        found = msgspec.json.decode(text, type=WrappedKeyFile)
    except msgspec.DecodeError as error:
        raise UnusableKeyHolder("it is a damaged wrapped key: restore it from its backup") from error
    if found.format != _FORMAT:
        raise UnusableKeyHolder("it was wrapped by a newer version: install that one")
    return found
