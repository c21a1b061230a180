"""Policy documents on their way in and out: held to AWS's grammar, measured as its quotas do, written as its answers do."""

from __future__ import annotations

from urllib.parse import quote

from crownkeep import errors, policy
from crownkeep.domain.policies.policy_documents import size
from crownkeep.policy import MalformedPolicy, PolicyKind
from crownkeep.policy.validate import LEGACY_PARSING

__all__ = ["encoded", "require_valid", "size"]


def require_valid(document: str, kind: PolicyKind = PolicyKind.IDENTITY) -> None:
    """Hold a document to the grammar of its kind; raises MalformedPolicyDocument with AWS's text."""
    if document[:1].isspace():
        # JSON allows blanks in front; AWS's parser doesn't.
        raise errors.MalformedPolicyDocument(LEGACY_PARSING)
    try:
        policy.validate(policy.parse(document), kind)
    except MalformedPolicy as fault:
        raise errors.MalformedPolicyDocument(str(fault)) from fault


def encoded(document: str) -> str:
    """Return a document as IAM's answers hold it: URL-encoded by RFC 3986 (API_GetPolicyVersion)."""
    return quote(document, safe="")
