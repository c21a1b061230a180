"""Which principals a policy names: Principal and NotPrincipal elements matched against a caller, and how it was named."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import IntEnum

from crownkeep.policy.context import PolicyPrincipal, PolicyPrincipalKind
from crownkeep.policy.document import Principals


class Naming(IntEnum):
    """How directly a policy names a caller; what an Allow is worth depends on it (AWS's page on evaluation logic).

    ACCOUNT delegates: the caller's own policies must allow as well. ISSUER names the role of a session or the user of a
    federated user: boundary and session policies still limit it. DIRECT, which everyone (`*`) counts as, is final.
    """

    NONE = 0
    ACCOUNT = 1
    ISSUER = 2
    DIRECT = 3


NamedBy = Callable[[PolicyPrincipal], Naming]

_ACCOUNT = re.compile(r"(?:arn:[^:]+:iam::)?([0-9]{12})(?::root)?", re.ASCII)


def compile_principal(element: Principals) -> NamedBy:
    """Compile a Principal element into how it names a caller."""
    return _Names(element).naming


def compile_not_principal(element: Principals, *, denies: bool) -> NamedBy:
    """Compile a NotPrincipal element: DIRECT for callers it does not except, NONE for those it does.

    With Deny a caller is excepted only when each of its faces is listed: account and user; or account, role and session.
    With Allow one listed face is enough, so nobody named there is ever granted anything.
    """
    names = _Names(element)
    if names.everyone:
        return lambda principal: Naming.NONE
    is_excepted = names.names_every_face if denies else names.names_any_face
    return lambda principal: Naming.NONE if is_excepted(principal) else Naming.DIRECT


class _Names:
    """The names of one element, by type."""

    __slots__ = ("accounts", "aws", "canonical", "everyone", "federated", "services")

    def __init__(self, element: Principals) -> None:
        self.everyone = element.everyone
        self.accounts: set[str] = set()
        self.aws: set[str] = set()
        self.services: set[str] = set()
        self.federated: set[str] = set()
        self.canonical: set[str] = set()
        for kind, name in element.named:
            self._add(kind, name)

    def _add(self, kind: str, name: str) -> None:
        match kind:
            case "AWS" if name == "*":
                self.everyone = True
            case "AWS" if name:
                account = _ACCOUNT.fullmatch(name)
                (self.accounts if account else self.aws).add(account[1] if account else name)
            case "Service":
                self.services.add(name)
            case "Federated":
                self.federated.add(name)
            case "CanonicalUser":
                self.canonical.add(name)

    def naming(self, principal: PolicyPrincipal) -> Naming:
        kind = principal.kind
        # Whoever brings a token of an identity provider is named by that provider only, not by `*`.
        if kind in _FEDERATED:
            return Naming.NONE if self.federated.isdisjoint(principal.names) else Naming.DIRECT
        if self.everyone:
            return Naming.DIRECT
        if kind is PolicyPrincipalKind.SERVICE:
            return Naming.NONE if self.services.isdisjoint(principal.names) else Naming.DIRECT
        if self._names_caller(principal):
            return Naming.DIRECT
        if self._names_issuer(principal):
            return Naming.ISSUER
        if principal.account_id in self.accounts:
            # The account's principal is its root user; anybody else of the account is delegated to.
            return Naming.DIRECT if kind is PolicyPrincipalKind.ROOT else Naming.ACCOUNT
        return Naming.NONE

    def _names_caller(self, principal: PolicyPrincipal) -> bool:
        if principal.arn in self.aws or principal.canonical_user_id in self.canonical:
            return True
        return principal.kind is PolicyPrincipalKind.USER and principal.unique_id in self.aws

    def _names_issuer(self, principal: PolicyPrincipal) -> bool:
        return principal.issuer_arn in self.aws or principal.issuer_unique_id in self.aws

    def names_any_face(self, principal: PolicyPrincipal) -> bool:
        return self.naming(principal) is not Naming.NONE

    def names_every_face(self, principal: PolicyPrincipal) -> bool:
        kind = principal.kind
        if principal.has_permissions_boundary:  # AWS: do not use NotPrincipal with callers that have a boundary
            return False
        if kind is PolicyPrincipalKind.SERVICE or kind in _FEDERATED:
            return self.naming(principal) is Naming.DIRECT
        if kind is PolicyPrincipalKind.ANONYMOUS or principal.account_id not in self.accounts:
            return False
        if kind is PolicyPrincipalKind.ROOT:
            return True
        if kind is PolicyPrincipalKind.ROLE_SESSION and not self._names_issuer(principal):
            return False
        return self._names_caller(principal)


_FEDERATED = frozenset({PolicyPrincipalKind.WEB_IDENTITY, PolicyPrincipalKind.SAML})
