"""Which calls an audit makes: all of them read, and all but one are allowed by AWS's managed policy SecurityAudit.

The exception is account:GetContactInformation, which that policy leaves out: without it the checks about the primary contact
cannot tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from crownkeep.advisor.evidence import ApiAnswer, ApiQuestion, Evidence, question

IDENTITY = question("sts", "GetCallerIdentity")
SUMMARY = question("iam", "GetAccountSummary")
PASSWORD_POLICY = question("iam", "GetAccountPasswordPolicy")
ALIASES = question("iam", "ListAccountAliases")
VIRTUAL_DEVICES = question("iam", "ListVirtualMFADevices", AssignmentStatus="Assigned")
CREDENTIAL_REPORT = question("iam", "GetCredentialReport")
AUTHORIZATION = question("iam", "GetAccountAuthorizationDetails")
CERTIFICATES = question("iam", "ListServerCertificates")
OIDC_PROVIDERS = question("iam", "ListOpenIDConnectProviders")
SAML_PROVIDERS = question("iam", "ListSAMLProviders")
CENTRAL_ROOT = question("iam", "ListOrganizationsFeatures")
PRIMARY_CONTACT = question("account", "GetContactInformation")
ALTERNATE_CONTACTS = {
    kind: question("account", "GetAlternateContact", AlternateContactType=kind) for kind in ("SECURITY", "BILLING", "OPERATIONS")
}
ACCOUNT = question("account", "GetAccountInformation")
REGIONS = question("ec2", "DescribeRegions")
ORGANIZATION = question("organizations", "DescribeOrganization")
ORGANIZATION_ROOTS = question("organizations", "ListRoots")
ORGANIZATION_ACCOUNTS = question("organizations", "ListAccounts")
SCPS = question("organizations", "ListPolicies", Filter="SERVICE_CONTROL_POLICY")
DELEGATED = question("organizations", "ListDelegatedAdministrators")
TRAILS = question("cloudtrail", "DescribeTrails")
ROOT_EVENTS = question("cloudtrail", "LookupEvents", LookupAttributes=[{"AttributeKey": "Username", "AttributeValue": "root"}])
SIGN_INS = question(
    "cloudtrail", "LookupEvents", LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "ConsoleLogin"}]
)
METRIC_FILTERS = question("logs", "DescribeMetricFilters")
ALARMS = question("cloudwatch", "DescribeAlarms")

FIRST = (
    SUMMARY,
    PASSWORD_POLICY,
    ALIASES,
    VIRTUAL_DEVICES,
    CREDENTIAL_REPORT,
    AUTHORIZATION,
    CERTIFICATES,
    OIDC_PROVIDERS,
    SAML_PROVIDERS,
    CENTRAL_ROOT,
    PRIMARY_CONTACT,
    *ALTERNATE_CONTACTS.values(),
    ACCOUNT,
    REGIONS,
    ORGANIZATION,
    ORGANIZATION_ROOTS,
    ORGANIZATION_ACCOUNTS,
    SCPS,
    DELEGATED,
    TRAILS,
    ROOT_EVENTS,
    SIGN_INS,
    METRIC_FILTERS,
    ALARMS,
)
"""What is asked of every account, beside who asks."""

MOST_ITEMS = {"LookupEvents": 250}
"""How many items of a list are read at most, of those that may be very long."""

MOST_PARENTS = 500
"""Of how many units, the root among them, what is below them is asked."""
ACCOUNT_ID = re.compile(r"(?<!\d)\d{12}(?!\d)")

_NO_ORGANIZATION = frozenset({"AWSOrganizationsNotInUseException", "OrganizationNotFoundException"})
_ABSENT: Mapping[str, frozenset[str]] = {
    "iam:GetAccountPasswordPolicy": frozenset({"NoSuchEntity", "NoSuchEntityException"}),
    "account:GetContactInformation": frozenset({"ResourceNotFoundException"}),
    "account:GetAlternateContact": frozenset({"ResourceNotFoundException"}),
    "iam:ListOrganizationsFeatures": frozenset(
        {
            "OrganizationNotFoundException",
            "OrganizationNotInAllFeaturesModeException",
            "ServiceAccessNotEnabledException",
            "ServiceAccessNotEnabled",
            "OrganizationNotFound",
            "OrganizationNotInAllFeaturesMode",
        }
    ),
    "iam:GetRole": frozenset({"NoSuchEntity", "NoSuchEntityException"}),
    "iam:ListAttachedRolePolicies": frozenset({"NoSuchEntity", "NoSuchEntityException"}),
    "s3:GetPublicAccessBlock": frozenset({"NoSuchPublicAccessBlockConfiguration"}),
    "s3:GetBucketPolicyStatus": frozenset({"NoSuchBucketPolicy"}),
}


def is_absence(asked: ApiQuestion, code: str) -> bool:
    """Tell whether an error says no more than that there is no such thing."""
    if asked.service == "organizations" and code in _NO_ORGANIZATION:
        return True
    return code in _ABSENT.get(f"{asked.service}:{asked.operation}", frozenset())


def trail_status(arn: str, region: str) -> ApiQuestion:
    """Return the question whether a trail records."""
    return question("cloudtrail", "GetTrailStatus", region=region, Name=arn)


def event_selectors(arn: str, region: str) -> ApiQuestion:
    """Return the question what a trail records."""
    return question("cloudtrail", "GetEventSelectors", region=region, TrailName=arn)


def policy_document(policy_id: str) -> ApiQuestion:
    """Return the question what a policy of the organization says."""
    return question("organizations", "DescribePolicy", PolicyId=policy_id)


def policy_targets(policy_id: str) -> ApiQuestion:
    """Return the question whom a policy of the organization binds."""
    return question("organizations", "ListTargetsForPolicy", PolicyId=policy_id)


def units_below(parent: str) -> ApiQuestion:
    """Return the question which units are below the organization's root or a unit."""
    return question("organizations", "ListOrganizationalUnitsForParent", ParentId=parent)


def accounts_below(parent: str) -> ApiQuestion:
    """Return the question which accounts are right below the organization's root or a unit."""
    return question("organizations", "ListAccountsForParent", ParentId=parent)


def analyzers(region: str) -> ApiQuestion:
    """Return the question which analyzers a Region has."""
    return question("accessanalyzer", "ListAnalyzers", region=region)


def of_bucket(operation: str, bucket: str) -> ApiQuestion:
    """Return a question about a bucket."""
    return question("s3", operation, Bucket=bucket)


BUCKET_OPERATIONS = ("GetBucketAcl", "GetPublicAccessBlock", "GetBucketPolicyStatus", "GetBucketLogging", "GetBucketVersioning")


def follow_ups(evidence: Evidence) -> list[ApiQuestion]:
    """Return what the first answers give reason to ask."""
    return list(dict.fromkeys([*_of_trails(evidence), *_of_policies(evidence), *_of_regions(evidence), *_of_providers(evidence)]))


def of_units(evidence: Evidence) -> list[ApiQuestion]:
    """Return what is to be asked of the organization's root and of units that were not known before, MOST_PARENTS in all."""
    found = [root["Id"] for root in _listed(evidence, ORGANIZATION_ROOTS, "Roots")]
    for parent in found:
        # The list grows while it is gone through: units below units.
        found += [unit["Id"] for unit in _listed(evidence, units_below(parent), "OrganizationalUnits")]
    new = [parent for parent in found[:MOST_PARENTS] if units_below(parent).text not in evidence.answers]
    return [asked(parent) for parent in new for asked in (units_below, accounts_below)]


def _listed(evidence: Evidence, asked: ApiQuestion, member: str) -> list[Mapping[str, Any]]:
    found = evidence.answers.get(asked.text)
    if not isinstance(found, ApiAnswer) or found.value is None:
        return []
    return list(found.value.get(member, []))


def _of_trails(evidence: Evidence) -> Iterator[ApiQuestion]:
    for trail in _listed(evidence, TRAILS, "trailList"):
        arn, region = trail.get("TrailARN", ""), trail.get("HomeRegion", "")
        yield trail_status(arn, region)
        yield event_selectors(arn, region)
        if trail.get("S3BucketName"):
            for operation in BUCKET_OPERATIONS:
                yield of_bucket(operation, trail["S3BucketName"])


def _of_policies(evidence: Evidence) -> Iterator[ApiQuestion]:
    for policy in _listed(evidence, SCPS, "Policies"):
        yield policy_document(policy["Id"])
        yield policy_targets(policy["Id"])


def _of_regions(evidence: Evidence) -> Iterator[ApiQuestion]:
    for region in _listed(evidence, REGIONS, "Regions"):
        if region.get("OptInStatus") != "not-opted-in":
            yield analyzers(region["RegionName"])


def _of_providers(evidence: Evidence) -> Iterator[ApiQuestion]:
    for provider in _listed(evidence, OIDC_PROVIDERS, "OpenIDConnectProviderList"):
        yield question("iam", "GetOpenIDConnectProvider", OpenIDConnectProviderArn=provider["Arn"])
    for provider in _listed(evidence, SAML_PROVIDERS, "SAMLProviderList"):
        yield question("iam", "GetSAMLProvider", SAMLProviderArn=provider["Arn"])
