"""Assignments of an instance as people read them, with the names of accounts, permission sets, people and groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import bindparam, select, tuple_

from crownkeep.storage.accounts import accounts
from crownkeep.storage.database import Transaction
from crownkeep.storage.rows import RowQuery
from crownkeep.storage.single_sign_on import account_assignments, permission_sets, principal_names

_assigned, _sets = account_assignments.table.c, permission_sets.table.c
_accounts = accounts.table.c


@dataclass(frozen=True, slots=True)
class NamedAssignment:
    """One assignment."""

    target_id: str
    account_name: str
    permission_set_id: str
    permission_set: str
    principal_type: str
    principal_id: str
    principal: str
    """The user name or the group's display name."""

    @property
    def place(self) -> str:
        """What assignments are in the order of."""
        return f"{self.target_id} {self.permission_set_id} {self.principal_id}"


_joined = principal_names.joined(
    account_assignments.table.join(
        permission_sets.table,
        (_sets.instance_id == _assigned.instance_id) & (_sets.permission_set_id == _assigned.permission_set_id),
    ).join(accounts.table, _accounts.account_id == _assigned.target_id),
    _assigned.principal_id,
)


@cache
def _query(*, by_account: bool, by_principal: bool, by_set: bool) -> RowQuery[NamedAssignment]:
    """Return the query by what is chosen; each is compiled once."""
    place = tuple_(_assigned.target_id, _assigned.permission_set_id, _assigned.principal_id)
    wanted: list[Any] = [
        _assigned.instance_id == bindparam("instance_id"),
        place > tuple_(bindparam("after_target"), bindparam("after_set"), bindparam("after_principal")),
    ]
    if by_account:
        wanted.append(_assigned.target_id == bindparam("target_id"))
    if by_principal:
        wanted.append(_assigned.principal_id.in_(bindparam("principal_ids", expanding=True)))
    if by_set:
        wanted.append(_assigned.permission_set_id.in_(bindparam("permission_set_ids", expanding=True)))
    statement = (
        select(
            _assigned.target_id,
            _accounts.name.label("account_name"),
            _assigned.permission_set_id,
            _sets.name.label("permission_set"),
            _assigned.principal_type,
            _assigned.principal_id,
            principal_names.name(_assigned.principal_id),
        )
        .select_from(_joined)
        .where(*wanted)
        .order_by(_assigned.target_id, _assigned.permission_set_id, _assigned.principal_id)
        .limit(bindparam("limit"))
    )
    return RowQuery(NamedAssignment, statement)


def page(
    db: Transaction,
    instance_id: str,
    store_id: str,
    *,
    target_id: str = "",
    principal_ids: Sequence[str] | None = None,
    permission_set_ids: Sequence[str] | None = None,
    after: str,
    limit: int,
) -> list[NamedAssignment]:
    """Return up to `limit` assignments by account, permission set and principal, from the one after the place `after`."""
    target, permission_set, principal = after.split(" ") if after else ("", "", "")
    values: dict[str, object] = {"instance_id": instance_id, "store_id": store_id, "limit": limit}
    values |= {"after_target": target, "after_set": permission_set, "after_principal": principal}
    if target_id:
        values["target_id"] = target_id
    if principal_ids is not None:
        values["principal_ids"] = list(principal_ids)
    if permission_set_ids is not None:
        values["permission_set_ids"] = list(permission_set_ids)
    chosen = {"by_account": bool(target_id), "by_principal": principal_ids is not None, "by_set": permission_set_ids is not None}
    return _query(**chosen).all(db, values)
