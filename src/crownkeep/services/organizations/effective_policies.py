"""Effective policies: what all policies of a type that configures services come to for one account."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import chain

from crownkeep import errors
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Mode, Target
from crownkeep.services.organizations import accounts, entities, next_tokens, policies, policy_contents
from crownkeep.services.organizations import policy_inheritance as inheritance
from crownkeep.services.organizations.callers import AllowedCaller
from crownkeep.services.organizations.policy_contents import Fault
from crownkeep.services.organizations.policy_inheritance import InheritedPolicy, Settings
from crownkeep.services.organizations.service import organizations
from crownkeep.storage.organizations import organization_accounts, organization_policy_targets, organizational_units
from crownkeep.storage.organizations.organization_accounts import MemberAccount
from crownkeep.storage.organizations.organization_policy_targets import MergedRow
from crownkeep.storage.organizations.organizations import OrganizationRow

_AT_ONCE = 100
"""Accounts that are looked at together while those with an invalid effective policy are sought."""
_KEPT_DOCUMENTS = 512


@dataclass(frozen=True, slots=True)
class Effective:
    """What is in force of a type for one account, and the policies that it comes from."""

    settings: Settings
    sources: Sequence[MergedRow]

    @property
    def updated_at(self) -> datetime:
        """When something last changed that it comes from."""
        return max(max(each.attached_at, each.policy.updated_at) for each in self.sources)


def subject(call: Call, *, policy_type: str, target_id: str | None = None, **_: object) -> Target:
    """The account whose effective policy is asked for: the caller's own, where none is named."""
    found = entities.account(call, account_id=target_id or call.account_id)
    return Target(found.arn, tags=found.tags, context=policies.of_type(policy_type))


def named_account(call: Call, *, account_id: str, policy_type: str, **_: object) -> Target:
    """The account whose effective policy is examined."""
    return subject(call, policy_type=policy_type, target_id=account_id)


def accounts_by_type(call: Call, *, policy_type: str, **_: object) -> Target:
    """All accounts, for policies of a type."""
    return Target("*", context=policies.of_type(policy_type))


@organizations.operation("DescribeEffectivePolicy", resource=subject, mode=Mode.LONG_READ, caller=AllowedCaller.ITSELF)
def describe_effective_policy(
    call: Call, organization: OrganizationRow, *, policy_type: str, target_id: str | None = None
) -> Result:
    """Return what is in force for an account, which every account may ask about itself."""
    account_id = target_id or call.account_id
    if organization_accounts.within(call.db, organization.organization_id, account_id) is None:
        raise errors.TargetNotFound("You specified a target that doesn't exist.")
    found = _required(call, organization, policy_type, account_id)
    described = {
        "PolicyContent": json.dumps(found.settings, ensure_ascii=False, separators=(",", ":")),
        "LastUpdatedTimestamp": found.updated_at,
        "TargetId": account_id,
        "PolicyType": policy_type,
    }
    return {"EffectivePolicy": described}


@organizations.operation(
    "ListAccountsWithInvalidEffectivePolicy", resource=accounts_by_type, mode=Mode.LONG_READ, caller=AllowedCaller.ADMINISTRATOR
)
def list_accounts_with_invalid_effective_policy(
    call: Call, organization: OrganizationRow, *, policy_type: str, next_token: str | None = None, max_results: int | None = None
) -> Result:
    """List the accounts for which policies that are right by themselves come to something that is not."""
    listed, more = next_tokens.page(
        call,
        list_name="ListAccountsWithInvalidEffectivePolicy",
        filters=(policy_type,),
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, limit: _invalid(call, organization, policy_type, after=after, limit=limit),
        key=lambda each: each.member.account_id,
    )
    return {"Accounts": accounts.describe_all(call, organization, listed), "PolicyType": policy_type, **more}


@organizations.operation(
    "ListEffectivePolicyValidationErrors", resource=named_account, mode=Mode.LONG_READ, caller=AllowedCaller.ADMINISTRATOR
)
def list_effective_policy_validation_errors(
    call: Call,
    organization: OrganizationRow,
    *,
    account_id: str,
    policy_type: str,
    next_token: str | None = None,
    max_results: int | None = None,
) -> Result:
    """Return what is wrong with an account's effective policy, and which policies it comes from."""
    entities.required_account(call, organization, account_id)
    found = _required(call, organization, policy_type, account_id)
    faults = policy_contents.faults(policy_type, found.settings)
    places = range(len(faults))
    listed, more = next_tokens.page(
        call,
        list_name="ListEffectivePolicyValidationErrors",
        filters=(account_id, policy_type),
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, limit: places[int(after) + 1 if after else 0 :][:limit],
        key=str,
    )
    return {
        "AccountId": account_id,
        "PolicyType": policy_type,
        "Path": "/".join([organization.organization_id, *organizational_units.ancestry(call.db, account_id), ""]),
        "EvaluationTimestamp": call.now,
        "EffectivePolicyValidationErrors": [_describe(faults[place], found) for place in listed],
        **more,
    }


def _attached(call: Call, organization: OrganizationRow, policy_type: str, entity_ids: Iterable[str]) -> list[MergedRow]:
    """Return what is attached to these entities, in the order in which it was: the same is in force whenever it is asked."""
    place = (call.db, organization.organization_id)
    rows = organization_policy_targets.merged_policies(*place, policy_type, list(entity_ids))
    return sorted(rows, key=lambda row: (row.attached_at, row.policy.policy_id))


def _effective(rows: Sequence[MergedRow], way: Sequence[str]) -> Effective | None:
    sources = [row for row in rows if row.target_id in way]
    if not sources:
        return None
    levels = [[_parsed(row.policy.content) for row in sources if row.target_id == entity_id] for entity_id in way]
    return Effective(inheritance.merge(levels), sources)


@lru_cache(_KEPT_DOCUMENTS)
def _parsed(content: str) -> InheritedPolicy:
    return inheritance.parse(content)


def _required(call: Call, organization: OrganizationRow, policy_type: str, account_id: str) -> Effective:
    way = organizational_units.ancestry(call.db, account_id)
    found = _effective(_attached(call, organization, policy_type, way), way)
    if found is None:
        raise errors.EffectivePolicyNotFound(
            "If you ran this action on the management account, this policy type is not enabled. If you ran the action on a "
            "member account, the account doesn't have an effective policy of this type."
        )
    return found


def _invalid(call: Call, organization: OrganizationRow, policy_type: str, *, after: str, limit: int) -> list[MemberAccount]:
    found: list[MemberAccount] = []
    while len(found) < limit:
        looked_at = organization_accounts.page(call.db, organization.organization_id, after=after, limit=_AT_ONCE)
        found += _invalid_among(call, organization, policy_type, looked_at)
        if len(looked_at) < _AT_ONCE:
            break
        after = looked_at[-1].member.account_id
    return found[:limit]


def _invalid_among(
    call: Call, organization: OrganizationRow, policy_type: str, looked_at: Sequence[MemberAccount]
) -> list[MemberAccount]:
    parents = [each.member.parent_id for each in looked_at]
    above = organizational_units.ways_to(call.db, organization.organization_id, parents)
    ways = {each.member.account_id: [*above[each.member.parent_id], each.member.account_id] for each in looked_at}
    rows = _attached(call, organization, policy_type, set(chain.from_iterable(ways.values())))
    return [each for each in looked_at if _is_invalid(policy_type, _effective(rows, ways[each.member.account_id]))]


def _is_invalid(policy_type: str, effective: Effective | None) -> bool:
    return effective is not None and bool(policy_contents.faults(policy_type, effective.settings))


def _describe(fault: Fault, effective: Effective) -> dict[str, object]:
    return {
        "ErrorCode": fault.code,
        "ErrorMessage": fault.message,
        "PathToError": fault.path,
        "ContributingPolicies": list(dict.fromkeys(row.policy.policy_id for row in effective.sources)),
    }
