"""Inline policies of users and groups: put, read, listed and deleted; the same four for every kind of entity."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.domain import page_tokens
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.services.iam import documents, quotas
from crownkeep.services.iam.identities import groups, users
from crownkeep.services.iam.policies import holders
from crownkeep.services.iam.policies.holders import Holder
from crownkeep.services.iam.service import iam
from crownkeep.storage.policies import inline_policies
from crownkeep.storage.policies.inline_policies import InlinePolicyRow


def put(call: Call, holder: Holder, *, policy_name: str, policy_document: str) -> Result:
    """Put an inline policy into an entity, in the place of one with the same name.

    Raises MalformedPolicyDocument, and LimitExceeded where all inline policies of the entity would be too long together.
    """
    documents.require_valid(policy_document)
    size = documents.size(policy_document)
    quota = quotas.of(call, holder.quotas.inline_policies_size)
    # The quota is for all inline policies together, and the one that is replaced doesn't count.
    if inline_policies.size_beside(call.db, call.account_id, holder.owner_id, policy_name) + size > quota:
        kind = holder.kind.value
        raise errors.LimitExceeded(f"Maximum policy size of {quota} bytes exceeded for {kind} {holder.name}")
    row = InlinePolicyRow(
        account_id=call.account_id,
        owner_id=holder.owner_id,
        owner_kind=holder.kind,
        name=policy_name,
        name_key=policy_name.lower(),
        document=policy_document,
        size=size,
        put_at=call.now,
    )
    inline_policies.put(call.db, row)
    _note(call, holder, policy_name)
    return NOTHING


def get(call: Call, holder: Holder, *, policy_name: str) -> dict[str, object]:
    """Return the name and document of an entity's inline policy; raises NoSuchEntity."""
    row = inline_policies.named(call.db, call.account_id, holder.owner_id, policy_name)
    if row is None:
        raise _not_found(holder, policy_name)
    return describe(row)


def delete(call: Call, holder: Holder, *, policy_name: str) -> Result:
    """Delete an entity's inline policy; raises NoSuchEntity."""
    # One statement both looks and deletes, so two calls at once can't both succeed.
    if not inline_policies.remove(call.db, call.account_id, holder.owner_id, policy_name):
        raise _not_found(holder, policy_name)
    _note(call, holder, policy_name)
    return NOTHING


def list_names(call: Call, holder: Holder, *, marker: str | None, max_items: int | None) -> Result:
    """Return one page of the names of an entity's inline policies."""
    found, more = page_tokens.page(
        call,
        list_name=f"List{holder.kind.value.capitalize()}Policies",
        filters=(holder.owner_id,),
        marker=marker,
        max_items=max_items,
        fetch=lambda after, limit: inline_policies.names_page(
            call.db, call.account_id, holder.owner_id, after=after, limit=limit
        ),
        key=str.lower,
    )
    return {"PolicyNames": list(found), **more}


def describe(row: InlinePolicyRow) -> dict[str, object]:
    """Return the members of an inline policy."""
    return {"PolicyName": row.name, "PolicyDocument": documents.encoded(row.document)}


def _not_found(holder: Holder, policy_name: str) -> errors.NoSuchEntity:
    return errors.NoSuchEntity(f"The {holder.kind.value} policy with name {policy_name} cannot be found.")


def _note(call: Call, holder: Holder, policy_name: str) -> None:
    call.notes.resources += [(holder.resource_type, holder.name), ("AWS::IAM::Policy", policy_name)]


@iam.operation("PutUserPolicy", resource=users.user_with_present_boundary)
def put_user_policy(call: Call, *, user_name: str, policy_name: str, policy_document: str) -> Result:
    """Put an inline policy into a user."""
    return put(call, holders.user(call, user_name), policy_name=policy_name, policy_document=policy_document)


@iam.operation("GetUserPolicy", resource=users.named_user)
def get_user_policy(call: Call, *, user_name: str, policy_name: str) -> Result:
    """Return an inline policy of a user."""
    holder = holders.user(call, user_name)
    return {"UserName": holder.name, **get(call, holder, policy_name=policy_name)}


@iam.operation("DeleteUserPolicy", resource=users.user_with_present_boundary)
def delete_user_policy(call: Call, *, user_name: str, policy_name: str) -> Result:
    """Delete an inline policy of a user."""
    return delete(call, holders.user(call, user_name), policy_name=policy_name)


@iam.operation("ListUserPolicies", resource=users.named_user)
def list_user_policies(call: Call, *, user_name: str, marker: str | None = None, max_items: int | None = None) -> Result:
    """List the names of a user's inline policies."""
    return list_names(call, holders.user(call, user_name), marker=marker, max_items=max_items)


@iam.operation("PutGroupPolicy", resource=groups.named_group)
def put_group_policy(call: Call, *, group_name: str, policy_name: str, policy_document: str) -> Result:
    """Put an inline policy into a group."""
    return put(call, holders.group(call, group_name), policy_name=policy_name, policy_document=policy_document)


@iam.operation("GetGroupPolicy", resource=groups.named_group)
def get_group_policy(call: Call, *, group_name: str, policy_name: str) -> Result:
    """Return an inline policy of a group."""
    holder = holders.group(call, group_name)
    return {"GroupName": holder.name, **get(call, holder, policy_name=policy_name)}


@iam.operation("DeleteGroupPolicy", resource=groups.named_group)
def delete_group_policy(call: Call, *, group_name: str, policy_name: str) -> Result:
    """Delete an inline policy of a group."""
    return delete(call, holders.group(call, group_name), policy_name=policy_name)


@iam.operation("ListGroupPolicies", resource=groups.named_group)
def list_group_policies(call: Call, *, group_name: str, marker: str | None = None, max_items: int | None = None) -> Result:
    """List the names of a group's inline policies."""
    return list_names(call, holders.group(call, group_name), marker=marker, max_items=max_items)
