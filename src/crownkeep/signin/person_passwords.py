"""Passwords of people of single sign-on, chosen by a mailed link: the first one, and a new one after it was forgotten.

Whether somebody is known can't be told from the answer, nor from its time, as for root (`signin.recovery`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from crownkeep import clock
from crownkeep.credentials import imported_hashes, password_policy, passwords
from crownkeep.credentials import one_time_links as links
from crownkeep.credentials.one_time_links import InvalidLink, LinkPurpose
from crownkeep.credentials.secret import Secret
from crownkeep.operations.call import Origin, Wiring
from crownkeep.operations.invoke import Door
from crownkeep.operations.notices import Notice
from crownkeep.operations.record import NOBODY
from crownkeep.principals import Principal
from crownkeep.signin import (
    browsers,
    entry,
    events,
    password_rules,
    people,
    person_notices,
    progress,
    recovery,
    sign_in_steps,
    throttle,
)
from crownkeep.signin.entry import Entered, Visit
from crownkeep.signin.password_rules import Assessment
from crownkeep.signin.recovery import Asked
from crownkeep.signin.root_passwords import PasswordRefused
from crownkeep.storage.accounts import accounts
from crownkeep.storage.database import Transaction
from crownkeep.storage.sign_in import browser_sessions, one_time_links
from crownkeep.storage.sign_in.one_time_links import OneTimeLinkRow
from crownkeep.storage.single_sign_on import directory_users, person_credentials
from crownkeep.storage.single_sign_on.directory_users import DirectoryUserRow
from crownkeep.storage.single_sign_on.person_credentials import PersonCredentialsRow
from crownkeep.storage.trail.events import EventRow
from crownkeep.storage.writer import Commit

_REQUESTED, _CHOSEN = "PasswordRecoveryRequested", "PasswordRecoveryCompleted"
_PURPOSE = LinkPurpose.SET_PERSON_PASSWORD
_VERSIONS = 1 << 31
_REMEMBERED = 2
"""Passwords before the present one that may not come again: three with it, as in IAM Identity Center's directory."""


@dataclass(frozen=True, slots=True)
class ChosenPassword:
    """A new password as it was judged, and its hash where nothing is wrong with it."""

    found: Assessment
    hashed: str


@dataclass(frozen=True, slots=True)
class Linked:
    """Whom a link is for, and where they sign in."""

    person: Principal
    user: DirectoryUserRow
    start: str
    """The identity store, by which the start URL is made."""


def start_path(store_id: str) -> str:
    """Return the path of a start URL."""
    return f"/start/{store_id}"


def store_at(door: Door, start: str) -> str:
    """Return the identity store that a start URL names, by the instance's id or its own; as it is given where there is none."""
    if not start.startswith("ssoins-"):
        return start
    with door.snapshot() as db:
        instance = people.instance_named(db, start)
    return start if instance is None else instance.identity_store_id


async def request(door: Door, *, start: str, name: str, origin: Origin, now: datetime) -> Asked:
    """Mail a link to whoever has this user name at a start URL; raises Throttling and ServiceUnavailable.

    Who has a password already gets one only at an address that is known to be theirs, by a link that they used.
    """
    return await recovery.unhurried(door, lambda db: _request(db, door.wiring, start, name.strip(), origin, now))


def look(door: Door, token: str, *, now: datetime) -> Linked:
    """Return whom a link is for, without using it up; raises InvalidLink."""
    with door.snapshot() as db:
        return _linked(db, token, now=now)


async def choose(door: Door, visit: Visit, token: str, password: Secret) -> Entered | PasswordRefused:
    """Set a person's password by a link and go on as them; raises InvalidLink for one that is used, expired or none at all.

    Every session of theirs ends, with whatever was taken in it. Their MFA devices stay and are asked for.
    """
    wiring, now = door.wiring, visit.now
    with door.snapshot() as db:
        linked = _linked(db, token, now=now)
        before = person_credentials.of_owner(db, linked.person.account_id, linked.person.unique_id)
    chosen = await door.compute(lambda: prepare(wiring, password, linked.user, before))
    if chosen.found.violations:
        return PasswordRefused(chosen.found)

    def work(db: Transaction) -> Commit[Entered | InvalidLink]:
        try:
            accounts.hold(db, linked.person.account_id)
            kept = _linked(db, token, now=now)
        except InvalidLink as error:
            return Commit(error, [])
        set_password(db, kept.person, chosen.hashed, now=now, verified_email=kept.user.email_key)
        person_notices.password_changed(db, wiring, kept.user, visit.origin, now=now)
        claim = entry.person_claim(kept.start, kept.user.user_name, kept.person.account_id)
        browser = browsers.proof(wiring.keyring, visit.browsers, claim.name)
        used = throttle.counters(wiring.keyring, wiring.settings, claim, address=visit.origin.source_ip, browser=browser)
        throttle.clear(db, used, now=now)
        updated = events.of(kept.person, visit.origin, now, _CHOSEN, additional={"UserName": kept.user.user_name})
        version = people.credentials(db, kept.person).version
        begun = progress.begin(kept.person, version, claim=claim, browser=browser, to=visit.to, now=now)
        entered, rows = progress.proceed(db, wiring, begun, origin=visit.origin, now=now)
        return Commit(entered, [updated, *rows])

    entered = await sign_in_steps.commit(door, work)
    if isinstance(entered, InvalidLink):
        raise entered
    return entered


def prepare(wiring: Wiring, password: Secret, user: DirectoryUserRow, before: PersonCredentialsRow | None) -> ChosenPassword:
    """Hold a new password to the rules, its person's last ones among them, and hash it; slow, so before the transaction."""
    found = password_rules.assess_for_person(wiring, password, known=(user.user_name, user.email_key or ""))
    if found.violations:
        return ChosenPassword(found, "")
    # All passwords of a person share a salt, so that one computation tells whether the new one was used before.
    past = [each for each in (() if before is None else (before.password_hash, *before.history)) if _is_own(each)]
    salt = passwords.salt_of(past[0]) if past else clock.token_bytes(passwords.SALT_SIZE)
    hashed = passwords.hash_password(password, salt=salt, cost=entry.cost(wiring))
    if passwords.is_remembered(password, hashed, past):
        return ChosenPassword(replace(found, violations=(password_policy.REUSED,)), "")
    return ChosenPassword(found, hashed)


def set_password(
    db: Transaction,
    person: Principal,
    password_hash: str,
    *,
    now: datetime,
    verified_email: str | None = None,
    reset_required: bool = False,
    but: bytes = b"",
) -> None:
    """Put a person's new password in its place; every link for it is void, and every session but one ends."""
    before = person_credentials.of_owner(db, person.account_id, person.unique_id)
    row = PersonCredentialsRow(
        owner_id=person.unique_id,
        account_id=person.account_id,
        password_hash=password_hash,
        changed_at=now,
        reset_required=reset_required,
        credential_version=int.from_bytes(clock.token_bytes(4)) % _VERSIONS,
        verified_email=verified_email or (before.verified_email if before is not None else None),
        history=() if before is None else tuple(filter(_is_own, (before.password_hash, *before.history)))[:_REMEMBERED],
    )
    person_credentials.put(db, row)
    browser_sessions.end_others(db, person.account_id, person.unique_id, but=but, at=now)
    one_time_links.remove_of(db, person.account_id, person.unique_id, purpose=_PURPOSE)


def _request(db: Transaction, wiring: Wiring, start: str, name: str, origin: Origin, now: datetime) -> Commit[Asked]:
    from_address = recovery.count(db, wiring, "address", throttle.network(origin.source_ip), now=now)
    if from_address > recovery.MOST_FOR_ADDRESS:
        is_first = from_address == recovery.MOST_FOR_ADDRESS + 1
        return Commit(Asked.TOO_OFTEN, [_event(None, origin, now, "Rate exceeded")] if is_first else [])
    instance = people.instance_named(db, start)
    user = None if instance is None else directory_users.named(db, instance.identity_store_id, name)
    if user is not None and not _may_have_link(db, user):
        user = None
    person = None if instance is None or user is None else people.person_of(instance, user)
    claimed = f"{instance.identity_store_id if instance else start.lower()[:64]}/{name.lower()[:128]}"
    to_person = recovery.count(db, wiring, "person's password link", claimed, now=now)
    if to_person > recovery.MOST_FOR_EMAIL:
        is_first = to_person == recovery.MOST_FOR_EMAIL + 1
        return Commit(Asked.ANSWERED, [_event(person, origin, now, "Rate exceeded")] if is_first else [])
    post(db, wiring, person, start, user, origin, now)
    return Commit(Asked.ANSWERED, [_event(person, origin, now, "" if person is not None else "No such person")])


def _may_have_link(db: Transaction, user: DirectoryUserRow) -> bool:
    if not user.is_active:
        return False
    kept = person_credentials.of_owner(db, user.account_id, UUID(user.user_id).hex)
    return kept is None or kept.verified_email == user.email_key


def post(
    db: Transaction,
    wiring: Wiring,
    person: Principal | None,
    start: str,
    user: DirectoryUserRow | None,
    origin: Origin,
    now: datetime,
) -> None:
    """Mail a link, or for somebody unknown write the same rows, and mail nothing."""
    one_time_links.forget(db, purpose=_PURPOSE, before=now)
    link = links.mint(_PURPOSE, clock.token_bytes(links.TOKEN_ENTROPY), now=now)
    account_id, owner_id = (person.account_id, person.unique_id) if person is not None else (NOBODY, "")
    version = _version(db, person, user) if person is not None and user is not None else b""
    one_time_links.add(db, OneTimeLinkRow(link.digest, account_id, _PURPOSE, now, link.expires_at, version, owner_id))
    values = {
        "account_id": account_id,
        "address": origin.source_ip,
        "link": f"{wiring.settings.url}{start_path(start[:64])}/set-password?token={link.token.reveal()}",
        "name": user.user_name if user is not None else "",
        "until": recovery.spelled(link.expires_at),
    }
    recipient = person_notices.email_of(user) if user is not None else ""
    wiring.outbox.send(db, Notice("person-password-link", recipient, account_id, now, values))


def _version(db: Transaction, person: Principal, user: DirectoryUserRow) -> bytes:
    """Return what a link holds for: the credentials as they are, and the address that it goes to."""
    address = (user.email_key or "").encode()
    return hashlib.sha256(people.credentials(db, person).version + address).digest()


def _is_own(stored: str) -> bool:
    """Tell whether a hash is one that we made: those that came with somebody from elsewhere have salts of their own kind."""
    return not imported_hashes.is_imported(stored)


def _linked(db: Transaction, token: str, *, now: datetime) -> Linked:
    row = one_time_links.with_digest(db, links.digest_of(token, _PURPOSE))
    if row is None or not row.owner_id:
        raise InvalidLink
    links.check(expires_at=row.expires_at, spent_at=None, now=now)
    instance = people.instance_of(db, row.account_id)
    if instance is None:
        raise InvalidLink
    user = directory_users.with_id(db, instance.identity_store_id, people.person_id(row.owner_id))
    if user is None or not user.is_active:
        raise InvalidLink
    person = people.person_of(instance, user)
    if _version(db, person, user) != row.credential_version:
        # The password, a device or the address changed after the link was asked for: whoever holds it may be who was locked out
        # by that.
        raise InvalidLink
    return Linked(person, user, instance.identity_store_id)


def _event(person: Principal | None, origin: Origin, now: datetime, fault: str) -> EventRow:
    response = {_REQUESTED: "Failure" if fault else "Success"}
    return events.of(person, origin, now, _REQUESTED, response=response, message=fault)
