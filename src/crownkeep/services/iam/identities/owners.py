"""Whose credential a call is about: a user's, named or implied by the caller, or root's."""

from __future__ import annotations

from dataclasses import dataclass, replace

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


def targeted(call: Call, user_name: str | None) -> Owner:
    """Return the named user or, without a name, the caller, as the call was decided on; raises NoSuchEntity."""
    owner = call.target_row(Owner)
    if owner is None:
        raise users.not_found(call.principal.name if user_name is None else user_name)
    return owner


def target(call: Call, *, user_name: str | None = None, **_: object) -> Target:
    """The named user or, without a name, the caller; raises ValidationError for a role's session that names nobody.

    Root may name itself by `root` or by the account id, as long as no user has that name.
    """
    # Root alone may be meant by these names: to anybody else they are names of users like all others.
    is_root = call.principal.kind is PrincipalKind.ROOT
    if is_root and (user_name is None or _means_root(call, user_name)):
        return Target(arn.root(call.account_id), row=Owner(call.account_id, None))
    found = users.own_or_named_user(call, user_name=user_name)
    return replace(found, row=Owner(found.row.user_id, found.row) if isinstance(found.row, UserRow) else None)


def _means_root(call: Call, user_name: str) -> bool:
    return user_name in (_ROOT, call.account_id) and users.find(call, user_name) is None
