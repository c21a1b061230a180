"""Making service-linked roles: for IAM, which is asked to, and for services that need theirs in an account."""

from __future__ import annotations

from crownkeep import clock, ids
from crownkeep.catalogue import service_linked_roles
from crownkeep.catalogue.service_linked_roles import ServiceLinkedRole
from crownkeep.operations.call import Call
from crownkeep.storage.identities import roles
from crownkeep.storage.identities.owners import OwnerKind
from crownkeep.storage.identities.roles import RoleRow
from crownkeep.storage.policies import attachments
from crownkeep.storage.policies.attachments import AttachmentRow

LONGEST_SESSION = 3600
"""Seconds that a session of a role may last where its maker said nothing."""


def add(call: Call, account_id: str, linked: ServiceLinkedRole, *, name: str, description: str | None) -> RoleRow:
    """Keep a service's role in an account and attach the service's policy to it."""
    row = RoleRow(
        role_id=ids.unique_id(ids.Prefix.ROLE, clock.token_bytes(16)),
        account_id=account_id,
        name=name,
        name_key=name.lower(),
        path=linked.path,
        created_at=call.now,
        trust_policy=linked.trust_policy,
        trusted_accounts="",
        description=description,
        max_session_seconds=LONGEST_SESSION,
        owner_service=linked.service,
    )
    roles.add(call.db, row)
    attachments.add(call.db, AttachmentRow(account_id, row.role_id, OwnerKind.ROLE, linked.policy_arn, call.now))
    return row


def ensure(call: Call, account_id: str, service: str) -> None:
    """Make the one role that this service needs in an account, unless it is there."""
    linked = service_linked_roles.of_service(service)
    if linked is None:
        raise LookupError(f"no service-linked role is known of `{service}`")
    if roles.named(call.db, account_id, linked.role_name) is None:
        add(call, account_id, linked, name=linked.role_name, description=linked.description)
