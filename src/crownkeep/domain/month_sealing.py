"""Sealing a month of the trail: its records are in a file that was verified, and from now on the database may let them go."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from crownkeep import errors
from crownkeep.operations import record
from crownkeep.operations.call import Call
from crownkeep.storage.trail import sealed_files, sealed_months, withholdings
from crownkeep.storage.trail.sealed_files import SealedFileFault
from crownkeep.storage.trail.sealed_months import SealedMonthRow
from crownkeep.storage.trail.withholdings import SEAL, SealedRecords, WithholdingAct

SEALED = "sealed"
"""The element of `additionalEventData` that tells of it; `audit.verification` holds a sealed month against it."""
REST = timedelta(hours=1)
"""How long after its end a month may be sealed: a call that began in it may end later."""


def require_ended(call: Call, month: str) -> None:
    """Refuse a month that has not ended an hour ago; raises ValidationError."""
    try:
        _, ends = sealed_months.span(month)
    except ValueError as error:
        raise errors.ValidationError(str(error)) from error
    if call.now < ends + REST:
        raise errors.ValidationError(f"{month} can be sealed an hour after its end, and not before")


def seal(call: Call, month: str, *, sha256: str) -> SealedMonthRow:
    """Let the database drop what the file of a month has, and remember it; raises ValidationError and Conflict.

    Nothing is dropped yet. Whoever wrote the file has held every record in it against its leaf.
    """
    require_ended(call, month)
    if sealed_months.named(call.db, month) is not None:
        raise errors.Conflict(f"{month} is sealed already")
    try:
        index = sealed_files.load(sealed_files.file_of(call.db, month))
    except SealedFileFault as error:
        raise errors.ValidationError(str(error)) from error
    if not index.blocks:
        raise errors.ValidationError(f"the file of {month} has no records")
    act = WithholdingAct(UUID(record.id_of(call)), SEAL, f"sealed into the file of {month}", call.origin.user_agent, call.now)
    for account_id, found in index.accounts.items():
        # A record that the file lacks would lose its trigger's protection; one that it has must still be here.
        if sealed_months.count_kept(call.db, account_id, found.first_id, found.last_id) != found.records:
            raise errors.Conflict(f"the records of {month} have changed since the file was written: seal it again")
        withholdings.let_go_as_sealed(call.db, account_id, act, SealedRecords(found.first_id, found.last_id, found.records))
    first, before = sealed_months.ids_of(month)
    row = SealedMonthRow(
        month=month,
        act_event_id=act.event_id.bytes,
        first_event_id=first.bytes,
        before_event_id=before.bytes,
        first_index=index.blocks[0].first_index,
        last_index=index.blocks[-1].last_index,
        records=index.records,
        sealed_at=call.now,
    )
    sealed_months.add(call.db, row)
    call.notes.additional[SEALED] = {
        "month": month,
        "records": row.records,
        "accounts": len(index.accounts),
        "firstIndex": row.first_index,
        "lastIndex": row.last_index,
        "sha256": sha256,
    }
    return row
