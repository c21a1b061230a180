"""Whom the unique ids in policies name: the users and roles that an account has today, by ARN and back."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, select

from crownkeep import arn
from crownkeep.storage.database import Transaction
from crownkeep.storage.identities import roles, users

_users = select(users.table.c.user_id, users.table.c.path, users.table.c.name).where(
    users.table.c.account_id == bindparam("account_id"), users.table.c.user_id.in_(bindparam("ids", expanding=True))
)
_roles = select(roles.table.c.role_id, roles.table.c.path, roles.table.c.name).where(
    roles.table.c.account_id == bindparam("account_id"), roles.table.c.role_id.in_(bindparam("ids", expanding=True))
)

_user = select(users.table.c.account_id, users.table.c.path, users.table.c.name).where(
    users.table.c.user_id == bindparam("unique_id")
)
_role = select(roles.table.c.account_id, roles.table.c.path, roles.table.c.name).where(
    roles.table.c.role_id == bindparam("unique_id")
)


def arn_of(db: Transaction, unique_id: str) -> str | None:
    """Return the ARN of the user or role with this id, whosever it is, or None: for documents that name it already."""
    user = db.execute(_user, {"unique_id": unique_id}).first()
    if user is not None:
        return arn.user(*user)
    role = db.execute(_role, {"unique_id": unique_id}).first()
    return arn.role(*role) if role is not None else None


def arns_of(db: Transaction, account_id: str, unique_ids: Sequence[str]) -> dict[str, str]:
    """Return the ARNs of those users and roles of the account that still exist, by unique id, in two queries."""
    if not unique_ids:
        return {}
    values = {"account_id": account_id, "ids": list(unique_ids)}
    found = {user_id: arn.user(account_id, path, name) for user_id, path, name in db.execute(_users, values)}
    found |= {role_id: arn.role(account_id, path, name) for role_id, path, name in db.execute(_roles, values)}
    return found


def id_of(db: Transaction, principal_arn: str) -> str | None:
    """Return the unique id of the user or role with this very ARN, letter for letter, or None."""
    parts = arn.parse(principal_arn)
    if parts is None:
        return None
    # Found by the name, which is an index, and then held to the whole ARN: the path and the letters' case count, too.
    name, _ = arn.name_and_path(parts.resource)
    if parts.resource.startswith("user/"):
        user = users.named(db, parts.account_id, name)
        return user.user_id if user is not None and arn.user(user.account_id, user.path, user.name) == principal_arn else None
    role = roles.named(db, parts.account_id, name)
    return role.role_id if role is not None and arn.role(role.account_id, role.path, role.name) == principal_arn else None
