"""Presence: a fresh proof, by factor or by password, that whoever sits at a signed-in browser is still its person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from crownkeep import arn
from crownkeep.credentials import passwords
from crownkeep.credentials.secret import Secret
from crownkeep.operations.call import Origin, Wiring
from crownkeep.operations.invoke import Door
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.signin import entry, events, factors, pending, people, progress, sessions, sign_in_steps, throttle
from crownkeep.signin.factors import Answer, Rejected, Rejection
from crownkeep.signin.flow import Method
from crownkeep.signin.pending import Pending
from crownkeep.signin.sessions import BrowserSession, SessionBinding
from crownkeep.signin.throttle import Claim, Counter, Scope, Waiting
from crownkeep.storage.accounts import accounts
from crownkeep.storage.database import Transaction
from crownkeep.storage.trail.events import EventRow
from crownkeep.storage.writer import Commit


@dataclass(frozen=True, slots=True)
class Proved:
    """The outcome for a person who has just proved, by a factor of theirs, that it is they who use the session."""


def methods(door: Door, session: BrowserSession) -> tuple[Method, ...]:
    """Return the factors that a session's person may prove presence with; the password where there is none."""
    with door.snapshot() as db:
        return progress.methods_of(db, session.person, people.credentials(db, session.person))


async def prove_by_factor(
    door: Door, session: BrowserSession, answer: Answer, *, challenge: Pending | None, origin: Origin, now: datetime
) -> Proved | Rejected | Waiting:
    """Prove presence by a second factor, under the limits of sign-in."""
    wiring, person = door.wiring, sessions.recorded(session.person)
    used = counters(door, session, origin)
    # Counted before it is verified, and apart from sign-in: see `claim_of`.
    waiting = await sign_in_steps.commit(door, lambda db: Commit(throttle.reserve(db, used, now=now), []))
    if waiting is not None:
        return waiting
    checked = await factors.check(door, person, answer, challenge.challenge if challenge else b"")
    binding = SessionBinding(session)

    def work(db: Transaction) -> Commit[Proved | Rejected]:
        accounts.hold(db, person.account_id)
        known = progress.methods_of(db, person, people.credentials(db, person))
        is_unspent = challenge is None or pending.claim(db, challenge)
        # A session that has ended meanwhile must not become fresh again.
        if not binding.holds(db) or not is_unspent:
            return Commit(Rejected(Rejection.WRONG), [])
        verified = factors.verify(db, wiring, person, answer, checked, origin=origin, now=now, methods=known)
        if isinstance(verified, Rejected):
            waits = entry.throttled(db, claim_of(session.person), person, used, origin=origin, now=now)
            return Commit(verified, [_failed(person, origin, now), *waits])
        throttle.release(db, used)
        sessions.prove(db, session, now=now, mfa_serial=verified.serial)
        return Commit(Proved(), [*verified.rows, events.check_mfa(person, origin, now, (verified.method,))])

    return await sign_in_steps.commit(door, work)


async def prove_by_password(
    door: Door, session: BrowserSession, password: Secret, *, origin: Origin, now: datetime
) -> Proved | Rejected | Waiting:
    """Prove presence by the password, where the person has no factor."""
    person, used = sessions.recorded(session.person), counters(door, session, origin)
    waiting = await sign_in_steps.commit(door, lambda db: Commit(throttle.reserve(db, used, now=now), []))
    if waiting is not None:
        return waiting
    with door.snapshot() as db:
        found = people.credentials(db, person)
    stored = found.password_hash
    # Argon2 runs outside of the transaction, whose lock would keep the whole account waiting.
    is_right = await door.compute(lambda: stored is not None and passwords.verify(password, stored))

    def work(db: Transaction) -> Commit[Proved | Rejected]:
        # A device that was enrolled meanwhile makes the password too little: then it is that device that must be shown.
        is_theirs = is_right and not found.devices and people.credentials(db, person).version == found.version
        if not is_theirs or not SessionBinding(session).holds(db):
            waits = entry.throttled(db, claim_of(session.person), person, used, origin=origin, now=now)
            return Commit(Rejected(Rejection.WRONG), [_failed(person, origin, now), *waits])
        throttle.release(db, used)
        sessions.prove(db, session, now=now, mfa_serial=None)
        return Commit(Proved(), [events.of(person, origin, now, "CheckPassword")])

    return await sign_in_steps.commit(door, work)


def counters(door: Door, session: BrowserSession, origin: Origin) -> tuple[Counter, ...]:
    """Return what counts the tries that somebody makes within a session to prove who they are."""
    return counters_of(door.wiring, session.person, origin)


def counters_of(wiring: Wiring, person: Principal, origin: Origin) -> tuple[Counter, ...]:
    """Return what counts the tries of whoever acts as a person already, by a session or a key: by the person alone.

    Strangers who fail at the same address must not delay whoever has signed in.
    """
    counted = throttle.counters(wiring.keyring, wiring.settings, claim_of(person), address=origin.source_ip)
    return tuple(each for each in counted if each.scope is Scope.PERSON)


def waiting(door: Door, session: BrowserSession, *, origin: Origin, now: datetime) -> Waiting | None:
    """Return how long a session's person must wait to prove presence again; None where there is no wait."""
    with door.snapshot() as db:
        begun = throttle.started(db, counters(door, session, origin), now=now)
    return None if begun is None else Waiting(begun[1])


def claim_of(person: Principal) -> Claim:
    """Return who is claimed to be there by whoever acts as a person already."""
    # Counted apart from sign-in: strangers at the door must not disturb whoever is inside, nor the other way round.
    is_root = person.kind is PrincipalKind.ROOT
    return Claim(f"presence {arn.root(person.account_id)} {person.unique_id}", person.account_id, is_root)


def _failed(person: Principal, origin: Origin, now: datetime) -> EventRow:
    return events.of(person, origin, now, "CheckMfa", response={"CheckMfa": "Failure"})
