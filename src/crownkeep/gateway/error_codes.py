"""How each protocol spells the errors common to all services, and their HTTP statuses.

A service's own errors have both from its model. For the rest: IAM's API reference, "Common Error Types", and the
corresponding page of Organizations; JSON services answer every fault of the caller with 400.
"""

from __future__ import annotations

from dataclasses import dataclass

from crownkeep.models import ErrorModel, ServiceModel


@dataclass(frozen=True, slots=True)
class WireError:
    """An error as it leaves: its code, its HTTP status, whose fault it is, and its shape where the service has one."""

    code: str
    status: int
    is_senders: bool
    model: ErrorModel | None


STATUSES = {
    "AccessDenied": 403,
    "AccessDeniedException": 403,
    "DryRunOperation": 412,
    "ExpiredToken": 403,
    "ExpiredTokenException": 403,
    "IncompleteSignature": 400,
    "IncompleteSignatureException": 400,
    "InternalFailure": 500,
    "InvalidAction": 400,
    "InvalidArgument": 400,
    "InvalidClientTokenId": 403,
    "InvalidParameterValue": 400,
    "InvalidSignatureException": 403,
    "MalformedInput": 400,
    "MalformedQueryString": 404,
    "MissingAction": 400,
    "MissingParameter": 400,
    "MissingAuthenticationToken": 403,
    "MissingAuthenticationTokenException": 403,
    "RequestEntityTooLarge": 413,
    "RequestEntityTooLargeException": 413,
    "RequestExpired": 400,
    "SerializationException": 400,
    "ServiceUnavailable": 503,
    "ServiceUnavailableException": 503,
    "SignatureDoesNotMatch": 403,
    "Throttling": 400,
    "ThrottlingException": 400,
    "UnknownOperationException": 404,
    "UnrecognizedClientException": 403,
    "UnsupportedMediaTypeException": 415,
    "ValidationError": 400,
    "ValidationException": 400,
}
_OTHERWISE = 400

_IN_JSON = {
    "AccessDenied": "AccessDeniedException",
    "ExpiredToken": "ExpiredTokenException",
    "IncompleteSignature": "IncompleteSignatureException",
    "InvalidAction": "UnknownOperationException",
    "InvalidClientTokenId": "UnrecognizedClientException",
    "MalformedInput": "SerializationException",
    "MalformedQueryString": "SerializationException",
    "MissingAction": "UnknownOperationException",
    "MissingAuthenticationToken": "MissingAuthenticationTokenException",
    "RequestEntityTooLarge": "RequestEntityTooLargeException",
    # JSON services have no code of their own for a stale request: the signature is no longer valid.
    "RequestExpired": "InvalidSignatureException",
    "ServiceUnavailable": "ServiceUnavailableException",
    "SignatureDoesNotMatch": "InvalidSignatureException",
    "Throttling": "ThrottlingException",
    "ValidationError": "ValidationException",
}
# What some services' models call what all services have.
_ELSEWHERE = {"ThrottlingException": "TooManyRequestsException"}
_IN_QUERY = {
    "AccessDeniedException": "AccessDenied",
    "RequestEntityTooLargeException": "RequestEntityTooLarge",
    "SerializationException": "MalformedInput",
    "ThrottlingException": "Throttling",
    "UnknownOperationException": "InvalidAction",
    "UnsupportedMediaTypeException": "MalformedInput",
    "ValidationException": "ValidationError",
}
_IN_S3 = {
    "IncompleteSignature": "AuthorizationHeaderMalformed",
    "InternalFailure": "InternalError",
    "InvalidClientTokenId": "InvalidAccessKeyId",
    "MalformedInput": "InvalidRequest",
    "MalformedQueryString": "InvalidRequest",
    "MissingAuthenticationToken": "AccessDenied",
    "RequestEntityTooLarge": "EntityTooLarge",
    "RequestExpired": "AccessDenied",
    "SerializationException": "InvalidRequest",
    "Throttling": "SlowDown",
    "UnknownOperationException": "MethodNotAllowed",
    "UnsupportedMediaTypeException": "InvalidRequest",
    "ValidationError": "InvalidArgument",
}
"""S3 has codes of its own (S3 API reference, "Error responses")."""
_IN_EC2 = {
    "AccessDenied": "UnauthorizedOperation",
    "ExpiredToken": "RequestExpired",
    "InternalFailure": "InternalError",
    "InvalidClientTokenId": "AuthFailure",
    "MalformedInput": "InvalidParameterValue",
    "RequestEntityTooLarge": "InvalidRequest",
    "SerializationException": "InvalidParameterValue",
    "ServiceUnavailable": "Unavailable",
    "SignatureDoesNotMatch": "AuthFailure",
    "Throttling": "RequestLimitExceeded",
    "UnknownOperationException": "InvalidAction",
    "UnsupportedMediaTypeException": "InvalidRequest",
    "ValidationError": "InvalidParameterValue",
}
"""EC2 has codes of its own (EC2 API reference, "Error codes for the Amazon EC2 API")."""
_SPELLINGS = {"query": _IN_QUERY, "ec2": _IN_EC2, "rest-xml": _IN_S3}
_OWN_STATUSES = {
    "ec2": {
        "AuthFailure": 401,
        "InternalError": 500,
        "MalformedQueryString": 400,
        "RequestLimitExceeded": 503,
        "Unavailable": 503,
        "UnauthorizedOperation": 403,
    },
    "rest-xml": {
        "EntityTooLarge": 400,
        "ExpiredToken": 400,
        "InternalError": 500,
        "InvalidAccessKeyId": 403,
        "MethodNotAllowed": 405,
        "SlowDown": 503,
    },
}
"""Statuses of one protocol's own codes, and of common codes that its services give another status."""


def spell(code: str, *, protocol: str, service: ServiceModel | None) -> WireError:
    """Return how a protocol carries an error; a service's own error goes before what is common to all."""
    own = service.errors.get(code) if service else None
    if own is None:
        code = _SPELLINGS.get(protocol, _IN_JSON).get(code, code)
        own = service.errors.get(code) if service else None
        if own is None and service and code in _ELSEWHERE and _ELSEWHERE[code] in service.errors:
            code = _ELSEWHERE[code]
            own = service.errors[code]
    if own is not None:
        return WireError(code, own.status, own.sender_fault, own)
    status = _OWN_STATUSES.get(protocol, {}).get(code) or STATUSES.get(code, _OTHERWISE)
    if protocol in ("json", "smithy-rpc-v2-cbor") and status < 500:
        status = 413 if status == 413 else 400
    return WireError(code, status, status < 500, None)
