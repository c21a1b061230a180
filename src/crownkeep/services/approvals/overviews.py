"""What an account's own people see of its custody: the seal, the teams, and the physical tokens of its root."""

from __future__ import annotations

from crownkeep.domain.approvals import custody, sealing_accounts
from crownkeep.operations import registry
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.services.approvals import shown
from crownkeep.services.approvals.service import approvals
from crownkeep.storage.approvals import seals
from crownkeep.storage.credentials import hardware_tokens
from crownkeep.storage.credentials.hardware_tokens import HardwareTokenRow

_MOST_TOKENS = 1000


@approvals.operation("GetSeal", resource=registry.everything)
def get_seal(call: Call) -> Result:
    """Return the account's seal and what is due after root's last use; nothing where it is not sealed."""
    row = seals.of_account(call.db, call.account_id)
    return NOTHING if row is None else {"Seal": shown.pascal(sealing_accounts.describe(call.db, row))}


@approvals.operation("ListTeams", resource=registry.everything)
def list_teams(call: Call) -> Result:
    """Return the account's teams, and that of its seal, with who in them could act today."""
    found = custody.of_account(call.db, call.account_id)
    return {"Teams": [shown.pascal(custody.describe(each, now=call.now)) for each in found]}


@approvals.operation("ListTokens", resource=registry.everything)
def list_tokens(call: Call) -> Result:
    """Return the physical tokens of the account's root that the operator keeps in the register."""
    found = hardware_tokens.of_account(call.db, call.account_id, limit=_MOST_TOKENS)
    return {"Tokens": [shown.pascal(_described(row, late=row.due_at is not None and call.now > row.due_at)) for row in found]}


def _described(row: HardwareTokenRow, *, late: bool) -> dict[str, object]:
    described: dict[str, object] = {
        "serial": row.serial,
        "model": row.model,
        "vault": row.vault,
        "envelope": row.envelope,
        "holder": row.holder,
        "registered_at": row.registered_at,
        "is_late": late,
    }
    optional = {
        "last_seen_at": row.seen_at,
        "last_audit": row.seen_at_audit,
        "out_to": row.out_to,
        "out_for": row.out_for,
        "out_since": row.out_since,
        "due_at": row.due_at,
    }
    return described | {name: value for name, value in optional.items() if value is not None}
