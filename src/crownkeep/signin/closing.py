"""Closing an account: by its root user alone, who has just proved to be there with an MFA device and has typed its name.

AWS has no operation with which a standalone account closes itself: its console does it, and records it as CloseAccount. From the
commit on none of the account's credentials works. For 90 days the operator can reopen it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from crownkeep.operations import closed_accounts
from crownkeep.operations.call import Origin
from crownkeep.operations.invoke import Door
from crownkeep.operations.standing import ACTIVE
from crownkeep.principals import PrincipalKind
from crownkeep.signin import events
from crownkeep.signin.sessions import BrowserSession, SessionTether
from crownkeep.storage import accounts, organization_accounts, organizations
from crownkeep.storage.accounts import AccountRow
from crownkeep.storage.database import Transaction
from crownkeep.storage.writer import Deed

EVENT = "CloseAccount"

REOPENED_WITHIN_DAYS = closed_accounts.REOPENED_WITHIN.days
"""How long the operator can reopen it."""


class Refusal(Enum):
    """Why the account stays open; the value is what its person is told."""

    NOT_ROOT = "Only the root user closes its account."
    NO_MFA = "Assign an MFA device first, and prove with it that it is you: a password alone must not close an account."
    WRONG_NAME = "That is not the account's name. Type it exactly as it is shown."
    MANAGES_OTHERS = "This account manages an organization with other accounts in it. Remove or close those first."
    ENDED = "The session has ended. Sign in again."


@dataclass(frozen=True, slots=True)
class Closed:
    """The account is closed; the id of the event that says so."""

    event_id: str


async def close(door: Door, session: BrowserSession, name: str, *, origin: Origin, now: datetime) -> Closed | Refusal:
    """Close the account of whoever is signed in as root; every session and key of it ends with the commit."""

    def work(db: Transaction) -> Deed[Closed | Refusal]:
        refusal = _refusal(db, session, name, now)
        if refusal is not None:
            failure = events.of_console(session.principal, origin, now, EVENT, message=refusal.value)
            return Deed(refusal, [failure])
        account_id = session.person.account_id
        closed_accounts.close(db, account_id, now=now)
        event = events.of_console(session.principal, origin, now, EVENT, response={"accountState": closed_accounts.SUSPENDED})
        return Deed(Closed(str(event.event_id)), [event])

    return await door.carry_out(work)


def refused_at_once(db: Transaction, session: BrowserSession) -> Refusal | None:
    """Answer why an account could not be closed whatever is typed, for a page to say it before it asks for anything."""
    person = session.person
    if person.kind is not PrincipalKind.ROOT or session.switched:
        return Refusal.NOT_ROOT
    if not person.has_mfa:
        return Refusal.NO_MFA
    return Refusal.MANAGES_OTHERS if _manages_others(db, person.account_id) else None


def _refusal(db: Transaction, session: BrowserSession, name: str, now: datetime) -> Refusal | None:
    account_id = session.person.account_id
    accounts.hold(db, account_id)
    managed = organizations.managed_by(db, account_id)
    if managed is not None:
        # Held, so that nobody joins between the count of its members and the end of its management account.
        organizations.hold(db, managed.organization_id)
    account: AccountRow | None = accounts.with_id(db, account_id)
    refusal = refused_at_once(db, session)
    if refusal is not None:
        return refusal
    if account is None or account.state != ACTIVE or not SessionTether(session).holds(db) or not session.is_fresh(now):
        return Refusal.ENDED
    return None if name.strip() == account.name else Refusal.WRONG_NAME


def _manages_others(db: Transaction, account_id: str) -> bool:
    member = organization_accounts.of_account(db, account_id)
    if member is None or member.management_account_id != account_id:
        return False
    return organization_accounts.count_open(db, member.organization_id) > 1
