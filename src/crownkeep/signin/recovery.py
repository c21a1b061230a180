"""Recovery of root's forgotten password: a link to root's mailbox, by which another is chosen. MFA is asked for as ever.

Whether an address is known here cannot be told from the answer, nor from its time: for one that nobody has, the same rows are
written (a notice to nobody, a link of no account), and every answer waits until a fixed time has passed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum

from crownkeep import clock
from crownkeep.credentials import one_time_links as links
from crownkeep.credentials import sealing
from crownkeep.credentials.one_time_links import LinkPurpose
from crownkeep.operations import central_root
from crownkeep.operations.call import Origin, Wiring
from crownkeep.operations.invoke import Door
from crownkeep.operations.notices import Notice
from crownkeep.operations.record import NOBODY
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.signin import events, people, sign_in_steps, throttle
from crownkeep.storage.accounts import accounts
from crownkeep.storage.accounts.accounts import AccountRow
from crownkeep.storage.database import Transaction
from crownkeep.storage.sign_in import one_time_links, tallies
from crownkeep.storage.sign_in.one_time_links import OneTimeLinkRow
from crownkeep.storage.trail.events import EventRow
from crownkeep.storage.writer import Commit

RESET = "/signin/recover/reset"
"""The page that a mailed link opens; links are made of the settings' own address, never of what a request says."""

SPAN = timedelta(hours=1)
MOST_FOR_ADDRESS = 20
"""Requests from one network address within SPAN."""

MOST_FOR_EMAIL = 5
"""Notices to one e-mail address within SPAN; further requests are answered the same, and nothing is mailed."""

ANSWERED_AFTER_SECONDS = 0.4
"""How long every answer takes at least: longer than the work does on a busy server."""

_REQUESTED = "PasswordRecoveryRequested"
STRANGER = Principal(PrincipalKind.ROOT, NOBODY, NOBODY)
"""Whom links are made for that were asked for an address that nobody has."""


class Asked(Enum):
    """What came of asking for a link."""

    ANSWERED = "answered"
    """If the address is root's, a link is on its way."""
    TOO_OFTEN = "too often"
    """Too much was asked for from this network address, for whatever e-mail addresses."""


async def request_password(door: Door, email: str, *, origin: Origin, now: datetime) -> Asked:
    """Ask for a link by which root's password is chosen anew; raises Throttling and ServiceUnavailable."""
    return await unhurried(door, lambda db: _request(db, door.wiring, email.strip(), origin, now))


async def unhurried(door: Door, work: Callable[[Transaction], Commit[Asked]]) -> Asked:
    """Carry out a request, and answer once a fixed time has passed, whatever there was to do."""
    began = clock.monotonic()
    asked = await sign_in_steps.commit(door, work)
    await sign_in_steps.wait_since(began, ANSWERED_AFTER_SECONDS)
    return asked


def recoverable(db: Transaction, account: AccountRow | None) -> Principal | None:
    """Return the root user that may be sent links; None where root has no credentials and is to have none.

    The answer is then that of an address that nobody has.
    """
    return None if account is None or not central_root.may_recover(db, account) else people.root_of(account)


def count(db: Transaction, wiring: Wiring, what: str, value: str, *, account_id: str = NOBODY, now: datetime) -> int:
    """Count one more of what must not happen without end, within SPAN; nobody learns from the table what was counted."""
    # Keyed and hashed: the table shows neither addresses nor names that were asked for.
    message = f"count {what} {value}".encode("utf-8", "replace")
    digest = sealing.fingerprint(wiring.keyring, message, purpose=sealing.Purpose.SIGN_IN_FLOW)
    return tallies.count_up(db, digest, account_id, now=now, span=SPAN)


def spelled(moment: datetime) -> str:
    """Write a moment for a notice."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _request(db: Transaction, wiring: Wiring, email: str, origin: Origin, now: datetime) -> Commit[Asked]:
    from_address = count(db, wiring, "address", throttle.network(origin.source_ip), now=now)
    if from_address > MOST_FOR_ADDRESS:
        # The first refusal of a span is recorded, and no further one: the trail is not for floods.
        return Commit(Asked.TOO_OFTEN, _refusal(None, origin, now) if from_address == MOST_FOR_ADDRESS + 1 else [])
    account = accounts.with_email(db, email) if email else None
    person = recoverable(db, account)
    # Counted for unknown addresses too, or their rows would tell them from known ones.
    to_email = count(db, wiring, "password link", email.lower(), now=now)
    if to_email > MOST_FOR_EMAIL:
        return Commit(Asked.ANSWERED, _refusal(person, origin, now) if to_email == MOST_FOR_EMAIL + 1 else [])
    # To the address that is kept, never to the one that was typed: letters that fold to the same are not the same mailbox.
    recipient = account.email if account is not None and person is not None else ""
    _post_link(db, wiring, person or STRANGER, recipient, origin, now)
    # As many rows as for a known address: what is written must not tell the two apart by its cost.
    if person is None:
        failed = {_REQUESTED: "Failure"}
        return Commit(Asked.ANSWERED, [events.of(None, origin, now, _REQUESTED, response=failed, message="No such account")])
    return Commit(Asked.ANSWERED, [events.of(person, origin, now, _REQUESTED)])


def _post_link(db: Transaction, wiring: Wiring, person: Principal, recipient: str, origin: Origin, now: datetime) -> None:
    purpose = LinkPurpose.RESET_ROOT_PASSWORD
    one_time_links.forget(db, purpose=purpose, before=now)
    link = links.mint(purpose, clock.token_bytes(links.TOKEN_ENTROPY), now=now)
    version = people.credentials(db, person).version
    row = OneTimeLinkRow(link.digest, person.account_id, purpose, now, link.expires_at, version)
    one_time_links.add(db, row)
    values = {
        "account_id": person.account_id,
        "address": origin.source_ip,
        "link": f"{wiring.settings.url}{RESET}?token={link.token.reveal()}",
        "until": spelled(link.expires_at),
    }
    wiring.outbox.send(db, Notice("password-link", recipient, person.account_id, now, values))


def _refusal(person: Principal | None, origin: Origin, now: datetime) -> list[EventRow]:
    """Record once in a while, not for each of a flood, that requests are not followed any more."""
    return [events.of(person, origin, now, _REQUESTED, response={_REQUESTED: "Failure"}, message="Rate exceeded")]
