"""Policy documents on their way in and out: held to AWS's grammar, measured as its quotas do, written as its answers do."""

from __future__ import annotations

import string
from collections.abc import Sequence
from urllib.parse import quote

from crownkeep import errors, policy
from crownkeep.domain.policies.policy_documents import size
from crownkeep.policy import MalformedPolicy, PolicyKind
from crownkeep.policy.validate import LEGACY_PARSING

__all__ = ["encoded", "encoded_each", "require_valid", "size"]

_UNRESERVED = frozenset(string.ascii_letters + string.digits + "_.-~")
_SEPARATOR = frozenset("\0")


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
    return _escaped(document, frozenset()) if document.isascii() else quote(document, safe="")


def encoded_each(documents: Sequence[str]) -> list[str]:
    """Return documents as `encoded` does, all in one go."""
    together = "\0".join(documents)
    # No JSON has a null character in the clear.
    found = _escaped(together, _SEPARATOR).split("\0") if together.isascii() else []
    return found if len(found) == len(documents) else [encoded(each) for each in documents]


def _escaped(text: str, kept: frozenset[str]) -> str:
    # Documents hold a dozen kinds of characters that are escaped, and each is replaced by C: `quote` looks at every character.
    escaped = set(text) - _UNRESERVED - kept
    if "%" in escaped:
        # First, or what is written for the others would be escaped again.
        escaped.remove("%")
        text = text.replace("%", "%25")
    for each in escaped:
        text = text.replace(each, f"%{ord(each):02X}")
    return text
