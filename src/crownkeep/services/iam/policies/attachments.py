"""Managed policies on users and groups: attached, detached and listed; the same three for every kind of entity."""

from __future__ import annotations

from crownkeep import arn, errors
from crownkeep.catalogue.managed_policies import ManagedPolicy
from crownkeep.domain import page_tokens
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.services.iam import quotas
from crownkeep.services.iam.identities import groups, users
from crownkeep.services.iam.policies import holders, managed
from crownkeep.services.iam.policies.holders import Holder
from crownkeep.services.iam.service import iam
from crownkeep.storage.policies import attachments
from crownkeep.storage.policies.attachments import AttachmentRow


def attach(call: Call, holder: Holder, policy_arn: str) -> Result:
    """Attach a managed policy to an entity; once more is no error.

    Raises NoSuchEntity, PolicyNotAttachable, LimitExceeded, and for a malformed ARN what `managed.require_arn` raises.
    """
    if arn.parse(policy_arn) is None:
        # AWS's text, double blank and all.
        raise errors.ValidationError("Invalid ARN:  Could not be parsed!")
    managed.require_arn(policy_arn)
    found = managed.find(call, policy_arn)
    if found is None:
        raise managed.not_attachable(policy_arn)
    if isinstance(found, ManagedPolicy) and found.is_of_service_linked_roles:
        raise errors.PolicyNotAttachable(f"Cannot attach a Service Role Policy to a Customer {holder.kind.value.capitalize()}.")
    # Noted before it is known whether anything changes: the record of a call that attached nothing names both as well.
    note(call, holder, policy_arn)
    attached = attachments.of_owner(call.db, call.account_id, holder.owner_id)
    if any(row.policy_arn == policy_arn for row in attached):
        return NOTHING
    quotas.require_room(call, len(attached), holder.quotas.attached_policies, name=holder.quotas.attached_policies_name)
    attachments.add(call.db, AttachmentRow(call.account_id, holder.owner_id, holder.kind, policy_arn, call.now))
    return NOTHING


def detach(call: Call, holder: Holder, policy_arn: str) -> Result:
    """Detach a managed policy from an entity; raises NoSuchEntity where it isn't attached."""
    managed.require_arn(policy_arn)
    if not attachments.remove(call.db, call.account_id, holder.owner_id, policy_arn):
        raise managed.not_found(policy_arn)
    note(call, holder, policy_arn)
    return NOTHING


def list_attached(call: Call, holder: Holder, *, path_prefix: str, marker: str | None, max_items: int | None) -> Result:
    """Return one page of what is attached to an entity, by name."""
    rows = attachments.of_owner(call.db, call.account_id, holder.owner_id)
    listed = sorted(_key(row.policy_arn) for row in rows if managed.path_of(row.policy_arn).startswith(path_prefix))
    found, more = page_tokens.page(
        call,
        list_name=f"ListAttached{holder.kind.value.capitalize()}Policies",
        filters=(holder.owner_id, path_prefix),
        marker=marker,
        max_items=max_items,
        # A quota keeps what is attached to one entity few.
        fetch=lambda after, limit: [key for key in listed if key > after][:limit],
        key=lambda key: key,
    )
    return {"AttachedPolicies": [describe(key.partition(" ")[2]) for key in found], **more}


def describe(policy_arn: str) -> dict[str, object]:
    """Return an attached policy's members."""
    return {"PolicyName": managed.name_of(policy_arn), "PolicyArn": policy_arn}


def describe_all(rows: list[AttachmentRow]) -> list[dict[str, object]]:
    """Return the members of everything attached to an entity, by name."""
    return [describe(row.policy_arn) for row in sorted(rows, key=lambda row: _key(row.policy_arn))]


def note(call: Call, holder: Holder, policy_arn: str) -> None:
    """Note for the record which entity and which policy a call is about."""
    call.notes.resources += [(holder.resource_type, holder.name), (managed.RESOURCE_TYPE, policy_arn)]


def _key(policy_arn: str) -> str:
    """Where an attached policy stands in lists; AWS's and the account's own may bear the same name."""
    return f"{managed.name_of(policy_arn).lower()} {policy_arn}"


_attached_user = holders.with_policy_arn(users.user_with_present_boundary)
_attached_group = holders.with_policy_arn(groups.named_group)


@iam.operation("AttachUserPolicy", resource=_attached_user)
def attach_user_policy(call: Call, *, user_name: str, policy_arn: str) -> Result:
    """Attach a managed policy to a user."""
    return attach(call, holders.user(call, user_name), policy_arn)


@iam.operation("DetachUserPolicy", resource=_attached_user)
def detach_user_policy(call: Call, *, user_name: str, policy_arn: str) -> Result:
    """Detach a managed policy from a user."""
    return detach(call, holders.user(call, user_name), policy_arn)


@iam.operation("ListAttachedUserPolicies", resource=users.named_user)
def list_attached_user_policies(
    call: Call, *, user_name: str, path_prefix: str = "/", marker: str | None = None, max_items: int | None = None
) -> Result:
    """List the managed policies of a user, without its groups'."""
    holder = holders.user(call, user_name)
    return list_attached(call, holder, path_prefix=path_prefix, marker=marker, max_items=max_items)


@iam.operation("AttachGroupPolicy", resource=_attached_group)
def attach_group_policy(call: Call, *, group_name: str, policy_arn: str) -> Result:
    """Attach a managed policy to a group."""
    return attach(call, holders.group(call, group_name), policy_arn)


@iam.operation("DetachGroupPolicy", resource=_attached_group)
def detach_group_policy(call: Call, *, group_name: str, policy_arn: str) -> Result:
    """Detach a managed policy from a group."""
    return detach(call, holders.group(call, group_name), policy_arn)


@iam.operation("ListAttachedGroupPolicies", resource=groups.named_group)
def list_attached_group_policies(
    call: Call, *, group_name: str, path_prefix: str = "/", marker: str | None = None, max_items: int | None = None
) -> Result:
    """List the managed policies of a group."""
    holder = holders.group(call, group_name)
    return list_attached(call, holder, path_prefix=path_prefix, marker=marker, max_items=max_items)
