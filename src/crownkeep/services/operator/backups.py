"""What the commands did that make, restore and move copies of everything: each leaves its record here, in the operator's trail.

The work itself is the command's, on the machine that has the sealing key; no request can make a server do it.
"""

from __future__ import annotations

from datetime import datetime

from crownkeep.operations import registry
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.services.operator import known_accounts
from crownkeep.services.operator.service import operator


@operator.operation("StartBackup", resource=registry.everything, effect=Effect.STATE)
def start_backup(call: Call, *, backup_id: str, target: str) -> Result:
    """Record that a copy of everything is being made; before the first byte of it leaves."""
    return {"backup_id": backup_id, "target": target}


@operator.operation("CompleteBackup", resource=registry.everything, effect=Effect.STATE)
def complete_backup(call: Call, *, backup_id: str, target: str, records: int, size: int, manifest_sha256: str) -> Result:
    """Record that a backup is whole, and by what it is known again."""
    return {"backup_id": backup_id}


@operator.operation("FailBackup", resource=registry.everything, effect=Effect.STATE)
def fail_backup(call: Call, *, backup_id: str, target: str, reason: str, account_id: str | None = None) -> Result:
    """Record that a backup came to nothing; in the trail of an account, whose contacts hear of it, where one is named."""
    if account_id is not None:
        known_accounts.recorded(call, account_id)
    return {"backup_id": backup_id}


@operator.operation("RestoreBackup", resource=registry.everything, effect=Effect.STATE)
def restore_backup(call: Call, *, backup_id: str, made_at: datetime, records: int, missing: int | None = None) -> Result:
    """Record, in what was restored, which backup it came from; the records after that moment are not in this trail."""
    return {"backup_id": backup_id}


@operator.operation("MoveDatabase", resource=registry.everything, effect=Effect.STATE)
def move_database(call: Call, *, source: str, target: str, rows: int, records: int) -> Result:
    """Record, in the database that everything was moved to, that it was."""
    return {"rows": rows}
