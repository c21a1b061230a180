"""Whom a web identity token is about: the AWS principal, or the person or workload on whose behalf its session acts."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from crownkeep import errors
from crownkeep.credentials.context_providers import ORIGIN
from crownkeep.principals import Principal

AWS_IDENTITY, ORIGIN_IDENTITY = "AWSIdentity", "OriginIdentity"


def require_scope(scope: str | None, subject_mode: str | None, audience: Sequence[str]) -> None:
    """Raise ValidationError where a scope can't go with what else is asked for (API_GetWebIdentityToken)."""
    if scope is None:
        return
    if subject_mode != ORIGIN_IDENTITY:
        raise errors.ValidationError("Scope can be specified only when SubjectMode is OriginIdentity.")
    if len(audience) != 1:
        raise errors.ValidationError("Scope can be specified only with exactly one audience.")
    values = scope.split(" ")
    if len(set(values)) < len(values):
        raise errors.ValidationError("Scope must not contain a value more than once.")


def subject(principal: Principal, subject_mode: str | None) -> str:
    """Return the token's `sub`; raises ValidationError where the session acts for nobody else, AccessDenied for a trap.

    A subject that looks like an ARN would pass for an AWS principal with whoever reads the token.
    """
    if subject_mode != ORIGIN_IDENTITY:
        return principal.policy_arn
    context = principal.session.context if principal.session is not None else {}
    origin = {name: context.get(f"{ORIGIN}{name}".lower(), "") for name in ("Subject", "Issuer", "FederatedProviderArn")}
    if not origin["Subject"].strip() or not (origin["Issuer"] or origin["FederatedProviderArn"]):
        raise errors.ValidationError("The calling session has no trusted identity propagation context with an origin identity.")
    if origin["Subject"].lower().startswith("arn:") or not _is_plain(origin["Subject"]):
        raise errors.AccessDenied("The origin identity's subject can't be the subject of a token.")
    return origin["Subject"]


def members(subject_mode: str | None) -> dict[str, object]:
    """Return the claim that says whom the token is about, where that isn't the principal."""
    return {"subject_mode": ORIGIN_IDENTITY} if subject_mode == ORIGIN_IDENTITY else {}


def _is_plain(text: str) -> bool:
    is_trimmed = text == text.strip()
    return is_trimmed and not any(each != " " and unicodedata.category(each)[0] in "CZ" for each in text)
