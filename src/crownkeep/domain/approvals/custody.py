"""Custody: which teams look after an account, who in them can act today, and whether that would be enough."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crownkeep.credentials import approval_proofs
from crownkeep.credentials.approval_proofs import CustodianKey, Quorum
from crownkeep.domain.approvals import arns, people_names
from crownkeep.operations import approvals
from crownkeep.storage.approvals import approver_keys, approvers, seals, teams
from crownkeep.storage.approvals.approver_keys import ApproverKeyRow
from crownkeep.storage.approvals.approvers import ApproverRow
from crownkeep.storage.approvals.teams import ApprovalTeamRow, TeamVersionRow
from crownkeep.storage.database import Transaction

MOST_TEAMS = 100
REHEARSED_WITHIN = timedelta(days=180)
"""Of a custodian who has proved nothing for longer, nobody knows whether they still could."""


@dataclass(frozen=True, slots=True)
class Seat:
    """One person in a team."""

    row: ApproverRow
    name: str
    keys: tuple[ApproverKeyRow, ...]

    @property
    def is_able(self) -> bool:
        """Whether they could approve something today."""
        return self.row.status == "ACCEPTED" and bool(self.keys)

    @property
    def proved_at(self) -> datetime | None:
        """When they last signed anything with a key of theirs."""
        return max((each.last_used_at for each in self.keys if each.last_used_at is not None), default=None)

    @property
    def rehearsed_at(self) -> datetime | None:
        """When they last rehearsed."""
        return max((each.last_rehearsed_at for each in self.keys if each.last_rehearsed_at is not None), default=None)


@dataclass(frozen=True, slots=True)
class TeamCustody:
    """A team as it could act today."""

    row: ApprovalTeamRow
    version: TeamVersionRow
    seats: tuple[Seat, ...]

    @property
    def quorum(self) -> Quorum:
        """What the team asks for."""
        return approvals.quorum_of(
            self.version, tuple(each.row.approver_id for each in self.seats if each.row.status == "ACCEPTED")
        )

    @property
    def able(self) -> frozenset[str]:
        """The approvers who could act together, each with a key of their own."""
        held = [
            (seat.row.approver_id, CustodianKey(key.credential_id, key.public_key).fingerprint)
            for seat in self.seats
            if seat.is_able
            for key in seat.keys
        ]
        return frozenset(approval_proofs.distinct(held))

    @property
    def can_act(self) -> bool:
        """Whether enough of them could."""
        return self.row.status == "ACTIVE" and self.quorum.is_met(self.able)

    @property
    def may_be_missing(self) -> int:
        """How many of those who can act may be missing, whoever they are."""
        if not self.can_act:
            return 0
        rules = self.quorum.groups or (self.quorum,)
        # The group with the least to spare decides: each of them must approve.
        return max(0, min(len(self.able.intersection(rule.people)) - rule.least for rule in rules))

    def remarks(self, now: datetime) -> list[str]:
        """Say what is to be looked at."""
        found = []
        if self.row.status != "ACTIVE":
            found.append(f"the team is not active ({self.row.status.lower()}): it can approve nothing")
        elif not self.can_act:
            needed = self.version.min_approvals
            found.append(f"too few people could approve: {len(self.able)} have a security key of their own, and {needed} must")
        elif not self.may_be_missing:
            found.append("nobody may be missing: if one person loses their key, the team can approve nothing")
        holders = {each.row.identity for each in self.seats if each.keys}
        if len(holders) == 1:
            found.append("all security keys are in one person's hands")
        found += [f"{each.name} is gone: the place approves nothing" for each in self.seats if each.row.status == "INVALID"]
        found += [f"{each.name} has no security key" for each in self.seats if each.row.status == "ACCEPTED" and not each.keys]
        found += [
            f"{each.name} has not rehearsed for {REHEARSED_WITHIN.days} days: start a baseline"
            for each in self.seats
            if each.is_able and now - (each.rehearsed_at or each.row.responded_at or each.row.invited_at) > REHEARSED_WITHIN
        ]
        return found


def of_account(db: Transaction, account_id: str) -> list[TeamCustody]:
    """Return an account's teams, and that of its seal first where another account has it."""
    rows = teams.page(db, account_id, after="", limit=MOST_TEAMS)
    seal = seals.of_account(db, account_id)
    if seal is not None and seal.team_account_id != account_id:
        # The seal's team may be of another account, such as the organization's, and is the one that matters most here.
        rows = [*teams.with_ids(db, [seal.team_id]), *rows]
    return of_teams(db, rows)


def of_teams(db: Transaction, rows: Sequence[ApprovalTeamRow]) -> list[TeamCustody]:
    """Return how teams could act, with four queries whatever their number."""
    team_ids, version_ids = [row.team_id for row in rows], [row.version_id for row in rows]
    versions = {each.version_id: each for each in teams.versions_with_ids(db, team_ids, version_ids)}
    people = approvers.of_versions(db, team_ids, version_ids)
    names = people_names.of_approvers(db, people)
    keys: dict[str, list[ApproverKeyRow]] = {}
    for key in approver_keys.of_identities(db, list(names)):
        keys.setdefault(key.identity, []).append(key)
    seats: dict[str, list[Seat]] = {}
    for each in people:
        seats.setdefault(each.version_id, []).append(Seat(each, names[each.identity], tuple(keys.get(each.identity, ()))))
    return [
        TeamCustody(row, versions[row.version_id], tuple(sorted(seats.get(row.version_id, ()), key=lambda each: each.name)))
        for row in rows
        if row.version_id in versions
    ]


def describe(found: TeamCustody, *, now: datetime) -> dict[str, object]:
    """Return a team with its people, by names in snake case."""
    described: dict[str, object] = {
        "arn": arns.team(found.row.account_id, found.row.team_id),
        "name": found.row.name,
        "status": found.row.status,
        "description": found.version.description,
        "approvals_needed": found.version.min_approvals,
        "able": len(found.able),
        "can_act": found.can_act,
        "may_be_missing": found.may_be_missing,
        "approvers": [_seat(each) for each in found.seats],
        "remarks": found.remarks(now),
    }
    if found.version.alone_after_hours is not None:
        described["alone_after_hours"] = found.version.alone_after_hours
    if found.version.groups is not None:
        described["groups"] = _groups(found)
    return described


def _groups(found: TeamCustody) -> list[dict[str, object]]:
    names = {each.row.approver_id: each.name for each in found.seats}
    return [
        {
            "name": str(each["name"]),
            "approvals_needed": each["min_approvals"],
            "approver_ids": list(each["approvers"]),
            "approvers": [names.get(person, person) for person in each["approvers"]],
        }
        for each in json.loads(found.version.groups or "[]")
    ]


def _seat(seat: Seat) -> dict[str, object]:
    answer: dict[str, object] = {
        "name": seat.name,
        "approver_id": seat.row.approver_id,
        "status": seat.row.status,
        "is_able": seat.is_able,
        "keys": [
            {
                "nickname": key.nickname,
                "fingerprint": CustodianKey(key.credential_id, key.public_key).fingerprint,
                "certifications": key.certifications.splitlines(),
                "is_synced": key.is_synced,
                "enrolled_at": key.enrolled_at,
            }
            for key in seat.keys
        ],
    }
    moments = {"accepted_at": seat.row.responded_at, "last_used_at": seat.proved_at, "last_rehearsed_at": seat.rehearsed_at}
    return answer | {name: moment for name, moment in moments.items() if moment is not None}
