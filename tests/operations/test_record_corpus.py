"""Our records beside AWS's: the shapes of some 60 kinds of real records, and of those that AWS's guides print.

`records.json` holds names and types alone. The real ones are of 507 records of July 2023 that a public data set has
(github.com/invictus-ir/aws_dataset), the others of the IAM and CloudTrail user guides. A name that ends in `?` was not in
every record of its kind, `*` stands for any name, and `null?` says that there may be nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from tests.fixtures.browsing import Browser
from tests.fixtures.crown import Account, Crown, Crowns
from tests.fixtures.trails import bucket
from tests.services.iam.asking import allow, enrol
from tests.signin.people import PASSWORD, sign_in_user, user_with_password

CORPUS = json.loads(Path(__file__).with_name("records.json").read_text(encoding="utf-8"))
TAGS = [{"Key": "team", "Value": "red"}]
DOCUMENT = json.dumps(allow("iam:ListUsers"))
KINDS = {dict: "object", list: "list", str: "string", bool: "boolean", int: "number", float: "number", type(None): "null"}


OURS: Mapping[str, str] = {
    "+.apiVersion": "the guide's record contents have it, and rules ask for it; the real records here have none",
    "+.resources": "what the call is about, by which LookupEvents finds it; AWS shows it in that answer alone",
}
"""What many of our records have that AWS's have not, and why."""
REASONS: Mapping[str, Mapping[str, str]] = {
    "account GetRegionOptStatus": {
        "+.requestParameters.regionName": "as the guide of Account Management prints the parameters of its other operations",
        "-.requestParameters.RegionName": "the same",
    },
    "iam CreateLoginProfile": {"+.requestParameters.password": "that there was one is said, and the password is not"},
    "sts AssumeRole": {
        "+.responseElements.sessionTokenSize": "STS answers it since 2025",
        "+.responseElements.sessionTokenUtilization": "the same",
    },
    "sts AssumeRole (refused)": {"!.requestParameters object": "which role was tried for is what somebody looks for"},
}
"""In what else a record of ours differs from AWS's, and why."""


@pytest.fixture
def crown(crowns: Crowns) -> Crown:
    """The shared server on SQLite: what a record holds does not depend on the database."""
    return crowns.shared("sqlite")


def differences(aws: Any, ours: Any, path: str = "") -> set[str]:
    """Return what ours has and AWS's does not (`+`), what AWS's always have and ours does not (`-`), and other types (`!`)."""
    if isinstance(aws, dict) and isinstance(ours, dict):
        if "*" in aws:
            return set[str]().union(*(differences(aws["*"], value, f"{path}.*") for value in ours.values()))
        known = {name.removesuffix("?"): shape for name, shape in aws.items() if name != "null?"}
        needed = {name for name in aws if not name.endswith("?")}
        found = {f"+{path}.{name}" for name in ours.keys() - known.keys()} | {f"-{path}.{name}" for name in needed - ours.keys()}
        return found.union(*(differences(known[name], ours[name], f"{path}.{name}") for name in known.keys() & ours.keys()))
    if isinstance(aws, list) and isinstance(ours, list):
        return set[str]().union(*(differences(aws[0], each, f"{path}[]") for each in ours)) if aws else set()
    if isinstance(aws, dict) and "null?" in aws and ours is None:
        return set()
    expected = "object" if isinstance(aws, dict) else "list" if isinstance(aws, list) else aws
    return set() if KINDS[type(ours)] in expected.split("|") else {f"!{path} {KINDS[type(ours)]}"}


def calls(account: Account) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the calls whose records are held against AWS's, in an order in which each is answered."""
    policy = f"arn:aws:iam::{account.id}:policy/p"
    trust = {"Effect": "Allow", "Principal": {"AWS": account.id}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role, user, profile = {"RoleName": "r"}, {"UserName": "u"}, {"InstanceProfileName": "i"}
    yield "iam", "CreateUser", {**user, "Path": "/", "Tags": TAGS}
    yield "iam", "CreateLoginProfile", {**user, "Password": "a new Horse 9 battery", "PasswordResetRequired": False}
    yield "iam", "CreatePolicy", {"PolicyName": "p", "PolicyDocument": DOCUMENT, "Path": "/", "Description": "d", "Tags": TAGS}
    yield (
        "iam",
        "CreateRole",
        {**role, "AssumeRolePolicyDocument": document, "Path": "/", "MaxSessionDuration": 3600, "Tags": TAGS},
    )
    yield "iam", "CreateInstanceProfile", {**profile, "Path": "/", "Tags": TAGS}
    yield "iam", "TagInstanceProfile", {**profile, "Tags": TAGS}
    yield "iam", "AddRoleToInstanceProfile", {**profile, **role}
    yield "iam", "AttachRolePolicy", {**role, "PolicyArn": policy}
    yield "iam", "AttachUserPolicy", {**user, "PolicyArn": policy}
    yield "iam", "PutRolePolicy", {**role, "PolicyName": "inline", "PolicyDocument": DOCUMENT}
    yield "iam", "CreateUser", {"UserName": "passing"}
    yield "iam", "UpdateAssumeRolePolicy", {**role, "PolicyDocument": document}
    for name in ("GetUser", "GetLoginProfile", "ListAccessKeys", "ListGroupsForUser", "ListMFADevices", "ListSSHPublicKeys"):
        yield "iam", name, user
    for name in ("ListServiceSpecificCredentials", "ListSigningCertificates", "CreateAccessKey"):
        yield "iam", name, user
    for name in ("GetRole", "ListAttachedRolePolicies", "ListInstanceProfilesForRole", "ListRolePolicies"):
        yield "iam", name, role
    yield "iam", "GetRolePolicy", {**role, "PolicyName": "inline"}
    for name in ("GetPolicy", "ListEntitiesForPolicy", "ListPolicyVersions"):
        yield "iam", name, {"PolicyArn": policy}
    key = account.client("iam").list_access_keys(UserName="u")["AccessKeyMetadata"][0]["AccessKeyId"]
    yield "iam", "DeleteAccessKey", {**user, "AccessKeyId": key}
    yield "iam", "GetPolicyVersion", {"PolicyArn": policy, "VersionId": "v1"}
    yield "iam", "GetInstanceProfile", profile
    yield "iam", "ListVirtualMFADevices", {"AssignmentStatus": "Any"}
    for name in ("GetAccountAuthorizationDetails", "GetAccountSummary", "ListUsers"):
        yield "iam", name, {}
    yield "sts", "GetCallerIdentity", {}
    taken = {"RoleArn": f"arn:aws:iam::{account.id}:role/r", "RoleSessionName": "story"}
    yield "sts", "AssumeRole", {**taken, "DurationSeconds": 900, "Policy": DOCUMENT}
    yield from trails(account)
    yield "account", "GetRegionOptStatus", {"RegionName": "eu-west-1"}
    yield from ends(policy)


def trails(account: Account) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield calls of CloudTrail's."""
    place = bucket(account.crown, account)
    arn = f"arn:aws:cloudtrail:us-east-1:{account.id}:trail/audit"
    named = {"Name": "audit"}
    yield "cloudtrail", "CreateTrail", {**named, "S3BucketName": place, "IncludeGlobalServiceEvents": True, "TagsList": TAGS}
    yield "cloudtrail", "StartLogging", named
    selectors = [
        {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [], "ExcludeManagementEventSources": []}
    ]
    yield "cloudtrail", "PutEventSelectors", {"TrailName": "audit", "EventSelectors": selectors}
    yield "cloudtrail", "DescribeTrails", {"trailNameList": ["audit"]}
    yield "cloudtrail", "GetEventSelectors", {"TrailName": "audit"}
    yield "cloudtrail", "GetTrailStatus", named
    yield "cloudtrail", "ListTags", {"ResourceIdList": [arn]}
    sought = [{"AttributeKey": "EventName", "AttributeValue": "CreateUser"}]
    yield "cloudtrail", "LookupEvents", {"MaxResults": 1, "LookupAttributes": sought}
    yield "cloudtrail", "DeleteTrail", named
    for name in ("DeleteTrail", "StartLogging", "StopLogging"):
        yield "cloudtrail", f"{name} (refused)", named
    yield "organizations", "LeaveOrganization (refused)", {}
    yield "organizations", "CreateOrganization", {}
    yield "organizations", "DescribeOrganization", {}
    yield "organizations", "ListDelegatedAdministrators", {"ServicePrincipal": "cloudtrail.amazonaws.com"}


def ends(policy: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the calls that take away what the others have made, and those that then find nothing."""
    role, user, profile = {"RoleName": "r"}, {"UserName": "u"}, {"InstanceProfileName": "i"}
    yield "iam", "RemoveRoleFromInstanceProfile", {**profile, **role}
    yield "iam", "DeleteInstanceProfile", profile
    yield "iam", "DetachRolePolicy", {**role, "PolicyArn": policy}
    yield "iam", "DetachUserPolicy", {**user, "PolicyArn": policy}
    yield "iam", "DeleteRolePolicy", {**role, "PolicyName": "inline"}
    yield "iam", "DeleteRole", role
    yield "iam", "DeletePolicy", {"PolicyArn": policy}
    yield "iam", "DeleteLoginProfile", user
    yield "iam", "DeleteLoginProfile (refused)", user
    yield "iam", "DeleteUser", {"UserName": "passing"}
    yield "iam", "GetRole (refused)", role
    yield "iam", "GetInstanceProfile (refused)", profile
    yield "sts", "AssumeRole (refused)", {"RoleArn": policy.replace("policy/p", "role/r"), "RoleSessionName": "story"}


def recorded(account: Account) -> dict[str, dict[str, Any]]:
    """Make the calls, and return their records by service and name."""
    caller = account.user("walt", policy=allow("*"))
    made: dict[str, str] = {}
    for service, name, parameters in calls(account):
        ask = getattr(caller.client(service), xform_name(name.removesuffix(" (refused)")))
        if name.endswith("(refused)"):
            with pytest.raises(ClientError) as refused:
                ask(**parameters)
            answer = refused.value.response
        else:
            answer = ask(**parameters)
        made[answer["ResponseMetadata"]["RequestId"]] = f"{service} {name}"
    return {made[each["requestID"]]: each for each in account.records() if each["requestID"] in made}


def signed_in(account: Account) -> dict[str, dict[str, Any]]:
    """Sign in, rightly and wrongly, and return the records of that."""
    user_with_password(account)
    _, app = enrol(account.client("iam"), "bob", f"bob-{account.id}")
    browser = Browser(account.crown)
    sign_in_user(browser, account.id, "bob")
    browser.submit({"code": app.code(1)})
    for name, password in (("bob", "wrong"), ("nobody", PASSWORD)):
        sign_in_user(Browser(account.crown), account.id, name, password=password)
    found: dict[str, dict[str, Any]] = {}
    for each in account.records():
        is_nobody = each["userIdentity"].get("userName") == "HIDDEN_DUE_TO_SECURITY_REASONS"
        whose = " (of nobody)" if is_nobody else " (refused)" if "errorMessage" in each else ""
        found[f"signin {each['eventName']}{whose}"] = each
    return found


def unlike(aws: Mapping[str, Any], ours: Mapping[str, Any]) -> set[str]:
    """Return in what one of our records differs from AWS's, but for what all of ours have for a reason."""
    return differences(CORPUS["every record"] | aws, ours) - OURS.keys()


def test_our_records_have_what_real_ones_have_and_nothing_else(crown: Crown):
    account = crown.account()
    ours = recorded(account)

    corpus = {name: CORPUS["a call of a user"] | aws for name, aws in CORPUS["real"].items() if name.split()[0] != "signin"}
    found = {name: unlike(aws, ours[name]) for name, aws in corpus.items()}

    assert {name: set(reasons) for name, reasons in REASONS.items()} == {name: each for name, each in found.items() if each}


def test_our_records_of_sign_in_have_what_aws_s_have_and_nothing_else(crown: Crown):
    ours = signed_in(crown.account())

    corpus = {name: aws for name, aws in (CORPUS["real"] | CORPUS["guides"]).items() if name.split()[0] == "signin"}
    found = {name: unlike(aws, ours[name]) for name, aws in corpus.items()}

    assert {} == {name: each for name, each in found.items() if each}
