"""The service's refusals that carry a reason: AWS's codes of reasons, each with its text."""

from __future__ import annotations

from crownkeep.errors import ConstraintViolation, HandshakeConstraintViolation, InvalidInputException

# As seen on AWS where it was, and as the API reference explains the reason where not.
_CONSTRAINTS = {
    "ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED": "You attempted to exceed the number of accounts that you can create in one day.",
    "ACCOUNT_NUMBER_LIMIT_EXCEEDED": "You have exceeded the allowed number of AWS accounts.",
    "CANNOT_CLOSE_MANAGEMENT_ACCOUNT": "You attempted to close the management account.",
    "CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR": (
        "You cannot register management account/yourself as delegated administrator for your organization."
    ),
    "CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR": (
        "You cannot register a suspended account as a delegated administrator."
    ),
    "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG": (
        "You attempted to remove an account that is registered as a delegated administrator for a service integrated with your "
        "organization. To complete this operation, you must first deregister this account as a delegated administrator."
    ),
    "CLOSE_ACCOUNT_QUOTA_EXCEEDED": "You have exceeded close account quota for the past 30 days.",
    "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE": (
        "You must first deregister any existing delegated administrators for this service."
    ),
    "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED": (
        "You attempted to register more delegated administrators than allowed for the service principal."
    ),
    "MAX_TAG_LIMIT_EXCEEDED": "You have exceeded the number of tags allowed on this resource.",
    "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE": (
        "You attempted to perform an operation that requires the organization to be configured to support all features."
    ),
    "OU_DEPTH_LIMIT_EXCEEDED": "You attempted to create an OU tree that is too many levels deep.",
    "OU_NUMBER_LIMIT_EXCEEDED": "You attempted to exceed the number of OUs that you can have in an organization.",
    "SERVICE_ACCESS_NOT_ENABLED": "You must enable service access before you delegate an administrator for this service.",
    "WAIT_PERIOD_ACTIVE": ("After you create an account, you must wait until at least four days after the account was created."),
}
_HANDSHAKES = {
    "ACCOUNT_NUMBER_LIMIT_EXCEEDED": "You have exceeded the allowed number of AWS accounts.",
    "ALREADY_IN_AN_ORGANIZATION": (
        "The handshake request is invalid because the invited account is already a member of an organization."
    ),
    "HANDSHAKE_RATE_LIMIT_EXCEEDED": "You attempted to exceed the number of handshakes that you can send in one day.",
    "INVITE_DISABLED_DURING_ENABLE_ALL_FEATURES": (
        "You can't issue new invitations to join an organization while it's in the process of enabling all features."
    ),
    "ORGANIZATION_ALREADY_HAS_ALL_FEATURES": (
        "The handshake request is invalid because the organization has already enabled all features."
    ),
    "ORGANIZATION_IS_ALREADY_PENDING_ALL_FEATURES_MIGRATION": (
        "The handshake request is invalid because the organization has already started the process to enable all features."
    ),
}
_INPUTS = {
    "DUPLICATE_TAG_KEY": "Tag keys must be unique among the tags attached to the same entity.",
    "INVALID_EMAIL_ADDRESS_TARGET": "You specified an invalid email address for the invited account owner.",
    "INVALID_PARTY_TYPE_TARGET": "You specified the wrong type of entity (account, organization, or email) as a party.",
    "INVALID_PATTERN": "You provided a value that doesn't match the required pattern.",
    "INVALID_PATTERN_TARGET_ID": "You provided a value that does not match the required pattern.",
    "INVALID_PRINCIPAL": "You specified an invalid principal element in the policy.",
    "INVALID_ROLE_NAME": (
        "You provided a role name that isn't valid. A role name can't begin with the reserved prefix AWSServiceRoleFor."
    ),
    "INVALID_SYSTEM_TAGS_PARAMETER": "You specified a tag key that is a system tag.",
    "MAX_LIMIT_EXCEEDED_FILTER": "You can specify only one filter parameter for the operation.",
    "UNRECOGNIZED_SERVICE_PRINCIPAL": "You specified an unrecognized service principal.",
    "UNSUPPORTED_ACTION_IN_RESOURCE_POLICY": "You specified an action that is not supported in the resource policy.",
}


def constraint(reason: str) -> ConstraintViolation:
    """Make the refusal of what a rule or quota of the organization doesn't allow."""
    return ConstraintViolation(_CONSTRAINTS[reason], members={"Reason": reason})


def handshake(reason: str) -> HandshakeConstraintViolation:
    """Make the refusal of a handshake that a rule or quota doesn't allow."""
    return HandshakeConstraintViolation(_HANDSHAKES[reason], members={"Reason": reason})


def value(reason: str) -> InvalidInputException:
    """Make the refusal of a parameter."""
    return InvalidInputException(_INPUTS[reason], members={"Reason": reason})
