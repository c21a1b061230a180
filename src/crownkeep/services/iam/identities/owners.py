"""Whose credential a call is about: a user's, named or implied by the caller, or root's."""

from __future__ import annotations

from dataclasses import dataclass

from crownkeep import arn
from crownkeep.operations.call import Call
from crownkeep.operations.registry import Target
from crownkeep.principals import PrincipalKind
from crownkeep.services.iam.identities import users
from crownkeep.storage.identities.users import UserRow

# EnableMFADevice and ResyncMFADevice must name a user even where root means itself; AWS's own console names root so.
_ROOT = "root"


@dataclass(frozen=True, slots=True)
class Owner:
    """The owner of a credential: a user, or the root user where `user` is None."""

    owner_id: str
    """The user's unique id, or the account id."""
    user: UserRow | None

    @property
    def members(self) -> dict[str, object]:
        """The member `UserName` of a credential's description, which root's don't have."""
        return {} if self.user is None else {"UserName": self.user.name}


def named_or_caller(call: Call, user_name: str | None) -> Owner:
    """Return the named user or, without a name, the caller; raises NoSuchEntity, and ValidationError for a role's session.

    Root may name itself by `root` or by the account id, as long as no user has that name.
    """
    caller = call.principal
    if user_name is not None:
        if _means_root(call, user_name):
            return Owner(call.account_id, None)
        user = users.required(call, user_name)
        return Owner(user.user_id, user)
    match caller.kind:
        case PrincipalKind.ROOT:
            return Owner(call.account_id, None)
        case PrincipalKind.USER:
            return Owner(caller.unique_id, users.required(call, caller.name))
        case _:
            raise users.must_be_named()


def user_id(call: Call, user_name: str | None) -> str | None:
    """Return the unique id of the named user or of the calling one; None where there is no such user, or none calls."""
    if user_name is not None:
        row = users.find(call, user_name)
        return None if row is None else row.user_id
    return call.principal.unique_id if call.principal.kind is PrincipalKind.USER else None


def target(call: Call, *, user_name: str | None = None, **_: object) -> Target:
    """The owner as a policy's Resource; the path is the real one where the user exists."""
    if user_name is not None and _means_root(call, user_name):
        return Target(arn.root(call.account_id))
    return users.own_or_named_user(call, user_name=user_name)


def _means_root(call: Call, user_name: str) -> bool:
    if call.principal.kind is not PrincipalKind.ROOT or user_name not in (_ROOT, call.account_id):
        return False
    return users.find(call, user_name) is None
