"""Recovery of a root user whose MFA devices are lost: never by one channel alone.

    asked for      by whoever has just proved root's password       -> a link to root's mailbox, 15 minutes
    opened         by whoever reads that mailbox                    -> a code is shown there, 24 hours
    confirmed      by the operator, or by root's custodian, who is told the code by the person who asks
    completed      by whoever holds the link                        -> devices, recovery codes and sessions are gone

After it root signs in with its password and enrols a device anew. A change of root's password or devices in between voids all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from crownkeep import clock
from crownkeep.credentials import one_time_links as links
from crownkeep.credentials import recovery_codes as codes
from crownkeep.credentials import sealing
from crownkeep.credentials.one_time_links import InvalidLink, LinkPurpose
from crownkeep.credentials.secret import Secret
from crownkeep.operations import approvals
from crownkeep.operations.call import Origin, Wiring
from crownkeep.operations.invoke import Door
from crownkeep.operations.notices import Notice
from crownkeep.operations.sealed_acts import SealedAct
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.signin import events, people, progress, recovery, sign_in_steps
from crownkeep.signin.flow import FactorStep
from crownkeep.signin.progress import Next, Progress, Stale
from crownkeep.storage.accounts import accounts
from crownkeep.storage.accounts.accounts import AccountRow
from crownkeep.storage.credentials import mfa_devices
from crownkeep.storage.database import Transaction
from crownkeep.storage.sign_in import browser_sessions, one_time_links, recovery_codes, root_recoveries
from crownkeep.storage.sign_in.root_recoveries import RootRecoveryRow
from crownkeep.storage.writer import Commit

LINK = "/signin/recover/mfa/link"
CUSTODIAN_LINK = "/signin/recover/confirm"

WAITS = timedelta(hours=24)
"""How long a recovery that was opened waits to be confirmed."""

COMPLETED_WITHIN = timedelta(hours=1)
"""How long after it was confirmed a recovery can be completed."""

MOST_ATTEMPTS = 5
"""Wrong codes until a recovery is void."""

MOST_REQUESTS = 3
"""Recoveries of one account within an hour."""

OPERATOR = "operator"
_CODE_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Requested:
    """A link is on its way to root's mailbox."""


@dataclass(frozen=True, slots=True)
class TooOften:
    """Too many recoveries were asked for; a later one is followed."""


class RecoveryStage(Enum):
    """How far a recovery has come."""

    ASKED = "asked for"
    OPENED = "opened"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True)
class Recovery:
    """A recovery as whoever holds its link sees it."""

    account_id: str
    stage: RecoveryStage
    code: Secret | None
    """What is told to whoever confirms; shown once the link was opened."""
    custodian: bool
    """Whether there is somebody beside the operator who may confirm."""
    expires_at: datetime


class RecoveryOutcome(Enum):
    """What came of a confirmation."""

    CONFIRMED = "confirmed"
    NONE_WAITS = "none waits"
    WRONG_CODE = "wrong code"


@dataclass(frozen=True, slots=True)
class Completed:
    """The lost devices are removed; these were their serial numbers."""

    serials: tuple[str, ...]


async def request(door: Door, begun: Progress, *, origin: Origin, now: datetime) -> Requested | TooOften | Stale:
    """Ask for the recovery of a root user who has proved the password, and is asked for a device that is lost."""
    wiring, person = door.wiring, begun.person

    def work(db: Transaction) -> Commit[Requested | TooOften | Stale]:
        # Held first, so that all that follows is decided on one state, on whichever node.
        accounts.hold(db, person.account_id)
        account = accounts.with_id(db, person.account_id)
        looked = progress.look(db, wiring, begun, now=now)
        # Only at the step that asks for a device, which comes after the password: an address alone must not bring mail about.
        if account is None or person.kind is not PrincipalKind.ROOT or not _asks_for_device(looked):
            return Commit(Stale(), [])
        # Counted while the account is held, or several nodes would each send the last mail that is allowed.
        if recovery.count(db, wiring, "mfa link", account.account_id, account_id=account.account_id, now=now) > MOST_REQUESTS:
            return Commit(TooOften(), [])
        _post_link(db, wiring, account, begun.version, origin, now)
        return Commit(Requested(), [events.of(person, origin, now, "MfaRecoveryRequested")])

    return await sign_in_steps.commit(door, work)


def look(door: Door, token: str, *, now: datetime) -> Recovery:
    """Return the recovery that a mailed link is for; looking changes nothing. Raises InvalidLink."""
    with door.snapshot() as db:
        row = _found(db, token, now)
        has_custodian = root_recoveries.custodian(db, row.account_id) is not None
    stage = stage_of(row)
    code = None if stage is RecoveryStage.ASKED else _code(token)
    return Recovery(row.account_id, stage, code, has_custodian, row.expires_at)


def stands(db: Transaction, row: RootRecoveryRow, now: datetime) -> bool:
    """Tell whether a recovery may go on: root's credentials are what they were, and neither time nor tries ran out."""
    root = people.root_of(accounts.with_id(db, row.account_id))
    # A change of password or devices shows that root is in possession again, or that somebody else is: both void it.
    is_current = root is not None and people.credentials(db, root).version == row.credential_version
    return is_current and now < row.expires_at and row.attempts < MOST_ATTEMPTS


def stage_of(row: RootRecoveryRow) -> RecoveryStage:
    """Return how far a recovery has come."""
    return RecoveryStage.CONFIRMED if row.confirmed_at else RecoveryStage.OPENED if row.opened_at else RecoveryStage.ASKED


async def open_link(door: Door, token: str, *, origin: Origin, now: datetime) -> None:
    """Open a recovery for whoever holds its link: from now on it can be confirmed with its code. Raises InvalidLink.

    It takes a form to open it, since mail scanners follow links.
    """
    wiring = door.wiring

    def work(db: Transaction) -> Commit[InvalidLink | None]:
        try:
            # Looked up twice: once to know whom to hold, and once more under the hold, where it counts.
            accounts.hold(db, _found(db, token, now).account_id)
            row = _found(db, token, now)
        except InvalidLink as error:
            return Commit(error, [])
        # Opening twice must not prolong the 24 hours, nor give the custodian a second link.
        if row.opened_at is not None:
            return Commit(None, [])
        digest = _post_to_custodian(db, wiring, row.account_id, origin, now)
        root_recoveries.change(
            db,
            row.account_id,
            opened_at=now,
            expires_at=now + WAITS,
            code_digest=_code_digest(wiring, row.account_id, _code(token)),
            custodian_digest=digest,
        )
        return Commit(None, [events.of(_root(row.account_id), origin, now, "MfaRecoveryOpened")])

    refused = await sign_in_steps.commit(door, work)
    if refused is not None:
        raise refused


def confirm(db: Transaction, wiring: Wiring, account_id: str, code: Secret, *, by: str, now: datetime) -> RecoveryOutcome:
    """Confirm an account's recovery with its code, in an open transaction; `by` says who does.

    The account must be held. Wrong codes are the caller's to count (`count_wrong`), in a transaction that commits although it
    refuses, before the account is let go of.
    """
    row = root_recoveries.of_account(db, account_id)
    if row is None or row.code_digest is None or row.confirmed_at is not None or not stands(db, row, now):
        return RecoveryOutcome.NONE_WAITS
    # The digest is keyed: 40 bits could be searched through by whoever reads an unkeyed one in a copy of the database.
    if not codes_equal(row.code_digest, _code_digest(wiring, account_id, code)):
        return RecoveryOutcome.WRONG_CODE
    root_recoveries.change(db, account_id, confirmed_at=now, confirmed_by=by, expires_at=now + COMPLETED_WITHIN)
    return RecoveryOutcome.CONFIRMED


def count_wrong(db: Transaction, account_id: str) -> None:
    """Count a wrong code of an account that is held; with the last one that is allowed the recovery is void."""
    row = root_recoveries.of_account(db, account_id)
    if row is None:
        return
    # Void at once with the last wrong code: a later, right one must not find it.
    if row.attempts + 1 >= MOST_ATTEMPTS:
        root_recoveries.remove(db, account_id)
    else:
        root_recoveries.change(db, account_id, attempts=row.attempts + 1)


def _awaited(db: Transaction, token: str, *, now: datetime) -> RootRecoveryRow:
    """Return the recovery that a custodian's link may confirm; raises InvalidLink."""
    row = root_recoveries.with_custodian_link(db, links.digest_of(token, LinkPurpose.CONFIRM_RECOVERY))
    if row is None or row.confirmed_at is not None or not stands(db, row, now):
        raise InvalidLink
    return row


def awaited(door: Door, token: str, *, now: datetime) -> RootRecoveryRow:
    """Return the same, for the page that the link leads to; raises InvalidLink."""
    with door.snapshot() as db:
        return _awaited(db, token, now=now)


async def confirm_as_custodian(door: Door, token: str, code: Secret, *, origin: Origin, now: datetime) -> RecoveryOutcome:
    """Confirm a recovery by the link that went to its custodian, with the code that the person told; raises InvalidLink."""
    wiring = door.wiring

    def work(db: Transaction) -> Commit[RecoveryOutcome | InvalidLink]:
        try:
            # What is read before the account is held may have changed by then: other tries, on other nodes.
            accounts.hold(db, _awaited(db, token, now=now).account_id)
            row = _awaited(db, token, now=now)
        except InvalidLink as error:
            return Commit(error, [])
        custodian = root_recoveries.custodian(db, row.account_id)
        # Of a sealed root, it is confirmed by the operator with the team's approval, and not by one custodian's mailbox.
        if custodian is None or approvals.is_sealed(db, row.account_id, SealedAct.ROOT_RECOVERY):
            return Commit(InvalidLink(), [])
        outcome = confirm(db, wiring, row.account_id, code, by=custodian.email, now=now)
        is_confirmed = outcome is RecoveryOutcome.CONFIRMED
        if not is_confirmed:
            count_wrong(db, row.account_id)
        name = "MfaRecoveryConfirmed"
        said: dict[str, object] = {
            "response": {name: "Success" if is_confirmed else "Failure"},
            "additional": {"ConfirmedBy": custodian.email},
            "message": "" if is_confirmed else "Wrong code",
        }
        return Commit(outcome, [events.of(_root(row.account_id), origin, now, name, **said)])  # type: ignore[arg-type]  # by their names

    outcome = await sign_in_steps.commit(door, work)
    if isinstance(outcome, InvalidLink):
        raise outcome
    return outcome


async def complete(door: Door, token: str, *, origin: Origin, now: datetime) -> Completed:
    """Remove what was lost, for whoever holds the link of a confirmed recovery; raises InvalidLink for any other."""

    def work(db: Transaction) -> Commit[Completed | InvalidLink]:
        try:
            accounts.hold(db, _found(db, token, now).account_id)
            row = _found(db, token, now)
        except InvalidLink as error:
            return Commit(error, [])
        # The mailbox alone gets as far as here, and no further.
        if row.confirmed_at is None:
            return Commit(InvalidLink(), [])
        serials = _remove_factors(db, row.account_id, now)
        additional = {"RemovedDevices": list(serials), "ConfirmedBy": row.confirmed_by}
        done = events.of(_root(row.account_id), origin, now, "MfaRecoveryCompleted", additional=additional)
        return Commit(Completed(serials), [done])

    completed = await sign_in_steps.commit(door, work)
    if isinstance(completed, InvalidLink):
        raise completed
    return completed


def codes_equal(kept: bytes, presented: bytes) -> bool:
    """Compare two digests of codes in constant time."""
    # `Secret` compares in constant time.
    return Secret(kept.hex()) == Secret(presented.hex())


def _asks_for_device(looked: Next | Stale) -> bool:
    return isinstance(looked, Next) and isinstance(looked.step, FactorStep)


def _post_link(db: Transaction, wiring: Wiring, account: AccountRow, version: bytes, origin: Origin, now: datetime) -> None:
    link = links.mint(LinkPurpose.RECOVER_MFA, clock.token_bytes(links.TOKEN_ENTROPY), now=now)
    address = origin.source_ip[:64]
    # One row for each account: a newer recovery takes the place of the one before, whose link is void then.
    root_recoveries.put(db, RootRecoveryRow(account.account_id, link.digest, version, now, address, link.expires_at))
    custodian = root_recoveries.custodian(db, account.account_id)
    values = {
        "account_id": account.account_id,
        "address": origin.source_ip,
        "link": f"{wiring.settings.url}{LINK}?token={link.token.reveal()}",
        "until": recovery.spelled(link.expires_at),
        "custodian": custodian.email if custodian else "",
    }
    wiring.outbox.send(db, Notice("mfa-link", account.email, account.account_id, now, values))


def _post_to_custodian(db: Transaction, wiring: Wiring, account_id: str, origin: Origin, now: datetime) -> bytes | None:
    custodian = root_recoveries.custodian(db, account_id)
    if custodian is None:
        return None
    link = links.mint(LinkPurpose.CONFIRM_RECOVERY, clock.token_bytes(links.TOKEN_ENTROPY), now=now)
    values: Mapping[str, str] = {
        "account_id": account_id,
        "address": origin.source_ip,
        "link": f"{wiring.settings.url}{CUSTODIAN_LINK}?token={link.token.reveal()}",
        "until": recovery.spelled(now + WAITS),
    }
    wiring.outbox.send(db, Notice("custodian-link", custodian.email, account_id, now, values))
    return link.digest


def _found(db: Transaction, token: str, now: datetime) -> RootRecoveryRow:
    row = root_recoveries.with_link(db, links.digest_of(token, LinkPurpose.RECOVER_MFA))
    if row is None or not stands(db, row, now):
        raise InvalidLink
    return row


def _remove_factors(db: Transaction, account_id: str, now: datetime) -> tuple[str, ...]:
    devices = mfa_devices.of_owner(db, account_id, account_id)
    for device in devices:
        mfa_devices.remove(db, account_id, device.device_id)
    recovery_codes.remove_all(db, account_id, account_id)
    # Whoever took the device may be signed in with it: no session is spared.
    browser_sessions.end_others(db, account_id, account_id, but=b"", at=now)
    account = accounts.with_id(db, account_id)
    version = account.root_credential_version + 1 if account else 1
    accounts.change(db, account_id, root_credential_version=version % (1 << 31))
    accounts.touch(db, account_id, clock.revision())
    # Links that lie in the mailbox were sent before the recovery, and could be used by somebody else after it.
    for purpose in (LinkPurpose.SET_ROOT_PASSWORD, LinkPurpose.RESET_ROOT_PASSWORD):
        one_time_links.remove_all(db, account_id, purpose=purpose)
    root_recoveries.remove(db, account_id)
    return tuple(device.serial for device in devices)


def _root(account_id: str) -> Principal:
    return Principal(PrincipalKind.ROOT, account_id, account_id)


def _code(token: str) -> Secret:
    """Return a link's code, eight characters that can be read aloud: 40 bits, of which five tries guess nothing.

    It follows from the link, so that it can be shown again and stands in no table.
    """
    digest = hashlib.sha256(f"crownkeep recovery code {token}".encode()).digest()
    # Another hash than that under which the link is kept: neither tells the other.
    return Secret(codes.spell(int.from_bytes(digest[:5], "big"), length=_CODE_LENGTH))


def _code_digest(wiring: Wiring, account_id: str, code: Secret) -> bytes:
    message = f"recovery of {account_id} with {codes.canonical(code.reveal())}".encode("utf-8", "replace")
    return sealing.fingerprint(wiring.keyring, message, purpose=sealing.Purpose.SIGN_IN_FLOW)
