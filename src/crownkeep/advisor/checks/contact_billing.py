"""A billing contact is named."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import contacts
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis
from crownkeep.advisor.view import View


@check(
    "contact-billing",
    title="A billing contact is named",
    topic="contacts",
    severity=CheckSeverity.LOW,
    why="A bill that nobody reads is how a stolen key is noticed too late.",
    fix=Fix(contacts.CONSOLE, contacts.command("BILLING"), contacts.TERRAFORM),
    maps=cis(v1="1.1", v5="1.1", v6="2.1", v7="2.2"),
)
def contact_billing(view: View) -> Iterator[Verdict]:
    """Ask for it."""
    return contacts.is_named(view, "BILLING")
