"""Sealing: authenticated encryption of what must be read back, bound to its place, under keys that can be rotated.

A blob is `version (1 byte) | key id (4) | nonce (24) | ciphertext and tag`. The cipher is XAES-256-GCM
(https://c2sp.org/XAES-256-GCM): AES-256-GCM under a key derived for each blob from the first half of the nonce, so that
random nonces stay safe for 2^80 blobs. Plain AES-GCM ends at 2^32, which a busy server's session tokens reach in weeks.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from enum import Enum
from hmac import compare_digest, digest

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from crownkeep.credentials.secret import Secret

NONCE_SIZE = 24
"""Random bytes that `seal` needs."""

KEY_SIZE = 32
"""Random bytes of a sealing key."""

OVERHEAD = 45
"""Bytes by which a sealed value is longer than what is in it."""

_VERSION = 1
_ID_SIZE = 4
_HEAD_SIZE = 1 + _ID_SIZE
_SMALLEST = _HEAD_SIZE + NONCE_SIZE + 16
_LINE = re.compile(r"(?P<id>[0-9a-f]{8}) +(?P<made>\d{4}-\d\d-\d\d) +(?P<key>[A-Za-z0-9+/]{43}=)")
_PREAMBLE = """\
# Crownkeep's sealing keys, newest first: key id, day it was made, key.
# New blobs are sealed with the first; the others only open what they sealed. Whoever has this file and the database
# has every secret in it: keep it at mode 0600 and back it up apart from the database.
"""


class Unsealable(ValueError):
    """A blob cannot be opened. One error for all reasons, so that it tells an attacker nothing."""

    def __init__(self) -> None:
        super().__init__("the sealed value cannot be opened")


class MalformedKeyFile(ValueError):
    """The key file is not one; says which line and why, never what is in it."""


class Purpose(Enum):
    """What a sealed value is for. Each purpose has its own subkey, so no blob can be passed off for another kind."""

    ACCESS_KEY_SECRET = "access-key-secret"
    TOTP_SEED = "totp-seed"
    SESSION_TOKEN = "session-token"
    PAGE_TOKEN = "page-token"
    COOKIE = "cookie"
    SIGN_IN_FLOW = "sign-in-flow"
    OAUTH_TOKEN = "oauth-token"
    CLIENT_SECRET = "client-secret"
    SIGNING_KEY = "signing-key"
    NOTICE = "letter"
    WEBHOOK_SECRET = "webhook-secret"
    TRADE_IN_TOKEN = "trade-in-token"
    KEY_CHECK = "key-check"
    TRAIL_KEY = "trail-key"
    BUCKET_SECRET = "bucket-secret"
    DIGEST_KEY = "digest-key"
    BACKUP = "backup"


@dataclass(frozen=True, slots=True, repr=False)
class SealingKey:
    """One key of the key file. The id is a hash of the key, so a damaged line is noticed when it is read."""

    id: str
    made: date
    material: bytes

    def __repr__(self) -> str:
        """Show which key it is and not what it is."""
        return f"SealingKey(id='{self.id}', made={self.made.isoformat()})"


class Keyring:
    """The sealing keys, newest first, with the subkeys derived from them so far."""

    __slots__ = ("_ciphers", "_macs", "keys", "look_again", "source")

    def __init__(self, keys: Iterable[SealingKey]) -> None:
        """Hold the keys of a key file; raises MalformedKeyFile when there is none or an id comes twice."""
        self.keys = tuple(keys)
        if not self.keys:
            raise MalformedKeyFile("the key file holds no key: restore it from its backup")
        if len({key.id for key in self.keys}) != len(self.keys):
            raise MalformedKeyFile("the key file holds the same key twice: delete one of the lines")
        self._ciphers: dict[tuple[bytes, Purpose], _ExtendedNonceAesGcm] = {}
        self._macs: dict[tuple[str, Purpose], bytes] = {}
        self.look_again: Callable[[], object] | None = None
        """Called where a blob names a key that is not here: the key file may have it by now, and `adopt` takes it in."""
        self.source = b""
        """The SHA-256 of the file's text that has these very keys, wrapped or not; empty where none is known to."""

    def __repr__(self) -> str:
        """Show the keys' ids only."""
        return f"Keyring({', '.join(key.id for key in self.keys)})"

    def adopt(self, other: "Keyring") -> None:
        """Go over to the keys of another keyring, in one step: everything that holds this one seals with its newest from now on.

        Subkeys are kept by the id of their key, so none derived from an old key is taken for a new one's.
        """
        self.keys = other.keys
        # Afterwards: whoever finds that a file's text is our source finds its keys here, too.
        self.source = other.source

    @property
    def newest(self) -> SealingKey:
        """The key that seals."""
        return self.keys[0]

    def cipher(self, key_id: bytes, purpose: Purpose) -> "_ExtendedNonceAesGcm":
        """Return the cipher of a key for a purpose; raises Unsealable when there is no such key."""
        cipher = self._ciphers.get((key_id, purpose))
        if cipher is None:
            key = self._found(key_id)
            if key is None and self.look_again is not None:
                # Another machine may seal with a new key before this one's next look at the file.
                # At most a look at the file's time for each blob that doesn't open: what strangers send can't make it costly.
                self.look_again()
                key = self._found(key_id)
            if key is None:
                raise Unsealable
            cipher = _ExtendedNonceAesGcm(_subkey(key, "seal", purpose))
            self._ciphers[key_id, purpose] = cipher
        return cipher

    def _found(self, key_id: bytes) -> SealingKey | None:
        return next((key for key in self.keys if bytes.fromhex(key.id) == key_id), None)

    def mac_key(self, purpose: Purpose) -> bytes:
        """Return the newest key's MAC subkey for a purpose."""
        newest = self.newest
        key = self._macs.get((newest.id, purpose))
        if key is None:
            key = self._macs[newest.id, purpose] = _subkey(newest, "mac", purpose)
        return key


def seal(keyring: Keyring, plaintext: bytes, *, purpose: Purpose, context: bytes, nonce: bytes) -> bytes:
    """Encrypt with the newest key, bound to a purpose and a context (see `context_of`).

    `nonce` is NONCE_SIZE random bytes. The result is 45 bytes longer than the plaintext.
    """
    if len(nonce) != NONCE_SIZE:
        raise ValueError(f"`seal` needs a nonce of {NONCE_SIZE} random bytes, got {len(nonce)}")
    key_id = bytes.fromhex(keyring.newest.id)
    # Version and key id are authenticated with the context: neither can be exchanged.
    head = bytes((_VERSION,)) + key_id
    return head + nonce + keyring.cipher(key_id, purpose).encrypt(nonce, plaintext, head + context)


def unseal(keyring: Keyring, blob: bytes, *, purpose: Purpose, context: bytes) -> bytes:
    """Decrypt what `seal` made for this purpose and context; raises Unsealable for anything else."""
    if len(blob) < _SMALLEST or blob[0] != _VERSION:
        raise Unsealable
    head, nonce, sealed = blob[:_HEAD_SIZE], blob[_HEAD_SIZE : _HEAD_SIZE + NONCE_SIZE], blob[_HEAD_SIZE + NONCE_SIZE :]
    try:
        return keyring.cipher(head[1:], purpose).decrypt(nonce, sealed, head + context)
    except InvalidTag as error:
        # The same error as for an unknown key or a short blob: nobody learns how far it got.
        raise Unsealable from error


def context_of(*parts: str) -> bytes:
    """Encode a blob's place unambiguously: account id, kind of row, owner, and what else tells it from its siblings.

    A blob moved to another row, account or column no longer opens. Each part is preceded by its length, so that
    ("ab", "c") and ("a", "bc") differ.
    """
    encoded = [part.encode() for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)


def is_current(keyring: Keyring, blob: bytes) -> bool:
    """Tell whether a blob was sealed with the newest key; when not, rotation seals it anew."""
    return compare_digest(blob[:_HEAD_SIZE], bytes((_VERSION,)) + bytes.fromhex(keyring.newest.id))


def fingerprint(keyring: Keyring, message: bytes, *, purpose: Purpose) -> bytes:
    """Return a keyed hash (HMAC-SHA-256) under the newest key: equal messages meet, and nobody else can compute it."""
    return digest(keyring.mac_key(purpose), message, "sha256")


def mint_key(random: bytes, *, made: date) -> SealingKey:
    """Make a sealing key from KEY_SIZE random bytes."""
    if len(random) != KEY_SIZE:
        raise ValueError(f"`mint_key` needs {KEY_SIZE} random bytes, got {len(random)}")
    return SealingKey(_key_id(random), made, random)


def rotated(keyring: Keyring, new: SealingKey) -> Keyring:
    """Return a keyring that seals with a new key and still opens what the others sealed."""
    return Keyring((new, *keyring.keys))


def extended(keyring: Keyring, new: SealingKey) -> Keyring:
    """Return a keyring that opens what a new key will have sealed, and seals nothing with it yet."""
    return Keyring((*keyring.keys, new))


def promoted(keyring: Keyring, key_id: str) -> Keyring:
    """Return a keyring that seals with one of its keys from now on; raises LookupError where it has none of that id."""
    first = next((key for key in keyring.keys if key.id == key_id), None)
    if first is None:
        raise LookupError(f"the key file holds no key `{key_id}`")
    return Keyring((first, *(key for key in keyring.keys if key is not first)))


def write_key_file(keyring: Keyring) -> Secret:
    """Spell the key file out: comment, then one line for each key, newest first."""
    lines = (f"{key.id} {key.made.isoformat()} {base64.b64encode(key.material).decode()}\n" for key in keyring.keys)
    return Secret(_PREAMBLE + "".join(lines))


def read_key_file(text: str) -> Keyring:
    """Read a key file; the caller has checked that only its owner may read it. Raises MalformedKeyFile."""
    numbered = enumerate(text.splitlines(), start=1)
    return Keyring(_read_line(number, line) for number, line in numbered if line.strip() and not line.startswith("#"))


def _read_line(number: int, line: str) -> SealingKey:
    match = _LINE.fullmatch(line.strip())
    if not match:
        raise MalformedKeyFile(f"line {number} of the key file is no key: it wants a key id, a day and the key")
    try:
        made, material = date.fromisoformat(match["made"]), base64.b64decode(match["key"], validate=True)
    except (ValueError, binascii.Error) as error:
        raise MalformedKeyFile(f"line {number} of the key file holds no valid day or key") from error
    # Seals that were made with a mistyped key could never be opened again, so it is noticed here.
    if _key_id(material) != match["id"]:
        raise MalformedKeyFile(f"line {number} of the key file is damaged: restore the file from its backup")
    return SealingKey(match["id"], made, material)


def _key_id(material: bytes) -> str:
    return hashlib.sha256(b"crownkeep sealing key id\0" + material).hexdigest()[: 2 * _ID_SIZE]


def _subkey(key: SealingKey, use: str, purpose: Purpose) -> bytes:
    # The material is uniformly random, so HKDF's extraction step has nothing to do (RFC 5869, section 3.3).
    info = f"crownkeep {use} v1 {purpose.value}".encode()
    return HKDFExpand(algorithm=hashes.SHA256(), length=KEY_SIZE, info=info).derive(key.material)


class _ExtendedNonceAesGcm:
    """XAES-256-GCM, by the names of its specification."""

    __slots__ = ("_blocks", "_encrypt")

    def __init__(self, key: bytes) -> None:
        # S305: ECB on single blocks is how the specification (NIST SP 800-108r1 CMAC) is written down.
        # One for every message: whole blocks leave no state behind in ECB, and no thread gives way to another in between.
        self._encrypt = Cipher(AES(key), modes.ECB()).encryptor().update  # noqa: S305
        block = int.from_bytes(self._encrypt(bytes(16)), "big")
        # Doubling in GF(2^128), as in CMAC (NIST SP 800-38B, section 6.1): shift, and subtract the polynomial.
        doubled = block << 1 & (1 << 128) - 1
        mask = doubled ^ 0x87 if block >> 127 else doubled
        # Counter 1 and 2, `X` and zero before half the nonce, masked, as one number.
        first, second = (int.from_bytes(head, "big") << 96 for head in (b"\x00\x01X\x00", b"\x00\x02X\x00"))
        self._blocks = (first ^ mask) << 128 | (second ^ mask)

    def encrypt(self, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
        return self._message_key(nonce[:12]).encrypt(nonce[12:], plaintext, associated)

    def decrypt(self, nonce: bytes, sealed: bytes, associated: bytes) -> bytes:
        return self._message_key(nonce[:12]).decrypt(nonce[12:], sealed, associated)

    def _message_key(self, half: bytes) -> AESGCM:
        number = int.from_bytes(half, "big")
        # Two CMACs make the 256-bit key of this one message.
        return AESGCM(self._encrypt((self._blocks ^ (number << 128 | number)).to_bytes(32, "big")))
