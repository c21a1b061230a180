"""Where sealed values stand: every column that holds them, paged through and replaced one by one when keys are rotated."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Column, bindparam, select, update

from crownkeep.credentials.sealing import Purpose
from crownkeep.storage.credentials import access_keys, mfa_devices
from crownkeep.storage.database import Transaction
from crownkeep.storage.federation import web_identity_keys
from crownkeep.storage.notices import alert_receivers, outbox
from crownkeep.storage.single_sign_on import external_providers
from crownkeep.storage.trail import buckets, digests, log_keys


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of sealed values: what they are for, what names their row, and the columns that they are bound to."""

    purpose: Purpose
    column: Column[bytes]
    key: Column[str]
    place: tuple[Column[str], ...]


@dataclass(frozen=True, slots=True)
class SealedValue:
    """One sealed value: the key of its row, the place it is bound to, and the blob."""

    key: str
    place: tuple[str, ...]
    blob: bytes


COLUMNS = (
    SealedColumn(
        Purpose.ACCESS_KEY_SECRET,
        access_keys.table.c.sealed_secret,
        access_keys.table.c.access_key_id,
        (access_keys.table.c.account_id, access_keys.table.c.access_key_id),
    ),
    SealedColumn(
        Purpose.TOTP_SEED,
        mfa_devices.table.c.sealed_seed,
        mfa_devices.table.c.device_id,
        (mfa_devices.table.c.account_id, mfa_devices.table.c.serial),
    ),
    SealedColumn(
        Purpose.NOTICE,
        outbox.table.c.sealed_values,
        outbox.table.c.notice_id,
        (outbox.table.c.account_id, outbox.table.c.notice_id),
    ),
    SealedColumn(
        Purpose.WEBHOOK_SECRET,
        alert_receivers.table.c.sealed_secret,
        alert_receivers.table.c.receiver_id,
        (alert_receivers.table.c.account_id, alert_receivers.table.c.receiver_id),
    ),
    SealedColumn(
        Purpose.WEBHOOK_SECRET,
        alert_receivers.table.c.sealed_former_secret,
        alert_receivers.table.c.receiver_id,
        (alert_receivers.table.c.account_id, alert_receivers.table.c.receiver_id),
    ),
    SealedColumn(
        Purpose.SIGNING_KEY,
        web_identity_keys.table.c.sealed_private_key,
        web_identity_keys.table.c.key_id,
        (web_identity_keys.table.c.account_id, web_identity_keys.table.c.key_id),
    ),
    SealedColumn(
        Purpose.CLIENT_SECRET,
        external_providers.table.c.sealed_secret,
        external_providers.table.c.provider_id,
        (external_providers.table.c.account_id, external_providers.table.c.provider_id),
    ),
    SealedColumn(
        Purpose.TRAIL_KEY,
        log_keys.table.c.sealed_seed,
        log_keys.table.c.vkey_id,
        (log_keys.table.c.vkey_id,),
    ),
    SealedColumn(
        Purpose.BUCKET_SECRET,
        buckets.table.c.sealed_secret,
        buckets.table.c.name,
        (buckets.table.c.account_id, buckets.table.c.bucket_id),
    ),
    SealedColumn(
        Purpose.DIGEST_KEY,
        digests.keys.c.sealed_private_key,
        digests.keys.c.fingerprint,
        (digests.keys.c.region, digests.keys.c.fingerprint),
    ),
)
"""All of them; a test holds the list against the tables' columns."""


def page(db: Transaction, column: SealedColumn, *, after: str, limit: int) -> list[SealedValue]:
    """Return up to `limit` sealed values in the order of their rows' keys, from the one after `after`."""
    statement = (
        select(column.key, column.column, *column.place)
        .where(column.key > bindparam("after"), column.column.is_not(None))
        .order_by(column.key)
        .limit(bindparam("limit"))
    )
    rows = db.execute(statement, {"after": after, "limit": limit})
    return [SealedValue(row[0], tuple(row[2:]), row[1]) for row in rows]


# Compared with the old blob: a secret that somebody has changed meanwhile is newer than what we re-sealed.
def replace(db: Transaction, column: SealedColumn, value: SealedValue, blob: bytes) -> bool:
    """Put another blob in the place of a value that has not changed since it was read; returns whether it was put."""
    statement = (
        update(column.column.table)
        .where(column.key == bindparam("of_key"), column.column == bindparam("old"))
        .values({column.column.name: bindparam("new")})
    )
    return db.execute(statement, {"of_key": value.key, "old": value.blob, "new": blob}).rowcount > 0
