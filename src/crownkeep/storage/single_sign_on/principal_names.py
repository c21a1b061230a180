"""The names of those to whom something is given: of a person or of a group, by the id that stands in the row."""

from __future__ import annotations

from sqlalchemy import Column, ColumnElement, FromClause, Join, bindparam, func

from crownkeep.storage.single_sign_on import directory_groups, directory_users

_users, _groups = directory_users.table.c, directory_groups.table.c


def joined(rows: FromClause, principal_id: Column[str]) -> Join:
    """Join rows with the person or group that each names, of the identity store `store_id`."""
    # Outer joins, as an id is a person's or a group's, and a row whose person is gone still counts.
    return rows.outerjoin(
        directory_users.table, (_users.identity_store_id == bindparam("store_id")) & (_users.user_id == principal_id)
    ).outerjoin(directory_groups.table, (_groups.identity_store_id == bindparam("store_id")) & (_groups.group_id == principal_id))


def name(principal_id: Column[str]) -> ColumnElement[str]:
    """Return the user name or the group's display name, and the id where neither is there any more."""
    return func.coalesce(_users.user_name, _groups.display_name, principal_id).label("principal")
