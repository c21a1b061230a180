"""What is asked: a request, who makes it, and the context keys, looked up only when a policy mentions them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum

from crownkeep.values import value_type

# A str is a single-valued key; a tuple a multivalued one, even with one element. They do not match alike.
ContextValue = str | tuple[str, ...]
Resolve = Callable[[str], "ContextValue | None"]


class PolicyPrincipalKind(Enum):
    """Who calls; AWS evaluates each of them differently."""

    ROOT = "root"
    USER = "user"
    ROLE_SESSION = "role session"
    FEDERATED_USER = "federated user"
    WEB_IDENTITY = "web identity"
    SAML = "saml"
    SERVICE = "service"
    ANONYMOUS = "anonymous"

    __hash__ = object.__hash__  # An enum's own is written in Python, and these are looked up several times in each decision.


@value_type(frozen=True, slots=True)
class PolicyPrincipal:
    """The caller, as policies can name it.

    `arn` is the caller's own ARN (of the session, for a session). `unique_id` is the AIDA or AROA id that a saved
    policy's user or role ARN was bound to. `issuer_arn` and `issuer_unique_id` are a role session's role and a federated
    user's IAM user. `names` holds a service's principal names, or the identity provider of a web identity or SAML caller.
    `has_permissions_boundary` matters to NotPrincipal: a Deny never excepts a caller with a boundary.
    """

    kind: PolicyPrincipalKind
    arn: str = ""
    account_id: str | None = None
    unique_id: str | None = None
    issuer_arn: str | None = None
    issuer_unique_id: str | None = None
    canonical_user_id: str | None = None
    names: tuple[str, ...] = ()
    has_permissions_boundary: bool = False


ANONYMOUS = PolicyPrincipal(PolicyPrincipalKind.ANONYMOUS)


class Context:
    """A request's context keys: those given at once, and a resolver asked once for each other key a policy mentions.

    Key names ignore case; the resolver gets them in lower case and returns None for a key the request has not. A
    multivalued key without values counts as absent.
    """

    __slots__ = ("_resolve", "_values")

    def __init__(self, values: Mapping[str, ContextValue] | None = None, resolve: Resolve | None = None) -> None:
        self._values: dict[str, ContextValue | None] = (
            {key.lower(): None if value == () else value for key, value in values.items()} if values else {}
        )
        self._resolve = resolve

    def get(self, key: str) -> ContextValue | None:
        """The value of a key whose name is in lower case, or None when the request has no such key."""
        values = self._values
        if key in values:
            return values[key]
        if self._resolve is None:
            return None
        value = self._resolve(key)
        # Also what is absent is remembered: a policy may ask for one key in a hundred statements.
        values[key] = found = None if value == () else value
        return found

    def known(self) -> dict[str, ContextValue]:
        """The keys that were given or have been asked for so far, in lower case, and that the request has."""
        return {key: value for key, value in self._values.items() if value is not None}


@value_type(frozen=True, slots=True)
class PolicyRequest:
    """One question: may this principal take this action on this resource, in this context?

    `action` is `service:Name` in AWS's own case (it is matched without regard to case and cited as given); `resource`
    is an ARN, or `*` for an action that names none.
    """

    principal: PolicyPrincipal
    action: str
    resource: str = "*"
    context: Context = Context()
