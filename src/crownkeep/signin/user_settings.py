"""Sign-in settings of one user: whether this user needs a second factor, whatever the account asks of everybody.

There is no AWS operation for it, so it goes with the password: who may set a user's password may say so, and a password that is
taken away takes it along.
"""

from __future__ import annotations

from collections.abc import Callable

from crownkeep import errors
from crownkeep.operations.call import Call
from crownkeep.operations.invoke import Door
from crownkeep.principals import Principal
from crownkeep.signin import acting, own_acts
from crownkeep.signin.acting import Actor
from crownkeep.signin.own_acts import Act
from crownkeep.storage import login_profiles, users
from crownkeep.storage.database import Transaction

CHANGED = "UpdateUserSignInSettings"
"""How the trail names a change of them."""

_Change = Callable[[Transaction, str, str], None]


def needs_mfa(door: Door, asked_by: Principal, user_name: str) -> bool:
    """Answer whether a user of the account needs a second factor, whatever the account asks of everybody."""
    account_id = asked_by.account_id
    with door.database.snapshot() as db:
        user = users.named(db, account_id, user_name)
        profile = login_profiles.of_user(db, account_id, user.user_id) if user else None
        return profile is not None and profile.needs_mfa


async def require_mfa(door: Door, actor: Actor, user_name: str) -> str:
    """Let a user sign in with a second factor only, enrolling one at the first sign-in; answers the event's id.

    Raises AccessDenied, and NoSuchEntity for a user who has no password, as `require_no_mfa` does.
    """
    return await _change(door, actor, user_name, login_profiles.require_mfa, needed=True)


async def require_no_mfa(door: Door, actor: Actor, user_name: str) -> str:
    """Let a user without a device sign in without one, unless the account asks all users for one."""
    return await _change(door, actor, user_name, login_profiles.require_no_mfa, needed=False)


async def _change(door: Door, actor: Actor, user_name: str, write: _Change, *, needed: bool) -> str:
    permission = acting.find("iam", "UpdateLoginProfile")
    parameters = {"userName": user_name, "needsMfa": needed}
    act = Act(CHANGED, permission, arguments={"user_name": user_name}, parameters=parameters)

    def change(call: Call) -> None:
        user = users.named(call.db, call.account_id, user_name)
        if user is None or login_profiles.of_user(call.db, call.account_id, user.user_id) is None:
            raise errors.NoSuchEntity(f"Login Profile for User {user_name} cannot be found.")
        write(call.db, call.account_id, user.user_id)

    return await own_acts.carry_out(door, actor, act, change)
