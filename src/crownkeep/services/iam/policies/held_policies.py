"""The permissions policies that a user, group or role holds, each with how and through whom: for reports and simulations."""

from __future__ import annotations

from dataclasses import dataclass

from crownkeep.catalogue import managed_policies
from crownkeep.operations import permissions
from crownkeep.operations.call import Call
from crownkeep.policy import PolicyKind, PolicySource, SourceType
from crownkeep.services.iam.identities.entities import Entity
from crownkeep.storage.identities import memberships
from crownkeep.storage.identities.owners import OwnerKind
from crownkeep.storage.policies import attachments, inline_policies
from crownkeep.storage.policies.inline_policies import InlinePolicyRow

_SOURCE_TYPES = {OwnerKind.USER: SourceType.USER, OwnerKind.GROUP: SourceType.GROUP, OwnerKind.ROLE: SourceType.ROLE}


@dataclass(frozen=True, slots=True)
class HeldPolicy:
    """One policy. An inline one has no ARN, and a holder: the entity, or the group of a user that it is in."""

    name: str
    document: str
    source_type: SourceType
    arn: str | None = None
    holder_kind: OwnerKind | None = None
    holder_name: str = ""

    @property
    def source(self) -> PolicySource:
        """How a simulation cites it: AWS writes `user_bob_mine` for the inline policy `mine` of the user `bob`."""
        written = self.name if self.holder_kind is None else f"{self.holder_kind.value}_{self.holder_name}_{self.name}"
        return PolicySource(PolicyKind.IDENTITY, written, self.name, self.arn, self.source_type)


def of_entity(call: Call, entity: Entity) -> list[HeldPolicy]:
    """Return the policies of an entity; of a user, those of its groups too."""
    names = {entity.entity_id: (entity.kind, entity.name)}
    if entity.kind is OwnerKind.USER:
        found = memberships.groups_of_users(call.db, call.account_id, [entity.entity_id])
        names |= {group.group_id: (OwnerKind.GROUP, group.name) for group in found[entity.entity_id]}
    attached = attachments.of_owners(call.db, call.account_id, list(names))
    inline = inline_policies.of_owners(call.db, call.account_id, list(names))
    arns = list(dict.fromkeys(row.policy_arn for row in attached))
    return [*managed(call, arns), *(_inline(row, *names[row.owner_id]) for row in inline)]


def managed(call: Call, arns: list[str]) -> list[HeldPolicy]:
    """Return managed policies by their ARNs, with the documents in force; those that don't exist are left out."""
    found = permissions.managed(call.db, call.account_id, arns)
    return [
        HeldPolicy(text.source.name, text.document, text.source.type, text.source.arn)
        for text in found
        if text.source.arn is not None
    ]


def is_of_aws(held: HeldPolicy) -> bool:
    """Tell whether this is one of AWS's own managed policies."""
    return held.arn is not None and managed_policies.is_aws_managed(held.arn)


def _inline(row: InlinePolicyRow, kind: OwnerKind, name: str) -> HeldPolicy:
    return HeldPolicy(row.name, row.document, _SOURCE_TYPES[kind], holder_kind=kind, holder_name=name)
