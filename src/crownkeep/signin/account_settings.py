"""Sign-in settings of an account: whether every user needs a second factor.

There is no AWS operation for them, so they go with the password policy: who may change that may change these.
"""

from __future__ import annotations

from dataclasses import replace

from crownkeep.operations.call import Call
from crownkeep.operations.invoke import Door
from crownkeep.principals import Principal
from crownkeep.signin import acting, own_acts
from crownkeep.signin.acting import Actor
from crownkeep.signin.own_acts import Act
from crownkeep.storage import sign_in_settings

CHANGED = "UpdateSignInSettings"
"""How the trail names a change of them."""


def users_need_mfa(door: Door, person: Principal) -> bool:
    """Answer whether every user of the person's account needs a second factor to sign in."""
    with door.database.snapshot() as db:
        return sign_in_settings.of_account(db, person.account_id).users_need_mfa


async def require_mfa(door: Door, actor: Actor) -> str:
    """Let every user of the account sign in with a second factor only; those without one enrol it. Raises AccessDenied.

    Answers the event's id, as `require_no_mfa` does.
    """
    return await _change(door, actor, needed=True)


async def require_no_mfa(door: Door, actor: Actor) -> str:
    """Let users without a device sign in without one. Raises AccessDenied."""
    return await _change(door, actor, needed=False)


async def _change(door: Door, actor: Actor, *, needed: bool) -> str:
    permission = acting.find("iam", "UpdateAccountPasswordPolicy")
    act = Act(CHANGED, permission, parameters={"usersNeedMfa": needed})

    def change(call: Call) -> None:
        settings = sign_in_settings.of_account(call.db, call.account_id)
        sign_in_settings.put(call.db, replace(settings, users_need_mfa=needed))

    return await own_acts.carry_out(door, actor, act, change)
