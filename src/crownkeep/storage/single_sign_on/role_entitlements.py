"""Entitlements to existing roles: which person or group may take which role, by its ARN, without a permission set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Index,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
    bindparam,
    cast,
    delete,
    exists,
    func,
    or_,
    select,
    union_all,
)

from crownkeep.storage.accounts import accounts
from crownkeep.storage.database import Transaction
from crownkeep.storage.metadata import AccountId, AnyArn, Moment, containing, metadata
from crownkeep.storage.rows import RowInsert, RowQuery
from crownkeep.storage.single_sign_on import directory_memberships, directory_users
from crownkeep.storage.single_sign_on.directory_users import EntityId
from crownkeep.storage.single_sign_on.instances import InstanceId

_OPEN = "ACTIVE"
RoleDigest = String(32).with_variant(String(32, collation="C"), "postgresql")

table = Table(
    "role_entitlements",
    metadata,
    Column("instance_id", InstanceId, nullable=False),
    Column("entitlement_id", EntityId, nullable=False),
    # The account that owns the instance.
    Column("account_id", AccountId, nullable=False, index=True),
    # The account that has the role: whoever purges it purges these.
    Column("owner_account_id", AccountId, nullable=False, index=True),
    Column("role_arn", AnyArn, nullable=False),
    # Of the ARN, which is longer than an index should hold.
    Column("role_digest", RoleDigest, nullable=False),
    Column("principal_type", String(5), nullable=False),
    Column("principal_id", EntityId, nullable=False),
    Column("created_at", Moment, nullable=False),
    PrimaryKeyConstraint("instance_id", "entitlement_id"),
    UniqueConstraint("instance_id", "principal_id", "role_digest"),
    Index("ix_role_entitlements_role", "instance_id", "role_digest", "principal_type"),
)


@dataclass(frozen=True, slots=True)
class RoleEntitlementRow:
    """One entitlement. `account_id` owns the instance; `owner_account_id` is the account of the role."""

    instance_id: str
    entitlement_id: str
    account_id: str
    owner_account_id: str
    role_arn: str
    role_digest: str
    principal_type: str
    """`USER` or `GROUP`."""
    principal_id: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ListedEntitlement:
    """One entitlement as lists show it, with the name of the role's account."""

    entitlement_id: str
    owner_account_id: str
    account_name: str
    role_arn: str
    principal_type: str
    principal_id: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class EntitledRole:
    """One role that somebody may take by entitlements, of their own or of their groups."""

    role_digest: str
    role_arn: str
    account_id: str
    name: str
    """The account's."""
    email: str


_accounts, _people = accounts.table.c, directory_users.table.c
_in_instance = table.c.instance_id == bindparam("instance_id")
_account = table.c.owner_account_id == _accounts.account_id
_listed = select(
    table.c.entitlement_id,
    table.c.owner_account_id,
    _accounts.name.label("account_name"),
    table.c.role_arn,
    table.c.principal_type,
    table.c.principal_id,
    table.c.created_at,
).where(_in_instance, _account)
_with_id = RowQuery(ListedEntitlement, _listed.where(table.c.entitlement_id == bindparam("entitlement_id")))
_between = RowQuery(
    RoleEntitlementRow,
    select(table).where(
        _in_instance, table.c.principal_id == bindparam("principal_id"), table.c.role_digest == bindparam("role_digest")
    ),
)


def _unless_given(column: ColumnElement[str], parameter: str) -> ColumnElement[bool]:
    # One statement for sixteen choices of filters. The database walks the primary key in any case, as the list is in its order.
    return or_(bindparam(parameter, type_=String) == "", column == bindparam(parameter, type_=String))


_page = RowQuery(
    ListedEntitlement,
    _listed.where(
        table.c.entitlement_id > bindparam("after"),
        _unless_given(table.c.principal_id, "principal_id"),
        _unless_given(table.c.principal_type, "principal_type"),
        _unless_given(table.c.role_digest, "role_digest"),
        _unless_given(table.c.owner_account_id, "owner_account_id"),
    )
    .order_by(table.c.entitlement_id)
    .limit(bindparam("limit")),
)
_count_groups = select(func.count()).where(
    _in_instance, table.c.role_digest == bindparam("role_digest"), table.c.principal_type == "GROUP"
)
_memberships = directory_memberships.table.c
_groups = select(_memberships.group_id).where(
    _memberships.identity_store_id == bindparam("store_id"), _memberships.user_id == bindparam("user_id")
)
# One list of ids, as in `entitlements`: with an `or`, SQLite reads every entitlement of the instance.
_is_theirs = (_in_instance, table.c.principal_id.in_(union_all(select(cast(bindparam("user_id"), String(47))), _groups)))
# Somebody who is disabled keeps entitlements, for when they are enabled again: so this is asked beside them.
_may_use_it = exists().where(
    _people.identity_store_id == bindparam("store_id"), _people.user_id == bindparam("user_id"), _people.is_active
)
_may_take = (
    select(table.c.entitlement_id).where(*_is_theirs, _may_use_it, table.c.role_digest == bindparam("role_digest")).limit(1)
)
_of_person = RowQuery(
    EntitledRole,
    select(table.c.role_digest, table.c.role_arn, _accounts.account_id, _accounts.name, _accounts.email)
    .distinct()
    .where(*_is_theirs, _account, _accounts.state == _OPEN, table.c.role_digest > bindparam("after"))
    .order_by(table.c.role_digest)
    .limit(bindparam("limit")),
)
_pattern: BindParameter[str] = bindparam("pattern")
_found_of_person = RowQuery(
    EntitledRole,
    select(table.c.role_digest, table.c.role_arn, _accounts.account_id, _accounts.name, _accounts.email)
    .distinct()
    .where(
        *_is_theirs,
        _account,
        _accounts.state == _OPEN,
        or_(
            func.lower(_accounts.name).like(_pattern, escape="\\"),
            func.lower(table.c.role_arn).like(_pattern, escape="\\"),
        ),
    )
    .order_by(_accounts.name, _accounts.account_id, table.c.role_arn)
    .limit(bindparam("limit")),
)
_any_in = (
    select(table.c.principal_id)
    .where(
        _in_instance,
        table.c.owner_account_id == bindparam("owner_account_id"),
        table.c.principal_id.in_(bindparam("principal_ids", expanding=True)),
    )
    .limit(1)
)
_this_instance = table.c.instance_id == bindparam("of_instance")
_insert = RowInsert(RoleEntitlementRow, table)
_remove = delete(table).where(_this_instance, table.c.entitlement_id == bindparam("of_entitlement"))
_remove_principal = delete(table).where(_this_instance, table.c.principal_id == bindparam("of_principal"))
_remove_target = delete(table).where(_this_instance, table.c.owner_account_id == bindparam("of_target"))
_remove_all = delete(table).where(_this_instance)


def with_id(db: Transaction, instance_id: str, entitlement_id: str) -> ListedEntitlement | None:
    """Return one entitlement."""
    return _with_id.first(db, {"instance_id": instance_id, "entitlement_id": entitlement_id})


def between(db: Transaction, instance_id: str, *, principal_id: str, role_digest: str) -> RoleEntitlementRow | None:
    """Return the entitlement of a person or group to a role."""
    return _between.first(db, {"instance_id": instance_id, "principal_id": principal_id, "role_digest": role_digest})


def page(
    db: Transaction,
    instance_id: str,
    *,
    principal_type: str,
    principal_id: str,
    role_digest: str,
    owner_account_id: str,
    after: str,
    limit: int,
) -> list[ListedEntitlement]:
    """Return up to `limit` entitlements by id, from the one after `after`, that match whatever of the filters isn't empty."""
    wanted = {"principal_type": principal_type, "principal_id": principal_id, "role_digest": role_digest}
    place = {"instance_id": instance_id, "owner_account_id": owner_account_id, "after": after, "limit": limit}
    return _page.all(db, {**wanted, **place})


def count_groups(db: Transaction, instance_id: str, role_digest: str) -> int:
    """Return how many groups are entitled to a role."""
    return int(db.execute(_count_groups, {"instance_id": instance_id, "role_digest": role_digest}).scalar_one())


def may_take(db: Transaction, instance_id: str, *, role_digest: str, store_id: str, user_id: str) -> bool:
    """Tell whether somebody may take a role, by an entitlement of their own or of a group's."""
    values = {"instance_id": instance_id, "role_digest": role_digest, "store_id": store_id, "user_id": user_id}
    return db.execute(_may_take, values).first() is not None


def roles_of(db: Transaction, *, instance_id: str, store_id: str, user_id: str, after: str, limit: int) -> list[EntitledRole]:
    """Return up to `limit` roles in open accounts that somebody may take, in the order of their digests."""
    who = {"instance_id": instance_id, "store_id": store_id, "user_id": user_id}
    return _of_person.all(db, {**who, "after": after, "limit": limit})


def find_roles_of(
    db: Transaction, *, instance_id: str, store_id: str, user_id: str, search: str, limit: int
) -> list[EntitledRole]:
    """Return up to `limit` such roles, by account, where a text is in the account's name or in the ARN."""
    who = {"instance_id": instance_id, "store_id": store_id, "user_id": user_id}
    return _found_of_person.all(db, {**who, "pattern": containing(search), "limit": limit})


def reaches(db: Transaction, instance_id: str, account_id: str, principal_ids: Sequence[str]) -> bool:
    """Tell whether any of these people and groups may take a role in the account."""
    values = {"instance_id": instance_id, "owner_account_id": account_id, "principal_ids": list(principal_ids)}
    return db.execute(_any_in, values).first() is not None


def add(db: Transaction, row: RoleEntitlementRow) -> None:
    """Keep a new entitlement."""
    _insert.run(db, row)


def remove(db: Transaction, instance_id: str, entitlement_id: str) -> None:
    """Forget an entitlement."""
    db.execute(_remove, {"of_instance": instance_id, "of_entitlement": entitlement_id})


def remove_principal(db: Transaction, instance_id: str, principal_id: str) -> None:
    """Forget every entitlement of a person or group that goes."""
    db.execute(_remove_principal, {"of_instance": instance_id, "of_principal": principal_id})


def remove_target(db: Transaction, instance_id: str, account_id: str) -> None:
    """Forget every entitlement to roles of an account."""
    db.execute(_remove_target, {"of_instance": instance_id, "of_target": account_id})


def remove_all(db: Transaction, instance_id: str) -> None:
    """Forget every entitlement of an instance."""
    db.execute(_remove_all, {"of_instance": instance_id})
