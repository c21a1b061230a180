"""Telling custodians: a mail to every approver of a team when they are asked, so that nothing is approved behind their backs."""

from __future__ import annotations

from crownkeep.credentials import approval_requests
from crownkeep.domain.approvals import custodianship
from crownkeep.operations.call import Call
from crownkeep.operations.notices import Notice
from crownkeep.storage.approvals import approvers, custodians
from crownkeep.storage.approvals.approvers import ApproverRow
from crownkeep.storage.approvals.sessions import ApprovalSessionRow
from crownkeep.storage.database import Transaction

PAGE = "/approvals"
"""Where custodians see what they are asked."""


def tell_asked(call: Call, row: ApprovalSessionRow) -> None:
    """Mail every approver of the version that is asked."""
    request = approval_requests.read(row.document.encode())
    values = {
        "account_id": row.acted_account_id,
        "act": row.action,
        "who": row.requester_arn,
        "reason": row.reason or "none given",
        "ticket": row.ticket or "none",
        "source": request.source,
        "until": f"{row.expires_at:%Y-%m-%d %H:%M} UTC",
        "link": f"{call.settings.url}{PAGE}",
    }
    for approver in approvers.of_version(call.db, row.team_id, row.version_id):
        address = _address(call.db, approver)
        if address:
            call.wiring.outbox.send(call.db, Notice("approval-asked", address, row.account_id, call.now, values))


def _address(db: Transaction, row: ApproverRow) -> str:
    if row.source_id != custodianship.SOURCE:
        return ""
    custodian = custodians.with_id(db, row.identity_id)
    return custodian.email if custodian is not None else ""
