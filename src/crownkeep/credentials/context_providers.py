"""Context providers: which of an identity provider's claims a session carries on as trusted context keys.

IAM API reference, "ContextProvider"; STS API reference, "TrustedIdentityPropagationContext".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

ORIGIN, TRANSACTION = "aws:OriginIdentity/", "aws:TransactionContext/IdentityProvider/"
_LONGEST_VALUE = 128


class ClaimTooLong(ValueError):
    """A claim that is to become a context key is longer than one may be."""


class _KeyDefinition(msgspec.Struct, frozen=True):
    SourceKey: str
    TargetKey: str | None = None


class _ContextProvider(msgspec.Struct, frozen=True):
    SubjectSourceKey: str
    KeyDefinitionList: tuple[_KeyDefinition, ...] = ()
    SubjectTypeValue: str | None = None
    SubjectTypeSourceKey: str | None = None


@dataclass(frozen=True, slots=True)
class TrustedContext:
    """What a provider vouches for beyond its own condition keys, by the names that AWS's answer has."""

    origin: Mapping[str, str] = field(default_factory=dict)
    transaction: Mapping[str, str] = field(default_factory=dict)

    def keys(self) -> dict[str, str]:
        """Return the context keys of the session, in lower case."""
        origin = {f"{ORIGIN}{name}".lower(): value for name, value in self.origin.items()}
        return origin | {f"{TRANSACTION}{name}".lower(): value for name, value in self.transaction.items()}

    def members(self) -> dict[str, object]:
        """Return the member that shows the context, which is absent where there is none."""
        if not self.origin:
            return {}
        shown: dict[str, object] = {"OriginIdentity": dict(self.origin)}
        if self.transaction:
            shown["TransactionContext"] = {"IdentityProvider": dict(self.transaction)}
        return {"TrustedIdentityPropagationContext": shown}


def trusted_context(
    definition: str | None, claims: Mapping[str, object], *, provider_arn: str, issuer: str = ""
) -> TrustedContext:
    """Read the trusted context out of claims, as a stored ContextProvider says; there is none without the subject.

    Raises ClaimTooLong.
    """
    if definition is None:
        return TrustedContext()
    provider = msgspec.json.decode(definition, type=_ContextProvider)
    subject = _text(claims.get(provider.SubjectSourceKey))
    if not subject:
        return TrustedContext()
    kind = provider.SubjectTypeValue or _text(claims.get(provider.SubjectTypeSourceKey or ""))
    origin = {"Subject": subject, "SubjectType": kind, "Issuer": issuer, "FederatedProviderArn": provider_arn}
    transaction = {each.TargetKey or each.SourceKey: _text(claims.get(each.SourceKey)) for each in provider.KeyDefinitionList}
    for name, value in transaction.items():
        if len(value) > _LONGEST_VALUE:
            raise ClaimTooLong(f"The value of {name} is longer than {_LONGEST_VALUE} characters")
    return TrustedContext(
        {name: value for name, value in origin.items() if value}, {name: value for name, value in transaction.items() if value}
    )


def _text(value: object) -> str:
    """Return a claim as a context key holds it; lists of one value as that value, and what is no simple value not at all."""
    if isinstance(value, tuple | list) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else ""
