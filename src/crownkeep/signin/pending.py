"""Pending acts of somebody who is signed in: a challenge that was put, or a device being enrolled, sealed into a cookie."""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from crownkeep import base64url, clock
from crownkeep.credentials import sealing, webauthn
from crownkeep.credentials.sealing import Keyring, Purpose, Unsealable
from crownkeep.operations.invoke import Door
from crownkeep.signin import sign_in_steps
from crownkeep.signin.progress import Enrolling
from crownkeep.signin.sessions import BrowserSession
from crownkeep.storage.database import Transaction
from crownkeep.storage.sign_in import sign_in_nonces
from crownkeep.storage.writer import Commit

LASTS = timedelta(minutes=15)
"""How long such an act may take."""

NONCE_SIZE = 16
CHANCE = webauthn.CHALLENGE_SIZE + NONCE_SIZE
"""Random bytes that `begin` needs."""

_CONTEXT = sealing.context_of("pending")


@dataclass(frozen=True, slots=True)
class Pending:
    """One act, of one session. The challenge is spent by its nonce: by one answer."""

    session_id: str
    account_id: str
    challenge: bytes
    nonce: bytes
    began_at: datetime
    enrolling: Enrolling | None = None


def begin(session: BrowserSession, *, now: datetime, chance: bytes) -> Pending:
    """Put a challenge to a session's person."""
    return Pending(
        session.session_id,
        session.person.account_id,
        chance[: webauthn.CHALLENGE_SIZE],
        chance[webauthn.CHALLENGE_SIZE :],
        now,
    )


def enrol(session: BrowserSession, enrolling: Enrolling, *, now: datetime) -> Pending:
    """Begin to enrol a virtual device."""
    return Pending(session.session_id, session.person.account_id, b"", b"", now, enrolling)


def seal(keyring: Keyring, pending: Pending) -> str:
    """Seal it for the cookie."""
    nonce = clock.token_bytes(sealing.NONCE_SIZE)
    plain = msgspec.json.encode(pending)
    blob = sealing.seal(keyring, plain, purpose=Purpose.SIGN_IN_FLOW, context=_CONTEXT, nonce=nonce)
    return base64url.encode(blob)


def unseal(keyring: Keyring, cookie: str, session: BrowserSession, *, now: datetime) -> Pending | None:
    """Open what `seal` made for this session; None for anything else, and for what has taken too long."""
    try:
        blob = base64url.decode(cookie)
        plain = sealing.unseal(keyring, blob, purpose=Purpose.SIGN_IN_FLOW, context=_CONTEXT)
        found = msgspec.json.decode(plain, type=Pending)
    except (Unsealable, binascii.Error, ValueError, msgspec.MsgspecError):
        return None
    # Bound to the session: a cookie that was carried over to another browser of the same person answers nothing.
    return found if found.session_id == session.session_id and now < found.began_at + LASTS else None


async def spend(door: Door, pending: Pending) -> bool:
    """Spend a challenge; returns False where it was answered before.

    A spent nonce is remembered until the challenge would have expired: so nothing is written down until somebody answers.
    """
    return await sign_in_steps.commit(door, lambda db: Commit(claim(db, pending), []))


def claim(db: Transaction, pending: Pending) -> bool:
    """Spend a challenge in an open transaction."""
    # Of two answers at once the second meets the first one's nonce, by its primary key, and is carried out again.
    if sign_in_nonces.exists(db, pending.nonce):
        return False
    # What is forgotten is too old to be answered: its challenge has expired for longer than it lasts.
    sign_in_nonces.forget(db, before=pending.began_at - LASTS)
    sign_in_nonces.add(db, pending.nonce, pending.account_id, expires_at=pending.began_at + LASTS)
    return True
