"""Mail to people of single sign-on about their own sign-in: a device came or went, a password was changed."""

from __future__ import annotations

import json
from datetime import datetime

from crownkeep.audit.event import moment
from crownkeep.operations.call import Origin, Wiring
from crownkeep.operations.notices import Notice
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.storage.accounts import contacts
from crownkeep.storage.database import Transaction
from crownkeep.storage.single_sign_on.directory_users import DirectoryUserRow


def email_of(user: DirectoryUserRow) -> str:
    """Return the address that is kept of somebody, as it is spelled there; empty for who has none."""
    emails = json.loads(user.attributes).get("Emails") or []
    return str(emails[0].get("Value", "")) if emails else ""


def device_added(db: Transaction, wiring: Wiring, user: DirectoryUserRow, origin: Origin, *, now: datetime) -> None:
    """Tell somebody that they have another MFA device."""
    _send(wiring, db, email_of(user), user, "An MFA device was registered", origin, now)


def device_removed(
    db: Transaction, wiring: Wiring, user: DirectoryUserRow, by: Principal, origin: Origin, *, now: datetime
) -> None:
    """Tell somebody that they have an MFA device less; where an administrator took it, the security contact, too."""
    is_own = by.kind is PrincipalKind.PERSON
    says = "An MFA device was removed" if is_own else "An administrator removed an MFA device"
    _send(wiring, db, email_of(user), user, says, origin, now)
    contact = None if is_own else contacts.alternate(db, user.account_id, "SECURITY")
    if contact is not None:
        _send(wiring, db, contact.email_address, user, says, origin, now)


def password_changed(db: Transaction, wiring: Wiring, user: DirectoryUserRow, origin: Origin, *, now: datetime) -> None:
    """Tell somebody that their password was changed."""
    _send(wiring, db, email_of(user), user, "The password was changed", origin, now)


def _send(
    wiring: Wiring, db: Transaction, recipient: str, user: DirectoryUserRow, says: str, origin: Origin, now: datetime
) -> None:
    if not recipient:
        return
    # By ids alone: mail programs make links of names that somebody chose.
    about = {"account_id": user.account_id, "person": user.user_id}
    values = {"says": says, "when": moment(now), "address": origin.source_ip, **about}
    wiring.outbox.send(db, Notice("person-security", recipient, user.account_id, now, values))
