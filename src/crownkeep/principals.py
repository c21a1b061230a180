"""Who is asking: the kinds of caller that a request can have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from uuid import UUID

from crownkeep import arn
from crownkeep.values import value_type

APPROVED_BY = "crownkeep:approvalrequest"
"""The condition key of a session that custodians have approved, and of what was derived from it: the id of the request."""


class PrincipalKind(Enum):
    """What stands behind a credential."""

    ROOT = "root"
    USER = "user"
    ROLE = "role"
    FEDERATED_USER = "federated-user"
    PERSON = "person"
    """Somebody in an identity store of single sign-on: no principal of IAM, whom no policy can name."""

    __hash__ = object.__hash__  # An enum's own is written in Python, and this is looked up several times in each request.


@value_type(frozen=True, slots=True)
class OnBehalfOf:
    """The person of single sign-on for whom a role's session was issued.

    It dies with their assignment, or their entitlement to the role, and with their sign-in.
    """

    user_id: str
    identity_store_id: str
    owner_id: str
    """The account that owns the identity store."""
    instance_id: str
    permission_set_id: str
    """Empty where an existing role was taken by an entitlement."""
    account_id: str
    """In which account the permission set, or the role, was taken."""
    sign_in: str
    """`session:` and the id of a browser session, or `grant:` and the id of a program's grant."""
    role_digest: str = ""
    """Of the ARN of the existing role that was taken, as entitlements are kept by it; empty for a permission set's."""

    @property
    def identity_store_arn(self) -> str:
        """The identity store's ARN."""
        return f"arn:aws:identitystore::{self.owner_id}:identitystore/{self.identity_store_id}"


@value_type(frozen=True, slots=True)
class Session:
    """What a temporary credential carries beyond its principal: when it began, with which factor, under which ceiling."""

    issued_at: datetime
    expires_at: datetime
    mfa_serial: str | None = None
    mfa_at: datetime | None = None
    name: str = ""
    """The role session's name, or the federated user's."""
    policies: tuple[str, ...] = ()
    """Inline session policy documents."""
    policy_arns: tuple[str, ...] = ()
    """Managed session policies, by ARN."""
    has_policy: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    transitive_tag_keys: tuple[str, ...] = ()
    source_identity: str = ""
    assumed_root: bool = False
    task_policy_arn: str = ""
    from_console: bool = False
    chained: bool = False
    issuing_key_id: str = ""
    """The access key that asked for the session; the session dies with it."""
    federated_provider: str = ""
    context: Mapping[str, str] = field(default_factory=dict)
    """Further condition keys the session was issued with, such as a web identity's audience, in lower case."""
    assumed_by: str = ""
    """Of a role's session: the ARN of whoever took the role on, or of the identity provider that vouched for them."""
    assumed_by_id: str = ""
    """The unique id of the user or role behind `assumed_by`."""
    delegate: str = ""
    """The account of the product provider that acts with the permissions of whoever delegated them to it."""
    derived_until: datetime | None = None
    """Until when at most a session lasts that is derived from this one; absent where only its role's maximum limits it."""
    taken_on_by: Principal | None = None
    """Of a member's root user in a session of AssumeRoot: who took it on. The session dies with that credential."""
    scopes: tuple[str, ...] = ()
    """Documents of GetScopedCredentials, each of which must allow whatever the session does."""
    is_scoped: bool = False
    """Whether GetScopedCredentials issued it, so that it ends no later than the session that called."""
    on_behalf_of: OnBehalfOf | None = None
    """The person who took a permission set's role, also of whatever was taken on from there."""

    @property
    def ceiling(self) -> datetime | None:
        """The moment that nothing derived from this session outlives: the end of the console session that it came from.

        A console's session that doesn't say so was made by an earlier version; that one, and what was lent, end with themselves.
        """
        if self.derived_until is None and (self.from_console or self.delegate):
            return self.expires_at
        return self.derived_until

    def derive(self, session: Session) -> Session:
        """Return a session that this one's credentials asked for: ended by the ceiling, and lent as this one was."""
        if self.on_behalf_of is not None:
            session = replace(session, on_behalf_of=self.on_behalf_of)
        if APPROVED_BY in self.context:
            session = replace(session, context={**session.context, APPROVED_BY: self.context[APPROVED_BY]})
        ceiling = self.ceiling
        if ceiling is None:
            return session
        ends = min(session.expires_at, ceiling)
        return replace(session, expires_at=ends, derived_until=ceiling, delegate=self.delegate)


@value_type(frozen=True, slots=True)
class Principal:
    """An authenticated caller: which account, which entity, and the session if the credential is a temporary one."""

    kind: PrincipalKind
    account_id: str
    unique_id: str
    """The account id for root, AIDA... for a user, AROA... for a role; a person's id without hyphens."""
    name: str = ""
    path: str = "/"
    """Of a person, the identity store: `/d-0123456789/`."""
    access_key_id: str = ""
    session: Session | None = None

    @property
    def arn(self) -> str:
        """The ARN that GetCallerIdentity, records and refusals show."""
        match self.kind:
            case PrincipalKind.ROOT:
                return arn.root(self.account_id)
            case PrincipalKind.USER:
                return arn.user(self.account_id, self.path, self.name)
            case PrincipalKind.ROLE:
                return arn.sts(self.account_id, f"assumed-role/{self.name}/{self.session_name}")
            case PrincipalKind.FEDERATED_USER:
                return arn.sts(self.account_id, f"federated-user/{self.session_name}")
            case PrincipalKind.PERSON:
                return f"arn:aws:identitystore:::user/{self.person_id}"

    @property
    def person_id(self) -> str:
        """The id of a person as the identity store spells it."""
        return str(UUID(self.unique_id))

    @property
    def policy_arn(self) -> str:
        """The ARN that aws:PrincipalArn holds: of a role session, the role's (IAM user guide, global condition keys)."""
        if self.kind is PrincipalKind.ROLE:
            return arn.role(self.account_id, self.path, self.name)
        return self.arn

    @property
    def issuer_arn(self) -> str:
        """The ARN of the role behind a role's session and of the user, or root, behind a federated user; its own for others."""
        if self.kind is PrincipalKind.FEDERATED_USER:
            return arn.user(self.account_id, self.path, self.name) if self.name else arn.root(self.account_id)
        return self.policy_arn

    @property
    def user_id(self) -> str:
        """The value of aws:userid and GetCallerIdentity's UserId (IAM user guide, "principal key values")."""
        match self.kind:
            case PrincipalKind.ROLE:
                return f"{self.unique_id}:{self.session_name}"
            case PrincipalKind.FEDERATED_USER:
                return f"{self.account_id}:{self.session_name}"
            case _:
                return self.unique_id

    @property
    def lasting_id(self) -> str:
        """Who this is, for what is kept as theirs: the unique id, and the name of a role's session or federated user.

        A namesake of somebody who was deleted has another one, which no ARN tells.
        """
        return f"{self.unique_id}:{self.session_name}" if self.session_name else self.unique_id

    @property
    def session_name(self) -> str:
        """The name of the role session or federated user; empty for others."""
        return self.session.name if self.session else ""

    @property
    def has_mfa(self) -> bool:
        """Whether the session was issued with a second factor."""
        return self.session is not None and self.session.mfa_at is not None


@dataclass(frozen=True, slots=True)
class Anonymous:
    """A caller without credentials, where AWS allows one."""


@dataclass(frozen=True, slots=True)
class FederatedIdentity:
    """Somebody whom an identity provider vouches for, without credentials of an account: how records name such a caller."""

    kind: str
    """`WebIdentityUser` or `SAMLUser`."""
    principal_id: str
    user_name: str
    identity_provider: str
    account_id: str = ""
    """Whose token the caller has, where it has one of an account's instance of single sign-on, and is known by nothing else."""
    token_id: str = ""


@dataclass(frozen=True, slots=True)
class Operator:
    """Whoever keeps the house: has the data directory, or a token. Makes and closes accounts, and may do nothing inside one."""

    name: str = ""
    """Of an operator with a token of their own; empty for the shared token and the command line, which may do everything."""
    token_id: str = ""
    scopes: tuple[str, ...] = ()
    """What a named operator may do (`operations.operator_scopes`)."""
    expires_at: datetime | None = None
    """Until when a named operator's token is good."""
    system_user: str = ""
    """Of the command line: who runs it, as the machine knows them."""


Caller = Principal | Anonymous | Operator
