"""Provisioning: a permission set becomes a protected role in an account, follows its changes, and goes with its last assignment.

Everything happens in the transaction of the call that asked for it, so that it has happened, or has not, when that is answered.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import timedelta

from crownkeep import arn, clock, ids
from crownkeep.catalogue import managed_policies, reserved_names
from crownkeep.domain.policies import policy_documents
from crownkeep.domain.single_sign_on import instances
from crownkeep.operations.call import Call
from crownkeep.storage.accounts import accounts
from crownkeep.storage.identities import roles, tags
from crownkeep.storage.identities.owners import OwnerKind
from crownkeep.storage.identities.roles import RoleRow
from crownkeep.storage.policies import attachments, inline_policies, policies
from crownkeep.storage.policies.attachments import AttachmentRow
from crownkeep.storage.policies.inline_policies import InlinePolicyRow
from crownkeep.storage.single_sign_on import permission_set_policies, provisioned_roles
from crownkeep.storage.single_sign_on.instances import InstanceRow
from crownkeep.storage.single_sign_on.permission_sets import PermissionSetRow
from crownkeep.storage.single_sign_on.provisioned_roles import ProvisionedRoleRow

INLINE_NAME = "AwsSSOInlinePolicy"
_SUFFIX_BYTES = 8


class Unprovisionable(Exception):
    """A permission set can't become a role in an account; the message says why, in words for whoever administers it."""


def provision(call: Call, instance: InstanceRow, permission_set: PermissionSetRow, target_id: str) -> RoleRow:
    """Make the role of a permission set in an account, or bring it up to date; raises Unprovisionable before any change."""
    # Nobody deletes a policy of the account while it is being attached here.
    accounts.hold(call.db, target_id)
    # All that can fail comes first, so that a failure leaves the role as it was.
    policy_arns = _policy_arns(call, permission_set, target_id)
    boundary = _boundary(call, permission_set, target_id)
    kept = provisioned_roles.find(call.db, instance.instance_id, permission_set.permission_set_id, target_id)
    # The role may be gone although its row is there. It is then made anew.
    role = None if kept is None else roles.with_id(call.db, target_id, kept.role_id)
    if role is None:
        role = _new_role(call, instance, permission_set, target_id)
    place = (call.db, target_id, role.role_id)
    roles.set_description(*place, permission_set.description)
    roles.set_longest_session(*place, seconds=seconds_of(permission_set.session_duration))
    roles.set_boundary(*place, boundary)
    # From here on the role is made exactly what the permission set says, whatever it had before.
    _attach(call, role, policy_arns)
    inline_policies.remove(*place, INLINE_NAME)
    if permission_set.inline_policy is not None:
        inline_policies.put(call.db, _inline(call, role, permission_set.inline_policy))
    if kept is None:
        provisioned_roles.add(call.db, _provisioned(instance, permission_set, role))
    else:
        # By this number it is told later whether the role still follows its permission set.
        provisioned_roles.set_revision(call.db, kept, permission_set.revision)
    # Every cache of the account's permissions is void from the commit on.
    accounts.touch(call.db, target_id, clock.revision())
    return role


def withdraw(call: Call, kept: ProvisionedRoleRow) -> None:
    """Take a permission set's role out of an account: sessions of it end at once."""
    place = (call.db, kept.target_id, kept.role_id)
    for row in attachments.of_owner(*place):
        attachments.remove(*place, row.policy_arn)
    inline_policies.remove(*place, INLINE_NAME)
    tags.remove_all(*place)
    roles.remove(*place)
    provisioned_roles.remove(call.db, kept)
    # A cache must not let a session of the role live on.
    accounts.touch(call.db, kept.target_id, clock.revision())


def provider_arn(instance: InstanceRow, target_id: str) -> str:
    """Return the ARN of the provider that the roles of an instance name in their trust policies: there is no such provider."""
    return arn.iam(target_id, f"saml-provider/AWSSSO_{instance.instance_id.removeprefix('ssoins-')}_DO_NOT_DELETE")


def seconds_of(duration: str) -> int:
    """Return how many seconds an ISO 8601 duration of hours and minutes lasts, as `PT1H30M`; raises ValueError for another."""
    text = duration.removeprefix("PT")
    # Each part takes its unit off the front; whatever is left in the end was in the wrong order or no duration.
    hours, has_hours, rest = text.rpartition("H")
    minutes, has_minutes, rest = rest.rpartition("M")
    seconds, has_seconds, rest = rest.rpartition("S")
    numbers = [number for number, there in ((hours, has_hours), (minutes, has_minutes), (seconds, has_seconds)) if there]
    if not duration.startswith("PT") or rest or not numbers or not all(number.isdecimal() for number in numbers):
        raise ValueError(f"`{duration}` is no duration of hours and minutes such as `PT1H30M`")
    length = timedelta(hours=int(hours or 0), minutes=int(minutes or 0), seconds=int(seconds or 0))
    return int(length.total_seconds())


def _policy_arns(call: Call, permission_set: PermissionSetRow, target_id: str) -> list[str]:
    held = permission_set_policies.of_permission_set(call.db, permission_set.instance_id, permission_set.permission_set_id)
    return [_resolved(call, row.reference, target_id) for row in held]


def _resolved(call: Call, reference: str, target_id: str) -> str:
    """Return the ARN in an account of what a permission set refers to: AWS's own is the same everywhere."""
    # A reference with an ARN is one of AWS's policies; one by path and name is looked for in the account.
    if reference.startswith("arn:"):
        return reference
    path, _, name = reference.rpartition("/")
    found = policies.named(call.db, target_id, name)
    # A policy with the right name at another path is not the one that was meant.
    if found is None or found.path != f"{path}/":
        raise Unprovisionable(f"The customer managed policy {reference} does not exist in account {target_id}.")
    return arn.policy(target_id, found.path, found.name)


def _boundary(call: Call, permission_set: PermissionSetRow, target_id: str) -> str | None:
    if permission_set.boundary is None:
        return None
    wanted = json.loads(permission_set.boundary)
    if "ManagedPolicyArn" in wanted:
        managed: str = wanted["ManagedPolicyArn"]
        if managed_policies.with_arn(managed) is None:
            raise Unprovisionable(f"The managed policy {managed} does not exist.")
        return managed
    reference = wanted["CustomerManagedPolicyReference"]
    return _resolved(call, reference.get("Path", "/") + reference["Name"], target_id)


def _new_role(call: Call, instance: InstanceRow, permission_set: PermissionSetRow, target_id: str) -> RoleRow:
    # A random end, as AWS's have: a role that is made anew can't be taken for the one of before.
    name = f"AWSReservedSSO_{permission_set.name}_{clock.token_bytes(_SUFFIX_BYTES).hex()}"
    # AWS leaves the region out of the path where it is the oldest one.
    region = "" if instance.region == arn.GLOBAL_REGION else f"{instance.region}/"
    row = RoleRow(
        role_id=ids.unique_id(ids.Prefix.ROLE, clock.token_bytes(16)),
        account_id=target_id,
        name=name,
        name_key=name.lower(),
        path=f"{reserved_names.SINGLE_SIGN_ON_PATH}{region}",
        created_at=call.now,
        trust_policy=_trust(instance, target_id),
        trusted_accounts="",
        description=permission_set.description,
        max_session_seconds=seconds_of(permission_set.session_duration),
        # This is what protects the role: IAM's own operations refuse to change it.
        owner_service=instances.SERVICE,
    )
    roles.add(call.db, row)
    return row


def _trust(instance: InstanceRow, target_id: str) -> str:
    """Return the trust policy that AWS gives these roles; nobody can use it, for the provider that it names is the service's."""
    allowed = {
        "Effect": "Allow",
        "Principal": {"Federated": provider_arn(instance, target_id)},
        "Action": ["sts:AssumeRoleWithSAML", "sts:TagSession"],
        "Condition": {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [allowed]})


def _attach(call: Call, role: RoleRow, wanted: Iterable[str]) -> None:
    place = (call.db, role.account_id, role.role_id)
    before = {row.policy_arn for row in attachments.of_owner(*place)}
    after = set(wanted)
    # Only the difference is written, so that what stays attached keeps its date.
    for policy_arn in sorted(before - after):
        attachments.remove(*place, policy_arn)
    for policy_arn in sorted(after - before):
        attachments.add(call.db, AttachmentRow(role.account_id, role.role_id, OwnerKind.ROLE, policy_arn, call.now))


def _provisioned(instance: InstanceRow, permission_set: PermissionSetRow, role: RoleRow) -> ProvisionedRoleRow:
    return ProvisionedRoleRow(
        instance_id=instance.instance_id,
        permission_set_id=permission_set.permission_set_id,
        target_id=role.account_id,
        role_id=role.role_id,
        revision=permission_set.revision,
        account_id=instance.account_id,
        owner_account_id=role.account_id,
    )


def _inline(call: Call, role: RoleRow, document: str) -> InlinePolicyRow:
    return InlinePolicyRow(
        account_id=role.account_id,
        owner_id=role.role_id,
        owner_kind=OwnerKind.ROLE,
        name=INLINE_NAME,
        name_key=INLINE_NAME.lower(),
        document=document,
        size=policy_documents.size(document),
        put_at=call.now,
    )
