"""What approvers are called: custodians by name, people of single sign-on by the id that their store explains."""

from __future__ import annotations

from collections.abc import Iterable

from crownkeep.domain.approvals import custodianship
from crownkeep.storage.approvals import custodians
from crownkeep.storage.approvals.approvers import ApproverRow
from crownkeep.storage.database import Transaction


def of_approvers(db: Transaction, rows: Iterable[ApproverRow]) -> dict[str, str]:
    """Return the names of some approvers by their identities; of somebody who is gone, the identity itself."""
    seats = {row.identity: row for row in rows}
    wanted = [row.identity_id for row in seats.values() if row.source_id == custodianship.SOURCE]
    named = {custodianship.identity_of(row.custodian_id): row.name for row in custodians.with_ids(db, wanted)}
    return {identity: named.get(identity, identity) for identity in seats}
