"""The leaf of a record in the tree: short and canonical, so that the record may be as long as it likes, or be withheld one day.

    version 1 | event id 16 | time 8 | length of the account 1 | account | SHA-256(record) 32 | SHA-256(record, columns) 32

The time is in microseconds since 1970, big-endian. The record is the JSON text that LookupEvents answers. The columns are what a
record is found by, as a JSON array without white space: `["iam.amazonaws.com","CreateUser","false","root","AKIA...",[[type,
name],...]]`: source, name, read-only, user name, access key and resources. They are hashed behind the record, as anybody may read
leaves, and could guess what so short a text says if it were hashed alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import msgspec

VERSION = 1
_SHORTEST = 90
_encode = msgspec.json.Encoder().encode


class UnreadableLeaf(ValueError):
    """Bytes that are no leaf of a version we know."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """What a leaf says of its record."""

    event_id: bytes
    microseconds: int
    account_id: str
    record_sha256: bytes
    columns_sha256: bytes

    def encode(self) -> bytes:
        """Return the bytes that are hashed: each member has a fixed length or its length before it, so that none is mistaken."""
        account = self.account_id.encode("ascii")
        head = bytes([VERSION]) + self.event_id + self.microseconds.to_bytes(8, "big")
        return head + bytes([len(account)]) + account + self.record_sha256 + self.columns_sha256


def columns(
    source: str, name: str, read_only: str, username: str, access_key_id: str, resources: Sequence[tuple[str, str]]
) -> bytes:
    """Return what a record is found by, in its canonical form."""
    return _encode([source, name, read_only, username, access_key_id, resources])


def of_record(event_id: bytes, microseconds: int, account_id: str, record: bytes, found_by: bytes) -> bytes:
    """Return the bytes of a record's leaf; `found_by` are its columns. Every request makes one."""
    digest = sha256(record)
    # The account has its length before it: so no two leaves of different records have the same bytes.
    head = (b"\x01", event_id, microseconds.to_bytes(8, "big"), len(account_id).to_bytes(1, "big"), account_id.encode("ascii"))
    first = digest.digest()
    # The hash goes on from the record: the columns are hashed behind it, without hashing it twice.
    digest.update(found_by)
    return b"".join((*head, first, digest.digest()))


def read(content: bytes) -> Leaf:
    """Read a leaf; raises UnreadableLeaf."""
    # Byte 25 is the length of the account, behind version, event id and time.
    if len(content) < _SHORTEST or content[0] != VERSION or len(content) != _SHORTEST + content[25]:
        raise UnreadableLeaf("this is no leaf of version 1")
    end = 26 + content[25]
    try:
        account = content[26:end].decode("ascii")
    except UnicodeDecodeError as error:
        raise UnreadableLeaf("the account of a leaf is no text") from error
    time = int.from_bytes(content[17:25], "big")
    return Leaf(content[1:17], time, account, content[end : end + 32], content[end + 32 :])
