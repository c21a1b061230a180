"""The account says whose it is."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import calls
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.view import View

_NEEDED = ("FullName", "PhoneNumber", "AddressLine1", "City", "CountryCode")


@check(
    "contact-primary",
    title="The account's owner can be reached",
    topic="contacts",
    severity=CheckSeverity.MEDIUM,
    why="An owner who can't be reached hears last, and can't prove whose account it is.",
    fix=Fix("Account, Contact information, Edit", "aws account put-contact-information --contact-information file://owner.json"),
    maps=cis(v1="1.1", v5="1.1", v6="2.1", v7="2.2"),
)
def contact_primary(view: View) -> Iterator[Verdict]:
    """Look for a name, a telephone number and an address. Whether they are right only people know."""
    found = (view.find(calls.PRIMARY_CONTACT) or {}).get("ContactInformation", {})
    missing = [each for each in _NEEDED if not str(found.get(each, "")).strip()]
    yield failed(f"There is no {', '.join(missing)}.") if missing else passed(f"It is {found['FullName']}.")
