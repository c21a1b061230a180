"""Accounts of an organization: seen, moved between units, closed and taken out."""

from __future__ import annotations

from collections.abc import Sequence

from crownkeep import errors
from crownkeep.audit.redact import java_date
from crownkeep.domain import service_events
from crownkeep.domain.accounts import closed_accounts, membership
from crownkeep.domain.accounts.membership import Departure
from crownkeep.operations import registry
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Target
from crownkeep.operations.standing import ACTIVE
from crownkeep.services.organizations import arns, callers, departures, entities, next_tokens, quotas, refusals
from crownkeep.services.organizations.callers import AllowedCaller
from crownkeep.services.organizations.service import organizations
from crownkeep.storage.accounts import accounts as account_rows
from crownkeep.storage.organizations import organization_accounts, organizational_units
from crownkeep.storage.organizations.organization_accounts import MemberAccount
from crownkeep.storage.organizations.organizations import OrganizationRow


@organizations.operation("DescribeAccount", resource=entities.account, caller=AllowedCaller.ADMINISTRATOR)
def describe_account(call: Call, organization: OrganizationRow, *, account_id: str) -> Result:
    """Return an account of the organization."""
    found = entities.required_account(call, organization, account_id)
    return {"Account": describe_all(call, organization, [found])[0]}


@organizations.operation("ListAccounts", resource=registry.everything, caller=AllowedCaller.ADMINISTRATOR)
def list_accounts(
    call: Call, organization: OrganizationRow, *, next_token: str | None = None, max_results: int | None = None
) -> Result:
    """List every account of the organization by id, the management account and closed ones among them."""
    found, more = next_tokens.page(
        call,
        list_name="ListAccounts",
        filters=(organization.organization_id,),
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, limit: organization_accounts.page(call.db, organization.organization_id, after=after, limit=limit),
        key=lambda each: each.member.account_id,
    )
    return {"Accounts": describe_all(call, organization, found), **more}


@organizations.operation("ListAccountsForParent", resource=entities.parent, caller=AllowedCaller.ADMINISTRATOR)
def list_accounts_for_parent(
    call: Call, organization: OrganizationRow, *, parent_id: str, next_token: str | None = None, max_results: int | None = None
) -> Result:
    """List the accounts directly under a root or unit by id."""
    entities.require_parent(call, organization, parent_id)
    found, more = next_tokens.page(
        call,
        list_name="ListAccountsForParent",
        filters=(parent_id,),
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, limit: organization_accounts.page_under(
            call.db, organization.organization_id, parent_id, after=after, limit=limit
        ),
        key=lambda each: each.member.account_id,
    )
    return {"Accounts": describe_all(call, organization, found), **more}


def both_parents(call: Call, *, source_parent_id: str, destination_parent_id: str, **_: object) -> list[Target]:
    """Where an account comes from and where it goes, which policies must name beside it (service authorization reference)."""
    return [entities.parent(call, parent_id=parent_id) for parent_id in (source_parent_id, destination_parent_id)]


@organizations.operation(
    "MoveAccount", resource=entities.account, effect=Effect.STATE, caller=AllowedCaller.MANAGEMENT, also=both_parents
)
def move_account(
    call: Call, organization: OrganizationRow, *, account_id: str, source_parent_id: str, destination_parent_id: str
) -> Result:
    """Put an account under another root or unit: the policies there are in force for it at once."""
    found = entities.required_account(call, organization, account_id)
    # Both parents are looked for before they are compared, since AWS has an error of its own for each.
    if not entities.is_parent(call, organization, source_parent_id):
        raise errors.SourceParentNotFound("You specified a source parent that doesn't exist.")
    if not entities.is_parent(call, organization, destination_parent_id):
        raise errors.DestinationParentNotFound("You specified a destination parent that doesn't exist.")
    if found.member.parent_id == destination_parent_id:
        raise errors.DuplicateAccount("That account is already present in the specified destination.")
    # A wrong source means that the caller's view is old. It is refused so that two people don't move an account against each
    # other.
    if found.member.parent_id != source_parent_id:
        raise errors.AccountNotFound("You specified an account that doesn't exist.")
    organization_accounts.move(call.db, account_id, destination_parent_id)
    # Other policies are in force at the new place, so every cache of the account's permissions must go.
    entities.touch(call, account_id)
    return NOTHING


@organizations.operation("CloseAccount", resource=entities.account, effect=Effect.STATE, caller=AllowedCaller.MANAGEMENT)
def close_account(call: Call, organization: OrganizationRow, *, account_id: str) -> Result:
    """Close a member: none of its credentials works from now on; whoever runs the server can open it again for 90 days."""
    # The lock keeps the account from being closed, opened or removed at the same time.
    account_rows.hold(call.db, account_id)
    found = entities.required_account(call, organization, account_id)
    if callers.is_management(found.member):
        raise refusals.constraint("CANNOT_CLOSE_MANAGEMENT_ACCOUNT")
    if found.account.state != ACTIVE:
        raise errors.AccountAlreadyClosed("The provided account is already closed.")
    place = (call.db, organization.organization_id)
    # A stolen management account can so close only a part of the organization within a month.
    closed = organization_accounts.count_closed_since(*place, call.now - quotas.CLOSURES_COUNTED)
    if closed >= quotas.closures(organization_accounts.count(*place)):
        raise refusals.constraint("CLOSE_ACCOUNT_QUOTA_EXCEEDED")
    closed_accounts.close(call.db, account_id, now=call.now)
    # The format that CloudTrail's example of this event has.
    at = java_date(call.now)
    status = {"accountId": account_id, "state": "SUCCEEDED", "requestedTimestamp": at, "completedTimestamp": at}
    service_events.keep(
        call,
        source=membership.SERVICE,
        name="CloseAccountResult",
        account_id=call.account_id,
        details={"closeAccountStatus": status},
    )
    return NOTHING


@organizations.operation(
    "RemoveAccountFromOrganization", resource=entities.account, effect=Effect.STATE, caller=AllowedCaller.MANAGEMENT
)
def remove_account_from_organization(call: Call, organization: OrganizationRow, *, account_id: str) -> Result:
    """Take a member out of the organization; it stands alone from now on, with all it has."""
    member = entities.required_account(call, organization, account_id).member
    # What AWS asks of an account before it may stand alone.
    departures.require_may_leave(call, member)
    membership.leave(call, member, Departure.REMOVED)
    return NOTHING


def describe_all(call: Call, organization: OrganizationRow, found: Sequence[MemberAccount]) -> list[dict[str, object]]:
    """Return accounts as `Account`s, each with the path that leads to it."""
    place = (call.db, organization.organization_id)
    # One query for the paths of a whole page of accounts.
    ways = organizational_units.ways_to(*place, [each.member.parent_id for each in found])
    return [
        {
            **describe(organization, each),
            "Paths": ["/".join([organization.organization_id, *ways[each.member.parent_id], each.member.account_id, ""])],
        }
        for each in found
    ]


def describe(organization: OrganizationRow, found: MemberAccount) -> dict[str, object]:
    """Return what an `Account` and a `DelegatedAdministrator` have in common."""
    is_open = found.account.state == ACTIVE
    return {
        "Id": found.account.account_id,
        "Arn": arns.account(arns.place_of(organization), found.account.account_id),
        "Email": found.account.email,
        "Name": found.account.name,
        "Status": "ACTIVE" if is_open else "SUSPENDED",
        "State": "ACTIVE" if is_open else "CLOSED",
        "JoinedMethod": found.member.joined_method,
        "JoinedTimestamp": found.member.joined_at,
    }
