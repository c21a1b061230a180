"""Does this key file belong to this database? Asked before anything is sealed or served; one that opens nothing is refused.

The database knows each key that ever sealed in it by a value that the key sealed. The one that began last must be in the key
file: everything is sealed with it, or will be by the end of the rotation that brought it.
"""

from __future__ import annotations

from crownkeep import clock
from crownkeep.credentials.sealing import Keyring, Unsealable
from crownkeep.operations import sealed
from crownkeep.storage import holds, sealed_values
from crownkeep.storage.credentials import known_sealing_keys
from crownkeep.storage.credentials.known_sealing_keys import KnownSealingKeyRow
from crownkeep.storage.database import Database, Transaction
from crownkeep.storage.holds import Hold
from crownkeep.storage.sealed_values import SealedColumn, SealedValue

_SAMPLE = 20


class WrongSealingKey(Exception):
    """The key file lacks the key that this database's secrets are sealed with; the message says what to do."""


def require(database: Database, keyring: Keyring) -> None:
    """Require that a key file is this database's, and keep its newest key as known.

    Raises WrongSealingKey: what such a server sealed could be opened by no other, and it could open nothing of theirs.
    """
    with database.snapshot() as db:
        _require(db, keyring)
        # In a snapshot first: a start with a known key, which nearly every one is, writes nothing.
        if known_sealing_keys.is_known(db, keyring.newest.id):
            return
    begin(database, keyring)


def begin(database: Database, keyring: Keyring) -> None:
    """Keep a key file's newest key as the one that seals from now on; the file must be on the disk. Raises WrongSealingKey."""

    def work(db: Transaction) -> None:
        # Two nodes may start at once, each with a key file of its own: the second one sees what the first has kept.
        holds.take(db, Hold.SEALING_KEYS)
        _require(db, keyring)
        check = sealed.seal_key_check(keyring)
        known_sealing_keys.put(db, KnownSealingKeyRow(keyring.newest.id, check, clock.now()))

    database.write(work)


def examine(db: Transaction, keyring: Keyring) -> list[str]:
    """Return the columns whose sealed values (a sample of each) a key file does not open; raises WrongSealingKey."""
    _require(db, keyring)
    return [
        f"{column.column.table.name}.{column.column.name}"
        for column in sealed_values.COLUMNS
        if not all(_opens(keyring, column, value) for value in sealed_values.page(db, column, after="", limit=_SAMPLE))
    ]


def _require(db: Transaction, keyring: Keyring) -> None:
    known = known_sealing_keys.latest(db)
    if known is None:
        # A database from before keys were known, or an empty one.
        if _opens_nothing(db, keyring):
            raise WrongSealingKey(
                "`sealing.key` opens no secret of this database: put the key file it was made with in its place"
            )
    elif not sealed.opens_key_check(keyring, known.check_value, key_id=known.key_id):
        since = f"{known.known_at:%Y-%m-%d}"
        raise WrongSealingKey(
            f"`sealing.key` lacks the key {known.key_id}, which seals this database's secrets since {since}: "
            "put the newest key file of its servers, or its backup, in its place"
        )


def _opens_nothing(db: Transaction, keyring: Keyring) -> bool:
    sample = [
        (column, value) for column in sealed_values.COLUMNS for value in sealed_values.page(db, column, after="", limit=_SAMPLE)
    ]
    # Any that opens is enough: a restored column or a damaged row must not keep a whole server from starting.
    return bool(sample) and not any(_opens(keyring, column, value) for column, value in sample)


def _opens(keyring: Keyring, column: SealedColumn, value: SealedValue) -> bool:
    try:
        sealed.reseal(keyring, value.blob, purpose=column.purpose, place=value.place)
    except Unsealable:
        return False
    return True
