"""Signing in as a sealed root: whoever has proved password and MFA asks the custodians, and goes on once they have approved."""

from __future__ import annotations

from dataclasses import dataclass

from crownkeep.domain.approvals import asking, proving
from crownkeep.domain.approvals.asking import WantedApproval
from crownkeep.errors import AwsError
from crownkeep.operations import approval_standing, sealed_acts
from crownkeep.operations.call import Call
from crownkeep.operations.invoke import Door
from crownkeep.signin import events, progress, sign_in_steps
from crownkeep.signin.entry import Visit
from crownkeep.signin.flow import ApprovalStep
from crownkeep.signin.progress import Arrived, Expired, Next, Progress, Stale
from crownkeep.storage.accounts import accounts
from crownkeep.storage.approvals import sessions
from crownkeep.storage.database import Transaction
from crownkeep.storage.trail.events import EventRow
from crownkeep.storage.writer import Commit

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class AskedCustodians:
    """The custodians were asked by this request."""

    request_id: str


@dataclass(frozen=True, slots=True)
class NotAsked:
    """The custodians could not be asked; the text says why."""

    why: str


async def ask(door: Door, visit: Visit, begun: Progress, *, reason: str, ticket: str) -> AskedCustodians | NotAsked | Stale:
    """Ask the custodians to let root sign in, for somebody who has proved password and MFA and nothing but that is missing."""

    def work(db: Transaction) -> Commit[AskedCustodians | NotAsked | Stale]:
        person, wiring = begun.person, door.wiring
        accounts.hold(db, person.account_id)
        looked = progress.look(db, wiring, begun, now=visit.now)
        standing = wiring.standings.of_account(db, person.account_id)
        # Only at the step that asks for approval: password and MFA are behind them, so strangers can't trouble custodians.
        if not isinstance(looked, Next) or not isinstance(looked.step, ApprovalStep) or standing is None:
            return Commit(Stale(), [])
        call = Call(db, person.account_id, person, visit.now, visit.origin, wiring, standing)
        wanted = WantedApproval(person.account_id, sealed_acts.SIGN_IN, "{}", reason, ticket, None)
        try:
            row = asking.ask(call, wanted)
        except AwsError as refusal:
            return Commit(NotAsked(refusal.message), [])
        return Commit(AskedCustodians(row.session_id), [_recorded(call)])

    return await sign_in_steps.commit(door, work)


async def go_on(door: Door, visit: Visit, begun: Progress) -> Next | Arrived | Expired | Stale:
    """Look whether the custodians have approved, and let root in where they have."""

    def work(db: Transaction) -> Commit[Next | Arrived | Expired | Stale]:
        accounts.hold(db, begun.person.account_id)
        # Spent although nothing may have been approved yet: `proceed` gives a new nonce, and the old page is void.
        if not progress.spend(db, begun):
            return Commit(Stale(), [])
        entered, rows = progress.proceed(db, door.wiring, begun, origin=visit.origin, now=visit.now)
        return Commit(entered, rows)

    return await sign_in_steps.commit(door, work)


def waiting(door: Door, begun: Progress, *, visit: Visit) -> list[tuple[str, str, str]]:
    """Return the id, the reason and the state, such as `waiting`, of the last requests to sign in as this root."""
    with door.snapshot() as db:
        rows = sessions.latest_of_acted(db, begun.person.account_id, limit=50)
        mine = [row for row in rows if row.action == sealed_acts.SIGN_IN and visit.now < row.expires_at][:_SHOWN]
        found = approval_standing.of_each(db, mine)
        return [(row.session_id, row.reason, proving.state_of(found[row.session_id], row, now=visit.now)) for row in mine]


def _recorded(call: Call) -> EventRow:
    return events.of(call.principal, call.origin, call.now, "RequestApproval", additional=call.notes.additional)
