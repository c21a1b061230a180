"""Users: created without credentials and without permissions, found by name without regard to case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crownkeep import arn, clock, errors, ids
from crownkeep.operations import page_tokens
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Target
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.services.iam import quotas, tags
from crownkeep.services.iam.service import iam
from crownkeep.storage import users
from crownkeep.storage.users import UserRow


def new_user(call: Call, *, user_name: str, path: str = "/", **_: object) -> Target:
    """The user to be made."""
    return Target(arn.user(call.account_id, path, user_name))


def named_user(call: Call, *, user_name: str, **_: object) -> Target:
    """The user with this name; the path is the real one where the user exists."""
    row = users.named(call.db, call.account_id, user_name)
    if row is None:
        return Target(arn.user(call.account_id, "/", user_name))
    return target_of(call, row)


def own_or_named_user(call: Call, *, user_name: str | None = None, **_: object) -> Target:
    """The user with this name or, without one, the caller: a user, or the root user."""
    if user_name is not None:
        return named_user(call, user_name=user_name)
    caller = call.principal
    if caller.kind is PrincipalKind.USER:
        return named_user(call, user_name=caller.name)
    return Target(caller.arn)


def target_of(call: Call, row: UserRow) -> Target:
    """The user as a policy's Resource and aws:ResourceTag see it."""
    return Target(arn.user(row.account_id, row.path, row.name), tags=lambda: tags.of(call, tags.Kind.USER, row.user_id))


def required(call: Call, user_name: str) -> UserRow:
    """Answer the user with this name; raises NoSuchEntity."""
    row = users.named(call.db, call.account_id, user_name)
    if row is None:
        raise errors.NoSuchEntity(f"The user with name {user_name} cannot be found.")
    return row


def describe(row: UserRow) -> dict[str, object]:
    """Answer the members of a `User` that every answer has."""
    described: dict[str, object] = {
        "Path": row.path,
        "UserName": row.name,
        "UserId": row.user_id,
        "Arn": arn.user(row.account_id, row.path, row.name),
        "CreateDate": row.created_at,
    }
    if row.password_used_at is not None:
        described["PasswordLastUsed"] = row.password_used_at
    return described


@iam.operation("CreateUser", resource=new_user, effect=Effect.STATE)
def create_user(
    call: Call,
    *,
    user_name: str,
    path: str = "/",
    permissions_boundary: str | None = None,
    tags: Sequence[Mapping[str, str]] = (),
) -> Result:
    """Create a user with no credentials and no permissions."""
    raise NotImplementedError
