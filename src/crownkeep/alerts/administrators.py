"""New administrators whom no single record shows: by a policy that was there before, or by a group that has one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from crownkeep.alerts import detectors, rule_set
from crownkeep.storage.database import Transaction
from crownkeep.storage.identities import groups
from crownkeep.storage.policies import attachments, inline_policies, policy_versions
from crownkeep.storage.trail.events import EventRow

_BY_POLICY = {"AttachUserPolicy", "AttachGroupPolicy", "AttachRolePolicy", "SetDefaultPolicyVersion"}
_BY_GROUP = "AddUserToGroup"
_OF_AWS = ("arn:aws:iam::aws:policy/AdministratorAccess", "arn:aws:iam::aws:policy/IAMFullAccess")


def was_made(db: Transaction, event: EventRow) -> bool:
    """Tell whether somebody may do everything, or everything with IAM, by what was attached, put in force or joined.

    What is in force after the event decides, so this is asked in the event's own transaction.
    """
    if event.name not in _BY_POLICY and event.name != _BY_GROUP:
        return False
    record = rule_set.decode(event.record)
    asked = record.get("requestParameters")
    # A call that was refused has changed nothing, whatever it asked for.
    if "errorCode" in record or not isinstance(asked, Mapping):
        return False
    if event.name == _BY_GROUP:
        return _is_of_administrators(db, event.account_id, str(asked.get("groupName", "")))
    return _is_for_administrators(db, event.account_id, [str(asked.get("policyArn", ""))])


def _is_of_administrators(db: Transaction, account_id: str, name: str) -> bool:
    group = groups.named(db, account_id, name)
    if group is None:
        return False
    inline = [row.document for row in inline_policies.of_owner(db, account_id, group.group_id)]
    arns = [row.policy_arn for row in attachments.of_owner(db, account_id, group.group_id)]
    return any(map(detectors.allows_everything, inline)) or _is_for_administrators(db, account_id, arns)


def _is_for_administrators(db: Transaction, account_id: str, arns: list[str]) -> bool:
    return any(arn in _OF_AWS for arn in arns) or any(map(detectors.allows_everything, _documents(db, account_id, arns)))


def _documents(db: Transaction, account_id: str, arns: list[str]) -> Iterator[str]:
    return (row.document for row in policy_versions.defaults_of(db, account_id, arns))
