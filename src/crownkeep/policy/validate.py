"""The grammar each kind of policy must keep, with AWS's messages and in the order in which AWS reports faults."""

from __future__ import annotations

import re
from collections.abc import Iterator

from crownkeep.policy import globs
from crownkeep.policy.document import Document, MalformedPolicy, PolicyKind, Principals, Statement
from crownkeep.policy.operators import read_operator
from crownkeep.policy.scalars import read_date

LEGACY_PARSING = "The policy failed legacy parsing"
OLD_VERSION = "Policy document must be version 2012-10-17 or greater."
DUPLICATE_SID = "Statement IDs (SID) in a single policy must be unique."
BAD_SID = "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
# Organizations says no more than this about any fault of a policy.
NOT_OF_ITS_TYPE = "The provided policy document does not meet the requirements of the specified policy type."
NO_ACTIONS = "Policy statement must contain actions."
NO_RESOURCES = "Policy statement must contain resources."
NO_VENDOR = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
TWO_COLONS = "Actions/Condition can contain only one colon."
WILD_VENDOR = "Resource vendor must be fully qualified and cannot contain regexes."
HAS_PRINCIPAL = "Policy document should not specify a principal."
IAM_PATHS = (
    "user/",
    "federated-user/",
    "role/",
    "group/",
    "instance-profile/",
    "mfa/",
    "server-certificate/",
    "policy/",
    "sms-mfa/",
    "saml-provider/",
    "oidc-provider/",
    "report/",
    "access-report/",
)
NO_PRINCIPALS = (
    "Invalid principal in policy: com.amazon.balsa.error.InvalidPolicyException: The passed in policy has a statement with no "
    "principals!"
)
BAD_IAM_PATH = f'IAM resource path must either be "*", root, or start with {", ".join(IAM_PATHS)}.'

# AWS takes these as well, and does not name them in the text above (its own managed policies have them).
_UNNAMED_IAM_PATHS = ("role-template/",)

_PARTITIONS = frozenset({"aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc", "*"})
_VENDOR = re.compile(r"[a-zA-Z0-9\-.]*", re.ASCII)
_SID = re.compile(r"[A-Za-z0-9]*", re.ASCII)
_VARIABLE = re.compile(r"\$\{[^{}]*\}")
_ALLOWED_CHARACTERS = re.compile(r"[\u0009\u000A\u000D\u0020-\u00FF]+")


def validate(document: Document, kind: PolicyKind) -> None:
    """Hold a parsed document against the grammar of its kind; raises MalformedPolicy with the message AWS would give."""
    match kind:
        case PolicyKind.TRUST:
            _validate_trust(document)
        case PolicyKind.RESOURCE:
            _validate_resource_policy(document)
        case PolicyKind.SERVICE_CONTROL:
            _validate_service_control(document)
        case PolicyKind.RESOURCE_CONTROL:
            _validate_resource_control(document)
        case PolicyKind.IDENTITY | PolicyKind.BOUNDARY | PolicyKind.SESSION:
            _validate_identity(document)


def _validate_identity(document: Document) -> None:
    if document.version != "2012-10-17":
        raise MalformedPolicy(OLD_VERSION)
    for statement in document.statements:
        if statement.principal is not None or statement.not_principal is not None:
            raise MalformedPolicy(HAS_PRINCIPAL)
    _parse_as_legacy(document)
    fault = next(_resource_faults(document), None)
    if fault == LEGACY_PARSING:
        raise MalformedPolicy(fault)
    _require_sids(document)
    _require_actions(document)
    if fault is not None:
        raise MalformedPolicy(fault)
    _require_vendors(document)
    _require_resources(document)


def _parse_as_legacy(document: Document) -> None:
    """Faults that AWS's older parser finds: the case of Effect, dates that are none, characters past U+00FF."""
    if not _ALLOWED_CHARACTERS.fullmatch(document.text):
        raise MalformedPolicy("The policy document contains invalid characters.")
    for statement in document.statements:
        if statement.effect not in ("Allow", "Deny") or not all(_dates_are_valid(statement)):
            raise MalformedPolicy(LEGACY_PARSING)


def _dates_are_valid(statement: Statement) -> Iterator[bool]:
    for condition in statement.conditions:
        operator = read_operator(condition.operator)
        if operator is not None and operator.base.startswith("Date"):
            yield from (read_date(value) is not None for value in condition.values)


def _resource_faults(document: Document) -> Iterator[str]:
    for statement in document.statements:
        for resource in sorted((*(statement.resources or ()), *(statement.not_resources or ()))):
            fault = _resource_fault(resource)
            if fault is not None:
                yield fault


def _resource_fault(resource: str) -> str | None:
    """What is wrong with one entry of a Resource element, in AWS's words, or None."""
    if resource == "*":
        return None
    if ":" not in resource:
        return f'Resource {resource} must be in ARN format or "*".'
    # Variables hold colons of their own, which cut nothing.
    masked = _VARIABLE.sub(lambda match: "$" * len(match[0]), resource)
    parts = masked.split(":", 5)
    partition = parts[1]
    if partition not in _PARTITIONS:
        return f'Partition "{partition}" is not valid for resource "{_padded(resource, parts)}".'
    if len(parts) == 2:
        return WILD_VENDOR
    vendor = parts[2]
    if not vendor or (len(parts) < 6 and "::" in masked):
        return LEGACY_PARSING
    if "*" in vendor or "?" in vendor:
        return WILD_VENDOR
    return _vendor_fault(resource, [*parts, *["*"] * (6 - len(parts))])


def _padded(resource: str, parts: list[str]) -> str:
    rest = resource.split(":", 5)[1:]
    if len(rest) == 2 and rest[1] == "":
        rest[1] = "*"
    return ":".join(["arn", *rest, *["*"] * (5 - len(rest))])


def _vendor_fault(resource: str, parts: list[str]) -> str | None:
    _, _, vendor, region, account, path = parts
    if vendor == "iam":
        if region not in ("", "*"):
            return f"IAM resource {resource} cannot contain region information."
        if path not in ("*", "root") and not path.startswith((*IAM_PATHS, *_UNNAMED_IAM_PATHS)):
            return BAD_IAM_PATH
    # Buckets and objects have neither region nor account; access points, jobs and the like have both.
    if vendor == "s3" and region not in ("", "*") and not account:
        return f"Resource {resource} can not contain region information."
    return None


def _require_sids(document: Document) -> None:
    sids = [statement.sid for statement in document.statements if statement.sid]
    if len(set(sids)) != len(sids):
        raise MalformedPolicy(DUPLICATE_SID)
    if not all(map(_SID.fullmatch, sids)):
        raise MalformedPolicy(BAD_SID)


def _require_actions(document: Document) -> None:
    if not all(statement.actions or statement.not_actions for statement in document.statements):
        raise MalformedPolicy(NO_ACTIONS)


def _require_resources(document: Document) -> None:
    if not all(statement.resources or statement.not_resources for statement in document.statements):
        raise MalformedPolicy(NO_RESOURCES)


def _require_vendors(document: Document) -> None:
    for statement in document.statements:
        for action in (*(statement.actions or ()), *(statement.not_actions or ())):
            fault = _action_fault(action)
            if fault is not None:
                raise MalformedPolicy(fault)


def _action_fault(action: str) -> str | None:
    vendor, *names = action.split(":")
    if vendor == "*" and len(names) <= 1:
        return None
    if not names:
        return NO_VENDOR
    if len(names) > 1:
        return TWO_COLONS
    return None if _VENDOR.fullmatch(vendor) else f"Vendor {vendor} is not valid"


def _validate_trust(document: Document) -> None:
    _parse_as_legacy_for_principals(document)
    _require_sids(document)
    for statement in document.statements:
        if statement.not_principal is not None:
            raise MalformedPolicy(
                "Allow with NotPrincipal is not allowed."
                if statement.allows
                else "AssumeRole policy must not contain NotPrincipal field."
            )
        if statement.principal is None:
            raise MalformedPolicy("Missing required field Principal")
        if statement.principal.everyone:
            raise MalformedPolicy("Principal must be a JSON object.")
        _require_principals(statement.principal)
        if statement.resources is not None:
            raise MalformedPolicy("Has prohibited field Resource")
        if statement.not_resources is not None:
            raise MalformedPolicy("AssumeRole policy must not contain resources.")
        if not (statement.actions or statement.not_actions):
            raise MalformedPolicy("Missing required field Action")
    _require_assume_role_actions(document)


# What a trust policy can allow, in lower case: to take a role on, and what may come with that.
_TRUST_ACTIONS = (
    "sts:assumerole",
    "sts:assumerolewithsaml",
    "sts:assumerolewithwebidentity",
    "sts:setcontext",
    "sts:setsourceidentity",
    "sts:tagsession",
)


def _require_assume_role_actions(document: Document) -> None:
    for statement in document.statements:
        for action in (*(statement.actions or ()), *(statement.not_actions or ())):
            lower = action.lower()
            if not lower.startswith("sts:") or not any(globs.meets(lower, each) for each in _TRUST_ACTIONS):
                raise MalformedPolicy("AssumeRole policy may only specify STS AssumeRole actions.")


def _parse_as_legacy_for_principals(document: Document) -> None:
    for statement in document.statements:
        if statement.effect not in ("Allow", "Deny"):
            raise MalformedPolicy(f"Invalid effect: {statement.effect}")
        if not all(_dates_are_valid(statement)):
            raise MalformedPolicy(LEGACY_PARSING)


_PRINCIPAL_TYPES = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})
_AWS_PRINCIPAL = re.compile(
    r"\*|[0-9]{12}|A[A-Z]{3}[A-Z0-9]{8,32}"
    r"|arn:aws[a-z-]*:iam::[0-9]{12}:(?:root|(?:user|role)/[\x21-\x7e]+)"
    r"|arn:aws[a-z-]*:sts::[0-9]{12}:(?:assumed-role/[^/*?]+/[^/*?]+|federated-user/[^/*?]+)"
    r"|arn:aws[a-z-]*:iam::cloudfront:user/[\x21-\x7e ]+",
    re.ASCII,
)
_DOMAIN = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9.\-]*[a-zA-Z0-9])?", re.ASCII)
_PROVIDER = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:(?:saml-provider|oidc-provider)/[\x21-\x7e]+", re.ASCII)


def _require_principals(principals: Principals) -> None:
    if not principals.everyone and not principals.named:
        raise MalformedPolicy(NO_PRINCIPALS if principals.has_types else "Missing required field Principal cannot be empty!")
    for kind, name in principals.named:
        if not _is_principal(kind, name):
            if kind == "Federated":
                raise MalformedPolicy("Federated principals must be valid domain names or SAML metadata ARNs")
            raise MalformedPolicy(invalid_principal(kind, name))


def invalid_principal(kind: str, name: str) -> str:
    """AWS's message for a principal that is none, or that does not exist when it is saved."""
    shown = "SERVICE" if kind == "Service" else kind
    return (
        f'Invalid principal in policy: "{shown}":"{name}"'
        if kind in _PRINCIPAL_TYPES
        else (f'Invalid principal in policy: "{kind}"')
    )


def _is_principal(kind: str, name: str) -> bool:
    match kind:
        case "AWS":
            # No partial wildcards: a star stands for everyone or for nothing.
            return bool(_AWS_PRINCIPAL.fullmatch(name)) and (name == "*" or "*" not in name)
        case "Service":
            return "." in name and bool(_DOMAIN.fullmatch(name))
        case "Federated":
            return bool(_DOMAIN.fullmatch(name) or _PROVIDER.fullmatch(name))
        case "CanonicalUser":
            return bool(name)
    return False


def _validate_resource_policy(document: Document) -> None:
    _parse_as_legacy_for_principals(document)
    _require_sids(document)
    _require_actions(document)
    for statement in document.statements:
        named = statement.principal or statement.not_principal
        if named is None:
            raise MalformedPolicy("Missing required field Principal")
        _require_principals(named)
    fault = next(_resource_faults(document), None)
    if fault is not None:
        raise MalformedPolicy(fault)
    _require_vendors(document)


def _validate_service_control(document: Document) -> None:
    """Since September 2025 the full language, without principals."""
    try:
        _validate_identity(document)
    except MalformedPolicy as error:
        raise MalformedPolicy(NOT_OF_ITS_TYPE) from error


def _validate_resource_control(document: Document) -> None:
    """Deny statements for every principal, on actions of named services."""
    try:
        _validate_resource_policy(document)
    except MalformedPolicy as error:
        raise MalformedPolicy(NOT_OF_ITS_TYPE) from error
    fits = document.version == "2012-10-17" and all(map(_fits_resource_control, document.statements))
    if not fits:
        raise MalformedPolicy(NOT_OF_ITS_TYPE)


def _fits_resource_control(statement: Statement) -> bool:
    if statement.allows or statement.principal is None or not _is_everyone(statement.principal):
        return False
    if not statement.actions or any(action.startswith("*") for action in statement.actions):
        return False
    return bool(statement.resources or statement.not_resources)


def _is_everyone(principals: Principals) -> bool:
    return principals.everyone or set(principals.named) == {("AWS", "*")}
