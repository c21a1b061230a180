"""A security contact is named."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import contacts
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis
from crownkeep.advisor.view import View


@check(
    "contact-security",
    title="A security contact is named",
    topic="contacts",
    severity=CheckSeverity.HIGH,
    why="A warning that goes to root's mailbox alone is read too late.",
    fix=Fix(contacts.CONSOLE, contacts.command("SECURITY"), contacts.TERRAFORM),
    maps={
        **cis(v1="1.2", v5="1.2", v6="2.2", v7="2.3"),
        "security-hub": ("Account.1",),
        "config": ("security-account-information-provided",),
    },
)
def contact_security(view: View) -> Iterator[Verdict]:
    """Ask for it."""
    return contacts.is_named(view, "SECURITY")
