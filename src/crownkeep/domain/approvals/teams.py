"""Teams as they stand at a moment: what has run out since it was written down is seen as run out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from crownkeep.storage.approvals import approvers, sessions, teams
from crownkeep.storage.approvals.approvers import ApproverRow
from crownkeep.storage.approvals.teams import ApprovalTeamRow, TeamVersionRow
from crownkeep.storage.database import Transaction

INVITED_FOR = timedelta(days=7)
"""How long approvers have to accept; a team that somebody has not accepted by then never becomes active."""

ACTIVE, INACTIVE, INVITING, DELETING = "ACTIVE", "INACTIVE", "PENDING", "DELETING"
PENDING_ACTIVATION, FAILED_ACTIVATION = "PENDING_ACTIVATION", "FAILED_ACTIVATION"
UPDATE_PENDING_APPROVAL, UPDATE_FAILED_APPROVAL = "UPDATE_PENDING_APPROVAL", "UPDATE_FAILED_APPROVAL"
UPDATE_PENDING_ACTIVATION, UPDATE_FAILED_ACTIVATION = "UPDATE_PENDING_ACTIVATION", "UPDATE_FAILED_ACTIVATION"
DELETE_PENDING_APPROVAL, DELETE_FAILED_APPROVAL = "DELETE_PENDING_APPROVAL", "DELETE_FAILED_APPROVAL"
UPDATE_FAILED_VALIDATION, DELETE_FAILED_VALIDATION = "UPDATE_FAILED_VALIDATION", "DELETE_FAILED_VALIDATION"
WAITING = (UPDATE_PENDING_APPROVAL, UPDATE_PENDING_ACTIVATION)
"""An update that may still come into force."""

ACCEPTED, REJECTED, INVITED, GONE = "ACCEPTED", "REJECTED", "PENDING", "INVALID"
"""What an approver may be."""

UNANSWERED = "Not everybody has accepted the invitation in time."
UNAPPROVED = "The team has not approved it in time."
UNABLE = "The team seals an account, and too few of its approvers would have a security key of their own."
LEFT = "An approver of the change is gone."
SEALING = "The team seals an account. Seal it under another team, or lift its seal, before you delete the team."


@dataclass(frozen=True, slots=True)
class TeamState:
    """A team as it stands: its row, the version in force (or the first, which is invited to), and an update."""

    row: ApprovalTeamRow
    version: TeamVersionRow
    approvers: tuple[ApproverRow, ...]
    """Of the version in force."""
    pending: TeamVersionRow | None = None
    pending_approvers: tuple[ApproverRow, ...] = ()

    @property
    def is_active(self) -> bool:
        """Whether it may be asked."""
        return self.row.status == ACTIVE

    @property
    def is_updating(self) -> bool:
        """Whether an update may still come into force."""
        return self.pending is not None and self.pending.status_code in WAITING

    @property
    def is_ending(self) -> bool:
        """Whether its deletion waits for its approval, or for its time."""
        return self.row.status == DELETING or self.row.status_code == DELETE_PENDING_APPROVAL


def look(db: Transaction, team_id: str, *, now: datetime) -> TeamState | None:
    """Return a team as it stands, whichever account's it is; None where there is none, or its time has come."""
    row = teams.with_id(db, team_id)
    if row is None or is_over(row, now):
        return None
    version = _version(db, team_id, row.version_id)
    found = tuple(approvers.of_version(db, team_id, row.version_id))
    # Seen and not written: no job has to run at that moment, and every node sees the same.
    if row.status == INVITING and _is_unanswered(found, now):
        row = replace(row, status=INACTIVE, status_code=FAILED_ACTIVATION, status_message=UNANSWERED)
    if row.status_code == DELETE_PENDING_APPROVAL and _is_unapproved(db, row, now):
        row = replace(row, status_code=DELETE_FAILED_APPROVAL, status_message=UNAPPROVED)
    if row.pending_version_id is None:
        return TeamState(row, version, found)
    invited = tuple(approvers.of_version(db, team_id, row.pending_version_id))
    pending = _pending(db, row, _version(db, team_id, row.pending_version_id), invited, now)
    return TeamState(row, version, found, pending, invited)


def is_over(row: ApprovalTeamRow, now: datetime) -> bool:
    """Tell whether a team has approved its deletion and the time for it has come."""
    return row.deletes_at is not None and now >= row.deletes_at


def _pending(
    db: Transaction, row: ApprovalTeamRow, version: TeamVersionRow, invited: tuple[ApproverRow, ...], now: datetime
) -> TeamVersionRow:
    if version.status_code == UPDATE_PENDING_APPROVAL and _is_unapproved(db, row, now):
        return replace(version, status_code=UPDATE_FAILED_APPROVAL, status_message=UNAPPROVED)
    if version.status_code == UPDATE_PENDING_ACTIVATION and _is_unanswered(invited, now):
        return replace(version, status_code=UPDATE_FAILED_ACTIVATION, status_message=UNANSWERED)
    return version


def _is_unanswered(found: tuple[ApproverRow, ...], now: datetime) -> bool:
    return any(each.status != ACCEPTED and now >= each.invited_at + INVITED_FOR for each in found)


def _is_unapproved(db: Transaction, row: ApprovalTeamRow, now: datetime) -> bool:
    session = None if row.update_session_id is None else sessions.with_id(db, row.update_session_id)
    return session is None or (session.status == "PENDING" and now >= session.expires_at)


def _version(db: Transaction, team_id: str, version_id: str) -> TeamVersionRow:
    version = teams.version(db, team_id, version_id)
    if version is None:
        raise LookupError(f"team `{team_id}` has no version `{version_id}`")
    return version
