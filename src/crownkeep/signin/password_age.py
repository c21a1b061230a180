"""Password age: when a user's password is going to expire, for the warning of its last days."""

from __future__ import annotations

from datetime import datetime

from crownkeep.credentials import password_policy
from crownkeep.credentials.password_policy import PasswordStanding
from crownkeep.operations.invoke import Door
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.signin import people
from crownkeep.storage.credentials import password_policies


def expires_soon(door: Door, person: Principal, *, now: datetime) -> datetime | None:
    """Return when a person's password expires where that is within 15 days, None otherwise; root's never does."""
    if person.kind is not PrincipalKind.USER:
        return None
    with door.snapshot() as db:
        policy = password_policies.of_account(db, person.account_id)
        set_at = people.credentials(db, person).password_changed_at
    if set_at is None or password_policy.standing(policy, set_at, now=now) is not PasswordStanding.EXPIRES_SOON:
        return None
    return password_policy.expires_at(policy, set_at)
