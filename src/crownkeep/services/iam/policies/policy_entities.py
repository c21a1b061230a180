"""Which users, groups and roles hold a managed policy, as a permissions policy or as their boundary."""

from __future__ import annotations

from collections.abc import Sequence

from crownkeep.operations.call import Call, Result
from crownkeep.services.iam.policies import managed, sections
from crownkeep.services.iam.policies.sections import Section
from crownkeep.services.iam.service import iam
from crownkeep.storage.identities.owners import OwnerKind
from crownkeep.storage.policies import policy_holders
from crownkeep.storage.policies.policies import Usage
from crownkeep.storage.policies.policy_holders import PolicyHolderRow

_KINDS = {"Group": OwnerKind.GROUP, "User": OwnerKind.USER, "Role": OwnerKind.ROLE}
_USAGES = {"PermissionsPolicy": Usage.ATTACHED, "PermissionsBoundary": Usage.BOUNDARY}


@iam.operation("ListEntitiesForPolicy", resource=managed.named_policy)
def list_entities_for_policy(
    call: Call,
    *,
    policy_arn: str,
    entity_filter: str | None = None,
    path_prefix: str = "/",
    policy_usage_filter: str | None = None,
    marker: str | None = None,
    max_items: int | None = None,
) -> Result:
    """List the entities of the account that a managed policy is attached to or bounds, kind by kind."""
    managed.require_arn(policy_arn)
    if managed.targeted(call, policy_arn) is None:
        raise managed.not_attachable(policy_arn)
    usage = Usage.EITHER if policy_usage_filter is None else _USAGES[policy_usage_filter]
    kinds = [name for name in _KINDS if entity_filter in (None, name)]

    def section(name: str) -> Section:
        return Section(name, lambda after, limit: fetch(_KINDS[name], after, limit), lambda row: row.name_key)

    def fetch(kind: OwnerKind, after: str, limit: int) -> Sequence[PolicyHolderRow]:
        return policy_holders.page(
            call.db, call.account_id, policy_arn, kind=kind, usage=usage, path_prefix=path_prefix, after=after, limit=limit
        )

    found, more = sections.page(
        call,
        [section(name) for name in kinds],
        list_name="ListEntitiesForPolicy",
        filters=(policy_arn, entity_filter or "", usage.value, path_prefix),
        marker=marker,
        max_items=max_items,
    )
    return {
        f"Policy{name}s": [{f"{name}Name": row.name, f"{name}Id": row.owner_id} for row in found.of(name, PolicyHolderRow)]
        for name in _KINDS
    } | more
