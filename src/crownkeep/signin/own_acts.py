"""Acts for which AWS has no operation: each needs the permission of an operation that is close, and is recorded by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from crownkeep.errors import AwsError
from crownkeep.operations import authorize
from crownkeep.operations.call import Call, Notes
from crownkeep.operations.invoke import Door
from crownkeep.operations.registry import Operation
from crownkeep.signin import events, sessions
from crownkeep.signin.acting import Actor
from crownkeep.storage.database import Transaction, savepoint
from crownkeep.storage.writer import Deed


@dataclass(frozen=True, slots=True)
class Act:
    """One act: its name in the trail, whose permission it needs, and with what."""

    name: str
    permission: Operation
    arguments: Mapping[str, object] = field(default_factory=dict)
    """What the permission's operation is asked with, as its handler's arguments."""
    parameters: Mapping[str, object] = field(default_factory=dict)
    """What the trail says about the act."""


async def carry_out(door: Door, actor: Actor, act: Act, change: Callable[[Call], None]) -> str:
    """Make a change in the transaction that records it, and answer its event's id; raises the AwsError that refuses it.

    `change` may run more than once, and raises an AwsError where it refuses.
    """
    wiring, who = door.wiring, actor.principal

    def work(db: Transaction) -> Deed[tuple[str, AwsError | None]]:
        standing = wiring.standings.held(db, who)
        call = Call(db, who.account_id, who, actor.now, actor.origin, wiring, standing, None, Notes())
        refusal: AwsError | None = None
        try:
            with savepoint(db):
                standing.confirm(db, who)
                if actor.tether is not None:
                    actor.tether.confirm(db)
                authorize.require(call, act.permission, act.arguments)
                change(call)
        except AwsError as error:
            refusal = error
        event = events.of(
            sessions.recorded(who),
            actor.origin,
            actor.now,
            act.name,
            response={act.name: "Failure" if refusal else "Success"},
            parameters=act.parameters,
            message=refusal.message if refusal else "",
        )
        return Deed((str(event.event_id), refusal), [event])

    event_id, refused = await door.carry_out(work)
    if refused is not None:
        raise refused
    return event_id
