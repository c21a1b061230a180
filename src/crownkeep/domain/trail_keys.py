"""The keys that sign the trail's checkpoints: Ed25519, which all know, and ML-DSA-44, for after quantum computers.

The log's name is drawn once and stays with the tree; keys may change, and old ones verify what they signed for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from crownkeep import base64url, clock
from crownkeep.audit import checkpoints, notes
from crownkeep.audit.checkpoints import Signer
from crownkeep.audit.notes import MalformedNote, SignatureType, VerifierKey
from crownkeep.credentials.sealing import Keyring, Unsealable
from crownkeep.credentials.secret import Secret
from crownkeep.operations import sealed
from crownkeep.storage.database import Database, Transaction
from crownkeep.storage.trail import log_keys, sequencer_lease
from crownkeep.storage.trail.log_keys import BACKUP, LOG, WITNESS, LogKeyRow

SIGNS_ON = timedelta(days=1)
"""How long a key signs beside the one that follows it, so that whoever trusts the old one sees the new one with it."""

_PREFIX = {
    LOG: "crownkeep.internal/trail/",
    WITNESS: "crownkeep.internal/witness/",
    BACKUP: "crownkeep.internal/backup/",
}
_TYPES = {
    LOG: (SignatureType.ED25519, SignatureType.MLDSA44_COSIGNATURE),
    WITNESS: (SignatureType.ED25519_COSIGNATURE, SignatureType.MLDSA44_COSIGNATURE),
    # A key of its own: one that signs checkpoints must never sign anything that could be taken for one.
    BACKUP: (SignatureType.ED25519,),
}


def prepare(database: Database, keyring: Keyring) -> None:
    """Make the keys that are missing, before anything is served; several nodes may start at once."""
    roles = tuple(_TYPES)
    # The usual start finds all keys by reading, and never waits for another node's lock.
    with database.snapshot() as db:
        if all(log_keys.every(db, role) for role in roles):
            return
    database.write(lambda db: [_make_missing(db, keyring, role, clock.now()) for role in roles])


def _make_missing(db: Transaction, keyring: Keyring, role: str, now: datetime) -> list[LogKeyRow]:
    # Under this lock one node makes the keys and the others find them, so a log never has two first keys.
    sequencer_lease.hold(db)
    # Looked for once more: another node may have made them while this one waited for the lock.
    return log_keys.every(db, role) or _make(db, keyring, role, _PREFIX[role] + clock.token_bytes(8).hex(), now)


def rotate(db: Transaction, keyring: Keyring, role: str, *, now: datetime) -> list[LogKeyRow]:
    """Make new keys under the old name, and let the old ones sign beside them for a day."""
    old = _make_missing(db, keyring, role, now)
    for row in old:
        # A key that was retired before keeps its own end: rotating twice a day must not let it sign longer.
        if row.retired_at is None:
            log_keys.retire(db, row.vkey_id, at=now + SIGNS_ON)
    return _make(db, keyring, role, notes.read_key(old[0].vkey).name, now)


def signers(keyring: Keyring, rows: Sequence[LogKeyRow], *, now: datetime) -> list[Signer]:
    """Return the keys that sign now; raises Unsealable, also where somebody has removed or changed them."""
    # A key that is being replaced still signs on its last day, beside the new one.
    signing = [row for row in rows if row.retired_at is None or now < row.retired_at]
    # No key at all can't come from rotation. Somebody has taken rows away, and a new key would only hide that.
    if not signing:
        raise Unsealable
    return [_opened(keyring, row) for row in signing]


def public(rows: Sequence[LogKeyRow]) -> list[VerifierKey]:
    """Return the public halves, of keys that sign no longer too."""
    return [notes.read_key(row.vkey) for row in rows]


def _opened(keyring: Keyring, row: LogKeyRow) -> Signer:
    try:
        key = notes.read_key(row.vkey)
    except MalformedNote as error:
        raise Unsealable from error
    # The seal is bound to the key's id, so a seed can't be moved to another row.
    seed = sealed.open_trail_key(keyring, row.sealed_seed, vkey_id=row.vkey_id)
    return Signer(key.name, key.type, base64url.decode(seed.reveal()))


def _make(db: Transaction, keyring: Keyring, role: str, name: str, now: datetime) -> list[LogKeyRow]:
    made = []
    for kind in _TYPES[role]:
        signer = Signer(name, kind, clock.token_bytes(checkpoints.SEED_SIZE))
        # A name and the hash that belongs to the public key, by which verifiers of C2SP's notes tell keys apart.
        vkey_id = f"{name}+{signer.key.id.hex()}"
        blob = sealed.seal_trail_key(keyring, Secret(base64url.encode(signer.seed)), vkey_id=vkey_id)
        made.append(LogKeyRow(vkey_id, role, signer.key.text, blob, now, None))
        log_keys.add(db, made[-1])
    return made
