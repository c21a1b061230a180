"""Policies that say what a team may be asked for: one of this installation's own, for AWS's are for AWS Backup."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from crownkeep import errors
from crownkeep.domain import next_tokens
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import everything
from crownkeep.services.mpa import targets
from crownkeep.services.mpa.service import PAGE, mpa

_MANAGED = "AWS_MANAGED"
_VERSIONED = re.compile(r"(?P<policy>arn:aws:mpa:::aws:policy/[^/]+/[^/]+)/(?P<version>\d+|\$DEFAULT)")


@dataclass(frozen=True, slots=True)
class ManagedTeamPolicy:
    """One version of one policy."""

    policy_arn: str
    name: str
    version: int
    created_at: datetime
    document: Mapping[str, object]

    @property
    def arn(self) -> str:
        """The version's ARN."""
        return f"{self.policy_arn}/{self.version}"


SEALED_ROOT = ManagedTeamPolicy(
    policy_arn="arn:aws:mpa:::aws:policy/crownkeep/SealedRoot",
    name="SealedRoot",
    version=1,
    created_at=datetime(2026, 11, 30, tzinfo=UTC),
    document={
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AskForSealedActs",
                "Effect": "Allow",
                "Principal": "*",
                "Action": ["mpa:StartSession", "mpa:GetSession", "mpa:CancelSession"],
                "Resource": "*",
            }
        ],
    },
)
_ALL = (SEALED_ROOT,)


@mpa.operation("ListPolicies", resource=everything)
def list_policies(call: Call, *, max_results: int | None = None, next_token: str | None = None) -> Result:
    """List the policies that teams can have."""
    listed, more = _page(call, "ListPolicies", max_results, next_token)
    shown = [
        {"Arn": each.policy_arn, "DefaultVersion": each.version, "PolicyType": _MANAGED, "Name": each.name} for each in listed
    ]
    return {"Policies": shown, **more}


@mpa.operation("ListPolicyVersions", resource=everything)
def list_policy_versions(call: Call, *, policy_arn: str, max_results: int | None = None, next_token: str | None = None) -> Result:
    """List a policy's versions."""
    if policy_arn not in {each.policy_arn for each in _ALL}:
        raise targets.missing(policy_arn)
    listed, more = _page(call, "ListPolicyVersions", max_results, next_token)
    return {"PolicyVersions": [_summary(each) for each in listed], **more}


@mpa.operation("GetPolicyVersion", resource=everything)
def get_policy_version(call: Call, *, policy_version_arn: str) -> Result:
    """Return a policy's version with its document."""
    found = _version(policy_version_arn)
    if found is None:
        raise targets.missing(policy_version_arn)
    return {"PolicyVersion": _summary(found) | {"Document": json.dumps(found.document)}}


@mpa.operation("ListResourcePolicies", resource=everything)
def list_resource_policies(
    call: Call, *, resource_arn: str, max_results: int | None = None, next_token: str | None = None
) -> Result:
    """List a team's policies."""
    held = _held(call, resource_arn)
    listed, more = next_tokens.page(
        call,
        list_name="ListResourcePolicies",
        filters=(resource_arn,),
        next_token=next_token,
        max_results=max_results or PAGE,
        fetch=lambda after, limit: [each for each in held if each.arn > after][:limit],
        key=lambda each: each.arn,
    )
    shown = [{"PolicyArn": each.arn, "PolicyType": _MANAGED, "PolicyName": each.name} for each in listed]
    return {"ResourcePolicies": shown, **more}


@mpa.operation("GetResourcePolicy", resource=everything)
def get_resource_policy(call: Call, *, resource_arn: str, policy_name: str, policy_type: str) -> Result:
    """Return one of a team's policies with its document."""
    held = _held(call, resource_arn)
    found = next((each for each in held if (each.name, _MANAGED) == (policy_name, policy_type)), None)
    if found is None:
        raise targets.missing(policy_name)
    return {
        "ResourceArn": resource_arn,
        "PolicyType": _MANAGED,
        "PolicyVersionArn": found.arn,
        "PolicyName": found.name,
        "PolicyDocument": json.dumps(found.document),
    }


def required_version(policy_version_arn: str) -> ManagedTeamPolicy:
    """Return the version that a team is to have; raises ValidationException where there is none."""
    found = _version(policy_version_arn)
    if found is None:
        raise errors.ServiceValidation(f"There is no policy {policy_version_arn}.")
    return found


def _version(policy_version_arn: str) -> ManagedTeamPolicy | None:
    named = _VERSIONED.fullmatch(policy_version_arn)
    if named is None:
        return None
    return next(
        (each for each in _ALL if each.policy_arn == named["policy"] and named["version"] in ("$DEFAULT", str(each.version))),
        None,
    )


def _held(call: Call, team_arn: str) -> list[ManagedTeamPolicy]:
    state = targets.find_team(call, team_arn)
    if state is None:
        raise targets.missing(team_arn)
    # One that a later version of this server doesn't have any more is left out.
    return [found for each in state.row.policies.splitlines() if (found := _version(each)) is not None]


def _page(
    call: Call, list_name: str, max_results: int | None, next_token: str | None
) -> tuple[list[ManagedTeamPolicy], dict[str, object]]:
    listed, more = next_tokens.page(
        call,
        list_name=list_name,
        next_token=next_token,
        max_results=max_results or PAGE,
        fetch=lambda after, limit: [each for each in _ALL if each.arn > after][:limit],
        key=lambda each: each.arn,
    )
    return list(listed), more


def _summary(found: ManagedTeamPolicy) -> dict[str, object]:
    return {
        "Arn": found.arn,
        "PolicyArn": found.policy_arn,
        "VersionId": found.version,
        "PolicyType": _MANAGED,
        "IsDefault": True,
        "Name": found.name,
        "Status": "ATTACHABLE",
        "CreationTime": found.created_at,
        "LastUpdatedTime": found.created_at,
    }
