"""The types of organization policy, their quotas, and the two policies that are AWS's own and allow everything.

Sources: AWS Organizations user guide, "Quotas and service limits for AWS Organizations", "Service control policies" and "Resource
control policies".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SERVICE_CONTROL = "SERVICE_CONTROL_POLICY"
RESOURCE_CONTROL = "RESOURCE_CONTROL_POLICY"
CONTROL_TYPES = (SERVICE_CONTROL, RESOURCE_CONTROL)
"""What decides on requests; every other type configures a service and is merged on the way down."""


@dataclass(frozen=True, slots=True)
class TypeQuotas:
    """What may be had of one type of policy."""

    document_size: int
    """Characters of one document, white space among them."""
    policies: int
    """In one organization."""
    attached: int
    """To one root, unit or account."""


QUOTAS: Mapping[str, TypeQuotas] = {
    SERVICE_CONTROL: TypeQuotas(10_240, 10_000, 10),
    RESOURCE_CONTROL: TypeQuotas(5_120, 2_000, 5),
    "TAG_POLICY": TypeQuotas(10_000, 1_000, 10),
    "BACKUP_POLICY": TypeQuotas(10_000, 1_000, 10),
    "AISERVICES_OPT_OUT_POLICY": TypeQuotas(2_500, 1_000, 5),
    "CHATBOT_POLICY": TypeQuotas(10_000, 1_000, 5),
    "DECLARATIVE_POLICY_EC2": TypeQuotas(10_000, 1_000, 10),
    "SECURITYHUB_POLICY": TypeQuotas(10_000, 1_000, 10),
    "SECURITYHUB_CSPM_POLICY": TypeQuotas(10_000, 1_000, 10),
    "INSPECTOR_POLICY": TypeQuotas(10_000, 1_000, 10),
    "UPGRADE_ROLLOUT_POLICY": TypeQuotas(10_000, 1_000, 10),
    "BEDROCK_POLICY": TypeQuotas(10_000, 1_000, 10),
    "S3_POLICY": TypeQuotas(10_000, 1_000, 10),
    "NETWORK_SECURITY_DIRECTOR_POLICY": TypeQuotas(10_000, 1_000, 10),
    "GUARDDUTY_POLICY": TypeQuotas(10_000, 1_000, 10),
}

CONTENT_ROOTS: Mapping[str, frozenset[str]] = {
    "TAG_POLICY": frozenset({"tags"}),
    "BACKUP_POLICY": frozenset({"plans"}),
    "AISERVICES_OPT_OUT_POLICY": frozenset({"services"}),
    "CHATBOT_POLICY": frozenset({"chatbot"}),
    "DECLARATIVE_POLICY_EC2": frozenset({"ec2_attributes"}),
    "SECURITYHUB_POLICY": frozenset({"securityhub"}),
    "SECURITYHUB_CSPM_POLICY": frozenset({"securityhub"}),
    "INSPECTOR_POLICY": frozenset({"inspector"}),
    "UPGRADE_ROLLOUT_POLICY": frozenset({"upgrade_rollout"}),
    "BEDROCK_POLICY": frozenset({"bedrock"}),
    "S3_POLICY": frozenset({"s3_attributes"}),
    "NETWORK_SECURITY_DIRECTOR_POLICY": frozenset({"network_security"}),
    "GUARDDUTY_POLICY": frozenset({"guardduty"}),
}
"""What the documents of each merged type hold at the top (AWS Organizations user guide, the syntax page of each type)."""


@dataclass(frozen=True, slots=True)
class AwsPolicy:
    """A policy that AWS keeps: the same in every organization, never changed, never deleted."""

    policy_id: str
    name: str
    type: str
    description: str
    content: str

    @property
    def name_key(self) -> str:
        """The name in lower case, by which lists are ordered."""
        return self.name.lower()

    @property
    def arn(self) -> str:
        """The ARN, with `aws` in the place of the account id."""
        return f"arn:aws:organizations::aws:policy/{self.type.lower()}/{self.policy_id}"


FULL_AWS_ACCESS = AwsPolicy(
    "p-FullAWSAccess",
    "FullAWSAccess",
    SERVICE_CONTROL,
    "Allows access to every operation",
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}',
)
RCP_FULL_AWS_ACCESS = AwsPolicy(
    "p-RCPFullAWSAccess",
    "RCPFullAWSAccess",
    RESOURCE_CONTROL,
    "Allows access to every operation",
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}',
)

DEFAULTS: Mapping[str, AwsPolicy] = {each.type: each for each in (FULL_AWS_ACCESS, RCP_FULL_AWS_ACCESS)}
"""What a root, a unit and an account have from the start, by type: as long as nothing else is attached, all is allowed."""

_BY_ID = {each.policy_id: each for each in DEFAULTS.values()}


def aws_policy(policy_id: str) -> AwsPolicy | None:
    """Return the policy of AWS's own with this id."""
    return _BY_ID.get(policy_id)


RESOURCE_CONTROLLED_SERVICES = frozenset(
    {
        "aoss",
        "cloudtrail",
        "codebuild",
        "cognito-identity",
        "cognito-idp",
        "dax",
        "dynamodb",
        "ecr",
        "events",
        "kms",
        "lambda",
        "logs",
        "s3",
        "s3express",
        "secretsmanager",
        "signin",
        "sns",
        "sqs",
        "ssm",
        "states",
        "sts",
        "support",
    }
)
"""Prefixes of the actions that resource control policies decide on, among them all those served here (`sts`, `signin`).

AWS adds services over time (Organizations user guide, "List of AWS services that support RCPs"). IAM is none of them.
"""
