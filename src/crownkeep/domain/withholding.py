"""Withholding records of the trail: the bytes are destroyed, the leaves stay, and the act's own record says what is gone."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from crownkeep import ids
from crownkeep.operations import record
from crownkeep.operations.call import Call
from crownkeep.storage.database import Transaction
from crownkeep.storage.trail import events, lookups, sealed_months, withholdings
from crownkeep.storage.trail.withholdings import SealedRecords, WithholdingAct, WithholdingRow

PURGE = "purge"
LAW = "law"
RETENTION = "retention"
WITHHELD = "withheld"
"""The element of `additionalEventData` that tells of it; `audit.verification` holds what is missing against it."""


def withhold_account(call: Call, account_id: str, *, reason: str) -> dict[str, object]:
    """Withhold every record of an account, and return what the act's record has to say of it."""
    sealed = _sealed(call.db, account_id, None)
    # No row means that there was nothing to withhold, and the record then says nothing of it.
    row = withholdings.withhold(call.db, account_id, _act(call, PURGE, reason), sealed=sealed)
    return {WITHHELD: [described(row)]} if row is not None else {}


def withhold_older(call: Call, account_id: str, *, before: datetime, reason: str) -> dict[str, object]:
    """Withhold an account's records from before a moment, and return what the act's record has to say of it."""
    # Event ids begin with their time, so a moment is a point in the order of ids and needs no look at the records.
    limit = ids.first_event_id(before)
    sealed = _sealed(call.db, account_id, limit)
    row = withholdings.withhold(call.db, account_id, _act(call, RETENTION, reason), before=limit, sealed=sealed)
    return {WITHHELD: [described(row)]} if row is not None else {}


def accounts_older(db: Transaction, before: datetime) -> list[str]:
    """Return the accounts that have records from before a moment that are not withheld; the operator's own are no account's."""
    limit = ids.first_event_id(before)
    sealed = [each for each in withholdings.sealed_accounts(db, limit.bytes) if each and _sealed(db, each, limit)]
    return sorted({*events.accounts_older(db, limit), *sealed})


def withhold_one(call: Call, account_id: str, event_id: UUID, *, reason: str) -> dict[str, object]:
    """Withhold one record, and return what the act's record has to say of it."""
    return {WITHHELD: [described(withholdings.withhold_one(call.db, account_id, event_id, _act(call, LAW, reason)))]}


def _sealed(db: Transaction, account_id: str, before: UUID | None) -> list[SealedRecords]:
    """Return which of an account's records are in the files of sealed months alone, and not withheld.

    A file is read only where the seal's own numbers don't say it: purging an account takes milliseconds.
    """
    hidden = withholdings.hidden_ranges(db, account_id)
    found = []
    for seal in withholdings.sealed_of_account(db, account_id):
        first, last = bytes(seal.first_event_id), bytes(seal.last_event_id)
        # The whole month is younger than what is to go.
        if before is not None and first >= before.bytes:
            continue
        # All of it was withheld before, and counting it again would make the record's numbers wrong.
        if any(each[0] <= first and each[1] >= last for each in hidden):
            continue
        # The seal's own count is right only if all of the month goes, none of it is in the database and none is hidden.
        is_whole = before is None or last < before.bytes
        in_database = sealed_months.kept_ids(db, account_id, first, last)
        if is_whole and not in_database and not any(each[0] <= last and each[1] >= first for each in hidden):
            found.append(SealedRecords(first, last, seal.records))
            continue
        # The byte behind the last id puts that id itself inside the range.
        limit = before.bytes if before is not None and not is_whole else last + b"\0"
        # Records that are still in the database are withheld there, and counted there.
        in_file = [each for each in lookups.sealed_ids(db, account_id, first, limit) if each not in in_database]
        if in_file:
            found.append(SealedRecords(min(in_file), max(in_file), len(in_file)))
    return found


def described(row: WithholdingRow) -> dict[str, object]:
    """Return how a record tells of what was withheld."""
    return {
        "accountId": row.account_id,
        "firstEventId": str(UUID(bytes=bytes(row.first_event_id))),
        "lastEventId": str(UUID(bytes=bytes(row.last_event_id))),
        "records": row.records,
        "reason": row.reason,
    }


def _act(call: Call, kind: str, reason: str) -> WithholdingAct:
    return WithholdingAct(UUID(record.id_of(call)), kind, reason, call.origin.user_agent, call.now)
