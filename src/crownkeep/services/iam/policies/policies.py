"""Managed policies: the account's own are made, tagged and deleted here; AWS's own are listed beside them and never change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

from crownkeep import arn, clock, errors, ids
from crownkeep.catalogue import managed_policies
from crownkeep.catalogue.managed_policies import ManagedPolicy
from crownkeep.domain import page_tokens
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Tagging, Target
from crownkeep.services.iam import documents, quotas
from crownkeep.services.iam.identities import reserved
from crownkeep.services.iam.identities import tags as tagging
from crownkeep.services.iam.policies import managed
from crownkeep.services.iam.policies.managed import Policy, PolicyUses
from crownkeep.services.iam.service import iam
from crownkeep.storage.identities import tags
from crownkeep.storage.policies import policies, policy_versions
from crownkeep.storage.policies.policies import PolicyRow, Usage
from crownkeep.storage.policies.policy_versions import VersionRow

Tags = Sequence[Mapping[str, str]]


def new_policy(call: Call, *, policy_name: str, path: str = "/", **_: object) -> Target:
    """The policy to be made."""
    return Target(arn.policy(call.account_id, path, policy_name))


def policies_under_path(call: Call, *, path_prefix: str = "/", **_: object) -> Target:
    """The policies that a list may name."""
    return Target(arn.policy(call.account_id, path_prefix, ""))


@iam.operation("CreatePolicy", resource=new_policy, tagging=Tagging("iam:TagPolicy"))
def create_policy(
    call: Call,
    *,
    policy_name: str,
    policy_document: str,
    path: str = "/",
    description: str | None = None,
    tags: Tags = (),
) -> Result:
    """Create a managed policy, attached to nothing, with its first version."""
    # Paths such as /aws-service-role/ are for services alone.
    reserved.require_free_path(path)
    require_document(call, policy_document)
    if policies.named(call.db, call.account_id, policy_name) is not None:
        raise errors.EntityAlreadyExists(f"A policy called {policy_name} already exists. Duplicate names are not allowed.")
    quotas.require_room(call, policies.count(call.db, call.account_id), quotas.POLICIES, name="PoliciesPerAccount")
    row = PolicyRow(
        policy_id=ids.unique_id(ids.Prefix.POLICY, clock.token_bytes(16)),
        account_id=call.account_id,
        arn=arn.policy(call.account_id, path, policy_name),
        name=policy_name,
        name_key=policy_name.lower(),
        path=path,
        description=description or None,
        created_at=call.now,
        updated_at=call.now,
        default_version=1,
        last_version=1,
    )
    policies.add(call.db, row)
    # The document is in the version, not in the policy, so that going back is only a change of a number.
    policy_versions.add(call.db, VersionRow(row.policy_id, 1, call.account_id, policy_document, call.now))
    tagged = tagging.put(call, row.policy_id, tags)
    call.notes.resources.append((managed.RESOURCE_TYPE, row.arn))
    # A policy that was just made can't be attached to anything, so nothing is counted.
    return {"Policy": {**managed.describe(row, PolicyUses({}, {})), **tagging.members(tagged)}}


@iam.operation("GetPolicy", resource=managed.named_policy)
def get_policy(call: Call, *, policy_arn: str) -> Result:
    """Return a managed policy without its document, which GetPolicyVersion answers."""
    found = managed.required_target(call, policy_arn)
    call.notes.resources.append((managed.RESOURCE_TYPE, policy_arn))
    described = managed.describe(found, managed.uses_of(call, [policy_arn]))
    # AWS's own policies have neither a description nor tags in this answer.
    if isinstance(found, ManagedPolicy):
        return {"Policy": {**described, "Tags": []}}
    if found.description is not None:
        described["Description"] = found.description
    # Unlike GetUser, GetPolicy answers an empty list where there are no tags (seen in AWS's answers).
    return {"Policy": {**described, "Tags": tagging.describe(tagging.of(call, found.policy_id))}}


@iam.operation("ListPolicies", resource=policies_under_path)
def list_policies(
    call: Call,
    *,
    scope: str = "All",
    only_attached: bool = False,
    path_prefix: str = "/",
    policy_usage_filter: str | None = None,
    marker: str | None = None,
    max_items: int | None = None,
) -> Result:
    """List the account's managed policies and AWS's own by name; descriptions and tags are not part of it (API_ListPolicies)."""
    usage = _usage(only_attached, policy_usage_filter)

    def fetch(after: str, limit: int) -> list[Policy]:
        found: list[Policy] = []
        if scope != "AWS":
            found += _local(call, path_prefix, usage, after, limit)
        if scope != "Local":
            found += _of_aws(call, path_prefix, usage, after, limit)
        # Both lists are sorted and begin behind the marker, so the first `limit` of the two together are the right page.
        return sorted(found, key=managed.list_key)[:limit]

    found, more = page_tokens.page(
        call,
        list_name="ListPolicies",
        filters=(scope, usage.value, path_prefix),
        marker=marker,
        max_items=max_items,
        fetch=fetch,
        key=managed.list_key,
    )
    # Attachments are counted only for what is shown, in one query.
    uses = managed.uses_of(call, [policy.arn for policy in found])
    return {"Policies": [managed.describe(policy, uses) for policy in found], **more}


@iam.operation("DeletePolicy", resource=managed.named_policy)
def delete_policy(call: Call, *, policy_arn: str) -> Result:
    """Delete a managed policy that is used nowhere and has no versions but the default one."""
    row = managed.own_target(call, policy_arn, action="iam:DeletePolicy")
    uses = managed.uses_of(call, [policy_arn])
    # As a boundary it is in use, too: if it could go, whoever is bound by it could do nothing any more.
    if uses.attachments or uses.boundaries:
        raise errors.DeleteConflict("Cannot delete a policy attached to entities.")
    if policy_versions.count(call.db, call.account_id, row.policy_id) > 1:
        raise errors.DeleteConflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. "
            "The default version is deleted with the policy."
        )
    policy_versions.remove_all(call.db, call.account_id, row.policy_id)
    tags.remove_all(call.db, call.account_id, row.policy_id)
    policies.remove(call.db, call.account_id, row.policy_id)
    call.notes.resources.append((managed.RESOURCE_TYPE, row.arn))
    return NOTHING


@iam.operation("TagPolicy", resource=managed.named_policy, effect=Effect.STATE)
def tag_policy(call: Call, *, policy_arn: str, tags: Tags) -> Result:
    """Add tags to a managed policy, or change them."""
    row = managed.own_target(call, policy_arn, action="iam:TagPolicy")
    tagging.put(call, row.policy_id, tags)
    call.notes.resources.append((managed.RESOURCE_TYPE, row.arn))
    return NOTHING


@iam.operation("UntagPolicy", resource=managed.named_policy, effect=Effect.STATE)
def untag_policy(call: Call, *, policy_arn: str, tag_keys: Sequence[str]) -> Result:
    """Take tags from a managed policy."""
    row = managed.own_target(call, policy_arn, action="iam:UntagPolicy")
    tagging.take(call, row.policy_id, tag_keys)
    call.notes.resources.append((managed.RESOURCE_TYPE, row.arn))
    return NOTHING


@iam.operation("ListPolicyTags", resource=managed.named_policy)
def list_policy_tags(call: Call, *, policy_arn: str, marker: str | None = None, max_items: int | None = None) -> Result:
    """List a managed policy's tags by key; AWS's own have none."""
    found = managed.required_target(call, policy_arn)
    return tagging.page(call, found.policy_id, list_name="ListPolicyTags", marker=marker, max_items=max_items)


def require_document(call: Call, document: str) -> None:
    """Hold a managed policy's document to the grammar and the quota; raises MalformedPolicyDocument and LimitExceeded."""
    documents.require_valid(document)
    most = quotas.of(call, quotas.POLICY_SIZE)
    # AWS doesn't count white space, and so a document may be laid out as one likes.
    if documents.size(document) > most:
        raise errors.LimitExceeded(f"Cannot exceed quota for PolicySize: {most}")


def _usage(only_attached: bool, policy_usage_filter: str | None) -> Usage:
    match policy_usage_filter:
        case "PermissionsBoundary":
            return Usage.BOUNDARY
        case "PermissionsPolicy":
            return Usage.ATTACHED
        case _:
            return Usage.ATTACHED if only_attached else Usage.ANY


def _local(call: Call, path_prefix: str, usage: Usage, after: str, limit: int) -> list[PolicyRow]:
    # The account's own comes first among equal names, so whatever is listed, its name's own is behind us.
    name_key = after.partition(" ")[0]
    return policies.page(call.db, call.account_id, path_prefix=path_prefix, usage=usage, after=name_key, limit=limit)


def _of_aws(call: Call, path_prefix: str, usage: Usage, after: str, limit: int) -> list[ManagedPolicy]:
    # The catalogue is long and sorted, so the search begins close to the marker.
    begun = managed_policies.listed_from(after.partition(" ")[0])
    listed = (policy for policy in begun if managed.list_key(policy) > after and policy.path.startswith(path_prefix))
    if usage is Usage.ANY:
        return list(islice(listed, limit))
    uses = managed.uses_of_aws_managed(call)
    used = uses.boundaries if usage is Usage.BOUNDARY else uses.attachments
    return list(islice((policy for policy in listed if policy.arn in used), limit))
