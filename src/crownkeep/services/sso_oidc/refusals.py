"""Refusals of the service: AWS's exception, with OAuth's name for the fault and what is to be done about it."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.domain.single_sign_on import clients

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


def members(error: str, description: str) -> dict[str, object]:
    """Return the members of a refusal (RFC 6749, 5.2)."""
    return {"error": error, "error_description": description}


def invalid_request(message: str) -> errors.InvalidRequest:
    """Make the refusal of a request that lacks something, or has too much of it."""
    return errors.InvalidRequest("", members=members("invalid_request", message))


def invalid_client() -> errors.InvalidClient:
    """Make the refusal of a program that never registered, or whose registration is over."""
    return errors.InvalidClient("", members=members("invalid_client", "Client not found or invalid: register it anew."))


def invalid_grant() -> errors.InvalidGrant:
    """Make the refusal of a code or refresh token; which fault it has isn't told."""
    return errors.InvalidGrant("", members=members("invalid_grant", "Invalid grant provided"))


def invalid_scope() -> errors.InvalidScope:
    """Make the refusal of a scope that there isn't, or that the program has not registered."""
    return errors.InvalidScope("", members=members("invalid_scope", f"The scopes are {', '.join(clients.SCOPES)}."))


def unsupported_grant_type() -> errors.UnsupportedGrantType:
    """Make the refusal of a kind of grant that is not served."""
    return errors.UnsupportedGrantType("", members=members("unsupported_grant_type", "Unsupported grant type"))
