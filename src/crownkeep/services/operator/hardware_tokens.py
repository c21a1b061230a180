"""The register of hardware tokens: physical keys of root users and custodians, checked out of their vaults and in again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from crownkeep import errors
from crownkeep.operations import registry
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.services.operator import known_accounts, list_pages
from crownkeep.services.operator.service import operator
from crownkeep.storage.accounts import accounts
from crownkeep.storage.credentials import hardware_tokens
from crownkeep.storage.credentials.hardware_tokens import HardwareTokenRow

_MOST_IN_AUDIT = 10_000


@operator.operation("RegisterHardwareToken", resource=registry.everything, effect=Effect.STATE)
def register_hardware_token(
    call: Call, *, serial: str, model: str, vault: str, envelope: str, holder: str, account_id: str | None = None
) -> Result:
    """Put a token into the register, in its vault and envelope."""
    if hardware_tokens.with_serial(call.db, serial) is not None:
        raise errors.Conflict(f"the token `{serial}` is registered already")
    if account_id is not None:
        known_accounts.required(call, account_id)
    row = HardwareTokenRow(serial, model, vault, envelope, holder, account_id or "", call.now)
    hardware_tokens.add(call.db, row)
    return _as_json(call, serial)


@operator.operation("ListHardwareTokens", resource=registry.everything)
def list_hardware_tokens(call: Call, *, max_results: int = list_pages.MOST_ROWS, next_token: str | None = None) -> Result:
    """Return the tokens in the order of their serial numbers."""
    found, following = list_pages.page(
        call, hardware_tokens.page, next_token, max_results, list_name="ListHardwareTokens", key=lambda row: row.serial
    )
    return {"tokens": [_described(row) for row in found], **following}


@operator.operation("TakeOutHardwareToken", resource=registry.everything, effect=Effect.STATE)
def take_out_hardware_token(call: Call, *, serial: str, to: str, reason: str, hours: int | None = None) -> Result:
    """Record who takes a token out of its vault, what for, and until when it is to be back."""
    row = _held(call, serial)
    if row.out_to is not None:
        raise errors.Conflict(f"the token `{serial}` is out already: {row.out_to} has it")
    due_at = call.now + timedelta(hours=hours or call.settings.token_check_out_hours)
    hardware_tokens.change(call.db, serial, out_to=to, out_for=reason, out_since=call.now, due_at=due_at)
    return _as_json(call, serial)


@operator.operation("ReturnHardwareToken", resource=registry.everything, effect=Effect.STATE)
def return_hardware_token(call: Call, *, serial: str, vault: str | None = None, envelope: str | None = None) -> Result:
    """Record that a token is back in its vault, or in another one, in an envelope that may have a new number."""
    row = _held(call, serial)
    if row.out_to is None:
        raise errors.Conflict(f"the token `{serial}` is not out")
    hardware_tokens.change(
        call.db,
        serial,
        vault=vault or row.vault,
        envelope=envelope or row.envelope,
        out_to=None,
        out_for=None,
        out_since=None,
        due_at=None,
    )
    return _as_json(call, serial)


@operator.operation("AuditHardwareTokens", resource=registry.everything, effect=Effect.STATE)
def audit_hardware_tokens(call: Call, *, audit: str, seen: Sequence[str]) -> Result:
    """Record which tokens were seen at an audit, and return those that should have been and were not."""
    every = {row.serial: row for row in hardware_tokens.page(call.db, after="", limit=_MOST_IN_AUDIT)}
    # All are looked up before anything is recorded: an audit is one statement about the register, and half of one says nothing.
    unknown = sorted(set(seen) - every.keys())
    if unknown:
        raise errors.ResourceNotFound(f"the token `{unknown[0]}` is not in the register; nothing was recorded")
    for serial in dict.fromkeys(seen):
        hardware_tokens.change(call.db, serial, seen_at=call.now, seen_at_audit=audit)
    missing = [row for row in every.values() if row.serial not in set(seen)]
    return {
        "seen": len(set(seen)),
        "missing": [row.serial for row in missing if row.out_to is None],
        "out": [row.serial for row in missing if row.out_to is not None],
    }


def _held(call: Call, serial: str) -> HardwareTokenRow:
    # Whoever asks at the same time on another node waits, and then reads who has it.
    hardware_tokens.held(call.db, serial)
    return _required(call, serial)


def _required(call: Call, serial: str) -> HardwareTokenRow:
    row = hardware_tokens.with_serial(call.db, serial)
    if row is None:
        raise errors.ResourceNotFound(f"the token `{serial}` is not in the register; `crownkeep token list` shows them all")
    return row


def _as_json(call: Call, serial: str) -> Result:
    """Return a token as it is now; what was done to the key of an account's root is recorded in that account's own trail."""
    row = _required(call, serial)
    if row.of_account and accounts.with_id(call.db, row.of_account) is not None:
        call.notes.account_id = row.of_account
    return _described(row)


def _described(row: HardwareTokenRow) -> dict[str, object]:
    described: dict[str, object] = {
        "serial": row.serial,
        "model": row.model,
        "vault": row.vault,
        "envelope": row.envelope,
        "holder": row.holder,
        "registered_at": row.registered_at,
    }
    optional = {
        "account_id": row.of_account or None,
        "last_seen_at": row.seen_at,
        "last_audit": row.seen_at_audit,
        "out_to": row.out_to,
        "out_for": row.out_for,
        "out_since": row.out_since,
        "due_at": row.due_at,
    }
    return described | {name: value for name, value in optional.items() if value is not None}
