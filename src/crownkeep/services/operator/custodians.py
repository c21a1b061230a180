"""Custodians of the installation as the operator names them: people of no account, who approve what nobody may do alone."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.alerts import addresses
from crownkeep.domain.approvals import custodianship, key_changes
from crownkeep.domain.approvals.key_changes import KeyChange
from crownkeep.operations import approval_standing
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, everything
from crownkeep.services.operator.service import operator
from crownkeep.storage.approvals import approver_keys, approvers, custodians
from crownkeep.storage.approvals.approver_keys import ApproverKeyRow
from crownkeep.storage.approvals.custodians import CustodianRow


@operator.operation("AddCustodian", resource=everything, effect=Effect.STATE)
def add_custodian(call: Call, *, name: str, email: str) -> Result:
    """Name a custodian; raises ConflictException where another has this address."""
    if not addresses.is_deliverable(email):
        raise errors.ServiceValidation(f"`{email}` is no e-mail address that mail can be sent to")
    row = custodianship.add(call, name=name, email=email)
    return {"custodian": _described(call, row, [])}


@operator.operation("ListCustodians", resource=everything)
def list_custodians(call: Call) -> Result:
    """Return all custodians, with when each of them was last heard of."""
    found = custodians.everyone(call.db)
    keys: dict[str, list[ApproverKeyRow]] = {}
    for key in approver_keys.of_identities(call.db, [custodianship.identity_of(row.custodian_id) for row in found]):
        keys.setdefault(key.identity, []).append(key)
    listed = [_described(call, row, keys.get(custodianship.identity_of(row.custodian_id), [])) for row in found]
    return {"custodians": listed}


@operator.operation("RemoveCustodian", resource=everything, effect=Effect.STATE)
def remove_custodian(call: Call, *, custodian_id: str) -> Result:
    """Remove a custodian, by id or address: their keys, their places in teams and what they may confirm go with them."""
    row = custodians.with_id(call.db, custodian_id) or custodians.with_email(call.db, custodian_id)
    if row is None:
        raise errors.ResourceNotFound(f"there is no custodian `{custodian_id}`; `crownkeep custodian list` shows them all")
    custodianship.remove(call, row)
    return NOTHING


@operator.operation("ResetCustodianKeys", resource=everything, effect=Effect.STATE)
def reset_custodian_keys(call: Call, *, custodian_id: str) -> Result:
    """Take all keys from an approver who has lost them, and mail them a link to enrol a new one.

    Where an account is sealed under a team of theirs, that team approves it first, whatever else the seal covers.
    """
    who = key_changes.required(call, approval_standing.identity_named(call.db, custodian_id))
    # Read before they are gone: the record names the keys that were taken.
    held = approver_keys.of_identity(call.db, who.identity)
    key_changes.reset(call, who)
    key_changes.record_change(call, who, KeyChange.RESET, held)
    return {"identity": who.identity, "email": who.email, "keys": len(held)}


def _described(call: Call, row: CustodianRow, keys: list[ApproverKeyRow]) -> dict[str, object]:
    teams = {each.team_id for each in approvers.of_identity(call.db, custodianship.identity_of(row.custodian_id))}
    moments = {
        "last_used_at": max((key.last_used_at for key in keys if key.last_used_at is not None), default=None),
        "last_rehearsed_at": max((key.last_rehearsed_at for key in keys if key.last_rehearsed_at is not None), default=None),
    }
    return {
        "custodian_id": row.custodian_id,
        "name": row.name,
        "email": row.email,
        "created_at": row.created_at,
        "keys": len(keys),
        "teams": sorted(teams),
        **{name: moment for name, moment in moments.items() if moment is not None},
    }
