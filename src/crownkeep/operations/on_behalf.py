"""Whom a role's session was issued for: on each request, whether what it rests on and the sign-in are still there."""

from __future__ import annotations

from crownkeep.principals import OnBehalfOf
from crownkeep.storage.database import Transaction
from crownkeep.storage.sign_in import browser_sessions
from crownkeep.storage.single_sign_on import entitlements, person_grants, role_entitlements

SERVICE = "sso.amazonaws.com"
"""Whose the reserved roles are."""


def holds(db: Transaction, person: OnBehalfOf) -> bool:
    """Tell whether a person may still take what a session was issued for, and whether the sign-in has not ended.

    Neither changes the revision of the account that the session is in, so both are looked up: by a few keys.
    """
    kind, _, name = person.sign_in.partition(":")
    is_signed_in = browser_sessions.is_open(db, name) if kind == "session" else person_grants.holds(db, name)
    if not is_signed_in:
        return False
    who = {"store_id": person.identity_store_id, "user_id": person.user_id}
    if person.role_digest:
        return role_entitlements.may_take(db, person.instance_id, role_digest=person.role_digest, **who)
    return entitlements.may_take(
        db,
        person.instance_id,
        target_id=person.account_id,
        permission_set_id=person.permission_set_id,
        **who,
    )
