"""Finding by a part of the name: identities, policies and an organization's accounts, as far as the caller may list them.

AWS's lists look for a beginning of the path at most. What is told here is what they would tell, and to nobody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from crownkeep import arn
from crownkeep.catalogue import managed_policies
from crownkeep.operations import authorize, registry
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Permission, Target
from crownkeep.services.account_security.service import account_security
from crownkeep.storage.organizations import delegated_administrators, organizations
from crownkeep.storage.organizations.organizations import OrganizationRow
from crownkeep.storage.reports import name_search
from crownkeep.storage.reports.name_search import FoundName, Searched

_MOST = 8
_LISTS: Mapping[Searched, tuple[str, str, str]] = {
    Searched.USER: ("Users", "iam:ListUsers", "user/"),
    Searched.GROUP: ("Groups", "iam:ListGroups", "group/"),
    Searched.ROLE: ("Roles", "iam:ListRoles", "role/"),
    Searched.POLICY: ("Policies", "iam:ListPolicies", "policy/"),
}
"""By kind: the member of the answer, and the list of IAM's that tells the same, with what that is decided on."""

_ACCOUNTS = "organizations:ListAccounts"


@account_security.operation("FindNames", resource=registry.everything, permission=Permission.UNLESS_DENIED)
def find_names(call: Call, *, text: str, max_items: int = _MOST) -> Result:
    """Return what the caller may list and whose name holds a text; what it begins comes first."""
    answer: dict[str, object] = {}
    refused: list[str] = []
    for kind, (member, action, resource) in _LISTS.items():
        answer[member] = []
        if authorize.allows(call, action, Target(arn.iam(call.account_id, resource))):
            answer[member] = _found(call, kind, text, max_items)
        else:
            refused.append(action)
    organization = _administered(call)
    if organization is not None and authorize.allows(call, _ACCOUNTS, registry.EVERYTHING):
        found = name_search.accounts_holding(call.db, organization.organization_id, text, limit=max_items)
        answer["Accounts"] = [{"Id": each.account_id, "Name": each.name, "Email": each.email} for each in found]
    return {**answer, "NotPermitted": refused}


def _found(call: Call, kind: Searched, text: str, most: int) -> list[dict[str, str]]:
    place = (call.db, kind, call.account_id, text)
    # What begins with the text is found by the index. Only where that is too little, names are looked through one by one.
    found = name_search.beginning_with(*place, limit=most)
    if len(found) < most:
        known = set(found)
        found += [each for each in name_search.holding(*place, limit=most) if each not in known]
    described = [_described(call.account_id, kind, each) for each in found]
    if kind is Searched.POLICY:
        described += [_of_aws(each.name, each.path) for each in islice(managed_policies.holding(text), most)]
    return described[:most]


def _described(account_id: str, kind: Searched, found: FoundName) -> dict[str, str]:
    resource = f"{kind.value}{found.path}{found.name}"
    return {"Name": found.name, "Path": found.path, "Arn": arn.iam(account_id, resource)}


def _of_aws(name: str, path: str) -> dict[str, str]:
    return {"Name": name, "Path": path, "Arn": arn.policy(managed_policies.AWS, path, name)}


def _administered(call: Call) -> OrganizationRow | None:
    """Return the organization whose accounts the caller's account may list: the one it manages, or administers a service of."""
    organization = organizations.of_account(call.db, call.account_id)
    if organization is None or organization.management_account_id == call.account_id:
        return organization
    place = (call.db, organization.organization_id)
    return organization if delegated_administrators.is_delegate(*place, call.account_id) else None
