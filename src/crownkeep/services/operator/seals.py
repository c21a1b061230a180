"""Seals as the operator puts them on accounts, and lifts them: with the team's approval, or openly and after a delay."""

from __future__ import annotations

from collections.abc import Sequence

from crownkeep.domain.approvals import sealing_accounts
from crownkeep.domain.approvals.sealing_accounts import WantedSeal
from crownkeep.operations import registry
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.operations.sealed_acts import SealedAct
from crownkeep.services.operator.service import operator

_ALL = tuple(each.value for each in SealedAct if each is not SealedAct.UNSEAL)


@operator.operation("SealAccount", resource=registry.everything, effect=Effect.STATE, holds="account_id")
def seal_account(
    call: Call,
    *,
    account_id: str,
    team_arn: str,
    what: Sequence[str] = _ALL,
    session_minutes: int = sealing_accounts.SESSION_MINUTES,
    cooldown_minutes: int = 0,
    unseal_delay_hours: int = 72,
    renews_mfa: bool = False,
) -> Result:
    """Seal an account under a team that can act; to change a seal takes the approval of the team that it has."""
    wanted = WantedSeal(team_arn, what, session_minutes, cooldown_minutes, unseal_delay_hours, renews_mfa)
    row = sealing_accounts.seal(call, account_id, wanted)
    call.notes.account_id = account_id
    return sealing_accounts.describe(call.db, row)


@operator.operation("GetSeal", resource=registry.everything)
def get_seal(call: Call, *, account_id: str) -> Result:
    """Return an account's seal and what is due after root's last use."""
    row = sealing_accounts.required(call, account_id)
    call.notes.account_id = account_id
    return sealing_accounts.describe(call.db, row)


@operator.operation("UnsealAccount", resource=registry.everything, effect=Effect.STATE, holds="account_id")
def unseal_account(call: Call, *, account_id: str) -> Result:
    """Lift an account's seal, with its team's approval."""
    sealing_accounts.unseal(call, account_id)
    call.notes.account_id = account_id
    return NOTHING


@operator.operation("BeginUnsealWithoutTeam", resource=registry.everything, effect=Effect.STATE, holds="account_id")
def begin_unseal_without_team(call: Call, *, account_id: str) -> Result:
    """Begin to lift a seal whose team can act no more: everybody hears of it, and nothing happens before the delay is over."""
    row = sealing_accounts.begin_unseal(call, account_id)
    call.notes.account_id = account_id
    return sealing_accounts.describe(call.db, row)


@operator.operation("CancelUnsealWithoutTeam", resource=registry.everything, effect=Effect.STATE, holds="account_id")
def cancel_unseal_without_team(call: Call, *, account_id: str) -> Result:
    """Stop lifting a seal without its team."""
    row = sealing_accounts.cancel_unseal(call, account_id)
    call.notes.account_id = account_id
    return sealing_accounts.describe(call.db, row)


@operator.operation("FinishUnsealWithoutTeam", resource=registry.everything, effect=Effect.STATE, holds="account_id")
def finish_unseal_without_team(call: Call, *, account_id: str) -> Result:
    """Lift a seal without its team, once the delay is over."""
    sealing_accounts.finish_unseal(call, account_id)
    call.notes.account_id = account_id
    return NOTHING
