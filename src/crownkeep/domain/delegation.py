"""Delegation: the states of a request for it, and the token by which its provider gets credentials.

Which state leads to which, and what expires when, is in the IAM user guide, "Understanding the request lifecycle".
"""

from __future__ import annotations

import binascii
from datetime import datetime, timedelta
from enum import Enum

import msgspec

from crownkeep import base64url, clock
from crownkeep.credentials import sealing
from crownkeep.credentials.sealing import Keyring, Purpose
from crownkeep.credentials.secret import Secret
from crownkeep.principals import Principal
from crownkeep.storage.delegation.delegation_requests import DelegationRequestRow

_LONGEST_TOKEN = 512
_TOKEN = "trade-in token"


class DelegationState(Enum):
    """How far a request has come."""

    UNASSIGNED = "UNASSIGNED"
    ASSIGNED = "ASSIGNED"
    PENDING_APPROVAL = "PENDING_APPROVAL"
    ACCEPTED = "ACCEPTED"
    FINALIZED = "FINALIZED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"


STANDS_FOR = {DelegationState.UNASSIGNED: timedelta(days=1)}
"""How long a request stays in a state before it expires, seven days where none is given."""
OTHERWISE_STANDS_FOR = timedelta(days=7)


class InvalidTradeInToken(ValueError):
    """A token is none of this house's, or was not made for this provider; nothing more is said."""


def state_of(row: DelegationRequestRow, now: datetime) -> DelegationState:
    """Return the state of a request: nothing has to happen for one to expire."""
    return DelegationState.EXPIRED if now >= row.expires_at else DelegationState(row.state)


def expiry(state: DelegationState, since: datetime) -> datetime:
    """Return when a request that came into a state expires."""
    return since + STANDS_FOR.get(state, OTHERWISE_STANDS_FOR)


def ends_at(row: DelegationRequestRow) -> datetime | None:
    """Return when the permissions that were lent end: however often and late the token is used. None before its release."""
    return None if row.released_at is None else row.released_at + timedelta(seconds=row.seconds)


def write_approver(approver: Principal) -> str:
    """Write down whoever accepted, as they were then."""
    return msgspec.json.encode(approver).decode()


def read_approver(text: str) -> Principal:
    """Read what `write_approver` wrote."""
    return msgspec.json.decode(text, type=Principal)


def mint_token(keyring: Keyring, row: DelegationRequestRow) -> Secret:
    """Make the token of a request; it is of use to the provider that made the request, and to no other account."""
    nonce = clock.token_bytes(sealing.NONCE_SIZE)
    context = sealing.context_of(row.account_id, _TOKEN)
    blob = sealing.seal(keyring, row.request_id.encode(), purpose=Purpose.TRADE_IN_TOKEN, context=context, nonce=nonce)
    return Secret(base64url.encode(blob))


def request_of(keyring: Keyring, token: str, *, account_id: str) -> str:
    """Return the id of the request that a token of a provider is for; raises InvalidTradeInToken."""
    if len(token) > _LONGEST_TOKEN or not token.isascii():
        raise InvalidTradeInToken
    try:
        blob = base64url.decode(token)
        context = sealing.context_of(account_id, _TOKEN)
        return sealing.unseal(keyring, blob, purpose=Purpose.TRADE_IN_TOKEN, context=context).decode()
    except (binascii.Error, sealing.Unsealable) as error:
        raise InvalidTradeInToken from error
