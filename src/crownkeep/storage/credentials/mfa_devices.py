"""MFA devices: virtual ones, hardware tokens and FIDO keys, of a user, of root or not yet assigned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    Select,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
    text,
    update,
)

from crownkeep.credentials.totp import DeviceState
from crownkeep.storage.database import Transaction
from crownkeep.storage.identities import users
from crownkeep.storage.identities.users import UserRow
from crownkeep.storage.metadata import AccountId, Moment, Path, UniqueId, metadata
from crownkeep.storage.prepared import PreparedChange
from crownkeep.storage.rows import RowQuery, optional_part, part

FRESH = DeviceState()
"""The state of a device that was not used yet."""


class DeviceKind(Enum):
    """The kinds of device; the value is what is kept."""

    VIRTUAL = "virtual"
    """A TOTP app, whose seed we made."""
    HARDWARE = "hardware"
    """A TOTP token, whose seed came with it."""
    FIDO = "fido"
    """A passkey or security key."""


_OF_PEOPLE = "arn:aws:identitystore:%"


class Assignment(Enum):
    """Which virtual devices a list is limited to (ListVirtualMFADevices)."""

    ASSIGNED = "Assigned"
    UNASSIGNED = "Unassigned"
    ANY = "Any"


table = Table(
    "mfa_devices",
    metadata,
    Column("device_id", UniqueId, primary_key=True),
    Column("account_id", AccountId, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("serial", String(256), nullable=False),
    Column("serial_key", String(256), nullable=False),
    Column("name", String(256), nullable=False),
    Column("path", Path, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("owner_id", UniqueId),
    Column("enabled_at", Moment),
    Column("sealed_seed", LargeBinary),
    Column("drift", Integer, nullable=False),
    Column("used_steps", Text, nullable=False),
    Column("span", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("credential_id", LargeBinary),
    Column("public_key", LargeBinary),
    Column("signature_count", BigInteger),
    Column("aaguid", String(36)),
    UniqueConstraint("account_id", "serial_key"),
    Index(None, "account_id", "owner_id"),
)


@dataclass(frozen=True, slots=True)
class MfaDeviceRow:
    """One device. `owner_id` is a user's unique id, or the account id for a device of root.

    TOTP devices have a sealed seed and a state, FIDO keys have what WebAuthn registered.
    """

    device_id: str
    account_id: str
    kind: DeviceKind
    serial: str
    name: str
    path: str
    created_at: datetime
    owner_id: str | None = None
    enabled_at: datetime | None = None
    sealed_seed: bytes | None = None
    state: DeviceState = FRESH
    credential_id: bytes | None = None
    public_key: bytes | None = None
    signature_count: int | None = None
    aaguid: str | None = None


def _row(
    device_id: str,
    account_id: str,
    kind: str,
    serial: str,
    _serial_key: str,
    name: str,
    path: str,
    created_at: datetime,
    owner_id: str | None,
    enabled_at: datetime | None,
    sealed_seed: bytes | None,
    drift: int,
    used_steps: str,
    span: int,
    attempts: int,
    failures: int,
    credential_id: bytes | None,
    public_key: bytes | None,
    signature_count: int | None,
    aaguid: str | None,
) -> MfaDeviceRow:
    used = tuple(int(step) for step in used_steps.split())
    return MfaDeviceRow(
        device_id=device_id,
        account_id=account_id,
        kind=DeviceKind(kind),
        serial=serial,
        name=name,
        path=path,
        created_at=created_at,
        owner_id=owner_id,
        enabled_at=enabled_at,
        sealed_seed=sealed_seed,
        state=DeviceState(drift=drift, used=used, span=span, attempts=attempts, failures=failures),
        credential_id=credential_id,
        public_key=public_key,
        signature_count=signature_count,
        aaguid=aaguid,
    )


@dataclass(frozen=True, slots=True)
class Counts:
    """How many devices an account has."""

    all: int
    in_use: int
    of_root: int


IS_OF_IAM = table.c.serial_key.not_like(_OF_PEOPLE)
"""Whether a device is no person's of single sign-on: IAM neither lists nor counts those."""

_this = (table.c.account_id == bindparam("of_account"), table.c.device_id == bindparam("of_device"))
_in_account = table.c.account_id == bindparam("account_id")
_with_serial = RowQuery(_row, select(table).where(_in_account, table.c.serial_key == bindparam("serial_key")))
# As an expression: by the bare column SQLite walks all devices of the account in order, instead of the owner's few.
_order = table.c.serial_key + ""
_of_owner = (
    select(table).where(_in_account, table.c.owner_id == bindparam("owner_id"), _order > bindparam("after")).order_by(_order)
)
# Across accounts: in a second account each code of a token could be used again.
_hardware_with_serials = RowQuery(
    _row,
    select(table).where(
        table.c.kind == DeviceKind.HARDWARE.value, table.c.serial_key.in_(bindparam("serial_keys", expanding=True))
    ),
)
_unassigned_hardware = (
    select(table.c.device_id).where(_in_account, table.c.kind == DeviceKind.HARDWARE.value, table.c.owner_id.is_(None)).limit(1)
)
_every_of_owner = RowQuery(_row, _of_owner)
_of_owner_page = RowQuery(_row, _of_owner.limit(bindparam("limit")))
_count_of_owner = select(func.count()).select_from(table).where(_in_account, table.c.owner_id == bindparam("owner_id"))
_counts_of_owners = (
    select(table.c.owner_id, func.count())
    .where(_in_account, table.c.owner_id.in_(bindparam("owner_ids", expanding=True)))
    .group_by(table.c.owner_id)
)
_owner_ids = select(table.c.owner_id).where(_in_account, table.c.owner_id.is_not(None), IS_OF_IAM).distinct()
# All three in one pass over the account's devices, for GetAccountSummary.
_counts = select(
    func.count(),
    func.count(table.c.owner_id),
    func.coalesce(func.sum(case((table.c.owner_id == table.c.account_id, 1), else_=0)), 0),
).where(_in_account, IS_OF_IAM)
_assign = update(table).where(*_this).values(owner_id=bindparam("new_owner_id"), enabled_at=bindparam("at"))
_set_state = PreparedChange(
    update(table)
    .where(*_this)
    .values(
        drift=bindparam("new_drift"),
        used_steps=bindparam("new_used_steps"),
        span=bindparam("new_span"),
        attempts=bindparam("new_attempts"),
        failures=bindparam("new_failures"),
    )
)
_rename = update(table).where(*_this).values(name=bindparam("new_name"))
_remove = delete(table).where(*_this)
_remove_of_owner = delete(table).where(_in_account, table.c.owner_id == bindparam("owner_id"))
_remove_of_people = delete(table).where(_in_account, table.c.serial_key.like(_OF_PEOPLE))
_held = select(table, users.table).select_from(table.outerjoin(users.table, users.table.c.user_id == table.c.owner_id))
_device = part(_row, _held, table)
_holder = optional_part(UserRow, _held, users.table)


def _page(assignment: Assignment) -> Select[*tuple[Any, ...]]:
    conditions = {
        Assignment.ASSIGNED: [table.c.owner_id.is_not(None)],
        Assignment.UNASSIGNED: [table.c.owner_id.is_(None)],
        Assignment.ANY: [],
    }
    return (
        _held.where(
            _in_account,
            table.c.kind == DeviceKind.VIRTUAL.value,
            IS_OF_IAM,
            table.c.serial_key > bindparam("after"),
            *conditions[assignment],
        )
        .order_by(table.c.serial_key)
        .limit(bindparam("limit"))
    )


_pages = {assignment: _page(assignment) for assignment in Assignment}


def with_serial(db: Transaction, account_id: str, serial: str) -> MfaDeviceRow | None:
    """Return the account's device with this serial number, whatever its letters' case."""
    return _with_serial.first(db, {"account_id": account_id, "serial_key": serial.lower()})


def hardware_with_serials(db: Transaction, serials: Sequence[str]) -> list[MfaDeviceRow]:
    """Return the hardware tokens with these serial numbers, of every account: for the operator, who hands them out."""
    return _hardware_with_serials.all(db, {"serial_keys": [each.lower() for each in serials]})


def has_unassigned_hardware(db: Transaction, account_id: str) -> bool:
    """Tell whether the account has hardware tokens that nobody uses."""
    # Whether there is one is all that is asked, so the first one found ends the search.
    return db.execute(_unassigned_hardware, {"account_id": account_id}).first() is not None


def of_owner(db: Transaction, account_id: str, owner_id: str) -> list[MfaDeviceRow]:
    """Return the devices of a user or of root."""
    values = {"account_id": account_id, "owner_id": owner_id, "after": ""}
    return _every_of_owner.all(db, values)


def page_of_owner(db: Transaction, account_id: str, owner_id: str, *, after: str, limit: int) -> list[MfaDeviceRow]:
    """Return up to `limit` devices of a user or of root, from the one after the serial number `after` in lower case."""
    values = {"account_id": account_id, "owner_id": owner_id, "after": after, "limit": limit}
    return _of_owner_page.all(db, values)


def virtual_page(
    db: Transaction, account_id: str, *, assignment: Assignment, after: str, limit: int
) -> list[tuple[MfaDeviceRow, UserRow | None]]:
    """Return up to `limit` virtual devices and the users that have them, from the serial number after `after` in lower case."""
    rows = db.execute(_pages[assignment], {"account_id": account_id, "after": after, "limit": limit})
    return [(_device(row), _holder(row)) for row in rows]


def count_of_owner(db: Transaction, account_id: str, owner_id: str) -> int:
    """Return how many devices a user or root has."""
    return int(db.execute(_count_of_owner, {"account_id": account_id, "owner_id": owner_id}).scalar_one())


def counts_of_owners(db: Transaction, account_id: str, owner_ids: Sequence[str]) -> dict[str, int]:
    """Return how many devices each of some users has; those without any are left out."""
    # An empty list can't be written as SQL on every database.
    if not owner_ids:
        return {}
    found = db.execute(_counts_of_owners, {"account_id": account_id, "owner_ids": list(owner_ids)})
    return {str(owner_id): int(count) for owner_id, count in found}


def owner_ids(db: Transaction, account_id: str) -> set[str]:
    """Return who in the account has a device: users' unique ids, and the account id where root has one."""
    return set(db.execute(_owner_ids, {"account_id": account_id}).scalars())


def counts(db: Transaction, account_id: str) -> Counts:
    """Return how many devices the account has."""
    return Counts(*(int(number) for number in db.execute(_counts, {"account_id": account_id}).one()))


def add(db: Transaction, row: MfaDeviceRow) -> None:
    """Keep a new device."""
    db.execute(
        insert(table),
        {
            "device_id": row.device_id,
            "account_id": row.account_id,
            "kind": row.kind.value,
            "serial": row.serial,
            # Serials are found without regard to case, and kept as they were given.
            "serial_key": row.serial.lower(),
            "name": row.name,
            "path": row.path,
            "created_at": row.created_at,
            "owner_id": row.owner_id,
            "enabled_at": row.enabled_at,
            "sealed_seed": row.sealed_seed,
            "drift": row.state.drift,
            "used_steps": _written(row.state.used),
            "span": row.state.span,
            "attempts": row.state.attempts,
            "failures": row.state.failures,
            "credential_id": row.credential_id,
            "public_key": row.public_key,
            "signature_count": row.signature_count,
            "aaguid": row.aaguid,
        },
    )


def assign(db: Transaction, account_id: str, device_id: str, owner_id: str, *, at: datetime) -> None:
    """Give a device to a user, or to root by the account id."""
    db.execute(_assign, {"of_account": account_id, "of_device": device_id, "new_owner_id": owner_id, "at": at})


def release(db: Transaction, account_id: str, device_id: str) -> None:
    """Take a device from whoever has it; it can be assigned again."""
    db.execute(_assign, {"of_account": account_id, "of_device": device_id, "new_owner_id": None, "at": None})


def set_state(db: Transaction, account_id: str, device_id: str, state: DeviceState) -> None:
    """Remember a TOTP device's drift, the codes used lately, the attempts made and how many failed in a row."""
    values = {
        "new_drift": state.drift,
        "new_used_steps": _written(state.used),
        "new_span": state.span,
        "new_attempts": state.attempts,
        "new_failures": state.failures,
    }
    _set_state.run(db, {"of_account": account_id, "of_device": device_id, **values})


def rename(db: Transaction, account_id: str, device_id: str, name: str) -> None:
    """Call a device by another name; its serial number stays."""
    db.execute(_rename, {"of_account": account_id, "of_device": device_id, "new_name": name})


def remove(db: Transaction, account_id: str, device_id: str) -> None:
    """Forget a device; what a security key was registered with goes with it, by the foreign key of `passkeys`."""
    db.execute(_remove, {"of_account": account_id, "of_device": device_id})


def remove_of_owner(db: Transaction, account_id: str, owner_id: str) -> None:
    """Forget every device of a person who goes."""
    db.execute(_remove_of_owner, {"account_id": account_id, "owner_id": owner_id})


def remove_of_people(db: Transaction, account_id: str) -> None:
    """Forget the devices of everybody in the account's identity store."""
    db.execute(_remove_of_people, {"account_id": account_id})


def _written(steps: tuple[int, ...]) -> str:
    return " ".join(map(str, steps))
