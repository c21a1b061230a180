"""How the account's scheduled audits came out, for whoever looks after it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from crownkeep.operations import registry
from crownkeep.operations.call import Call, Result
from crownkeep.services.account_security.service import account_security
from crownkeep.storage.accounts import accounts
from crownkeep.storage.audits import account_audits
from crownkeep.storage.audits.account_audits import AccountAuditRow

FIRST_AFTER = timedelta(days=1)
"""How old an account is when it is audited for the first time: long enough to be set up."""


@account_security.operation("ListAccountAudits", resource=registry.everything)
def list_account_audits(call: Call, *, max_results: int = account_audits.MOST_KEPT) -> Result:
    """List the scheduled audits, the newest first, and say when the next one is due, where they are switched on."""
    rows = account_audits.newest(call.db, call.account_id, limit=max_results)
    due_at = _due_at(call, rows[0] if rows else None)
    answer: dict[str, object] = {"AccountAudits": [_described(each) for each in rows]}
    return answer if due_at is None else {**answer, "NextAuditAt": due_at}


def _due_at(call: Call, newest: AccountAuditRow | None) -> datetime | None:
    every = timedelta(days=call.settings.audit_every_days)
    account = accounts.with_id(call.db, call.account_id)
    if not every or account is None:
        return None
    return account.created_at + FIRST_AFTER if newest is None else newest.audited_at + every


def _described(row: AccountAuditRow) -> dict[str, object]:
    counted = {
        "Passwords": row.passwords,
        "PasswordsWithMfa": row.passwords_with_mfa,
        "Credentials": row.credentials,
        "OldCredentials": row.old_credentials,
    }
    return {
        "AuditedAt": row.audited_at,
        "Passed": row.passed,
        "Failed": row.failed,
        "Critical": row.critical,
        "High": row.high,
        "Medium": row.medium,
        "Low": row.low,
        "Unknown": row.unknown,
        "NotApplicable": row.not_applicable,
        "Failing": [{"Check": name, "Resources": count} for name, count in json.loads(row.failing).items()],
        **{name: count for name, count in counted.items() if count is not None},
    }
