"""Who can administer an account as it stands in an open transaction: users with a way in, and roles that somebody can take on.

To administer is to be able to give anybody any permission and any credential: whoever can do that can do, or repair, all else.
The policy engine that enforces decides, with boundaries and the organization's policies. Nothing cached is asked, so that the
answer is right in the middle of a change. What depends on a caller's network or on tags of a session can't be known beforehand:
such a condition counts as not met.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from itertools import islice

from crownkeep import arn, policy
from crownkeep.operations import authorize, on_behalf, organization_controls, permissions, trust
from crownkeep.operations.permissions import Permissions
from crownkeep.policy import Applicable, Context, ContextValue, PolicyRequest, PolicySet, ResourcePolicyRole
from crownkeep.principals import Principal, PrincipalKind, Session
from crownkeep.storage.accounts import accounts
from crownkeep.storage.credentials import access_keys, login_profiles, mfa_devices
from crownkeep.storage.database import Transaction
from crownkeep.storage.federation import oidc_providers, saml_providers
from crownkeep.storage.identities import memberships, roles, tags, users
from crownkeep.storage.identities.roles import RoleRow
from crownkeep.storage.identities.users import UserRow
from crownkeep.storage.policies import attachments
from crownkeep.storage.single_sign_on import account_assignments, instances, provisioned_roles


@dataclass(frozen=True, slots=True)
class LookingBounds:
    """How much is looked at in one account: whoever fills it must not make others wait."""

    holders: int
    """Users with credentials, and roles."""
    decisions: int


REPORT = LookingBounds(holders=1000, decisions=50_000)
GUARD = LookingBounds(holders=100, decisions=2000)
"""Of a write, whose account is held meanwhile."""

_ADMINISTRATOR_POLICIES = tuple(f"arn:aws:iam::aws:policy/{name}" for name in ("AdministratorAccess", "IAMFullAccess"))
_NEEDED = ("iam:CreateUser", "iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:PutUserPolicy", "iam:AttachUserPolicy")
_MOST_NAMED = 5
_AT_ONCE = 100
"""Users that one query is for: a guard's look needs one."""
_SOMEBODY = "user/somebody"
_SESSION_NAME = "session"


class AdministratorKind(Enum):
    """How an administrator gets in."""

    USER = "user"
    """By credentials of their own."""
    ROLE = "role"
    """By taking on a role, by whatever lies outside of the account or by a user of it."""


@dataclass(frozen=True, slots=True)
class Administrator:
    """Somebody who can administer an account."""

    kind: AdministratorKind
    name: str
    arn: str
    has_password: bool = False
    active_keys: int = 0
    mfa_devices: int = 0
    taken_on_by: str = ""
    """Of a role: who can take it on, such as `the user carol`."""


@dataclass(frozen=True, slots=True)
class _Holder:
    """A user with something to sign in or sign with."""

    row: UserRow
    has_password: bool
    active_keys: int
    mfa_devices: int

    @property
    def mfa_known(self) -> tuple[str | None, ...]:
        """The values that aws:MultiFactorAuthPresent can have; None where the key is absent, as with a long-term key."""
        values: list[str | None] = ["true"] if self.mfa_devices else []
        values += ["false"] if self.has_password and not self.mfa_devices else []
        return (*values, None) if self.active_keys else tuple(values)


class Administrators:
    """The administrators of one account, found one by one: whoever needs to know only whether there is any asks for the first."""

    def __init__(
        self, db: Transaction, account_id: str, *, now: datetime, first: Iterable[str] = (), bounds: LookingBounds = REPORT
    ) -> None:
        self._db = db
        self._account_id = account_id
        self._now = now
        self._most = bounds.holders
        self._decisions_left = bounds.decisions
        self._first = tuple(first)
        """Unique ids of users who are looked at first, since they probably are administrators."""
        # Loaded anew, and not from the standing: the change that is looked at may be one of these very policies.
        membership = organization_controls.load(db, account_id)
        self._controls: tuple[PolicySet, ...] = () if membership is None else membership.service_control
        self._organization_id = "" if membership is None else membership.organization_id
        self._permissions: dict[str, Permissions] = {}
        self._tags: dict[str, Mapping[str, ContextValue]] = {}

    def found(self) -> Iterator[Administrator]:
        """Yield users first, and then roles, each with the best way to take it on."""
        for holder in self._holders():
            if self._administers(self._principal(holder.row), holder.mfa_known):
                yield _of_user(holder)
        for role in roles.page(self._db, self._account_id, path_prefix="/", after="", limit=self._most):
            # A role's session may have MFA or not, as whoever takes it on has: both are tried.
            if role.owner_service in (None, on_behalf.SERVICE) and self._administers(self._session_of(role), ("true", None)):
                by = self._taken_on_by(role)
                if by:
                    shown = arn.role(self._account_id, role.path, role.name)
                    yield Administrator(AdministratorKind.ROLE, role.name, shown, taken_on_by=by)

    def root_may_act(self) -> bool:
        """Tell whether the organization's policies leave the root user the power to administer."""
        root = Principal(PrincipalKind.ROOT, self._account_id, self._account_id)
        return all(self._may(root, action, "true") for action in _NEEDED)

    def with_credentials(self) -> list[str]:
        """Return the names of a few users who have credentials, whatever they may do."""
        return [each.row.name for each in islice(self._holders(), _MOST_NAMED)]

    def _holders(self) -> Iterator[_Holder]:
        passwords = dict.fromkeys(login_profiles.user_ids_of_account(self._db, self._account_id))
        keys = access_keys.active_counts(self._db, self._account_id)
        # Root's keys don't count: root is judged by its password and device (`why_not_root`).
        keys.pop(self._account_id, None)
        # The likeliest first, so that the guard's usual look ends after one user. A dict keeps the order and drops repetitions.
        likely = dict.fromkeys((*self._first, *self._likely(), *passwords, *keys))
        # Only who has something to sign in or sign with: permissions alone are no way in.
        sought = [each for each in likely if each in passwords or each in keys][: self._most]
        for begin in range(0, len(sought), _AT_ONCE):
            some = sought[begin : begin + _AT_ONCE]
            rows = {row.user_id: row for row in users.with_ids(self._db, self._account_id, some)}
            devices = mfa_devices.counts_of_owners(self._db, self._account_id, some)
            for user_id in [each for each in some if each in rows]:
                yield _Holder(rows[user_id], user_id in passwords, keys.get(user_id, 0), devices.get(user_id, 0))

    def _likely(self) -> list[str]:
        """Return the ids of whoever has a policy that makes administrators, by itself or by a group."""
        held = [row for each in _ADMINISTRATOR_POLICIES for row in attachments.of_policy(self._db, self._account_id, each)]
        owners = [row.owner_id for row in held]
        return [*owners, *memberships.user_ids_of_groups(self._db, self._account_id, owners)] if owners else []

    def _principal(self, row: UserRow) -> Principal:
        return Principal(PrincipalKind.USER, self._account_id, row.user_id, row.name, row.path)

    def _session_of(self, role: RoleRow) -> Principal:
        session = Session(self._now, self._now, name=_SESSION_NAME)
        return Principal(PrincipalKind.ROLE, self._account_id, role.role_id, role.name, role.path, session=session)

    def _administers(self, principal: Principal, mfa_known: Iterable[str | None]) -> bool:
        # One and the same state of MFA for all the actions: they have to be possible in one session.
        return any(all(self._may(principal, action, mfa) for action in _NEEDED) for mfa in mfa_known)

    def _may(self, principal: Principal, action: str, mfa: str | None, role: RoleRow | None = None) -> bool:
        if self._decisions_left <= 0:
            return False
        # A bound that is reached counts as "no": whoever fills an account must not make its writes slow.
        self._decisions_left -= 1
        held = self._permissions.get(principal.unique_id)
        if held is None:
            held = self._permissions[principal.unique_id] = permissions.load(self._db, principal)
        found = Applicable(identity=held.identity, boundary=held.boundary, service_control=self._controls)
        resource = arn.iam(self._account_id, _SOMEBODY)
        if role is not None:
            resource = arn.role(self._account_id, role.path, role.name)
            found = replace(
                found,
                resource=trust.policy_of(role),
                resource_role=ResourcePolicyRole.TRUST,
                resource_account_id=self._account_id,
            )
        caller = authorize.policy_principal(principal, has_boundary=held.boundary is not None)
        return policy.authorize(PolicyRequest(caller, action, resource, self._context(principal, mfa)), found).allowed

    def _context(self, principal: Principal, mfa: str | None) -> Context:
        known: dict[str, ContextValue] = {
            "aws:PrincipalArn": principal.policy_arn,
            "aws:PrincipalAccount": self._account_id,
            "aws:userid": principal.user_id,
            "aws:SecureTransport": "true",
            "aws:CurrentTime": f"{self._now:%Y-%m-%dT%H:%M:%SZ}",
            "aws:EpochTime": str(int(self._now.timestamp())),
            "iam:PolicyARN": _ADMINISTRATOR_POLICIES[0],
        }
        if principal.kind is PrincipalKind.USER:
            known["aws:username"] = principal.name
        if self._organization_id:
            known["aws:PrincipalOrgID"] = self._organization_id
        if mfa is not None:
            known |= {"aws:MultiFactorAuthPresent": mfa} | ({"aws:MultiFactorAuthAge": "60"} if mfa == "true" else {})
        if principal.kind is not PrincipalKind.ROOT:
            known |= self._tags_of(principal.unique_id)
        return Context(known)

    def _tags_of(self, unique_id: str) -> Mapping[str, ContextValue]:
        found = self._tags.get(unique_id)
        if found is None:
            owned = tags.of_resource(self._db, self._account_id, unique_id)
            found = self._tags[unique_id] = {f"aws:PrincipalTag/{name}": value for name, value in owned.items()}
        return found

    def _taken_on_by(self, role: RoleRow) -> str:
        """Say who can take a role on; nobody's name where nobody can."""
        if role.owner_service == on_behalf.SERVICE:
            return "people of single sign-on" if self._is_assigned(role) else ""
        # Roles keep the owners of those they trust by unique id; an account's id is its own owner.
        owners = dict(pair.split("=", 1) for pair in role.trusted_accounts.split())
        for kind, name in _trusted(role):
            said = self._outsider(kind, owners.get(name, name))
            if said:
                return said
        for holder in self._holders():
            principal = self._principal(holder.row)
            if any(self._may(principal, "sts:AssumeRole", mfa, role) for mfa in holder.mfa_known):
                return f"the user {holder.row.name}"
        return ""

    def _outsider(self, kind: str, name: str) -> str:
        """Say who is meant by a principal that a role trusts and that is none of the account's own."""
        # A provider that was deleted opens nothing, although the trust policy still names it.
        if kind == "Federated":
            is_there = saml_providers.with_arn(self._db, self._account_id, name) is not None or (
                oidc_providers.with_arn(self._db, self._account_id, name) is not None
            )
            return f"people of {name.partition('/')[2]}" if is_there else ""
        parts = arn.parse(name)
        # Users and roles are kept by unique id, and accounts by their bare ids (`trust_policies`).
        account_id = parts.account_id if parts is not None else name
        if kind != "AWS" or account_id == self._account_id:
            return ""
        row = accounts.with_id(self._db, account_id)
        return f"principals of account {account_id}" if row is not None and row.state == "ACTIVE" else ""

    def _is_assigned(self, role: RoleRow) -> bool:
        """Tell whether somebody is assigned the permission set that a role was made for."""
        for instance in self._instances():
            for row in provisioned_roles.page_in(self._db, instance, self._account_id, after="", limit=self._most):
                if row.role_id == role.role_id:
                    return account_assignments.is_assigned(
                        self._db, instance, target_id=self._account_id, permission_set_id=row.permission_set_id
                    )
        return False

    def _instances(self) -> list[str]:
        own = instances.of_account(self._db, self._account_id)
        shared = instances.of_organization(self._db, self._organization_id) if self._organization_id else None
        return list({each.instance_id: None for each in (own, shared) if each is not None})


def _of_user(holder: _Holder) -> Administrator:
    row = holder.row
    return Administrator(
        AdministratorKind.USER,
        row.name,
        arn.user(row.account_id, row.path, row.name),
        holder.has_password,
        holder.active_keys,
        holder.mfa_devices,
    )


def _trusted(role: RoleRow) -> Iterator[tuple[str, str]]:
    """Yield whom a role's trust policy allows to take it on, as pairs of a kind and a name."""
    for statement in policy.parse(role.trust_policy).statements:
        if statement.allows and statement.principal is not None:
            yield from statement.principal.named
