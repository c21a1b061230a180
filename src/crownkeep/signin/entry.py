"""Entry: a name and a password, verified at the same cost and answered in the same words whether the name is known or not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from crownkeep import clock
from crownkeep.credentials import imported_hashes, passwords
from crownkeep.credentials.passwords import Cost
from crownkeep.credentials.secret import Secret
from crownkeep.operations.call import Origin, Wiring
from crownkeep.operations.invoke import Door
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.signin import browsers, events, password_rules, people, person_events, progress, sign_in_steps, throttle
from crownkeep.signin.people import Credentials
from crownkeep.signin.progress import Arrived, Expired, Next, Wrong
from crownkeep.signin.throttle import Claim, Counter, Waiting
from crownkeep.storage.database import Transaction
from crownkeep.storage.single_sign_on import directory_users, person_credentials
from crownkeep.storage.trail.events import EventRow
from crownkeep.storage.writer import Commit
from crownkeep.translation import gettext_noop

INCORRECT = gettext_noop("Your authentication information is incorrect. Please try again.")
"""What AWS answers to everything that is wrong."""

Entered = Next | Arrived | Expired | Wrong | Waiting

WRONG_AFTER_SECONDS = 1.0
"""After how long a wrong password is answered at least, where hashes came from elsewhere: longer than any scheme takes."""

_LONGEST_NAME = 254
_LONGEST_PASSWORD = 128


@dataclass(frozen=True, slots=True)
class Visit:
    """From where, when, with which known browser and on the way to which page somebody signs in."""

    origin: Origin
    now: datetime
    to: str
    browsers: str = ""
    """The cookie of `signin.browsers`."""


@dataclass(frozen=True, slots=True)
class Found:
    """Who somebody claims to be, and what that person has to sign in with; None where nobody is."""

    claim: Claim
    person: Principal | None
    credentials: Credentials | None


async def enter_as_root(door: Door, visit: Visit, *, email: str, password: Secret) -> Entered:
    """Sign in as the root user of the account with this e-mail address."""
    with door.snapshot() as db:
        person = people.root_with_email(db, email.strip()[:_LONGEST_NAME])
        found = _found(db, root_claim(email, person), person)
    return await _enter(door, visit, found, password)


async def enter_as_user(door: Door, visit: Visit, *, account: str, name: str, password: Secret) -> Entered:
    """Sign in as the user of this name in the account with this id or alias."""
    with door.snapshot() as db:
        account_id = people.account_named(db, account.strip()[:_LONGEST_NAME])
        person = people.user_named(db, account_id, name[:_LONGEST_NAME]) if account_id else None
        claim = Claim(f"{account_id or account.strip().lower()}/{name.lower()}"[: 2 * _LONGEST_NAME], account_id or "")
        found = _found(db, claim, person)
    return await _enter(door, visit, found, password)


async def enter_as_person(door: Door, visit: Visit, *, start: str, name: str, password: Secret) -> Entered:
    """Sign in as the person with this user name, of the instance of single sign-on that a start URL names."""
    with door.snapshot() as db:
        instance = people.instance_named(db, start[:_LONGEST_NAME])
        user = directory_users.named(db, instance.identity_store_id, name.strip()[:_LONGEST_NAME]) if instance else None
        person = people.person_of(instance, user) if instance is not None and user is not None and user.is_active else None
        store_id, account_id = (instance.identity_store_id, instance.account_id) if instance is not None else (start, "")
        found = _found(db, person_claim(store_id, name.strip(), account_id), person)
        has_imported = person_credentials.has_hash_like(db, account_id, imported_hashes.MARK)
    began = clock.monotonic()
    entered = await _enter(door, visit, found, password)
    if has_imported and isinstance(entered, Wrong):
        # Other schemes take another time than ours, which would tell names that were imported from such that nobody has.
        await sign_in_steps.wait_since(began, WRONG_AFTER_SECONDS)
    return entered


def person_claim(store_id: str, name: str, account_id: str) -> Claim:
    """Return the claim to be a person of single sign-on."""
    return Claim(f"{store_id.lower()}/{name.lower()}"[: 2 * _LONGEST_NAME], account_id, is_persons=True)


def root_claim(email: str, person: Principal | None) -> Claim:
    """Return the claim to be the root user with an e-mail address."""
    return Claim(email.strip().lower()[:_LONGEST_NAME], person.account_id if person else "", is_root=True)


def cost(wiring: Wiring) -> Cost:
    """Return what one Argon2id computation takes, by the settings."""
    settings = wiring.settings
    return Cost(settings.argon2_memory_kib, settings.argon2_iterations, settings.argon2_lanes)


async def _enter(door: Door, visit: Visit, found: Found, password: Secret) -> Entered:
    """Verify a password. The order matters, and an unknown name goes through all of it as a known one does."""
    wiring, now = door.wiring, visit.now
    browser = browsers.proof(wiring.keyring, visit.browsers, found.claim.name)
    used = throttle.counters(wiring.keyring, wiring.settings, found.claim, address=visit.origin.source_ip, browser=browser)
    # 1. Count the attempt, or refuse it unseen.
    waiting = await sign_in_steps.commit(door, lambda db: Commit(throttle.reserve(db, used, now=now), []))
    if waiting is not None:
        return waiting
    return await verify(door, visit, found, used, browser, password)


async def verify(door: Door, visit: Visit, found: Found, used: tuple[Counter, ...], browser: str, password: Secret) -> Entered:
    """Verify a password of which an attempt was counted, and go on with the sign-in where it is right."""
    wiring = door.wiring
    # 2. One Argon2 computation in the small pool, whatever the name; a second where a right password's hash has another cost.
    compared = await door.compute(lambda: _compare(wiring, password, found, cost(wiring)))
    # 3. What came of it and its record, in one transaction.
    if not compared.is_right:
        return await sign_in_steps.commit(door, lambda db: Commit(Wrong(), _failure(db, wiring, visit, found, used)))
    return await sign_in_steps.commit(door, lambda db: _success(db, wiring, visit, found, used, browser, compared))


@dataclass(frozen=True, slots=True)
class _Compared:
    """Whether a password is right and, where its hash was made at another cost than today's, its hash at today's."""

    is_right: bool
    renewed: str | None = None
    is_weak: bool = False
    """Whether it came from another directory, and would not be taken here: its person chooses another one at once."""


def _compare(wiring: Wiring, password: Secret, found: Found, today: Cost) -> _Compared:
    stored = found.credentials.password_hash if found.credentials else None
    if stored is None or len(password.reveal()) > _LONGEST_PASSWORD:
        return _Compared(passwords.verify_absent(password, cost=today))
    is_right = passwords.verify(password, stored)
    if not is_right or not passwords.needs_rehash(stored, today):
        return _Compared(is_right)
    if imported_hashes.is_imported(stored):
        salt = clock.token_bytes(passwords.SALT_SIZE)
        renewed = passwords.hash_password(password, salt=salt, cost=today)
        known = (found.person.name if found.person is not None else "", "")
        is_weak = bool(password_rules.assess_for_person(wiring, password, known=known).violations)
        return _Compared(is_right, renewed, is_weak=is_weak)
    # With the salt that it has: a person's passwords share one, so that reuse is found by one computation.
    return _Compared(is_right, passwords.hash_password(password, salt=passwords.salt_of(stored), cost=today))


def _success(
    db: Transaction, wiring: Wiring, visit: Visit, found: Found, used: tuple[Counter, ...], browser: str, compared: _Compared
) -> Commit[Entered]:
    person, credentials = found.person, found.credentials
    kept = people.credentials(db, person) if person else None
    if person is None or credentials is None or kept is None or kept.version != credentials.version:
        # The password was changed while it was being verified.
        return Commit(Wrong(), _failure(db, wiring, visit, found, used))
    throttle.release(db, used)
    if compared.renewed is not None and credentials.password_hash is not None:
        people.renew_hash(db, person, old=credentials.password_hash, new=compared.renewed)
    if compared.is_weak:
        person_credentials.require_reset(db, person.account_id, person.unique_id)
        kept = replace(kept, reset_required=True)
    begun = progress.begin(person, credentials.version, claim=found.claim, browser=browser, to=visit.to, now=visit.now)
    proved = []
    if person.kind is PrincipalKind.PERSON:
        proved = [person_events.verified(person, visit.origin, visit.now, None, workflow=begun.workflow)]
    entered, rows = progress.proceed(db, wiring, begun, origin=visit.origin, now=visit.now, found=kept)
    return Commit(entered, [*proved, *rows])


def _failure(db: Transaction, wiring: Wiring, visit: Visit, found: Found, used: tuple[Counter, ...]) -> list[EventRow]:
    to = f"{wiring.settings.url}{visit.to}"
    if found.person is None and found.claim.is_persons:
        failed = person_events.refused_unknown(found.claim.account_id, events.HIDDEN, visit.origin, visit.now)
    elif found.person is not None and found.person.kind is PrincipalKind.PERSON:
        workflow = person_events.new_workflow()
        failed = person_events.refused(found.person, visit.origin, visit.now, None, workflow=workflow)
    elif found.person is None:
        failed = events.unknown_login(found.claim.account_id, visit.origin, visit.now, to=to)
    else:
        failed = events.failed_login(found.person, visit.origin, visit.now, to=to)
    return [failed, *throttled(db, found.claim, found.person, used, origin=visit.origin, now=visit.now)]


def throttled(
    db: Transaction, claim: Claim, person: Principal | None, used: tuple[Counter, ...], *, origin: Origin, now: datetime
) -> list[EventRow]:
    """Return the record that a failure has begun to make somebody wait, where it has."""
    begun = throttle.started(db, used, now=now)
    if begun is None:
        return []
    scope, wait = begun
    seconds = -(-wait // timedelta(seconds=1))
    return [events.throttled(claim.account_id, person, origin, now, scope=scope.value, seconds=seconds)]


def _found(db: Transaction, claim: Claim, person: Principal | None) -> Found:
    return Found(claim, person, people.credentials(db, person) if person else None)
