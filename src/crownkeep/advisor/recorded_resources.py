"""What a recorded call was done to: its ARN, where the record or the call's parameters tell it, and None where they don't."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

from crownkeep.catalogue import actions

Parameters = Mapping[str, object]

_IAM = (
    ("instanceProfileName", "instance-profile"),
    ("groupName", "group"),
    ("userName", "user"),
    ("roleName", "role"),
    ("policyName", "policy"),
)
"""Which of several names an action of IAM is about: the first. AddUserToGroup is about the group."""
_OWN = frozenset(
    {
        *(
            "GetUser",
            "ChangePassword",
            "CreateAccessKey",
            "ListAccessKeys",
            "UpdateAccessKey",
            "DeleteAccessKey",
            "GetLoginProfile",
        ),
        *("ListMFADevices", "ListSigningCertificates", "ListSSHPublicKeys", "ListServiceSpecificCredentials"),
    }
)
"""Actions of IAM that are about the caller where no user is named."""
_LISTS = {"ListUsers": "user", "ListGroups": "group", "ListRoles": "role", "ListInstanceProfiles": "instance-profile"}
"""Lists of what is below a path, which refusals of AWS name as the resource."""
_ARNS = ("policyArn", "openIDConnectProviderArn", "sAMLProviderArn")


def of(action: str, given: Parameters, arns: Sequence[str], caller: str, account_id: str) -> str | None:
    """Return the ARN, as if no identity had a path."""
    service, _, name = action.partition(":")
    answer = _BY_SERVICE.get(service)
    found = answer(name, given, arns, caller, account_id) if answer is not None else arns[0] if len(arns) == 1 else None
    return found if found is not None else "*" if _names_none(action) else None


@cache
def _names_none(action: str) -> bool:
    """Tell whether an action is done to nothing that a policy could name."""
    known = actions.action(action)
    return known is not None and not known.resources


def _of_iam(name: str, given: Parameters, _arns: Sequence[str], caller: str, account_id: str) -> str | None:
    if name in _LISTS:
        return f"arn:aws:iam::{account_id}:{_LISTS[name]}{given.get('pathPrefix') or '/'}"
    path = str(given.get("path") or "/")
    for member, kind in _IAM:
        if member == "policyName" and name != "CreatePolicy":
            break
        if given.get(member):
            return f"arn:aws:iam::{account_id}:{kind}{path if name.startswith('Create') else '/'}{given[member]}"
    found = next((str(given[member]) for member in _ARNS if given.get(member)), None)
    if found is not None:
        return found
    return caller if name in _OWN and ":user/" in caller else None


def _of_sts(name: str, given: Parameters, _arns: Sequence[str], _caller: str, _account_id: str) -> str | None:
    return str(given["roleArn"]) if name.startswith("AssumeRole") and given.get("roleArn") else None


def _of_s3(_name: str, given: Parameters, arns: Sequence[str], _caller: str, _account_id: str) -> str | None:
    bucket = given.get("bucketName")
    if not bucket:
        return arns[0] if len(arns) == 1 else None
    return f"arn:aws:s3:::{bucket}/{given['key']}" if given.get("key") else f"arn:aws:s3:::{bucket}"


_BY_SERVICE: Mapping[str, Callable[[str, Parameters, Sequence[str], str, str], str | None]] = {
    "iam": _of_iam,
    "sts": _of_sts,
    "s3": _of_s3,
}
