"""Entitlements to existing roles with the names of what they are about, and which of them let people administer an account."""

from __future__ import annotations

from dataclasses import dataclass

from crownkeep import arn
from crownkeep.domain import next_tokens
from crownkeep.operations.call import Call, Result
from crownkeep.operations.giving_way import GivingWay
from crownkeep.operations.registry import Mode
from crownkeep.policy import Applicable
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.services.sso_directory import searches, targets
from crownkeep.services.sso_directory.service import sso_directory
from crownkeep.storage.identities import roles
from crownkeep.storage.single_sign_on import entitlement_search
from crownkeep.storage.single_sign_on.entitlement_search import NamedEntitlement
from crownkeep.storage.single_sign_on.instances import InstanceRow


@dataclass(frozen=True, slots=True)
class _Found:
    """One entitlement, and whether its role lets people administer the account."""

    row: NamedEntitlement
    is_ruling: bool


@sso_directory.operation(
    "SearchRoleEntitlements", resource=searches.in_instance, mode=Mode.LONG_READ, action="sso:ListAccountAssignmentsForPrincipal"
)
def search_role_entitlements(
    call: Call,
    *,
    identity_store_id: str,
    account_id: str = "",
    principal_id: str = "",
    administrators_only: bool = False,
    max_results: int | None = None,
    next_token: str | None = None,
) -> Result:
    """List who is entitled to which existing role: in an account, of a person with their groups, or where it administers."""
    instance = targets.required_store(call)
    principal_ids = searches.principals(call, instance, principal_id)
    listed, more = next_tokens.page(
        call,
        list_name="SearchRoleEntitlements",
        filters=(instance.instance_id, account_id, principal_id, str(administrators_only)),
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, limit: _find(
            call, instance, account_id, principal_ids, only_ruling=administrators_only, after=after, limit=limit
        ),
        key=lambda each: each.row.entitlement_id,
    )
    return {"RoleEntitlements": [_describe(each) for each in listed], **more}


def _find(
    call: Call,
    instance: InstanceRow,
    account_id: str,
    principal_ids: list[str] | None,
    *,
    only_ruling: bool,
    after: str,
    limit: int,
) -> list[_Found]:
    """Return up to `limit` entitlements, reading on where some are left out: what a role allows is in no column."""
    pace = GivingWay()
    judged: dict[str, bool] = {}
    found: list[_Found] = []
    place = (instance.instance_id, instance.identity_store_id)
    while len(found) < limit:
        rows = entitlement_search.page(
            call.db, *place, owner_account_id=account_id, principal_ids=principal_ids, after=after, limit=limit
        )
        for row in rows:
            if row.role_arn not in judged:
                judged[row.role_arn] = _administers(call, row.role_arn)
                pace.pause()
            if judged[row.role_arn] or not only_ruling:
                found.append(_Found(row, judged[row.role_arn]))
        if len(rows) < limit:
            break
        after = rows[-1].entitlement_id
    return found[:limit]


def _administers(call: Call, role_arn: str) -> bool:
    """Tell whether a role lets people administer its account: by its own policies and boundary, as they are now."""
    parts = arn.parse(role_arn)
    standing = None if parts is None else call.wiring.standings.of_account(call.db, parts.account_id)
    # By the very ARN: a role of the same name under another path is not the one that people are entitled to.
    row = None if parts is None else roles.named(call.db, parts.account_id, role_arn.rpartition("/")[2])
    if standing is None or row is None or arn.role(row.account_id, row.path, row.name) != role_arn:
        return False
    held = standing.permissions(call.db, Principal(PrincipalKind.ROLE, row.account_id, row.role_id, row.name, row.path))
    return searches.lets_administer(Applicable(identity=held.identity, boundary=held.boundary))


def _describe(found: _Found) -> dict[str, object]:
    row = found.row
    return {
        "EntitlementId": row.entitlement_id,
        "AccountId": row.owner_account_id,
        "AccountName": row.account_name,
        "RoleArn": row.role_arn,
        "PrincipalType": row.principal_type,
        "PrincipalId": row.principal_id,
        "PrincipalName": row.principal,
        "GivesAdministrator": found.is_ruling,
    }
