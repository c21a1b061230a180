"""Recovery codes that a person has, or wants none of; an operation of account-security makes them, `factors` spends them."""

from __future__ import annotations

from datetime import datetime

from crownkeep.operations.call import Origin
from crownkeep.operations.invoke import Door
from crownkeep.principals import Principal
from crownkeep.signin import events, sessions, sign_in_steps
from crownkeep.storage.accounts import accounts
from crownkeep.storage.database import Transaction
from crownkeep.storage.sign_in import recovery_codes
from crownkeep.storage.writer import Commit

DECLINED = "RecoveryCodesDeclined"
"""How the trail names it that somebody who was offered codes wants none."""


async def decline(door: Door, person: Principal, *, origin: Origin, now: datetime) -> None:
    """Offer a person no codes at sign-in any more, until some were made and used up."""

    def work(db: Transaction) -> Commit[None]:
        accounts.hold(db, person.account_id)
        recovery_codes.decline(db, person.account_id, person.unique_id, at=now)
        return Commit(None, [events.of(sessions.recorded(person), origin, now, DECLINED)])

    await sign_in_steps.commit(door, work)


def may_decline(door: Door, person: Principal) -> bool:
    """Return whether a person has no codes and has not said yet that they are not wanted."""
    with door.snapshot() as db:
        has_codes = recovery_codes.count(db, person.account_id, person.unique_id)
        return not has_codes and not recovery_codes.has_declined(db, person.account_id, person.unique_id)


def remaining(door: Door, person: Principal) -> int:
    """Return how many unspent codes a person has."""
    with door.snapshot() as db:
        return recovery_codes.count(db, person.account_id, person.unique_id)
