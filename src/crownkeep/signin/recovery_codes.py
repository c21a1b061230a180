"""Recovery codes: a set of ten for the day when a device is lost, made for whoever has just proved to be there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from crownkeep import clock
from crownkeep.credentials import recovery_codes as codes
from crownkeep.credentials.secret import Secret
from crownkeep.operations.call import Origin
from crownkeep.operations.invoke import Door
from crownkeep.principals import Principal
from crownkeep.signin import events, sessions, sign_in_steps
from crownkeep.signin.sessions import BrowserSession
from crownkeep.storage.accounts import accounts
from crownkeep.storage.database import Transaction
from crownkeep.storage.sign_in import recovery_codes
from crownkeep.storage.sign_in.recovery_codes import RecoveryCodeRow
from crownkeep.storage.writer import Deed

CREATED, DECLINED = "RecoveryCodesCreated", "RecoveryCodesDeclined"
"""How the trail names it that codes were made, and that somebody who was offered some wants none."""


@dataclass(frozen=True, slots=True)
class Made:
    """A set of codes, and the id of the event that says that there is a new one."""

    codes: tuple[Secret, ...]
    event_id: str


async def make(door: Door, session: BrowserSession, *, origin: Origin, now: datetime) -> Made:
    """Make a person's ten codes, told here and nowhere else; the codes of the set before are void."""
    person = sessions.recorded(session.person)
    minted = codes.mint(clock.token_bytes(codes.COUNT * codes.CODE_ENTROPY))
    salt = clock.token_bytes(codes.SALT_SIZE)
    rows = [RecoveryCodeRow(person.account_id, person.unique_id, codes.hash_code(code, salt=salt), salt, now) for code in minted]

    def work(db: Transaction) -> Deed[str]:
        # Of two sets that are made at once the first must be there for the second to replace.
        accounts.hold(db, person.account_id)
        recovery_codes.replace_all(db, person.account_id, person.unique_id, rows)
        event = events.of(person, origin, now, CREATED)
        return Deed(str(event.event_id), [event])

    return Made(minted, await sign_in_steps.commit(door, work))


async def decline(door: Door, session: BrowserSession, *, origin: Origin, now: datetime) -> None:
    """Offer a person no codes at sign-in any more, until some were made and used up."""
    person = sessions.recorded(session.person)

    def work(db: Transaction) -> Deed[None]:
        accounts.hold(db, person.account_id)
        recovery_codes.decline(db, person.account_id, person.unique_id, at=now)
        return Deed(None, [events.of(person, origin, now, DECLINED)])

    await sign_in_steps.commit(door, work)


def may_decline(door: Door, person: Principal) -> bool:
    """Tell whether a person has no codes and has not said yet that they are not wanted."""
    with door.snapshot() as db:
        count = recovery_codes.count(db, person.account_id, person.unique_id)
        return not count and not recovery_codes.has_declined(db, person.account_id, person.unique_id)


def remaining(door: Door, person: Principal) -> int:
    """Return how many unspent codes a person has."""
    with door.snapshot() as db:
        return recovery_codes.count(db, person.account_id, person.unique_id)
