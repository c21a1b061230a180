"""The accounts below a root or unit, however deep, as a condition for other topics' queries."""

from __future__ import annotations

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, or_, select

from crownkeep.storage.organizations import organization_accounts, organizational_units

_members = organization_accounts.table
_units = organizational_units.table
_unit_in_organization = _units.c.organization_id == bindparam("of_organization")


def accounts_under_any(start: Select[tuple[str]]) -> Select[tuple[str]]:
    """Return the ids of the accounts that are among these entities, or below one of them.

    `start` has one column, `entity_id`. The statement is bound to `of_organization`.
    """
    below = _below(start)
    return _accounts(_members.c.parent_id.in_(below), _members.c.account_id.in_(below))


def accounts_under(parameter: str) -> Select[tuple[str]]:
    """Return the same for the one entity whose id is bound to the parameter."""
    entity_id: BindParameter[str] = bindparam(parameter)
    units = select(_units.c.unit_id.label("entity_id")).where(_unit_in_organization, _units.c.parent_id == entity_id)
    return _accounts(
        _members.c.account_id == entity_id, _members.c.parent_id == entity_id, _members.c.parent_id.in_(_below(units))
    )


def _below(start: Select[tuple[str]]) -> Select[tuple[str]]:
    below = start.cte("below", recursive=True)
    below = below.union_all(select(_units.c.unit_id).where(_unit_in_organization, _units.c.parent_id == below.c.entity_id))
    return select(below.c.entity_id)


def _accounts(*conditions: ColumnElement[bool]) -> Select[tuple[str]]:
    in_organization = _members.c.organization_id == bindparam("of_organization")
    return select(_members.c.account_id).where(in_organization, or_(*conditions))
