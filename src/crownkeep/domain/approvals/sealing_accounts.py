"""Sealing accounts: under which team, what it covers, and how it is lifted: by the team, or by the operator after a delay."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import timedelta

from crownkeep import arn, clock, errors
from crownkeep.domain.approvals import ability, arns
from crownkeep.operations import mfa_renewal
from crownkeep.operations.call import Call
from crownkeep.operations.sealed_acts import SealedAct
from crownkeep.storage import holds
from crownkeep.storage.accounts import accounts
from crownkeep.storage.approvals import approvers, seals, teams
from crownkeep.storage.approvals.seals import SealRow
from crownkeep.storage.approvals.teams import ApprovalTeamRow
from crownkeep.storage.database import Transaction
from crownkeep.storage.holds import Hold

SESSION_MINUTES = 15
"""How long a session of a sealed root lasts at most; it can be set shorter."""


@dataclass(frozen=True, slots=True)
class WantedSeal:
    """How an account is to be sealed."""

    team_arn: str
    acts: Collection[str]
    session_minutes: int
    cooldown_minutes: int
    unseal_delay_hours: int
    renews_mfa: bool = False


def seal(call: Call, account_id: str, wanted: WantedSeal) -> SealRow:
    """Seal an account; raises Conflict for a team that could not act, so that nobody is locked out by it."""
    if accounts.with_id(call.db, account_id) is None:
        raise errors.ResourceNotFound(f"there is no account `{account_id}`; `crownkeep account list` shows them all")
    # Held before the team is looked at: else it could be changed, or lose people or keys, by a call that sees no seal yet, and
    # the account be sealed under a team that can't act.
    accounts.hold(call.db, _team(call, wanted.team_arn).account_id)
    holds.take(call.db, Hold.CUSTODY)
    team = _team(call, wanted.team_arn)
    require_able(call, team)
    before = seals.of_account(call.db, account_id)
    row = SealRow(
        account_id=account_id,
        team_id=team.team_id,
        team_account_id=team.account_id,
        # In the order of the enumeration, whatever order they came in; unsealing is always sealed, and so never chosen.
        acts="\n".join(each.value for each in SealedAct if each.value in wanted.acts and each is not SealedAct.UNSEAL),
        session_minutes=wanted.session_minutes,
        cooldown_minutes=wanted.cooldown_minutes,
        unseal_delay_hours=wanted.unseal_delay_hours,
        sealed_at=call.now,
        review_is_due=False,
        renews_mfa=wanted.renews_mfa,
    )
    if before is not None:
        # What is due after the last use stays due: a seal that is changed forgets no review.
        row = replace(
            row,
            last_session_id=before.last_session_id,
            last_used_at=before.last_used_at,
            session_ends_at=before.session_ends_at,
            review_is_due=before.review_is_due,
        )
    seals.put(call.db, row)
    # What is cached of the account knows what is sealed in it.
    accounts.touch(call.db, account_id, clock.revision())
    return row


def unseal(call: Call, account_id: str) -> None:
    """Lift a seal; that its team has approved this is found at the door."""
    required(call, account_id)
    seals.remove(call.db, account_id)
    accounts.touch(call.db, account_id, clock.revision())


def begin_unseal(call: Call, account_id: str) -> SealRow:
    """Begin to lift a seal without its team: it takes the seal's delay, in which everybody hears of it."""
    row = required(call, account_id)
    if row.unseals_at is None:
        seals.change(call.db, account_id, unseals_at=call.now + timedelta(hours=row.unseal_delay_hours))
    return required(call, account_id)


def cancel_unseal(call: Call, account_id: str) -> SealRow:
    """Stop lifting a seal without its team."""
    required(call, account_id)
    seals.change(call.db, account_id, unseals_at=None)
    return required(call, account_id)


def finish_unseal(call: Call, account_id: str) -> None:
    """Lift a seal without its team, once the delay is over; raises Conflict before."""
    row = required(call, account_id)
    if row.unseals_at is None:
        raise errors.Conflict(f"nobody has begun to unseal account `{account_id}` without its team")
    if call.now < row.unseals_at:
        raise errors.Conflict(f"account `{account_id}` can be unsealed without its team from {row.unseals_at:%Y-%m-%d %H:%M} UTC")
    seals.remove(call.db, account_id)
    accounts.touch(call.db, account_id, clock.revision())


def required(call: Call, account_id: str) -> SealRow:
    """Return an account's seal; raises ResourceNotFound where it has none."""
    row = seals.of_account(call.db, account_id)
    if row is None:
        raise errors.ResourceNotFound(f"account `{account_id}` is not sealed; `crownkeep seal {account_id} --team ARN` seals it")
    return row


def password_is_due(db: Transaction, seal: SealRow) -> bool:
    """Tell whether root's password is the one that its last use began with."""
    account = accounts.with_id(db, seal.account_id)
    changed = account.root_password_changed_at if account is not None else None
    # Whoever was there in the last use knows the password: it is due until it was changed after that use began.
    return seal.last_used_at is not None and (changed is None or changed < seal.last_used_at)


def mfa_is_due(db: Transaction, seal: SealRow) -> bool:
    """Tell whether root still has an MFA device that its last use began with, and the seal asks for new ones."""
    return bool(mfa_renewal.outdated(db, seal))


def describe(db: Transaction, row: SealRow) -> dict[str, object]:
    """Return a seal by names in snake case."""
    described: dict[str, object] = {
        "account_id": row.account_id,
        "team_arn": arns.team(row.team_account_id, row.team_id),
        "what": [each for each in row.acts.split("\n") if each],
        "session_minutes": row.session_minutes,
        "cooldown_minutes": row.cooldown_minutes,
        "unseal_delay_hours": row.unseal_delay_hours,
        "sealed_at": row.sealed_at,
        "review_is_due": row.review_is_due,
        "password_is_due": password_is_due(db, row),
        "renews_mfa": row.renews_mfa,
        "mfa_is_due": mfa_is_due(db, row),
    }
    moments = {"last_used_at": row.last_used_at, "session_ends_at": row.session_ends_at, "unseals_at": row.unseals_at}
    described |= {name: moment for name, moment in moments.items() if moment is not None}
    if row.last_session_id is not None:
        described["last_request_id"] = row.last_session_id
    return described


def require_able(call: Call, team: ApprovalTeamRow) -> None:
    """Raise Conflict unless a team could approve something now: active, with enough people, each with a key of their own."""
    version = teams.version(call.db, team.team_id, team.version_id)
    if team.status != "ACTIVE" or version is None:
        raise errors.Conflict(f"the team `{team.name}` is not active: it can seal nothing before everybody has accepted")
    members = [each for each in approvers.of_version(call.db, team.team_id, team.version_id) if each.status == "ACCEPTED"]
    if not ability.can_act(call.db, version, members):
        raise errors.Conflict(
            f"the team `{team.name}` could approve nothing: too few of its people have a security key of their own"
            f" ({len(ability.able(call.db, members))} of {len(members)})"
        )
    # A seal that one person lifts is a password more, and no second pair of eyes.
    if version.min_approvals < 2:
        raise errors.Conflict(f"the team `{team.name}` asks for one approval alone: a seal takes two people at least")


def _team(call: Call, team_arn: str) -> ApprovalTeamRow:
    parts = arn.parse(team_arn)
    row = None if parts is None else teams.with_id(call.db, team_arn.rpartition("/")[2])
    if parts is None or row is None or row.account_id != parts.account_id:
        raise errors.ResourceNotFound(f"there is no approval team `{team_arn}`")
    return row
