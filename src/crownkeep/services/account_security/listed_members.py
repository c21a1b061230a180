"""The accounts of an organization for a list that people look at: found by a part of the name, the address or the id.

Organizations lists them by id alone. The list is for whoever may list accounts. How their root users stand and how many
credentials they have is told to whoever may ask for that, and tags to whoever may read them.
"""

from __future__ import annotations

from collections.abc import Sequence

from crownkeep.domain.credentials import counted_credentials
from crownkeep.domain.credentials.counted_credentials import CountedCredentials
from crownkeep.operations import registry
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Mode
from crownkeep.services.account_security import ordered_lists, organization_members
from crownkeep.services.account_security.ordered_lists import AskedList
from crownkeep.services.account_security.service import account_security
from crownkeep.storage.organizations.organizations import OrganizationRow
from crownkeep.storage.reports import member_lists, ordered_names
from crownkeep.storage.reports.member_lists import ListedMember
from crownkeep.storage.reports.ordered_names import ListSearch

_NEEDED = {
    "Credentials": "account-security:ListMemberCredentials",
    "Security": "account-security:ListMemberSecurity",
    "Tags": "organizations:ListTagsForResource",
}
"""By what may be asked for of each account: the action that tells the same of all of them."""
_BY_SECURITY = frozenset({member_lists.ROOT_LAST_USED, member_lists.LAST_AUDIT})


@account_security.operation(
    "DescribeMembers", resource=registry.everything, action="organizations:ListAccounts", mode=Mode.LONG_READ
)
def describe_members(
    call: Call,
    *,
    text: str = "",
    parent_id: str = "",
    account_ids: Sequence[str] = (),
    sort_by: str = ordered_names.NAME,
    descending: bool = False,
    include: Sequence[str] = (),
    marker: str | None = None,
    max_items: int | None = None,
) -> Result:
    """Return a page of the organization's accounts with what is asked for of each; `AccountIds` asks for these alone.

    Raises AccessDenied for an account that does not administer root access of an organization, and for an order that would tell
    what the caller may not know.
    """
    organization = organization_members.administered(call)
    if sort_by in _BY_SECURITY:
        ordered_lists.require(call, _NEEDED["Security"])
    more: dict[str, object] = {"IsTruncated": False}
    ids = list(dict.fromkeys(account_ids))
    if not ids:
        wanted = ListSearch(text, parent_id, sort_by, descending)
        asked = AskedList("DescribeMembers", wanted, marker, max_items)
        ids, more = ordered_lists.page(call, member_lists.LISTED, asked, owner=organization.management_account_id)
    found = member_lists.with_ids(call.db, organization.organization_id, ids)
    refused = ordered_lists.refused(call, [_NEEDED[each] for each in include])
    # Accounts that were named and are no members are left out without a word: who else has an account here is not told.
    rows = [found[each] for each in ids if each in found]
    told = _told(
        call, organization, [each.account_id for each in rows], [each for each in include if _NEEDED[each] not in refused]
    )
    members = [{**_described(row), **told.get(row.account_id, {})} for row in rows]
    return {"Members": members, "NotPermitted": sorted(refused), **more}


def _described(row: ListedMember) -> dict[str, object]:
    unit = {} if row.unit_name is None else {"UnitName": row.unit_name}
    return {
        "AccountId": row.account_id,
        "Name": row.name,
        "Email": row.email,
        "Status": "ACTIVE" if row.closed_at is None else "SUSPENDED",
        "JoinedMethod": row.joined_method,
        "JoinedAt": row.joined_at,
        "ParentId": row.parent_id,
        **unit,
    }


def _told(
    call: Call, organization: OrganizationRow, account_ids: Sequence[str], include: Sequence[str]
) -> dict[str, dict[str, object]]:
    """Return what is asked for of these accounts, by id and of all of them at once."""
    told: dict[str, dict[str, object]] = {each: {} for each in account_ids}
    if "Credentials" in include:
        for account_id, counted in counted_credentials.of_accounts(call.db, account_ids, now=call.now).items():
            told[account_id]["Credentials"] = _counts(counted)
    if "Security" in include:
        for each in organization_members.standing(call, organization.organization_id, account_ids):
            told[str(each["AccountId"])]["Security"] = each
    if "Tags" in include:
        tagged = member_lists.tags_of(call.db, organization.organization_id, account_ids)
        for account_id, answer in told.items():
            answer["Tags"] = ordered_lists.described_tags(tagged.get(account_id, {}))
    return told


def _counts(counted: CountedCredentials) -> dict[str, object]:
    held = counted.held
    return {
        "Users": counted.users,
        "Passwords": held.passwords,
        "WithoutMfa": held.without_mfa,
        "ActiveAccessKeys": held.active_keys,
        "WithOldCredentials": held.with_old,
        "WithUnusedCredentials": held.with_unused,
        "RootCanSignIn": held.root_can_sign_in,
    }
