"""What an organization puts over an account: where in it the account is, and the policies that bind it level by level.

Service control policies bind whoever calls from the account, its root user among them; resource control policies bind what is
done to the account's resources. Neither binds the management account (Organizations user guide, "SCP evaluation", "RCP
evaluation"). All of it is read together, once for each revision of the account.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from crownkeep import arn
from crownkeep.catalogue import organization_policies as catalogue
from crownkeep.operations import permissions
from crownkeep.operations.permissions import Text
from crownkeep.policy import PolicyKind, PolicySet, PolicySource
from crownkeep.storage.database import Transaction
from crownkeep.storage.organizations import organization_accounts, organization_policy_targets, organizational_units
from crownkeep.storage.organizations.organization_accounts import MemberRow
from crownkeep.storage.organizations.organization_policy_targets import ControlRow

_KINDS = {
    catalogue.SERVICE_CONTROL: PolicyKind.SERVICE_CONTROL,
    catalogue.RESOURCE_CONTROL: PolicyKind.RESOURCE_CONTROL,
}
_KEPT_ACTIONS = 4096
"""Every request asks this of its action."""


@dataclass(frozen=True, slots=True)
class Membership:
    """An account's place in its organization, and what binds it there."""

    organization_id: str
    management_account_id: str
    path: str
    """The value of aws:PrincipalOrgPaths and aws:ResourceOrgPaths: organization, root and units, with a slash at the end."""
    service_control: tuple[PolicySet, ...] = ()
    """One set for each level from the root down to the account; empty where the type is not enabled, or binds nobody."""
    resource_control: tuple[PolicySet, ...] = ()
    """Likewise, over the account's resources."""


def load(db: Transaction, account_id: str) -> Membership | None:
    """Read and compile what an organization puts over an account; None for an account that is in none."""
    member = organization_accounts.of_account(db, account_id)
    if member is None:
        return None
    way = organizational_units.ancestry(db, account_id)
    path = "/".join([member.organization_id, *way[:-1], ""])
    if account_id == member.management_account_id:
        return Membership(member.organization_id, member.management_account_id, path)
    rows = organization_policy_targets.control_policies(db, member.organization_id, way)
    return Membership(
        member.organization_id,
        member.management_account_id,
        path,
        _levels(member, rows, way, catalogue.SERVICE_CONTROL),
        _levels(member, rows, way, catalogue.RESOURCE_CONTROL),
    )


@lru_cache(_KEPT_ACTIONS)
def is_resource_controlled(action: str) -> bool:
    """Tell whether resource control policies decide on an action at all."""
    return action.partition(":")[0].lower() in catalogue.RESOURCE_CONTROLLED_SERVICES


def policy_arn(management_account_id: str, organization_id: str, policy_type: str, policy_id: str) -> str:
    """Return the ARN of an organization's policy; AWS's own have theirs in the catalogue."""
    resource = f"policy/{organization_id}/{policy_type.lower()}/{policy_id}"
    return f"arn:{arn.PARTITION}:organizations::{management_account_id}:{resource}"


def _levels(member: MemberRow, rows: Iterable[ControlRow], way: Iterable[str], policy_type: str) -> tuple[PolicySet, ...]:
    of_type = [row for row in rows if row.type == policy_type]
    if not of_type:
        return ()
    # A level without a policy compiles to an empty set, which allows nothing: an enabled type needs an Allow at every level.
    return tuple(
        permissions.compiled(_text(member, row) for row in of_type if row.target_id == entity_id and row.policy_id is not None)
        for entity_id in way
    )


def _text(member: MemberRow, row: ControlRow) -> Text:
    kind, policy_id = _KINDS[row.type], row.policy_id or ""
    own = catalogue.aws_policy(policy_id)
    if own is not None:
        return Text(own.content, PolicySource(kind, own.policy_id, own.name, own.arn))
    cited = policy_arn(member.management_account_id, member.organization_id, row.type, policy_id)
    # The foreign side of the join is never absent: a policy that is attached can't be deleted.
    return Text(row.content or "", PolicySource(kind, policy_id, row.name or "", cited))
