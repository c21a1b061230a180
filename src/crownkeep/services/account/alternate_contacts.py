"""Alternate contacts: whom to reach about billing, operations and security; one of each at most."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.audit.event import moment
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.notices import Notice
from crownkeep.operations.registry import Effect
from crownkeep.services.account import subject
from crownkeep.services.account.service import account
from crownkeep.storage.accounts import contacts
from crownkeep.storage.accounts.contacts import AlternateContactRow


@account.operation("PutAlternateContact", resource=subject.alternate_contact, effect=Effect.STATE)
def put_alternate_contact(
    call: Call,
    *,
    name: str,
    title: str,
    email_address: str,
    phone_number: str,
    alternate_contact_type: str,
    account_id: str | None = None,
) -> Result:
    """Keep a contact, in the place of the one of its type if there is one."""
    owner = subject.account_of(call, account_id, operation="PutAlternateContact")
    # AWS takes the white space around an address off and keeps its letters' case (seen on AWS).
    row = AlternateContactRow(owner, alternate_contact_type, name, title, email_address.strip(), phone_number)
    # Read before it is replaced: the former address is needed once more, to tell it.
    former = contacts.alternate(call.db, owner, alternate_contact_type)
    if former is None:
        contacts.add_alternate(call.db, row)
    else:
        contacts.change_alternate(call.db, row)
        _tell_former(call, former, present=row.email_address)
    return NOTHING


@account.operation("GetAlternateContact", resource=subject.alternate_contact)
def get_alternate_contact(call: Call, *, alternate_contact_type: str, account_id: str | None = None) -> Result:
    """Return the contact of a type."""
    owner = subject.account_of(call, account_id, operation="GetAlternateContact")
    row = contacts.alternate(call.db, owner, alternate_contact_type)
    if row is None:
        raise _no_contact()
    return {
        "AlternateContact": {
            "Name": row.name,
            "Title": row.title,
            "EmailAddress": row.email_address,
            "PhoneNumber": row.phone_number,
            "AlternateContactType": row.contact_type,
        }
    }


@account.operation("DeleteAlternateContact", resource=subject.alternate_contact, effect=Effect.STATE)
def delete_alternate_contact(call: Call, *, alternate_contact_type: str, account_id: str | None = None) -> Result:
    """Forget the contact of a type; there must be one."""
    owner = subject.account_of(call, account_id, operation="DeleteAlternateContact")
    former = contacts.alternate(call.db, owner, alternate_contact_type)
    if former is None:
        raise _no_contact()
    contacts.remove_alternate(call.db, owner, alternate_contact_type)
    _tell_former(call, former, present="")
    return NOTHING


def _tell_former(call: Call, former: AlternateContactRow, *, present: str) -> None:
    """Tell a security contact that it is none any more: whoever means harm puts an address of their own in its place first."""
    if former.contact_type != "SECURITY" or former.email_address.lower() == present.lower():
        return
    values = {"account_id": former.account_id, "when": moment(call.now), "address": call.origin.source_ip}
    call.wiring.outbox.send(call.db, Notice("contact-replaced", former.email_address, former.account_id, call.now, values))


def _no_contact() -> errors.ResourceNotFound:
    return errors.ResourceNotFound("No contact of the inputted alternate contact type found.")
