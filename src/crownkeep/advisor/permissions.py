"""What principals may do, by the policy engine that enforces: who is an administrator, and who may become one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from crownkeep.advisor import calls, entities, policy_sets
from crownkeep.advisor.entities import Entities, Held, Role, User
from crownkeep.advisor.view import View
from crownkeep.policy import (
    Applicable,
    Context,
    PolicyKind,
    PolicyPrincipal,
    PolicyPrincipalKind,
    PolicyRequest,
    PolicySet,
    PolicySource,
    authorize,
)

# Whoever may do all of these on everything may do anything: IAM without limits is every other permission, too.
_EVERYTHING = ("iam:AttachUserPolicy", "iam:CreatePolicyVersion", "iam:PutRolePolicy", "iam:CreateAccessKey", "s3:DeleteBucket")


class Compiled:
    """Policies compiled once each, however many have them."""

    def __init__(self) -> None:
        self._sets: dict[tuple[tuple[str, str], ...], PolicySet] = {}

    def set_of(self, held: Iterable[Held], kind: PolicyKind = PolicyKind.IDENTITY) -> PolicySet:
        """Return the set of these policies; a document that can't be read grants nothing."""
        policies = list(held)
        key = tuple(sorted({(each.arn, "" if each.arn else each.text) for each in policies}))
        if key not in self._sets:
            self._sets[key] = policy_sets.of_readable(
                (PolicySource(kind, each.name, each.name, each.arn or None), each.text) for each in policies
            )
        return self._sets[key]


@dataclass(frozen=True, slots=True)
class Grantee:
    """A user, or a role as a session of it acts, with the policies that decide."""

    arn: str
    name: str
    principal: PolicyPrincipal
    applicable: Applicable

    def could(self, action: str) -> bool:
        """Tell whether any policy of its own speaks of this action at all, which is quick to say."""
        return self.applicable.identity is not None and bool(self.applicable.identity.for_action(action).statements)

    def may(self, action: str, resource: str = "*", *, context: Context | None = None) -> bool:
        """Tell whether it may do this, MFA given."""
        if not self.could(action):
            return False
        known = context or Context(
            {"aws:MultiFactorAuthPresent": "true", "aws:PrincipalArn": self.arn, "aws:username": self.name}
        )
        return authorize(PolicyRequest(self.principal, action, resource, known), self.applicable).allowed


class Grantees:
    """All users and roles of an account, ready to be asked."""

    def __init__(self, account_id: str, found: Entities) -> None:
        self._account_id = account_id
        self._found = found
        self._compiled = Compiled()

    @cached_property
    def users(self) -> list[Grantee]:
        """The users."""
        return [self._user(each) for each in self._found.users]

    @cached_property
    def roles(self) -> list[Grantee]:
        """The roles, those of AWS's services left out."""
        return [self._role(each) for each in self._found.roles if not each.is_service_linked]

    @cached_property
    def administrators(self) -> list[Grantee]:
        """Users and roles that may do everything."""
        return [each for each in (*self.users, *self.roles) if is_administrator(each)]

    def _boundary(self, arn: str) -> PolicySet | None:
        if not arn:
            return None
        held = self._found.policies.get(arn)
        return self._compiled.set_of([held] if held else [], PolicyKind.BOUNDARY)

    def _user(self, user: User) -> Grantee:
        identity = self._compiled.set_of(self._found.of_user(user))
        principal = PolicyPrincipal(
            PolicyPrincipalKind.USER, user.arn, self._account_id, has_permissions_boundary=bool(user.boundary)
        )
        return Grantee(user.arn, user.name, principal, Applicable(identity=identity, boundary=self._boundary(user.boundary)))

    def _role(self, role: Role) -> Grantee:
        session = f"{role.arn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/session"
        principal = PolicyPrincipal(PolicyPrincipalKind.ROLE_SESSION, session, self._account_id, issuer_arn=role.arn)
        identity = self._compiled.set_of(role.own)
        return Grantee(role.arn, role.name, principal, Applicable(identity=identity, boundary=self._boundary(role.boundary)))


def is_administrator(actor: Grantee) -> bool:
    """Tell whether somebody may do everything on everything."""
    return all(actor.may(action) for action in _EVERYTHING)


def actors(view: View) -> Grantees:
    """Return the account's users and roles with their permissions."""
    return view.made("actors", (calls.AUTHORIZATION,), lambda: Grantees(view.account_id, entities.of(view)))
