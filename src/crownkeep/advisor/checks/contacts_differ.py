"""More than one person hears."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import contacts
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, failed, passed
from crownkeep.advisor.view import DoesNotApply, View


@check(
    "contacts-differ",
    title="Alternate contacts are different people",
    topic="contacts",
    severity=CheckSeverity.LOW,
    why="Three contacts with one telephone are one contact, and it may be on holiday.",
    fix=Fix(contacts.CONSOLE, contacts.command("SECURITY"), contacts.TERRAFORM),
)
def contacts_differ(view: View) -> Iterator[Verdict]:
    """Compare addresses, telephone numbers and names."""
    found = contacts.named(view)
    if len(found) < 2:
        raise DoesNotApply("There are no two alternate contacts to compare.")
    # Each by itself: two names with one telephone are still one person who is asleep.
    same = [
        what
        for what, member in (("address", "EmailAddress"), ("telephone", "PhoneNumber"), ("name", "Name"))
        if len({str(each.get(member, "")).strip().lower() for each in found.values()}) == 1
    ]
    yield failed(f"All have the same {', '.join(same)}.") if same else passed("They differ.")
