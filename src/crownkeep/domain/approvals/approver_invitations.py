"""Invitations: a one-time link by mail to each person who is to become an approver of a team."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from crownkeep import clock
from crownkeep.credentials import one_time_links as links
from crownkeep.credentials.one_time_links import InvalidLink, LinkPurpose
from crownkeep.domain.approvals import people, teams
from crownkeep.domain.approvals.people import ApproverIdentity
from crownkeep.domain.approvals.teams import TeamState
from crownkeep.operations.call import Wiring
from crownkeep.operations.notices import Notice
from crownkeep.storage.approvals import approver_keys, approvers
from crownkeep.storage.approvals.approvers import ApproverRow
from crownkeep.storage.approvals.teams import TeamVersionRow
from crownkeep.storage.database import Transaction
from crownkeep.storage.sign_in import one_time_links
from crownkeep.storage.sign_in.one_time_links import OneTimeLinkRow

LINK = "/signin/approvals/invitation"
MOST_WITHIN_HOUR = 10
"""That one account may send to one person, when teams are made or changed and again."""

_PURPOSE = LinkPurpose.JOIN_APPROVAL_TEAM


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a link is for: which person is to join which version of which team."""

    digest: bytes
    state: TeamState
    version: TeamVersionRow
    approver: ApproverRow
    who: ApproverIdentity
    expires_at: datetime

    @property
    def is_for_key(self) -> bool:
        """Whether it is no invitation, but lets somebody who has accepted and has no key any more enrol a new one."""
        return self.approver.status == teams.ACCEPTED


def send(db: Transaction, wiring: Wiring, row: ApproverRow, *, now: datetime) -> None:
    """Mail a link to an approver who has not answered; whatever was sent to them before is void."""
    _send(db, wiring, row, "approver-invitation", now=now)


def send_for_key(db: Transaction, wiring: Wiring, row: ApproverRow, *, now: datetime) -> None:
    """Mail a link to an approver who has accepted, by which they enrol a key once they have none any more."""
    _send(db, wiring, row, "approver-key-link", now=now)


def _send(db: Transaction, wiring: Wiring, row: ApproverRow, kind: str, *, now: datetime) -> None:
    who = people.of_approver(db, row)
    if who is None or not who.email:
        return
    withdraw(db, row)
    link = links.mint(_PURPOSE, clock.token_bytes(links.TOKEN_ENTROPY), now=now)
    kept = OneTimeLinkRow(link.digest, row.account_id, _PURPOSE, now, link.expires_at, owner_id=row.approver_id)
    one_time_links.add(db, kept)
    values = {
        "account_id": row.account_id,
        "link": f"{wiring.settings.url}{LINK}?token={link.token.reveal()}",
        "until": f"{link.expires_at:%Y-%m-%d %H:%M} UTC",
    }
    wiring.outbox.send(db, Notice(kind, who.email, row.account_id, now, values))


def waits_for(state: TeamState, row: ApproverRow) -> bool:
    """Tell whether somebody is invited and may still answer."""
    is_new = row.version_id == state.version.version_id and state.row.status == teams.INVITING
    pending = state.pending
    is_asked = pending is not None and row.version_id == pending.version_id
    is_open = is_asked and pending is not None and pending.status_code == teams.UPDATE_PENDING_ACTIVATION
    return row.status == teams.INVITED and (is_new or is_open)


def withdraw(db: Transaction, row: ApproverRow) -> None:
    """Make what was sent to an approver void."""
    one_time_links.remove_of(db, row.account_id, row.approver_id, purpose=_PURPOSE)


def find(db: Transaction, token: str, *, now: datetime) -> Invitation:
    """Return what a link is for; raises InvalidLink for one that was answered, is expired or void, or was never one."""
    digest = links.digest_of(token, _PURPOSE)
    link = one_time_links.with_digest(db, digest)
    if link is None or link.owner_id is None:
        raise InvalidLink
    links.check(expires_at=link.expires_at, spent_at=None, now=now)
    # An approver has a row in each version of the team that they are in; the link is for one that waits for them.
    for row in approvers.with_id(db, link.account_id, link.owner_id):
        state = teams.look(db, row.team_id, now=now) if row.status in (teams.INVITED, teams.ACCEPTED) else None
        version = None if state is None else _invited_to(db, state, row)
        who = people.of_approver(db, row)
        if state is not None and version is not None and who is not None:
            return Invitation(digest, state, version, row, who, link.expires_at)
    raise InvalidLink


def _invited_to(db: Transaction, state: TeamState, row: ApproverRow) -> TeamVersionRow | None:
    """Return the version that an approver is invited to, where it may still come into force; or is in, and has no key."""
    if row.status == teams.ACCEPTED:
        is_theirs = state.is_active and row.version_id == state.version.version_id
        return state.version if is_theirs and not approver_keys.of_identity(db, row.identity) else None
    if not waits_for(state, row):
        return None
    return state.version if row.version_id == state.version.version_id else state.pending
