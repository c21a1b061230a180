"""Outcomes: what a request came to, which events must be kept of it, and what may leave once they are."""

from __future__ import annotations

from typing import cast

from crownkeep import errors
from crownkeep.errors import AwsError
from crownkeep.operations import record
from crownkeep.operations.call import NOTHING, Answer, Request, Result
from crownkeep.storage.trail.events import EventRow
from crownkeep.storage.writer import Item, WriterBusy
from crownkeep.values import value_type

UNAVAILABLE = Answer(NOTHING, errors.ServiceUnavailable("The request has failed due to a temporary failure of the server."))
BUSY = Answer(NOTHING, errors.Throttling("Rate exceeded"))
UNRECORDED = Answer(NOTHING, errors.ServiceUnavailable("The service is temporarily unable to keep a record of the request."))


@value_type(frozen=True, slots=True)
class Outcome:
    """What a request came to, and the event that must be kept before anybody hears of it."""

    result: Result
    error: AwsError | None
    event: EventRow
    leaves_nothing: bool = False
    """It was refused, and nothing stays of it but its record."""
    copies: tuple[EventRow, ...] = ()
    """What other accounts keep of it in their trails, and what else it leaves in its own."""

    def kept(self, request: Request) -> list[EventRow]:
        """Return what is recorded: all but the refusals of strangers beyond the rate at which they may fill the trail.

        What an account's own trail is to hold, as of somebody whom its identity provider vouches for, no flood keeps out.
        """
        is_strangers = self.leaves_nothing and self.event.account_id == record.NOBODY
        if is_strangers and request.may_record_refusal is not None and not request.may_record_refusal():
            return []
        return [self.event, *self.copies]

    def answer(self) -> Answer:
        """Return what may leave once the event is kept."""
        return Answer(self.result, self.error, str(self.event.event_id))


def answered(item: Item) -> Answer:
    """Return what may leave of a write that is settled."""
    return cast(Answer, item.result) if item.failure is None else failed(item)


def failed(item: Item) -> Answer:
    """Return what is told where a commit could not be made, or where the database went away and nobody knows."""
    return BUSY if isinstance(item.failure, WriterBusy) else UNRECORDED
