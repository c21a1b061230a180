"""Errors as AWS names them: what a caller may be told, and nothing else.

Each class is one wire code. The HTTP status comes from the service's published model (an error shape's `httpStatusCode`)
or, for codes common to all services, from the table in `gateway.error_codes`. Messages are AWS's own wherever AWS has one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class AwsError(Exception):
    """A refusal that the caller is told about, by AWS's code and in AWS's words."""

    code: ClassVar[str] = "InternalFailure"

    def __init__(self, message: str, *, members: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.members: Mapping[str, object] = members or {}
        """Further members of the error's shape in the model, such as `Reason`."""


# Codes common to all services (IAM API reference, "Common errors").


class AccessDenied(AwsError):
    code = "AccessDenied"


class ExpiredToken(AwsError):
    code = "ExpiredToken"


class IncompleteSignature(AwsError):
    code = "IncompleteSignature"


class InternalFailure(AwsError):
    code = "InternalFailure"


class InvalidAction(AwsError):
    code = "InvalidAction"


class InvalidClientTokenId(AwsError):
    code = "InvalidClientTokenId"


class DryRunOperation(AwsError):
    """A request of EC2 that would have been carried out, but for its flag."""

    code = "DryRunOperation"


class InvalidArgument(AwsError):
    """A parameter that S3 doesn't take."""

    code = "InvalidArgument"


class InvalidParameterValue(AwsError):
    code = "InvalidParameterValue"


class MalformedInput(AwsError):
    """A query request whose parameters can't be read."""

    code = "MalformedInput"


class MalformedQueryString(AwsError):
    code = "MalformedQueryString"


class MissingAuthenticationToken(AwsError):
    code = "MissingAuthenticationToken"


class MissingParameter(AwsError):
    """A structure in a query request without one of the members that it must have."""

    code = "MissingParameter"


class MissingAction(AwsError):
    """A query request without an `Action`."""

    code = "MissingAction"


class RequestEntityTooLarge(AwsError):
    code = "RequestEntityTooLarge"


class RequestExpired(AwsError):
    code = "RequestExpired"


class SerializationException(AwsError):
    """A JSON request whose body can't be read."""

    code = "SerializationException"


class ServiceUnavailable(AwsError):
    code = "ServiceUnavailable"


class SignatureDoesNotMatch(AwsError):
    code = "SignatureDoesNotMatch"


class Throttling(AwsError):
    code = "Throttling"


class UnknownOperation(AwsError):
    code = "UnknownOperationException"


class UnsupportedMediaType(AwsError):
    """A REST request whose body is of a type that the operation doesn't take."""

    code = "UnsupportedMediaTypeException"


class ValidationError(AwsError):
    code = "ValidationError"


# Codes of IAM and STS (their models give the statuses).


class ConcurrentModification(AwsError):
    code = "ConcurrentModification"


class CredentialReportExpired(AwsError):
    code = "ReportExpired"


class CredentialReportNotPresent(AwsError):
    code = "ReportNotPresent"


class DeleteConflict(AwsError):
    code = "DeleteConflict"


class DuplicateCertificate(AwsError):
    code = "DuplicateCertificate"


class DuplicateSshPublicKey(AwsError):
    code = "DuplicateSSHPublicKey"


class EntityAlreadyExists(AwsError):
    code = "EntityAlreadyExists"


class EntityTemporarilyUnmodifiable(AwsError):
    code = "EntityTemporarilyUnmodifiable"


class FeatureDisabled(AwsError):
    code = "FeatureDisabled"


class FeatureEnabled(AwsError):
    code = "FeatureEnabled"


class InvalidAuthenticationCode(AwsError):
    code = "InvalidAuthenticationCode"


class InvalidCertificate(AwsError):
    code = "InvalidCertificate"


class InvalidInput(AwsError):
    code = "InvalidInput"


class InvalidPublicKey(AwsError):
    code = "InvalidPublicKey"


class InvalidUserType(AwsError):
    code = "InvalidUserType"


class KeyPairMismatch(AwsError):
    code = "KeyPairMismatch"


class LimitExceeded(AwsError):
    code = "LimitExceeded"


class MalformedCertificate(AwsError):
    code = "MalformedCertificate"


class MalformedPolicyDocument(AwsError):
    code = "MalformedPolicyDocument"


class NoSuchEntity(AwsError):
    code = "NoSuchEntity"


class OrganizationNotFound(AwsError):
    code = "OrganizationNotFoundException"


class PasswordPolicyViolation(AwsError):
    code = "PasswordPolicyViolation"


class ExpiredIdentityToken(AwsError):
    """STS's error for a token or assertion of an identity provider whose time is over."""

    code = "ExpiredTokenException"


class InvalidAuthorizationMessage(AwsError):
    code = "InvalidAuthorizationMessageException"


class InvalidIdentityToken(AwsError):
    code = "InvalidIdentityToken"


class ExpiredTradeInToken(AwsError):
    code = "ExpiredTradeInTokenException"


class JwtPayloadSizeExceeded(AwsError):
    code = "JWTPayloadSizeExceededException"


class OutboundWebIdentityFederationDisabled(AwsError):
    code = "OutboundWebIdentityFederationDisabledException"


class PackedPolicyTooLarge(AwsError):
    code = "PackedPolicyTooLarge"


class PolicyNotAttachable(AwsError):
    code = "PolicyNotAttachable"


class InsufficientSessionLifetime(AwsError):
    code = "InsufficientSessionLifetime"


class SessionDurationEscalation(AwsError):
    code = "SessionDurationEscalationException"


class UnmodifiableEntity(AwsError):
    code = "UnmodifiableEntity"


class UnrecognizedPublicKeyEncoding(AwsError):
    code = "UnrecognizedPublicKeyEncoding"


# Codes of the Account service.


class AccountValidation(AwsError):
    """The Account service's ValidationException, with `reason` and `fieldList` as members."""

    code = "ValidationException"


class Conflict(AwsError):
    code = "ConflictException"


class ResourceNotFound(AwsError):
    code = "ResourceNotFoundException"


class TooManyRequests(AwsError):
    code = "TooManyRequestsException"


# Codes of Organizations and of the IAM Identity Center services.


class InvalidInputException(AwsError):
    """Organizations' error for a parameter that breaks its limits, with `Reason` as a member."""

    code = "InvalidInputException"


class InvalidRequest(AwsError):
    """The access portal's and its OIDC service's error for a parameter that breaks its limits."""

    code = "InvalidRequestException"


# Codes of CloudTrail.


class InvalidEventCategory(AwsError):
    code = "InvalidEventCategoryException"


class InvalidLookupAttributes(AwsError):
    code = "InvalidLookupAttributesException"


class InvalidMaxResults(AwsError):
    code = "InvalidMaxResultsException"


class InvalidNextToken(AwsError):
    code = "InvalidNextTokenException"


class InvalidParameter(AwsError):
    code = "InvalidParameterException"


class InvalidTimeRange(AwsError):
    code = "InvalidTimeRangeException"


# Further codes of Organizations; `Reason` is a member of ConstraintViolation and HandshakeConstraintViolation.


class AccessDeniedForDependency(AwsError):
    code = "AccessDeniedForDependencyException"


class AccountAlreadyClosed(AwsError):
    code = "AccountAlreadyClosedException"


class AccountAlreadyRegistered(AwsError):
    code = "AccountAlreadyRegisteredException"


class AccountNotFound(AwsError):
    code = "AccountNotFoundException"


class AccountNotRegistered(AwsError):
    code = "AccountNotRegisteredException"


class AlreadyInOrganization(AwsError):
    code = "AlreadyInOrganizationException"


class ChildNotFound(AwsError):
    code = "ChildNotFoundException"


class ConstraintViolation(AwsError):
    code = "ConstraintViolationException"


class CreateAccountStatusNotFound(AwsError):
    code = "CreateAccountStatusNotFoundException"


class DestinationParentNotFound(AwsError):
    code = "DestinationParentNotFoundException"


class DuplicateAccount(AwsError):
    code = "DuplicateAccountException"


class DuplicateHandshake(AwsError):
    code = "DuplicateHandshakeException"


class DuplicateOrganizationalUnit(AwsError):
    code = "DuplicateOrganizationalUnitException"


class HandshakeAlreadyInState(AwsError):
    code = "HandshakeAlreadyInStateException"


class HandshakeConstraintViolation(AwsError):
    code = "HandshakeConstraintViolationException"


class HandshakeNotFound(AwsError):
    code = "HandshakeNotFoundException"


class InvalidHandshakeTransition(AwsError):
    code = "InvalidHandshakeTransitionException"


class MasterCannotLeaveOrganization(AwsError):
    code = "MasterCannotLeaveOrganizationException"


class OrganizationNotEmpty(AwsError):
    code = "OrganizationNotEmptyException"


class OrganizationalUnitNotEmpty(AwsError):
    code = "OrganizationalUnitNotEmptyException"


class OrganizationalUnitNotFound(AwsError):
    code = "OrganizationalUnitNotFoundException"


class OrganizationsNotInUse(AwsError):
    code = "AWSOrganizationsNotInUseException"


class ParentNotFound(AwsError):
    code = "ParentNotFoundException"


class ResourcePolicyNotFound(AwsError):
    code = "ResourcePolicyNotFoundException"


class RootNotFound(AwsError):
    code = "RootNotFoundException"


class SourceParentNotFound(AwsError):
    code = "SourceParentNotFoundException"


class TargetNotFound(AwsError):
    code = "TargetNotFoundException"


# Codes of Organizations' policies.


class DuplicatePolicy(AwsError):
    code = "DuplicatePolicyException"


class DuplicatePolicyAttachment(AwsError):
    code = "DuplicatePolicyAttachmentException"


class EffectivePolicyNotFound(AwsError):
    code = "EffectivePolicyNotFoundException"


class MalformedOrganizationPolicy(AwsError):
    """Organizations' error for a policy's content, whatever its type."""

    code = "MalformedPolicyDocumentException"


class PolicyInUse(AwsError):
    code = "PolicyInUseException"


class PolicyNotAttached(AwsError):
    code = "PolicyNotAttachedException"


class PolicyNotFound(AwsError):
    code = "PolicyNotFoundException"


class PolicyTypeAlreadyEnabled(AwsError):
    code = "PolicyTypeAlreadyEnabledException"


class PolicyTypeNotAvailable(AwsError):
    code = "PolicyTypeNotAvailableForOrganizationException"


class PolicyTypeNotEnabled(AwsError):
    code = "PolicyTypeNotEnabledException"


# Codes of IAM's central management of root users.


class AccountNotManagementOrDelegate(AwsError):
    code = "AccountNotManagementOrDelegatedAdministratorException"


class CallerIsNotManagementAccount(AwsError):
    code = "CallerIsNotManagementAccountException"


class OrganizationNotInAllFeaturesMode(AwsError):
    code = "OrganizationNotInAllFeaturesModeException"


class ServiceAccessNotEnabled(AwsError):
    code = "ServiceAccessNotEnabledException"
