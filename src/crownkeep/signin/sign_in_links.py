"""Links for a root user whom strangers' failures make wait: mailed to root, good for one try in the browser that asked.

Whoever guesses in root's name from elsewhere makes every browser wait that root has not used before. Such a link is the way
around: it admits one try of the password, and then the second factor as ever. Whether an address is known can't be told from the
answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from crownkeep import clock
from crownkeep.credentials import one_time_links as links
from crownkeep.credentials.one_time_links import InvalidLink, LinkPurpose
from crownkeep.credentials.secret import Secret
from crownkeep.operations.call import Origin, Wiring
from crownkeep.operations.invoke import Door
from crownkeep.operations.notices import Notice
from crownkeep.principals import Principal
from crownkeep.signin import entry, events, people, recovery, sign_in_steps, throttle
from crownkeep.signin.entry import Entered, Found, Visit
from crownkeep.signin.recovery import Asked
from crownkeep.storage.accounts import accounts
from crownkeep.storage.database import Transaction
from crownkeep.storage.sign_in import one_time_links
from crownkeep.storage.sign_in.one_time_links import OneTimeLinkRow
from crownkeep.storage.trail.events import EventRow
from crownkeep.storage.writer import Commit

PATH = "/signin/step/once"
"""The page that a mailed link opens."""

MOST_FOR_EMAIL = 6
"""Links to one e-mail address within `recovery.SPAN`."""

MOST_FROM_NETWORK = 2
"""Of these, links that one network may ask for, so that strangers at one place don't use up all."""

_REQUESTED, _USED = "SignInLinkRequested", "SignInLinkUsed"


@dataclass(frozen=True, slots=True)
class _Admitted:
    """A link that was just spent, by its digest, and whom it is for."""

    digest: bytes
    found: Found


async def request(door: Door, email: str, *, browser: str, origin: Origin, now: datetime) -> Asked:
    """Mail a link to root, good in the browser that keeps this random value; raises Throttling and ServiceUnavailable."""
    return await recovery.unhurried(door, lambda db: _request(db, door.wiring, email.strip(), browser, origin, now))


def is_good(door: Door, token: str, *, browser: str, now: datetime) -> bool:
    """Tell whether a link admits a try in this browser; looking does not use it up: mail scanners follow links."""
    try:
        digest = links.bound(links.digest_of(token, LinkPurpose.SIGN_IN_ONCE), browser)
    except InvalidLink:
        return False
    with door.snapshot() as db:
        return _admitted(db, digest, now) is not None


async def enter(door: Door, visit: Visit, token: str, password: Secret, *, browser: str) -> Entered:
    """Try root's password by a link, whoever else has failed; raises InvalidLink for one that is not good here.

    The link is used up whether the password is right or not. What follows, such as the second factor, is counted for this link's
    browser alone.
    """
    digest = links.bound(links.digest_of(token, LinkPurpose.SIGN_IN_ONCE), browser)
    admitted = await sign_in_steps.commit(door, lambda db: _spend(db, digest, visit))
    if admitted is None:
        raise InvalidLink
    found, wiring = admitted.found, door.wiring
    marked = f"link {admitted.digest.hex()}"
    used = throttle.counters(wiring.keyring, wiring.settings, found.claim, address=visit.origin.source_ip, browser=marked)
    return await entry.verify(door, visit, found, used, marked, password)


def _request(db: Transaction, wiring: Wiring, email: str, browser: str, origin: Origin, now: datetime) -> Commit[Asked]:
    network = throttle.network(origin.source_ip)
    from_address = recovery.count(db, wiring, "address", network, now=now)
    if from_address > recovery.MOST_FOR_ADDRESS:
        return Commit(Asked.TOO_OFTEN, _refusal(None, origin, now) if from_address == recovery.MOST_FOR_ADDRESS + 1 else [])
    account = accounts.with_email(db, email) if email else None
    person = recovery.recoverable(db, account)
    from_network = recovery.count(db, wiring, "sign-in link", f"{network} {email.lower()}", now=now)
    if from_network > MOST_FROM_NETWORK:
        return Commit(Asked.ANSWERED, _refusal(person, origin, now) if from_network == MOST_FROM_NETWORK + 1 else [])
    to_email = recovery.count(db, wiring, "sign-in link", email.lower(), now=now)
    if to_email > MOST_FOR_EMAIL:
        return Commit(Asked.ANSWERED, _refusal(person, origin, now) if to_email == MOST_FOR_EMAIL + 1 else [])
    recipient = account.email if account is not None and person is not None else ""
    _post(db, wiring, person or recovery.STRANGER, recipient, browser, origin, now)
    if person is None:
        failed = {_REQUESTED: "Failure"}
        return Commit(Asked.ANSWERED, [events.of(None, origin, now, _REQUESTED, response=failed, message="No such account")])
    return Commit(Asked.ANSWERED, [events.of(person, origin, now, _REQUESTED)])


def _post(
    db: Transaction, wiring: Wiring, person: Principal, recipient: str, browser: str, origin: Origin, now: datetime
) -> None:
    purpose = LinkPurpose.SIGN_IN_ONCE
    one_time_links.forget(db, purpose=purpose, before=now)
    link = links.mint(purpose, clock.token_bytes(links.TOKEN_ENTROPY), now=now)
    version = people.credentials(db, person).version
    digest = links.bound(link.digest, browser)
    one_time_links.add(db, OneTimeLinkRow(digest, person.account_id, purpose, now, link.expires_at, version))
    values = {
        "account_id": person.account_id,
        "address": origin.source_ip,
        "link": f"{wiring.settings.url}{PATH}?token={link.token.reveal()}",
        "until": recovery.spelled(link.expires_at),
    }
    wiring.outbox.send(db, Notice("sign-in-link", recipient, person.account_id, now, values))


def _spend(db: Transaction, digest: bytes, visit: Visit) -> Commit[_Admitted | None]:
    found = _admitted(db, digest, visit.now)
    if found is None or found.person is None or not one_time_links.spend(db, digest):
        return Commit(None, [])
    return Commit(_Admitted(digest, found), [events.of(found.person, visit.origin, visit.now, _USED)])


def _admitted(db: Transaction, digest: bytes, now: datetime) -> Found | None:
    row = one_time_links.with_digest(db, digest)
    account = accounts.with_id(db, row.account_id) if row is not None else None
    person = people.root_of(account)
    if row is None or account is None or person is None or row.purpose is not LinkPurpose.SIGN_IN_ONCE or now >= row.expires_at:
        return None
    credentials = people.credentials(db, person)
    if credentials.version != row.credential_version:
        return None
    return Found(entry.root_claim(account.email, person), person, credentials)


def _refusal(person: Principal | None, origin: Origin, now: datetime) -> list[EventRow]:
    """Record once in a while, not for each of a flood, that requests are not followed any more."""
    return [events.of(person, origin, now, _REQUESTED, response={_REQUESTED: "Failure"}, message="Rate exceeded")]
