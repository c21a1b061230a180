"""How requests for approval stand: what is known of their teams, people, keys and votes, read for many of them at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from crownkeep.storage.approvals import approver_keys, approvers, custodians, seals, teams, votes
from crownkeep.storage.approvals.approver_keys import ApproverKeyRow
from crownkeep.storage.approvals.approvers import ApproverRow
from crownkeep.storage.approvals.sessions import ApprovalSessionRow
from crownkeep.storage.approvals.teams import ApprovalTeamRow, TeamVersionRow
from crownkeep.storage.approvals.votes import ApprovalVoteRow
from crownkeep.storage.database import Transaction
from crownkeep.storage.single_sign_on import directory_users

CUSTODIAN = "custodian:"
"""How the identity of a custodian of the installation begins: `custodian:ID`."""

PERSON = "person:"
"""How the identity of somebody in an identity store begins: `person:STORE/ID`."""


@dataclass(frozen=True, slots=True)
class ApprovalStanding:
    """What one request's approval depends on, as it is now."""

    team: ApprovalTeamRow | None
    version: TeamVersionRow | None
    """The version that was asked; None where it is gone."""
    people: tuple[ApproverRow, ...]
    """All in that version, whatever has become of them."""
    keys: Mapping[str, ApproverKeyRow]
    """Their keys by id."""
    disabled: frozenset[str]
    """The identities of those whom single sign-on has disabled: they decide nothing meanwhile."""
    cast: tuple[ApprovalVoteRow, ...]


def of_each(db: Transaction, rows: Sequence[ApprovalSessionRow]) -> dict[str, ApprovalStanding]:
    """Return how requests stand, by their ids, with as many queries for one as for many."""
    team_ids = list(dict.fromkeys(row.team_id for row in rows))
    version_ids = list(dict.fromkeys(row.version_id for row in rows))
    found = {row.team_id: row for row in teams.with_ids(db, team_ids)}
    versions = {row.version_id: row for row in teams.versions_with_ids(db, team_ids, version_ids)}
    people: dict[str, list[ApproverRow]] = {}
    for each in approvers.of_versions(db, team_ids, version_ids):
        people.setdefault(each.version_id, []).append(each)
    identities = dict.fromkeys(each.identity for members in people.values() for each in members)
    keys = {key.key_id: key for key in approver_keys.of_identities(db, list(identities))}
    away = disabled(db, identities)
    cast: dict[str, list[ApprovalVoteRow]] = {}
    for vote in votes.of_sessions(db, [row.session_id for row in rows]):
        cast.setdefault(vote.session_id, []).append(vote)
    return {
        row.session_id: ApprovalStanding(
            found.get(row.team_id),
            versions.get(row.version_id),
            tuple(people.get(row.version_id, ())),
            keys,
            away,
            tuple(cast.get(row.session_id, ())),
        )
        for row in rows
    }


def of(db: Transaction, row: ApprovalSessionRow) -> ApprovalStanding:
    """Return how one request stands."""
    return of_each(db, [row])[row.session_id]


def disabled(db: Transaction, identities: Collection[str]) -> frozenset[str]:
    """Return which of these identities are of people whom single sign-on has disabled."""
    people = {tuple(each.removeprefix(PERSON).split("/", 1)): each for each in identities if each.startswith(PERSON)}
    away = directory_users.disabled(db, [user_id for _, user_id in people])
    return frozenset(identity for place, identity in people.items() if place in away)


def identity_named(db: Transaction, name: str) -> str:
    """Return the identity of an approver named by it, or by a custodian's id or address; empty where there is no such one."""
    if name.startswith(PERSON):
        return name
    plain = name.removeprefix(CUSTODIAN)
    row = custodians.with_id(db, plain) or custodians.with_email(db, plain)
    return f"{CUSTODIAN}{row.custodian_id}" if row is not None else ""


def sealed_by(db: Transaction, name: str) -> tuple[str, ...]:
    """Return the accounts that are sealed under a team which an approver sits in, the eldest seal first."""
    seats = [each for each in approvers.of_identity(db, identity_named(db, name)) if each.status == "ACCEPTED"]
    versions = {row.version_id for row in teams.with_ids(db, list({each.team_id for each in seats}))}
    sitting = {each.team_id for each in seats if each.version_id in versions}
    found = {row.account_id: row for team_id in sorted(sitting) for row in seals.of_team(db, team_id)}
    return tuple(row.account_id for row in sorted(found.values(), key=lambda row: (row.sealed_at, row.account_id)))
