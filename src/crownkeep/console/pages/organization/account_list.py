"""All accounts of the organization in one list: found by a part of the name, sorted, with chosen columns, and several at once."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import listing, parts, web
from crownkeep.console.kit.chosen_rows import ChosenRows
from crownkeep.console.kit.listing import ConsoleList, ListColumn, Row
from crownkeep.console.pages.organization import chosen_accounts, places
from crownkeep.translation import gettext_noop, ngettext


def _security(member: str) -> listing.Cell:
    def written(row: Row) -> object:
        value = row.get("Security", {}).get(member, "")
        return " ".join(value) if isinstance(value, list | tuple) else value

    return written


def _credentials(row: Row) -> str:
    """Write what root can sign in with into a file."""
    security = row.get("Security", {})
    counted = {"access keys": security.get("RootAccessKeys"), "certificates": security.get("RootSigningCertificates")}
    held = ["password"] if security.get("RootHasPassword") else []
    return ", ".join([*held, *(f"{count} {name}" for name, count in counted.items() if count)])


def _security_moment(member: str) -> listing.Cell:
    written = listing.when(member)
    return lambda row: written(row.get("Security", {}))


LISTING = ConsoleList(
    name="accounts",
    title=gettext_noop("Accounts"),
    unlisted=gettext_noop("Accounts can't be listed"),
    noun="account",
    folder=places.ACCOUNTS,
    operation="DescribeMembers",
    member="Members",
    key="Name",
    first=ListColumn(gettext_noop("Account"), listing.of("Name"), orders=("name", "-name")),
    columns={
        "id": ListColumn(gettext_noop("Account ID"), listing.of("AccountId")),
        "email": ListColumn(gettext_noop("Root user's address"), listing.of("Email")),
        "state": ListColumn(gettext_noop("State"), listing.of("Status"), orders=("state", "-state")),
        "unit": ListColumn(gettext_noop("Unit"), listing.of("UnitName")),
        "credentials": ListColumn(gettext_noop("Root credentials"), _credentials, facet="Security"),
        "mfa": ListColumn(gettext_noop("Root MFA"), _security("RootMfaKinds"), facet="Security"),
        "used": ListColumn(
            gettext_noop("Root last used"), _security_moment("RootLastUsedAt"), facet="Security", orders=("-used", "used")
        ),
        "contact": ListColumn(gettext_noop("Security contact"), _security("HasSecurityContact"), facet="Security"),
        "audit": ListColumn(
            gettext_noop("Last audit"), _security_moment("LastAuditAt"), facet="Security", orders=("audit", "-audit")
        ),
        "tags": listing.TAGS,
        "joined": ListColumn(gettext_noop("Joined"), listing.when("JoinedAt"), orders=("-joined", "joined")),
    },
    usual=("state", "unit", "credentials", "mfa", "used", "contact", "audit"),
    orders={
        "name": ("Name", gettext_noop("Name, A to Z")),
        "-name": ("Name", gettext_noop("Name, Z to A")),
        "-joined": ("Joined", gettext_noop("Joined lately first")),
        "joined": ("Joined", gettext_noop("Joined longest ago first")),
        "state": ("State", gettext_noop("Closed first")),
        "-state": ("State", gettext_noop("Active first")),
        "-used": ("RootLastUsed", gettext_noop("Root used lately first")),
        "used": ("RootLastUsed", gettext_noop("Root unused longest first")),
        "audit": ("LastAudit", gettext_noop("Audited longest ago first")),
        "-audit": ("LastAudit", gettext_noop("Audited lately first")),
    },
    limits={"name": "Text", "unit": "ParentId"},
)
CHOSEN = ChosenRows(
    LISTING,
    gettext_noop("With the chosen accounts"),
    lambda count: ngettext("%(num)s account", "%(num)s accounts", count),
    chosen_accounts.ACTS,
    chosen_accounts.account_of,
    chosen_accounts.called,
)


async def accounts(request: Request) -> Response:
    """List accounts a page at a time; the whole name of the only one found goes to its account."""
    web.signed_in(request)
    shown = await listing.ask(request, LISTING)
    if shown.only is not None:
        return web.go(places.account(shown.only["AccountId"]))
    about = await places.described(request)
    return places.page(
        request,
        "organization_accounts.html",
        current=places.FOLDER,
        same=[places.call("ListAccounts", MaxResults=places.MOST), shown.listed.call],
        shown=shown,
        chosen=CHOSEN,
        ids=lambda account: account["AccountId"],
        manager=about.one("Organization").get("MasterAccountId", ""),
        unit=places.tree(shown.here["unit"]) if shown.here["unit"] else "",
        whole=parts.address(places.ACCOUNTS, name=shown.here["name"], sort=shown.here["sort"]),
    )


ROUTES = [Route(places.ACCOUNTS, accounts, methods=["GET"]), *listing.routes(LISTING), *CHOSEN.routes()]
