"""Test alerts: a message to an alternate contact, to see that it arrives before it is needed."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.audit.event import moment
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.notices import Notice
from crownkeep.operations.registry import Effect, everything
from crownkeep.services.account_security.service import account_security
from crownkeep.signin import recovery
from crownkeep.signin.last_notices import MOST_TESTS
from crownkeep.storage.accounts import contacts


@account_security.operation("SendTestAlert", resource=everything, effect=Effect.STATE)
def send_test_alert(call: Call, *, alternate_contact_type: str) -> Result:
    """Send a message to the alternate contact of a type; raises ResourceNotFound and TooManyRequests."""
    contact = contacts.alternate(call.db, call.account_id, alternate_contact_type)
    if contact is None:
        raise errors.ResourceNotFound("No contact of the inputted alternate contact type found.")
    # Counted before it is sent, and in any case: the contact's mailbox is somebody's who may not have asked for it.
    sent = recovery.count(call.db, call.wiring, "test alert of", call.account_id, account_id=call.account_id, now=call.now)
    if sent > MOST_TESTS:
        raise errors.TooManyRequests(f"At most {MOST_TESTS} test alerts are sent within an hour. Try again later.")
    values = {
        "account_id": call.account_id,
        "when": moment(call.now),
        "contact": alternate_contact_type.lower(),
        "address": call.origin.source_ip,
    }
    call.wiring.outbox.send(call.db, Notice("test-alert", contact.email_address, call.account_id, call.now, values))
    return NOTHING
