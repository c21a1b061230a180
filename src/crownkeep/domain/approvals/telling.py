"""Telling custodians: a mail to every approver of a team when they are asked, so that nothing is approved behind their backs."""

from __future__ import annotations

from crownkeep.credentials import approval_requests
from crownkeep.domain.approvals import people
from crownkeep.operations import approvals
from crownkeep.operations.call import Call
from crownkeep.operations.notices import Notice
from crownkeep.storage.approvals import approvers, teams
from crownkeep.storage.approvals.sessions import ApprovalSessionRow

PAGE = "/approvals"
"""Where custodians see what they are asked."""


def tell_asked(call: Call, row: ApprovalSessionRow) -> None:
    """Mail every approver of the version that is asked."""
    request = approval_requests.read(row.document.encode())
    version = teams.version(call.db, row.team_id, row.version_id)
    alone = approvals.alone_from(version, row) if version is not None else None
    values = {
        "account_id": row.acted_account_id,
        "act": row.action,
        "who": row.requester_arn,
        "reason": row.reason or "none given",
        "ticket": row.ticket or "none",
        "source": request.source,
        "alone": f"{alone:%Y-%m-%d %H:%M} UTC" if alone is not None and alone < row.expires_at else "",
        "until": f"{row.expires_at:%Y-%m-%d %H:%M} UTC",
        "link": f"{call.settings.url}{PAGE}?request={row.session_id}",
    }
    asked = set(row.asked.splitlines())
    # Also those who can't vote today: that somebody asks is what a mail is for.
    for approver in approvers.of_version(call.db, row.team_id, row.version_id):
        who = people.of_approver(call.db, approver) if not asked or approver.approver_id in asked else None
        if who is not None and who.email:
            call.wiring.outbox.send(call.db, Notice("approval-asked", who.email, row.account_id, call.now, values))
