"""Root's password: chosen by a one-time link, at first or when it is forgotten; and what its change by root itself shares."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from crownkeep import clock
from crownkeep.credentials import one_time_links as links
from crownkeep.credentials import passwords
from crownkeep.credentials.one_time_links import InvalidLink, LinkPurpose
from crownkeep.credentials.secret import Secret
from crownkeep.operations.call import Wiring
from crownkeep.operations.invoke import Door
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.signin import admissions, browsers, entry, events, password_rules, people, progress, sign_in_steps, throttle
from crownkeep.signin.entry import Entered, Visit
from crownkeep.signin.password_rules import Assessment
from crownkeep.storage.accounts import accounts
from crownkeep.storage.accounts.accounts import AccountRow
from crownkeep.storage.database import Transaction
from crownkeep.storage.sign_in import one_time_links
from crownkeep.storage.writer import Commit

_EVENTS = {LinkPurpose.SET_ROOT_PASSWORD: "PasswordUpdated", LinkPurpose.RESET_ROOT_PASSWORD: "PasswordRecoveryCompleted"}

WRONG_PRESENT = "The present password was incorrect."


@dataclass(frozen=True, slots=True)
class PasswordRefused:
    """The password is not taken, and why."""

    assessment: Assessment


def account_of_link(db: Transaction, token: str, purpose: LinkPurpose, *, now: datetime) -> AccountRow:
    """Return the open account that a link is for, without using it up: mail scanners follow links. Raises InvalidLink."""
    row = one_time_links.with_digest(db, links.digest_of(token, purpose))
    if row is None:
        raise InvalidLink
    links.check(expires_at=row.expires_at, spent_at=None, now=now)
    account = accounts.with_id(db, row.account_id)
    root = people.root_of(account)
    if account is None or root is None:
        raise InvalidLink
    if row.credential_version is not None and people.credentials(db, root).version != row.credential_version:
        # Root's password or devices changed after the link was asked for: whoever holds it may be who was locked out by that.
        raise InvalidLink
    return account


def look(door: Door, token: str, purpose: LinkPurpose, *, now: datetime) -> AccountRow:
    """Return the same, for the page that the link leads to; raises InvalidLink."""
    with door.snapshot() as db:
        return account_of_link(db, token, purpose, now=now)


def account_of_any_link(door: Door, token: str, *, now: datetime) -> AccountRow | None:
    """Return the open account that a link of either kind is for; None where it is none."""
    for purpose in _EVENTS:
        try:
            return look(door, token, purpose, now=now)
        except InvalidLink:
            continue
    return None


async def choose(door: Door, visit: Visit, token: str, password: Secret, *, purpose: LinkPurpose) -> Entered | PasswordRefused:
    """Set root's password by a link and go on as its owner; raises InvalidLink for one that is used, expired or none at all.

    Every session of root ends, and every other link for its password is void. Its MFA devices stay and are asked for.
    """
    wiring, now = door.wiring, visit.now
    with door.snapshot() as db:
        account = account_of_link(db, token, purpose, now=now)
    found = await door.compute(lambda: assess(wiring, password, account))
    if found.violations:
        return PasswordRefused(found)
    password_hash = await door.compute(lambda: hashed(wiring, password, account))

    def work(db: Transaction) -> Commit[Entered | InvalidLink]:
        try:
            accounts.hold(db, account.account_id)
            kept = account_of_link(db, token, purpose, now=now)
        except InvalidLink as error:
            return Commit(error, [])
        person = Principal(PrincipalKind.ROOT, kept.account_id, kept.account_id)
        if not admissions.may_recover_password(db, person, now=now):
            return Commit(InvalidLink(), [])
        set_password(db, person, password_hash, now=now)
        claim = entry.root_claim(kept.email, person)
        browser = browsers.proof(wiring.keyring, visit.browsers, claim.name)
        used = throttle.counters(wiring.keyring, wiring.settings, claim, address=visit.origin.source_ip, browser=browser)
        throttle.clear(db, used, now=now)
        updated = events.of(person, visit.origin, now, _EVENTS[purpose])
        version = people.credentials(db, person).version
        begun = progress.begin(person, version, claim=claim, browser=browser, to=visit.to, now=now)
        entered, rows = progress.proceed(db, wiring, begun, origin=visit.origin, now=now)
        return Commit(entered, [updated, *rows])

    entered = await sign_in_steps.commit(door, work)
    if isinstance(entered, InvalidLink):
        raise entered
    return entered


async def assessment(door: Door, person: Principal, password: Secret) -> Assessment | None:
    """Return how a password does as root's, for a page that asks for a better one; None where the account is gone."""
    with door.snapshot() as db:
        account = accounts.with_id(db, person.account_id)
    return None if account is None else await door.compute(lambda: assess(door.wiring, password, account))


def set_password(db: Transaction, person: Principal, password_hash: str, *, now: datetime) -> None:
    """Put root's new password in its place; every link for it is void, and every session of root ends by the new version."""
    account = accounts.with_id(db, person.account_id)
    version = account.root_credential_version + 1 if account else 1
    accounts.change(
        db,
        person.account_id,
        root_password_hash=password_hash,
        root_password_changed_at=now,
        root_credential_version=version % (1 << 31),
    )
    for purpose in _EVENTS:
        one_time_links.remove_all(db, person.account_id, purpose=purpose)


def assess(wiring: Wiring, password: Secret, account: AccountRow) -> Assessment:
    """Hold a password to the rules for root; takes some milliseconds."""
    return password_rules.assess_for_root(wiring, password, account_name=account.name, email=account.email)


def hashed(wiring: Wiring, password: Secret, account: AccountRow) -> str:
    """Hash a new password of root, with the salt of the present one: slow on purpose."""
    stored = account.root_password_hash
    salt = passwords.salt_of(stored) if stored else clock.token_bytes(passwords.SALT_SIZE)
    return passwords.hash_password(password, salt=salt, cost=entry.cost(wiring))
