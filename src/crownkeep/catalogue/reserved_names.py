"""Paths and names that are AWS's services' own: policies exempt them, so that nobody else may have them.

The data perimeters that AWS publishes exempt `role/aws-service-role/*` and `role/aws-reserved/sso.amazonaws.com/*`: whoever could
make such a role would step out of every policy that does so. Letter case doesn't help: names are unique without regard to it, and
some operators of conditions ignore it.
"""

from __future__ import annotations

from collections.abc import Mapping

SERVICE_LINKED_PATH = "/aws-service-role/"
"""Where service-linked roles are, which no service control policy binds."""
SINGLE_SIGN_ON_PATH = "/aws-reserved/sso.amazonaws.com/"
"""Where the roles of permission sets are."""

_PATHS: Mapping[str, str] = {
    # As seen on AWS.
    "aws-service-role": "Path prefix '/aws-service-role/' can only be used for AWS Service linked Roles",
    "aws-reserved": "Path prefix '/aws-reserved/' is reserved for AWS services",
}
_NAMES: Mapping[str, str] = {
    "AWSServiceRoleFor": "Name prefix 'AWSServiceRoleFor' can only be used for AWS Service linked Roles",
    "AWSReservedSSO_": "Name prefix 'AWSReservedSSO_' is reserved for AWS services",
}


def fault_of_path(path: str) -> str | None:
    """Return why nobody may put something under this path, None where anybody may; further slashes in front change nothing."""
    # Slashes in front are legal in a path, and a policy's pattern with a star may still match behind them.
    first, _, _ = path.lstrip("/").partition("/")
    return _PATHS.get(first.lower())


def fault_of_name(name: str) -> str | None:
    """Return why nobody may give this name to a role or user, None where anybody may."""
    lower = name.lower()
    return next((fault for prefix, fault in _NAMES.items() if lower.startswith(prefix.lower())), None)
