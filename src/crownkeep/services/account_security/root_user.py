"""What only an account's root user does to itself, sitting at a browser: not a signed call, nor a session of AssumeRoot."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.arn import PARTITION
from crownkeep.operations.call import Call
from crownkeep.operations.registry import Target
from crownkeep.principals import PrincipalKind
from crownkeep.storage.accounts import accounts
from crownkeep.storage.accounts.accounts import AccountRow


def own_account(call: Call, **_: object) -> Target:
    """The caller's account, as AWS Account Management names it."""
    return Target(f"arn:{PARTITION}:account::{call.account_id}:account")


def is_itself(call: Call) -> bool:
    """Tell whether the caller is an account's own root user, rather than somebody who has taken it on."""
    session = call.principal.session
    # A session of AssumeRoot is root too, and is somebody of the management account: what is root's own is not theirs.
    return call.principal.kind is PrincipalKind.ROOT and not (session is not None and session.assumed_root)


def required(call: Call, *, otherwise: str) -> AccountRow:
    """Return the account of the calling root user, just proved to be there; raises AccessDenied with this text for others."""
    if not is_itself(call):
        raise errors.AccessDenied(otherwise)
    call.require_fresh_proof()
    row = accounts.with_id(call.db, call.account_id)
    if row is None:
        raise errors.AccessDenied(otherwise)
    return row
