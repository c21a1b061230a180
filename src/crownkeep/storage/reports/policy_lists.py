"""Customer managed policies for a list that people look at: their orders."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import BigInteger, cast, func, select

from crownkeep.storage.policies import attachments, policies
from crownkeep.storage.reports.ordered_names import ListedColumns, OrderedNames

CREATED = "Created"
CHANGED = "Changed"
ATTACHMENTS = "Attachments"
"""The order by how many users, groups and roles a policy is attached to."""

_policies, _attached = policies.table, attachments.table
_holders = (
    select(func.count())
    .select_from(_attached)
    .where(_attached.c.account_id == _policies.c.account_id, _attached.c.policy_arn == _policies.c.arn)
    .correlate(_policies)
    .scalar_subquery()
)

_orders = {
    CREATED: cast(_policies.c.created_at, BigInteger),
    CHANGED: cast(_policies.c.updated_at, BigInteger),
    ATTACHMENTS: _holders,
}
_all = ListedColumns(_policies, _policies.c.account_id, _policies.c.policy_id, _policies.c.name_key, _policies.c.path)

LISTED = OrderedNames(_all, _orders)
"""The account's own policies, by their unique ids."""
ATTACHED = OrderedNames(
    replace(_all, condition=attachments.is_attached(_policies.c.account_id, _policies.c.arn)),
    _orders,
)
"""Those of them that are attached to anything."""
