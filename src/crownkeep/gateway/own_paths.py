"""Paths of services of ours where a token stands in the place of a signature: the operator's, and SCIM's."""

from __future__ import annotations

import re

from crownkeep import errors
from crownkeep.gateway import s3_paths, signature
from crownkeep.gateway.http import HttpRequest
from crownkeep.gateway.signature import Signature

OPERATOR_PATH = b"/operator/"
_SCIM_PATH = re.compile(rb"/[^/]+/scim/v2(?:/.*)?")


def is_operators(http: HttpRequest) -> bool:
    """Tell whether a request is to the operator's API; a bucket may be called `operator`."""
    return http.path.startswith(OPERATOR_PATH) and not _is_signed(http)


def service_of(http: HttpRequest) -> str | None:
    """Return the service that a request is for by its path, None where a signature says it."""
    if is_operators(http):
        return "operator"
    return "scim" if _SCIM_PATH.fullmatch(http.path) and not _is_signed(http) else None


def claimed(http: HttpRequest, service: str | None) -> Signature:
    """Return the signature that a request claims; raises MissingAuthenticationToken where a token stands in its place."""
    if service is not None:
        raise errors.MissingAuthenticationToken("Request is missing Authentication Token")
    return signature.parse(http)


def _is_signed(http: HttpRequest) -> bool:
    return s3_paths.is_signed(http.header(b"authorization"), http.query)
