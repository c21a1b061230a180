"""Sign-in settings of an account: whether every user needs a second factor.

There is no AWS operation for them, so they go with the password policy: who may change that may change these.
"""

from __future__ import annotations

from dataclasses import replace

from crownkeep.errors import AwsError
from crownkeep.operations import authorize
from crownkeep.operations.call import Call, Notes
from crownkeep.operations.invoke import Door
from crownkeep.principals import Principal
from crownkeep.signin import acting, events, sessions
from crownkeep.signin.acting import Actor
from crownkeep.storage import sign_in_settings
from crownkeep.storage.database import Transaction, savepoint
from crownkeep.storage.writer import Deed


def users_need_mfa(door: Door, person: Principal) -> bool:
    """Answer whether every user of the person's account needs a second factor to sign in."""
    with door.database.snapshot() as db:
        return sign_in_settings.of_account(db, person.account_id).users_need_mfa


async def require_mfa(door: Door, actor: Actor) -> None:
    """Let every user of the account sign in with a second factor only; those without one enrol it. Raises AccessDenied."""
    await _change(door, actor, needed=True)


async def require_no_mfa(door: Door, actor: Actor) -> None:
    """Let users without a device sign in without one. Raises AccessDenied."""
    await _change(door, actor, needed=False)


async def _change(door: Door, actor: Actor, *, needed: bool) -> None:
    wiring, who = door.wiring, actor.principal
    operation = acting.find("iam", "UpdateAccountPasswordPolicy")

    def work(db: Transaction) -> Deed[AwsError | None]:
        standing = wiring.standings.held(db, who)
        call = Call(db, who.account_id, who, actor.now, actor.origin, wiring, standing, None, Notes())
        refusal: AwsError | None = None
        try:
            with savepoint(db):
                standing.confirm(db, who)
                if actor.tether is not None:
                    actor.tether.confirm(db)
                authorize.require(call, operation, {})
                settings = sign_in_settings.of_account(db, who.account_id)
                sign_in_settings.put(db, replace(settings, users_need_mfa=needed))
        except AwsError as error:
            refusal = error
        outcome = "Failure" if refusal else "Success"
        parameters = {"usersNeedMfa": needed}
        event = events.of(
            sessions.recorded(who),
            actor.origin,
            actor.now,
            "UpdateSignInSettings",
            response={"UpdateSignInSettings": outcome},
            parameters=parameters,
        )
        return Deed(refusal, [event])

    refused = await door.carry_out(work)
    if refused is not None:
        raise refused
