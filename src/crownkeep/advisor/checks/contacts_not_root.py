"""A warning reaches somebody beside root's mailbox."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import calls, contacts, organization
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, failed, passed
from crownkeep.advisor.view import CannotTell, DoesNotApply, View


@check(
    "contacts-not-root",
    title="No alternate contact is root's own mailbox",
    topic="contacts",
    severity=CheckSeverity.MEDIUM,
    why="Somebody who has taken over root's mailbox would be the only one to be warned.",
    fix=Fix(contacts.CONSOLE, contacts.command("SECURITY"), contacts.TERRAFORM),
)
def contacts_not_root(view: View) -> Iterator[Verdict]:
    """Compare with root's address, which an organization's management account sees of itself and of its members."""
    found = contacts.named(view)
    if not found:
        raise DoesNotApply("No alternate contact is named.")
    address = _root_address(view)
    same = [kind for kind, each in found.items() if str(each.get("EmailAddress", "")).lower() == address.lower()]
    for kind in same:
        yield failed(f"The {kind.lower()} contact is root's own address.")
    if not same:
        yield passed("None is.")


def _root_address(view: View) -> str:
    try:
        found = organization.of(view)
    except DoesNotApply as error:
        raise CannotTell("the AWS API tells root's address only to an organization") from error
    if found.get("MasterAccountId") == view.account_id:
        return str(found.get("MasterAccountEmail", ""))
    for each in view.get(calls.ORGANIZATION_ACCOUNTS)["Accounts"]:
        if each["Id"] == view.account_id:
            return str(each.get("Email", ""))
    raise CannotTell("the organization does not list this account")
