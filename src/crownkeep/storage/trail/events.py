"""The audit trail's events: written once, in the order of their ids, found by the attributes that LookupEvents knows."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import Column, Index, LargeBinary, String, Table, bindparam, select

from crownkeep.storage.database import Transaction, run_plainly, run_plainly_for_each
from crownkeep.storage.metadata import AccountId, Moment, metadata, microseconds
from crownkeep.storage.rows import RowQuery
from crownkeep.storage.trail import leaves, queue
from crownkeep.values import value_type

_LONGEST_NAME = 512

table = Table(
    "events",
    metadata,
    Column("account_id", AccountId, primary_key=True),
    Column("event_id", LargeBinary(16), primary_key=True),
    Column("happened_at", Moment, nullable=False),
    Column("source", String(128), nullable=False),
    Column("name", String(128), nullable=False),
    Column("read_only", String(5), nullable=False),
    Column("username", String(128), nullable=False),
    Column("access_key_id", String(128), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("resources", LargeBinary),
    # Each ends in the event's id: whatever is looked up, the newest are read off the end, however many there are.
    Index(None, "account_id", "username", "event_id"),
    Index(None, "account_id", "name", "event_id"),
    Index(None, "account_id", "access_key_id", "event_id"),
    Index(None, "account_id", "source", "event_id"),
    Index(None, "account_id", "read_only", "event_id"),
)

resources = Table(
    "event_resources",
    metadata,
    Column("account_id", AccountId, primary_key=True),
    Column("resource_name", String(_LONGEST_NAME), primary_key=True),
    Column("event_id", LargeBinary(16), primary_key=True),
    Column("resource_type", String(128), primary_key=True),
    Index(None, "account_id", "resource_type", "event_id"),
    sqlite_with_rowid=False,
)

# What most records hold, so that a small record compresses well (RFC 1950, preset dictionary). The stored form names its
# version in the first byte: a better dictionary gets a new number, and old records stay readable.
_DICTIONARIES = {
    1: (
        b'{"eventVersion":"1.11","userIdentity":{"type":"Root","principalId":"","arn":"arn:aws:iam::","accountId":"",'
        b'"accessKeyId":"AKIA","userName":""},"type":"IAMUser","principalId":"AIDA","type":"AssumedRole","sessionContext":'
        b'{"sessionIssuer":{},"webIdFederationData":{},"attributes":{"creationDate":"","mfaAuthenticated":"false"}},'
        b'"eventTime":"2026-","eventSource":"sts.amazonaws.com","cloudtrail.amazonaws.com","account.amazonaws.com",'
        b'"organizations.amazonaws.com","signin.amazonaws.com","iam.amazonaws.com","eventName":"AttachUserPolicy",'
        b'"GetCallerIdentity","ListUsers","CreateUser","GetUser","awsRegion":"us-east-1","sourceIPAddress":"127.0.0.1",'
        b'"userAgent":"aws-cli/2 Boto3/1 md/Botocore#1.44 ua/2.1 os/linux md/arch#x86_64 lang/python#3.11 '
        b'md/pyimpl#CPython m/Z,b,E cfg/retry-mode#legacy Botocore/","errorCode":"AccessDenied","errorMessage":"User: is '
        b"not authorized to perform: iam: on resource: because no identity-based policy allows the iam: action"
        b'","requestParameters":{"userName":"","policyArn":"arn:aws:iam::aws:policy/","requestParameters":null,'
        b'"responseElements":{"user":{"path":"/","userName":"","userId":"AIDA","arn":"arn:aws:iam:::user/","createDate":"'
        b'"responseElements":null,"requestID":"","eventID":"","readOnly":true,"readOnly":false,"eventType":"AwsApiCall",'
        b'"apiVersion":"2010-05-08","managementEvent":true,"recipientAccountId":"","eventCategory":"Management",'
        b'"tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":'
        b'"127.0.0.1:4747"}}'
    ),
}
_CURRENT = 1
_CURRENT_BYTE = bytes([_CURRENT])
_LARGEST_USUAL = 6 * 1024
# A window of 8 KiB holds the dictionary and a usual record. To copy a small compressor that has read the dictionary takes less
# time than to make a new one, and leaves the processor's cache to others.
_primed = zlib.compressobj(level=3, wbits=13, memLevel=5, zdict=_DICTIONARIES[_CURRENT])


@value_type(frozen=True, slots=True)
class EventRow:
    """One event as LookupEvents answers it; `record` is the whole CloudTrail record as JSON."""

    account_id: str
    event_id: UUID
    happened_at: datetime
    source: str
    name: str
    read_only: str
    username: str
    access_key_id: str
    record: bytes
    resources: tuple[tuple[str, str], ...] = ()
    """Pairs of a resource's type and name."""


def _body(event_id: bytes, body: bytes) -> tuple[UUID, bytes | None]:
    return UUID(bytes=event_id), unpacked(body)


def _row(
    account_id: str,
    event_id: bytes,
    happened_at: datetime,
    source: str,
    name: str,
    read_only: str,
    username: str,
    access_key_id: str,
    body: bytes,
    resources: bytes | None,
) -> EventRow:
    return EventRow(
        account_id=account_id,
        event_id=UUID(bytes=event_id),
        happened_at=happened_at,
        source=source,
        name=name,
        read_only=read_only,
        username=username,
        access_key_id=access_key_id,
        record=unpack(body),
        resources=_resources_decoder.decode(resources) if resources else (),
    )


_INSERT = (
    "INSERT INTO events (account_id, event_id, happened_at, source, name, read_only, username, access_key_id, body,"
    " resources) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_NEXT_ACCOUNT = "SELECT account_id FROM events WHERE account_id > ? ORDER BY account_id LIMIT 1"
_ANY_OLDER = "SELECT 1 FROM events WHERE account_id = ? AND event_id < ? LIMIT 1"
_INSERT_RESOURCES = "INSERT INTO event_resources (account_id, resource_name, event_id, resource_type) VALUES (?, ?, ?, ?)"
_range = (
    table.c.account_id == bindparam("account_id"),
    table.c.event_id >= bindparam("first"),
    table.c.event_id < bindparam("before"),
)
_in_range = select(table).where(*_range).order_by(table.c.event_id.desc()).limit(bindparam("limit"))
_newest = RowQuery(_row, _in_range)
_ATTRIBUTES = {
    "EventId": table.c.event_id,
    "EventName": table.c.name,
    "ReadOnly": table.c.read_only,
    "Username": table.c.username,
    "EventSource": table.c.source,
    "AccessKeyId": table.c.access_key_id,
}
_by_attribute = {key: RowQuery(_row, _in_range.where(column == bindparam("value"))) for key, column in _ATTRIBUTES.items()}
_with_ids = RowQuery(
    _row,
    select(table)
    .where(table.c.account_id == bindparam("account_id"), table.c.event_id.in_(bindparam("event_ids", expanding=True)))
    .order_by(table.c.event_id.desc()),
)
_bodies = RowQuery(
    _body,
    select(table.c.event_id, table.c.body).where(
        table.c.account_id == bindparam("account_id"), table.c.event_id.in_(bindparam("event_ids", expanding=True))
    ),
)
_newest_naming = (
    select(resources.c.event_id)
    .distinct()
    .where(
        resources.c.account_id == bindparam("account_id"),
        resources.c.event_id >= bindparam("first"),
        resources.c.event_id < bindparam("before"),
    )
    .order_by(resources.c.event_id.desc())
    .limit(bindparam("limit"))
)
_by_resource = {
    "ResourceName": _newest_naming.where(resources.c.resource_name == bindparam("value")),
    "ResourceType": _newest_naming.where(resources.c.resource_type == bindparam("value")),
}
_encoder = msgspec.json.Encoder()
_resources_decoder = msgspec.json.Decoder(tuple[tuple[str, str], ...])


def add_all(db: Transaction, rows: Sequence[EventRow]) -> None:
    """Keep events and their leaves: a statement for all of each, one for the resources they name, and one for their trails."""
    # Every request has an event, so these rows go to the driver as they are.
    kept = [(row, row.event_id.bytes, microseconds(row.happened_at)) for row in rows]
    # The order matters for nobody, as all three are seen together or not at all: record, leaf and what trails have to deliver.
    run_plainly_for_each(db, _INSERT, [_cells(*each) for each in kept])
    leaves.add_all(
        db, [(event_id, row.account_id, leaves.make_as_kept(row, event_id, at, row.record)) for row, event_id, at in kept]
    )
    named = [
        (row.account_id, name, event_id, kind)
        for row, event_id, _ in kept
        # A set, since an event may name a resource twice, and the row's key may not.
        for kind, name in {(kind, name[:_LONGEST_NAME]) for kind, name in row.resources}
    ]
    if named:
        run_plainly_for_each(db, _INSERT_RESOURCES, named)
    queue.add_all(db, [(row.account_id, event_id) for row, event_id, _ in kept])


def _cells(row: EventRow, event_id: bytes, happened_at: int) -> tuple[object, ...]:
    return (
        row.account_id,
        event_id,
        happened_at,
        row.source,
        row.name,
        row.read_only,
        row.username,
        row.access_key_id,
        pack(row.record),
        _encoder.encode(row.resources) if row.resources else None,
    )


def is_kept(db: Transaction, row: EventRow) -> bool:
    """Tell whether an event is kept, once every transaction has ended that may be keeping it; nothing is changed.

    To look for it would not wait for a commit that is still under way; to add it does.
    """
    # On PostgreSQL the INSERT waits for the other transaction that holds the same key, and so for its commit or its end. What it
    # may have added is undone at once.
    run_plainly(db, "SAVEPOINT asked")
    added = run_plainly(
        db, f"{_INSERT} ON CONFLICT DO NOTHING", _cells(row, row.event_id.bytes, microseconds(row.happened_at))
    ).rowcount
    run_plainly(db, "ROLLBACK TO SAVEPOINT asked")
    return bool(added == 0)


def newest(
    db: Transaction, account_id: str, *, first: UUID, before: UUID, limit: int, attribute: tuple[str, str] | None = None
) -> list[EventRow]:
    """Return up to `limit` events with ids from `first` to just below `before`, the newest first.

    `attribute` is one of LookupEvents' attribute keys and the value it must have.
    """
    values: dict[str, object] = {
        "account_id": account_id,
        "first": first.bytes,
        "before": before.bytes,
        "limit": limit,
    }
    if attribute is None:
        return _newest.all(db, values)
    key, value = attribute
    if key in _by_resource:
        # Two queries instead of a join: ids are read off the end of the index, however many events name the resource.
        found = db.execute(_by_resource[key], {**values, "value": value[:_LONGEST_NAME]}).scalars().all()
        wanted = {"account_id": account_id, "event_ids": found}
        return _with_ids.all(db, wanted) if found else []
    sought = UUID(value).bytes if key == "EventId" else value
    return _by_attribute[key].all(db, {**values, "value": sought})


def records(db: Transaction, places: Sequence[tuple[str, UUID]]) -> dict[UUID, bytes | None]:
    """Return the records of events, each named by its account and its id, as JSON.

    What is gone is left out; what somebody has made unreadable is None.
    """
    found: dict[UUID, bytes | None] = {}
    for account_id in {account for account, _ in places}:
        wanted = {"account_id": account_id, "event_ids": [each.bytes for account, each in places if account == account_id]}
        found |= dict(_bodies.all(db, wanted))
    return found


def accounts_older(db: Transaction, before: UUID) -> list[str]:
    """Return the accounts that have records from before an event's id in the database."""
    found, account_id = list[str](), ""
    # A loose index scan: one probe for each account, not one for each record.
    while (row := run_plainly(db, _NEXT_ACCOUNT, (account_id,)).fetchone()) is not None:
        account_id = row[0]
        if run_plainly(db, _ANY_OLDER, (account_id, before.bytes)).fetchone() is not None:
            found.append(account_id)
    return found


def pack(record: bytes) -> bytes:
    """Return a record as it is stored."""
    packer = _primed.copy() if len(record) <= _LARGEST_USUAL else zlib.compressobj(level=1, zdict=_DICTIONARIES[_CURRENT])
    return b"".join((_CURRENT_BYTE, packer.compress(record), packer.flush()))


def unpack(body: bytes) -> bytes:
    """Return the record that a stored body holds."""
    # The first byte says which dictionary; an unknown one raises KeyError, which `unpacked` takes for unreadable.
    unpacker = zlib.decompressobj(zdict=_DICTIONARIES[body[0]])
    return unpacker.decompress(body[1:]) + unpacker.flush()


def unpacked(body: bytes) -> bytes | None:
    """Return the record that a stored body holds, None where somebody has made it unreadable."""
    try:
        return unpack(body)
    except (zlib.error, KeyError, IndexError):
        return None
