"""The sealing keys of a data directory as they are on the disk where shares of k people open them: wrapped for a recipient.

The file is JSON. It is wrapped anew whenever the keys are rotated, which takes the recipient's public half alone.
"""

from __future__ import annotations

import msgspec

from crownkeep import untrusted_json
from crownkeep.credentials import recipients
from crownkeep.credentials.recipients import Identity, UnusableRecipient, Wrapped
from crownkeep.untrusted_json import UnreadableJson

_FORMAT = "crownkeep-split-key/1"


class MalformedSplitKey(ValueError):
    """A file is no split key, or somebody else's."""


class SplitKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A key file for the holders of shares; nothing in it is secret."""

    format: str
    recipient: str
    split: int
    """The number that all shares of the identity have in common."""
    needed: int
    """How many shares open it."""
    wrapped: bytes

    def encode(self) -> bytes:
        """Return the bytes of the file that holds the split key: one line of JSON."""
        return msgspec.json.encode(self) + b"\n"

    def open(self, identity: Identity) -> bytes:
        """Return the key file; raises UnusableRecipient for another identity, and where the file was changed."""
        if identity.public.strip() != self.recipient.strip():
            raise UnusableRecipient("the shares are of another recipient than the sealing key was wrapped for")
        return recipients.unwrap(identity.private, self.wrapped, kind=Wrapped.KEY_AT_REST, bound_to=str(self.split))

    def with_keys(self, key_file: bytes) -> SplitKey:
        """Return the same for another key file, such as after a rotation."""
        return wrap(key_file, self.recipient, split=self.split, needed=self.needed)


def wrap(key_file: bytes, recipient: str, *, split: int, needed: int) -> SplitKey:
    """Wrap a key file for a recipient whose identity is in shares; raises UnusableRecipient."""
    wrapped = recipients.wrap(recipient, key_file, kind=Wrapped.KEY_AT_REST, bound_to=str(split))
    return SplitKey(format=_FORMAT, recipient=recipient, split=split, needed=needed, wrapped=wrapped)


def read(content: bytes) -> SplitKey:
    """Read the file; raises MalformedSplitKey."""
    try:
        found = untrusted_json.read_as(content, SplitKey)
    except UnreadableJson as error:
        raise MalformedSplitKey(f"the split key can't be read: {error}") from error
    if found.format != _FORMAT:
        raise MalformedSplitKey("the split key has another format: a newer version wrote it")
    return found
