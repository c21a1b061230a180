"""Sealed months of the trail: sealed by the operator, or by the server where its settings say so."""

from __future__ import annotations

from crownkeep.domain import month_sealing
from crownkeep.operations import registry
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.services.operator.service import operator
from crownkeep.storage.trail import sealed_months
from crownkeep.storage.trail.sealed_months import SealedMonthRow


@operator.operation("SealMonth", resource=registry.everything, effect=Effect.STATE)
def seal_month(call: Call, *, month: str, sha256: str) -> Result:
    """Let the database drop the records of a month, which are in a file that has this digest and was verified."""
    return _described(month_sealing.seal(call, month, sha256=sha256))


@operator.operation("ListSealedMonths", resource=registry.everything)
def list_sealed_months(call: Call) -> Result:
    """Return the months whose records are in files, with their places in the tree."""
    return {"months": [_described(row) for row in sealed_months.every(call.db)]}


def _described(row: SealedMonthRow) -> dict[str, object]:
    return {
        "month": row.month,
        "records": row.records,
        "first_index": row.first_index,
        "last_index": row.last_index,
        "sealed_at": row.sealed_at,
    }
