"""Custodians of the installation: people whom the operator names, with an identity in no account."""

from __future__ import annotations

from crownkeep import clock, errors
from crownkeep.operations import approval_standing
from crownkeep.operations.call import Call
from crownkeep.storage import holds
from crownkeep.storage.approvals import approver_keys, approvers, custodians
from crownkeep.storage.approvals.custodians import CustodianRow
from crownkeep.storage.database import Transaction
from crownkeep.storage.holds import Hold
from crownkeep.storage.sign_in import root_recoveries

SOURCE = "custodians"
"""The id of the identity source that every account has: the custodians of the installation."""


def identity_of(custodian_id: str) -> str:
    """Return by what a custodian's keys and places in teams are kept."""
    return f"{approval_standing.CUSTODIAN}{custodian_id}"


def identity_of_person(store_id: str, user_id: str) -> str:
    """Return the same of somebody in an identity store of single sign-on."""
    return f"{approval_standing.PERSON}{store_id}/{user_id}"


def add(call: Call, *, name: str, email: str) -> CustodianRow:
    """Name a custodian; raises ConflictException where another has this address: two people never share a mailbox."""
    holds.take(call.db, Hold.CUSTODY)
    if custodians.with_email(call.db, email) is not None:
        raise errors.Conflict(
            f"there is a custodian with the address `{email}` already; `crownkeep custodian list` shows them all"
        )
    row = CustodianRow(clock.token_bytes(16).hex(), name, email, email.lower(), call.now)
    custodians.add(call.db, row)
    return row


def remove(call: Call, row: CustodianRow) -> None:
    """Take everything from somebody who is a custodian no longer: keys, places in teams, and recoveries to confirm."""
    forget(call.db, identity_of(row.custodian_id))
    root_recoveries.remove_custody(call.db, row.custodian_id)
    custodians.remove(call.db, row.custodian_id)


def forget(db: Transaction, identity: str) -> None:
    """Take the keys from somebody who is gone, and make their places in teams invalid."""
    # A key that is being added at the same moment is waited for, and goes, too.
    approver_keys.held(db, identity)
    approver_keys.remove_all(db, identity)
    approvers.invalidate(db, identity)


def forget_store(db: Transaction, store_id: str) -> None:
    """Do so with everybody of an identity store that goes."""
    approver_keys.remove_beginning(db, identity_of_person(store_id, ""))
    approvers.invalidate_beginning(db, identity_of_person(store_id, ""))
