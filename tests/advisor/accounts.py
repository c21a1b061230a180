"""An account in which nothing is open, as the AWS API tells of it; tests spoil one thing and see which check notices."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from typing import Any

from crownkeep.advisor import calls, evidence
from crownkeep.advisor.evidence import ApiAnswer, ApiQuestion, Evidence, Missing

ID, MEMBER, STRANGER = "111111111111", "222222222222", "999999999999"
ROOT = f"arn:aws:iam::{ID}:root"
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
REGION = "us-east-1"
TRAIL = f"arn:aws:cloudtrail:{REGION}:{ID}:trail/all"
BUCKET = "trail-of-acme"
GROUP_ARN = f"arn:aws:iam::{ID}:group/admins"
ADMINISTRATOR_ACCESS = "arn:aws:iam::aws:policy/AdministratorAccess"
SUPPORT = "arn:aws:iam::aws:policy/AWSSupportAccess"
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}

_KEY = ("active", "last_rotated", "last_used_date", "last_used_region", "last_used_service")
_COLUMNS = [
    *("user", "arn", "user_creation_time", "password_enabled", "password_last_used", "password_last_changed"),
    *("password_next_rotation", "mfa_active"),
    *(f"access_key_{number}_{each}" for number in (1, 2) for each in _KEY),
    *(f"cert_{number}_{each}" for number in (1, 2) for each in ("active", "last_rotated")),
]


def line(name: str, **values: str) -> dict[str, str]:
    """A line of the credential report: a person with a password and MFA who was here yesterday."""
    arn = ROOT if name == "<root_account>" else f"arn:aws:iam::{ID}:user/{name}"
    usual = dict.fromkeys(_COLUMNS, "N/A") | {
        "user": name,
        "arn": arn,
        "user_creation_time": "2026-01-01T00:00:00+00:00",
        "password_enabled": "true",
        "password_last_used": "2026-10-31T00:00:00+00:00",
        "password_last_changed": "2026-09-01T00:00:00+00:00",
        "mfa_active": "true",
        "access_key_1_active": "false",
        "access_key_2_active": "false",
        "cert_1_active": "false",
        "cert_2_active": "false",
    }
    return usual | values


def key(number: int, made: str = "2026-10-01", used: str = "2026-10-31") -> dict[str, str]:
    """The columns of an active key."""
    columns = {f"access_key_{number}_active": "true", f"access_key_{number}_last_rotated": f"{made}T00:00:00+00:00"}
    return columns | {f"access_key_{number}_last_used_date": f"{used}T00:00:00+00:00" if used else "N/A"}


def user(name: str, *, groups: tuple[str, ...] = ("admins",), inline: Any = None, **members: Any) -> dict[str, Any]:
    """A user of GetAccountAuthorizationDetails."""
    policies = [{"PolicyName": "inline", "PolicyDocument": inline}] if inline else []
    return {
        "UserName": name,
        "Arn": f"arn:aws:iam::{ID}:user/{name}",
        "GroupList": list(groups),
        "UserPolicyList": policies,
        "AttachedManagedPolicies": [],
        "CreateDate": "2026-01-01T00:00:00Z",
        **members,
    }


def role(
    name: str, principal: Any, *, condition: Any = None, arns: tuple[str, ...] = (), used: str = "2026-10-31"
) -> dict[str, Any]:
    """A role of GetAccountAuthorizationDetails."""
    federated = isinstance(principal, dict) and "Federated" in principal
    statement = {
        "Effect": "Allow",
        "Principal": principal,
        "Action": "sts:AssumeRoleWithWebIdentity" if federated else "sts:AssumeRole",
        **({"Condition": condition} if condition else {}),
    }
    return {
        "RoleName": name,
        "Arn": f"arn:aws:iam::{ID}:role/{name}",
        "Path": "/",
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "RolePolicyList": [],
        "AttachedManagedPolicies": [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in arns],
        "CreateDate": "2026-01-01T00:00:00Z",
        "RoleLastUsed": {"LastUsedDate": f"{used}T00:00:00Z"} if used else {},
    }


def policy(name: str, document: Any, *, arn: str = "") -> dict[str, Any]:
    """A managed policy of GetAccountAuthorizationDetails."""
    versions = [{"VersionId": "v1", "IsDefaultVersion": True, "Document": document}]
    return {"PolicyName": name, "Arn": arn or f"arn:aws:iam::{ID}:policy/{name}", "PolicyVersionList": versions}


def event(name: str, **members: Any) -> dict[str, str]:
    """An event of LookupEvents; root's unless it says otherwise."""
    record = {"eventName": name, "eventTime": "2026-10-30T10:00:00Z", "userIdentity": {"type": "Root", "arn": ROOT}, **members}
    return {"EventId": "e", "EventName": name, "CloudTrailEvent": json.dumps(record)}


class Account:
    """What the API says; change `answers` by question, `lines` by name."""

    def __init__(self) -> None:
        self.lines = {each["user"]: each for each in (line("<root_account>"), line("ann"), line("ben"))}
        self.lines["<root_account>"]["password_enabled"] = "not_supported"
        self.answers: dict[ApiQuestion, Any] = copy.deepcopy(_good())
        self.denied: dict[ApiQuestion, str] = {}

    def __getitem__(self, asked: ApiQuestion) -> Any:
        return self.answers[asked]

    def __setitem__(self, asked: ApiQuestion, value: Any) -> None:
        self.answers[asked] = value

    @property
    def summary(self) -> dict[str, int]:
        """GetAccountSummary's map."""
        found: dict[str, int] = self.answers[calls.SUMMARY]["SummaryMap"]
        return found

    @property
    def details(self) -> dict[str, Any]:
        """GetAccountAuthorizationDetails."""
        found: dict[str, Any] = self.answers[calls.AUTHORIZATION]
        return found

    def add_user(self, name: str, *, report: dict[str, str] | None = None, **members: Any) -> None:
        """Add a user without any permission to the details and to the report."""
        self.details["UserDetailList"].append(user(name, **{"groups": (), **members}))
        self.lines[name] = line(name, **(report or {}))

    def add_role(self, *arguments: Any, **options: Any) -> None:
        """Add a role."""
        self.details["RoleDetailList"].append(role(*arguments, **options))

    def evidence(self) -> Evidence:
        """Return the evidence."""
        text = "\n".join(
            ",".join(each[column] for column in _COLUMNS)
            for each in [dict(zip(_COLUMNS, _COLUMNS, strict=True)), *self.lines.values()]
        )
        answer = self.answers | {calls.CREDENTIAL_REPORT: {"Content": text, "GeneratedTime": "2026-11-01T12:00:00Z"}}
        found: list[ApiAnswer | Missing] = [
            ApiAnswer(asked, NOW, value) for asked, value in answer.items() if asked not in self.denied
        ]
        found += [Missing(asked, NOW, code, "no", is_denied=code == "AccessDenied") for asked, code in self.denied.items()]
        return evidence.of(ID, NOW, found)


def _contact(name: str) -> dict[str, Any]:
    number = f"+49 30 {sum(name.encode())}"
    return {"AlternateContact": {"Name": name, "Title": "-", "EmailAddress": f"{name}@acme.example", "PhoneNumber": number}}


def _good() -> dict[ApiQuestion, Any]:
    return {**_of_account(), **_of_iam(), **_of_organization(), **_of_trail(), **_of_alarms()}


def _of_account() -> dict[ApiQuestion, Any]:
    owner = {"FullName": "Acme", "PhoneNumber": "+4930", "AddressLine1": "1 Way", "City": "Berlin", "CountryCode": "DE"}
    names = {"SECURITY": "sue", "BILLING": "bo", "OPERATIONS": "ole"}
    return {
        calls.PRIMARY_CONTACT: {"ContactInformation": owner},
        **{calls.ALTERNATE_CONTACTS[kind]: _contact(name) for kind, name in names.items()},
        calls.ALIASES: {"AccountAliases": ["quiet-harbour"]},
        calls.REGIONS: {"Regions": [{"RegionName": REGION, "OptInStatus": "opt-in-not-required"}]},
        calls.analyzers(REGION): {"analyzers": [{"name": "a", "arn": "arn", "type": "ACCOUNT", "status": "ACTIVE"}]},
    }


def _of_iam() -> dict[ApiQuestion, Any]:
    admins = [{"PolicyName": "AdministratorAccess", "PolicyArn": ADMINISTRATOR_ACCESS}]
    summary = {"AccountMFAEnabled": 1, "AccountAccessKeysPresent": 0, "AccountSigningCertificatesPresent": 0}
    return {
        calls.SUMMARY: {"SummaryMap": {**summary, "AccountPasswordPresent": 1, "Users": 2, "InstanceProfiles": 0}},
        calls.PASSWORD_POLICY: {
            "PasswordPolicy": {
                "MinimumPasswordLength": 14,
                "RequireSymbols": True,
                "RequireNumbers": True,
                "RequireUppercaseCharacters": True,
                "RequireLowercaseCharacters": True,
                "AllowUsersToChangePassword": True,
                "ExpirePasswords": True,
                "MaxPasswordAge": 90,
                "PasswordReusePrevention": 24,
                "HardExpiry": False,
            }
        },
        calls.VIRTUAL_DEVICES: {"VirtualMFADevices": []},
        calls.AUTHORIZATION: {
            "UserDetailList": [user("ann"), user("ben")],
            "GroupDetailList": [
                {"GroupName": "admins", "Arn": GROUP_ARN, "GroupPolicyList": [], "AttachedManagedPolicies": admins}
            ],
            "RoleDetailList": [role("support", {"AWS": ROOT}, arns=(SUPPORT,))],
            "Policies": [
                policy("AdministratorAccess", EVERYTHING, arn=ADMINISTRATOR_ACCESS),
                policy("AWSSupportAccess", _allowing("support:*"), arn=SUPPORT),
            ],
        },
        calls.CERTIFICATES: {
            "ServerCertificateMetadataList": [
                {"ServerCertificateName": "web", "Arn": "arn:web", "Expiration": "2027-01-01T00:00:00Z"}
            ]
        },
        calls.OIDC_PROVIDERS: {"OpenIDConnectProviderList": []},
        calls.SAML_PROVIDERS: {"SAMLProviderList": []},
        calls.CENTRAL_ROOT: {"OrganizationId": "o-1", "EnabledFeatures": ["RootCredentialsManagement", "RootSessions"]},
    }


def _allowing(*actions: str) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}


def _of_organization() -> dict[ApiQuestion, Any]:
    guard = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Action": "*",
                "Resource": "*",
                "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:*:iam::*:root"}},
            },
            {
                "Effect": "Deny",
                "Action": ["organizations:LeaveOrganization", "cloudtrail:StopLogging", "cloudtrail:DeleteTrail"],
                "Resource": "*",
            },
        ],
    }
    accounts = [
        {"Id": ID, "Email": "root@acme.example", "Status": "ACTIVE"},
        {"Id": MEMBER, "Email": "m@acme.example", "Status": "ACTIVE"},
    ]
    answer = {"Id": "o-1", "FeatureSet": "ALL", "MasterAccountId": ID, "MasterAccountEmail": "root@acme.example"}
    return {
        calls.ORGANIZATION: {"Organization": answer},
        calls.ORGANIZATION_ROOTS: {
            "Roots": [{"Id": "r-1", "PolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]}]
        },
        calls.ORGANIZATION_ACCOUNTS: {"Accounts": accounts},
        calls.SCPS: {"Policies": [{"Id": "p-full", "Name": "FullAWSAccess"}, {"Id": "p-guard", "Name": "guard"}]},
        calls.policy_document("p-full"): {"Policy": {"Content": json.dumps(EVERYTHING)}},
        calls.policy_targets("p-full"): {"Targets": [{"TargetId": "r-1"}]},
        calls.policy_document("p-guard"): {"Policy": {"Content": json.dumps(guard)}},
        calls.policy_targets("p-guard"): {"Targets": [{"TargetId": "r-1"}]},
        calls.DELEGATED: {"DelegatedAdministrators": [{"Id": MEMBER}]},
    }


def _of_trail() -> dict[ApiQuestion, Any]:
    trail = {
        "Name": "all",
        "TrailARN": TRAIL,
        "HomeRegion": REGION,
        "S3BucketName": BUCKET,
        "IsMultiRegionTrail": True,
        "IsOrganizationTrail": True,
        "LogFileValidationEnabled": True,
        "KmsKeyId": "arn:aws:kms:us-east-1:111111111111:key/k",
        "CloudWatchLogsLogGroupArn": f"arn:aws:logs:{REGION}:{ID}:log-group:trail:*",
    }
    blocks = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    return {
        calls.TRAILS: {"trailList": [trail]},
        calls.trail_status(TRAIL, REGION): {"IsLogging": True},
        calls.event_selectors(TRAIL, REGION): {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": True}]},
        calls.of_bucket("GetPublicAccessBlock", BUCKET): {"PublicAccessBlockConfiguration": dict.fromkeys(blocks, True)},
        calls.of_bucket("GetBucketAcl", BUCKET): {"Grants": []},
        calls.of_bucket("GetBucketPolicyStatus", BUCKET): {"PolicyStatus": {"IsPublic": False}},
        calls.of_bucket("GetBucketLogging", BUCKET): {"LoggingEnabled": {"TargetBucket": "logs"}},
        calls.of_bucket("GetBucketVersioning", BUCKET): {"Status": "Enabled"},
        calls.ROOT_EVENTS: {"Events": [event("ConsoleLogin", eventTime="2026-08-01T10:00:00Z")]},
        calls.SIGN_INS: {"Events": []},
    }


PATTERNS = {
    "root": '{ $.userIdentity.type = "Root" && $.eventType != "AwsServiceEvent" }',
    "mfa": '{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") }',
    "failed": '{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") }',
    "iam": "{ ($.eventName = AttachUserPolicy) || ($.eventName = PutUserPolicy) || ($.eventName = CreatePolicyVersion) }",
    "trail": "{ ($.eventName = StopLogging) || ($.eventName = DeleteTrail) }",
    "organization": "{ $.eventSource = organizations.amazonaws.com }",
}


def _of_alarms() -> dict[ApiQuestion, Any]:
    filters = [
        {
            "filterName": name,
            "logGroupName": "trail",
            "filterPattern": pattern,
            "metricTransformations": [{"metricNamespace": "trail", "metricName": name, "metricValue": "1"}],
        }
        for name, pattern in PATTERNS.items()
    ]
    alarms = [
        {
            "AlarmName": name,
            "AlarmArn": f"arn:{name}",
            "Namespace": "trail",
            "MetricName": name,
            "AlarmActions": ["arn:aws:sns:x"],
        }
        for name in PATTERNS
    ]
    return {calls.METRIC_FILTERS: {"metricFilters": filters}, calls.ALARMS: {"MetricAlarms": alarms}}
