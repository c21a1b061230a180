"""Versions of managed policies: up to five documents, one of them in force; none is ever changed, and no number comes again."""

from __future__ import annotations

import re
from datetime import datetime

from crownkeep import errors
from crownkeep.catalogue.managed_policies import ManagedPolicy
from crownkeep.domain import page_tokens
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.services.iam import documents, quotas
from crownkeep.services.iam.policies import managed
from crownkeep.services.iam.policies.managed import Policy
from crownkeep.services.iam.policies.policies import require_document
from crownkeep.services.iam.service import iam
from crownkeep.storage.policies import policies, policy_versions
from crownkeep.storage.policies.policies import PolicyRow
from crownkeep.storage.policies.policy_versions import VersionRow

# Nine digits at most: a longer number would not fit the column, and PostgreSQL would answer with an error.
_VERSION_ID = re.compile(r"v([1-9][0-9]{0,8})", re.ASCII)
_MORE_THAN_ANY_VERSION = 10**9


@iam.operation("CreatePolicyVersion", resource=managed.named_policy)
def create_policy_version(call: Call, *, policy_arn: str, policy_document: str, set_as_default: bool = False) -> Result:
    """Add a version to a managed policy of the account and, where wanted, put it in force."""
    row = managed.own_target(call, policy_arn, action="iam:CreatePolicyVersion")
    require_document(call, policy_document)
    most = quotas.of(call, quotas.VERSIONS_PER_POLICY)
    if policy_versions.count(call.db, call.account_id, row.policy_id) >= most:
        raise errors.LimitExceeded(
            f"A managed policy can have up to {most} versions. Before you create a new version, "
            "you must delete an existing version."
        )
    # From the policy's row and not from its versions: the number of one that was deleted must not come again.
    number = row.last_version + 1
    version = VersionRow(row.policy_id, number, call.account_id, policy_document, call.now)
    policy_versions.add(call.db, version)
    policies.set_last_version(call.db, call.account_id, row.policy_id, number, at=call.now)
    if set_as_default:
        policies.set_default(call.db, call.account_id, row.policy_id, number)
    call.notes.resources.append((managed.RESOURCE_TYPE, row.arn))
    in_force = number if set_as_default else row.default_version
    return {"PolicyVersion": managed.describe_version(number, version.created_at, in_force)}


@iam.operation("GetPolicyVersion", resource=managed.named_policy)
def get_policy_version(call: Call, *, policy_arn: str, version_id: str) -> Result:
    """Return a version of a managed policy with its document; of AWS's own only the one in force is known."""
    managed.require_arn(policy_arn)
    found = managed.targeted(call, policy_arn)
    if found is None:
        raise _no_such_version(policy_arn, version_id)
    call.notes.resources.append((managed.RESOURCE_TYPE, policy_arn))
    number = _number(version_id)
    if isinstance(found, ManagedPolicy):
        if number != found.default_version:
            raise _no_such_version(policy_arn, version_id)
        document, created_at = found.document, found.updated_at
    else:
        version = _required(call, found, version_id)
        document, created_at = version.document, version.created_at
    described = managed.describe_version(number, created_at, found.default_version)
    return {"PolicyVersion": {"Document": documents.encoded(document), **described}}


@iam.operation("ListPolicyVersions", resource=managed.named_policy)
def list_policy_versions(call: Call, *, policy_arn: str, marker: str | None = None, max_items: int | None = None) -> Result:
    """List a managed policy's versions, the newest first; of AWS's own only the one in force is known."""
    found = managed.required_target(call, policy_arn)
    versions, more = page_tokens.page(
        call,
        list_name="ListPolicyVersions",
        filters=(policy_arn,),
        marker=marker,
        max_items=max_items,
        fetch=lambda after, limit: _before(call, found, int(after) if after else _MORE_THAN_ANY_VERSION, limit),
        key=lambda version: str(version[0]),
    )
    return {"Versions": [managed.describe_version(number, at, found.default_version) for number, at in versions], **more}


@iam.operation("SetDefaultPolicyVersion", resource=managed.named_policy)
def set_default_policy_version(call: Call, *, policy_arn: str, version_id: str) -> Result:
    """Put another version of a managed policy in force, wherever it is attached."""
    row, version = _own(call, policy_arn, version_id, action="iam:SetDefaultPolicyVersion")
    policies.set_default(call.db, call.account_id, row.policy_id, version.version)
    call.notes.resources.append((managed.RESOURCE_TYPE, row.arn))
    return NOTHING


@iam.operation("DeletePolicyVersion", resource=managed.named_policy)
def delete_policy_version(call: Call, *, policy_arn: str, version_id: str) -> Result:
    """Delete a version of a managed policy that is not in force."""
    row, version = _own(call, policy_arn, version_id, action="iam:DeletePolicyVersion")
    if version.version == row.default_version:
        raise errors.DeleteConflict("Cannot delete the default version of a policy.")
    policy_versions.remove(call.db, call.account_id, row.policy_id, version.version)
    call.notes.resources.append((managed.RESOURCE_TYPE, row.arn))
    return NOTHING


def _number(version_id: str) -> int:
    """Return the number in `v3`, or 0 for an id that no version has."""
    match = _VERSION_ID.fullmatch(version_id)
    return int(match[1]) if match else 0


def _own(call: Call, policy_arn: str, version_id: str, *, action: str) -> tuple[PolicyRow, VersionRow]:
    try:
        row = managed.own_target(call, policy_arn, action=action)
    except errors.NoSuchEntity as error:
        raise _no_such_version(policy_arn, version_id) from error
    return row, _required(call, row, version_id)


def _required(call: Call, row: PolicyRow, version_id: str) -> VersionRow:
    version = policy_versions.numbered(call.db, call.account_id, row.policy_id, _number(version_id))
    if version is None:
        raise _no_such_version(row.arn, version_id)
    return version


def _before(call: Call, policy: Policy, number: int, limit: int) -> list[tuple[int, datetime]]:
    if isinstance(policy, ManagedPolicy):
        return [(policy.default_version, policy.updated_at)] if policy.default_version < number else []
    rows = policy_versions.page(call.db, call.account_id, policy.policy_id, before=number, limit=limit)
    return [(row.version, row.created_at) for row in rows]


def _no_such_version(policy_arn: str, version_id: str) -> errors.NoSuchEntity:
    return errors.NoSuchEntity(f"Policy {policy_arn} version {version_id} does not exist or is not attachable.")
