"""GetProof: the proof of one record of the account, as a file that is checked anywhere."""

from __future__ import annotations

from uuid import UUID

from crownkeep import errors
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Mode, everything
from crownkeep.services.trail.service import trail
from crownkeep.storage.trail import reading
from crownkeep.trail import proving
from crownkeep.trail.proving import Unproven


@trail.operation("GetProof", resource=everything, mode=Mode.LONG_READ)
def get_proof(call: Call, *, event_id: str) -> Result:
    """Return the proof of a record that the account still has; what another account has is not there."""
    try:
        sought = UUID(event_id)
    except ValueError as error:
        raise errors.AccountValidation("The event ID is not a UUID.") from error
    line = reading.of_event(call.db, sought)
    # Where an account's id was another's before, that one's records are withheld, and nothing tells of them.
    if line is None or line.account_id != call.account_id or line.record is None:
        raise errors.ResourceNotFound(
            f"There is no event {event_id} in the trail yet; one that was just recorded is within a second."
        )
    try:
        return {"EventId": event_id, "Proof": proving.prove(call.db, sought).encode()}
    except Unproven as error:
        raise errors.ResourceNotFound(f"There is no proof of event {event_id} yet; there is one within a second.") from error
