"""The accounts below a root or unit, however deep, as a condition for other topics' queries."""

from __future__ import annotations

from sqlalchemy import Select, String, bindparam, literal, or_, select

from crownkeep.storage import organization_accounts, organizational_units

_members = organization_accounts.table
_units = organizational_units.table


def accounts_under(start: Select[tuple[str]]) -> Select[tuple[str]]:
    """Answer the ids of the accounts that are among these entities, or below one of them.

    `start` has one column, `entity_id`. The statement is bound to `of_organization`.
    """
    below = start.cte("below", recursive=True)
    below = below.union_all(
        select(_units.c.unit_id).where(
            _units.c.organization_id == bindparam("of_organization"), _units.c.parent_id == below.c.entity_id
        )
    )
    return select(_members.c.account_id).where(
        _members.c.organization_id == bindparam("of_organization"),
        or_(_members.c.parent_id.in_(select(below.c.entity_id)), _members.c.account_id.in_(select(below.c.entity_id))),
    )


def account_or_accounts_under(parameter: str) -> Select[tuple[str]]:
    """Answer the same for the one entity whose id is bound to the parameter."""
    # PostgreSQL wants to know the type of a parameter that stands alone in a SELECT.
    return accounts_under(select(literal("", type_=String).concat(bindparam(parameter, type_=String)).label("entity_id")))
