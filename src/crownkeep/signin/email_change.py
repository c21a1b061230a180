"""Root's e-mail address, changed by a code of six characters that goes to the new one (Account Management guide, "Update the root
user email"): what the operations of root itself and those of its organization share.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from crownkeep import clock
from crownkeep.credentials import sealing
from crownkeep.credentials.one_time_links import LinkPurpose
from crownkeep.credentials.secret import Secret
from crownkeep.operations.call import Wiring
from crownkeep.operations.invoke import Door
from crownkeep.operations.notices import Notice
from crownkeep.signin import recovery
from crownkeep.storage.accounts import accounts
from crownkeep.storage.accounts.accounts import AccountRow
from crownkeep.storage.database import Transaction
from crownkeep.storage.sign_in import email_changes, one_time_links, root_recoveries
from crownkeep.storage.sign_in.email_changes import EmailChangeRow
from crownkeep.translation import gettext_noop

LASTS = timedelta(hours=24)
"""How long a code is good for."""

MOST_ATTEMPTS = 5
MOST_CODES = 5
"""Codes that one account, and that one address, is sent within an hour."""

_CODE_LENGTH = 6
_CODE_CHANCE = 8
_CODE = re.compile(r"[a-zA-Z0-9]{6}")
# Of the characters that AWS's codes may have, those that nobody misreads: 55 to the sixth is 27 billion.
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789"
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9.-]+\.[A-Za-z0-9-]+")
_SHORTEST, _LONGEST = 5, 64


NOT_ROOT = gettext_noop("Only the root user changes its email address.")
NO_MFA = "Assign an MFA device first, and prove with it that it is you: without one, whoever learns the password has the account."
TOO_OFTEN = "Too many codes were sent. Try again in an hour."


class Refusal(Enum):
    """Why an address is not changed; the value is what its person is told."""

    MALFORMED = "Enter an email address of 5 to 64 characters."
    SAME = "That is the root user's email address already."
    TAKEN = "Another account uses this email address. Each root user has an address of its own."
    WRONG_CODE = "That code is wrong."
    NO_CODE = "No code is waiting: it was used, has expired, or was tried too often. Have another one sent."


@dataclass(frozen=True, slots=True)
class Changed:
    """Root signs in with this address from now on."""

    email: str


@dataclass(frozen=True, slots=True)
class Addresses:
    """An account's address as it is, and the one that waits for a code."""

    present: str
    waiting: str | None


def of_account(door: Door, account_id: str, *, now: datetime) -> Addresses:
    """Return an account's address, and the one that a code was sent to, for root's own pages."""
    with door.snapshot() as db:
        return Addresses(present(db, account_id), waiting(db, account_id, now=now))


def present(db: Transaction, account_id: str) -> str:
    """Return an account's address as it is."""
    account = accounts.with_id(db, account_id)
    return account.email if account else ""


def waiting(db: Transaction, account_id: str, *, now: datetime) -> str | None:
    """Return the address that a code was sent to and that waits for it."""
    row = email_changes.of_account(db, account_id)
    return row.email if row is not None and _is_good(row, now) else None


def unusable(db: Transaction, account: AccountRow, email: str) -> Refusal | None:
    """Return why an address can't become an account's; None where it can."""
    if not _SHORTEST <= len(email) <= _LONGEST or not _ADDRESS.fullmatch(email):
        return Refusal.MALFORMED
    if email == account.email:
        return Refusal.SAME
    other = accounts.with_email(db, email)
    return Refusal.TAKEN if other is not None and other.account_id != account.account_id else None


def is_too_often(db: Transaction, wiring: Wiring, account: AccountRow, email: str, now: datetime) -> bool:
    """Tell whether this account, or this address, has been sent as many codes as it may within an hour; counts this one."""
    by_account = recovery.count(db, wiring, "code of", account.account_id, account_id=account.account_id, now=now)
    to_address = recovery.count(db, wiring, "code to", email.lower(), now=now)
    return max(by_account, to_address) > MOST_CODES


def begin(db: Transaction, wiring: Wiring, account: AccountRow, email: str, *, now: datetime) -> None:
    """Send a code to a new address of an account, in an open transaction."""
    code = _mint(clock.token_bytes(_CODE_CHANCE))
    row = EmailChangeRow(account.account_id, email, _digest(wiring, account.account_id, email, code), now, now + LASTS)
    email_changes.put(db, row)
    values = {"account_id": account.account_id, "code": code.reveal(), "until": recovery.spelled(row.expires_at)}
    wiring.outbox.send(db, Notice("email-code", email, account.account_id, now, values))


def finish(db: Transaction, wiring: Wiring, account: AccountRow, code: str, *, address: str, now: datetime) -> Changed | Refusal:
    """Change an account's address by a code, in an open transaction that commits although it refuses: wrong codes are counted."""
    row = email_changes.of_account(db, account.account_id)
    if row is None or not _is_good(row, now):
        return Refusal.NO_CODE
    presented = Secret(_digest(wiring, account.account_id, row.email, Secret(code)).hex())
    if not _CODE.fullmatch(code) or presented != Secret(row.code_digest.hex()):
        email_changes.count_attempt(db, account.account_id)
        return Refusal.WRONG_CODE
    email_changes.remove(db, account.account_id)
    refusal = unusable(db, account, row.email)
    if refusal is not None:
        return refusal
    accounts.change(db, account.account_id, email=row.email, email_key=row.email.lower())
    accounts.touch(db, account.account_id, clock.revision())
    # What is on its way to the old mailbox must open nothing any more.
    for purpose in (LinkPurpose.SET_ROOT_PASSWORD, LinkPurpose.RESET_ROOT_PASSWORD):
        one_time_links.remove_all(db, account.account_id, purpose=purpose)
    root_recoveries.remove(db, account.account_id)
    values = {"account_id": account.account_id, "when": recovery.spelled(now), "address": address}
    wiring.outbox.send(db, Notice("email-changed", account.email, account.account_id, now, values))
    return Changed(row.email)


def _is_good(row: EmailChangeRow, now: datetime) -> bool:
    return now < row.expires_at and row.attempts < MOST_ATTEMPTS


def _mint(chance: bytes) -> Secret:
    number = int.from_bytes(chance, "big")
    characters = []
    for _ in range(_CODE_LENGTH):
        number, index = divmod(number, len(_ALPHABET))
        characters.append(_ALPHABET[index])
    return Secret("".join(characters))


def _digest(wiring: Wiring, account_id: str, email: str, code: Secret) -> bytes:
    message = f"e-mail address {email} of {account_id} with {code.reveal()}".encode("utf-8", "replace")
    return sealing.fingerprint(wiring.keyring, message, purpose=sealing.Purpose.SIGN_IN_FLOW)
