"""Who approvers are: custodians of the installation, and people in an identity store of single sign-on."""

from __future__ import annotations

import json
from dataclasses import dataclass

from crownkeep.domain.approvals import custodianship
from crownkeep.operations import approval_standing
from crownkeep.storage.approvals import approvers, custodians, identity_sources
from crownkeep.storage.approvals.approvers import ApproverRow
from crownkeep.storage.database import Transaction
from crownkeep.storage.single_sign_on import directory_users, instances


@dataclass(frozen=True, slots=True)
class ApproverIdentity:
    """Somebody who may be an approver."""

    identity: str
    """By which keys and places in teams are kept: `custodian:ID`, or `person:STORE/ID`."""
    source_id: str
    identity_id: str
    name: str
    email: str
    """Empty for somebody without an address, who can't be invited."""
    account_id: str | None
    """The account that owns the identity store; None for a custodian."""


def find(db: Transaction, account_id: str, source_id: str, identity_id: str) -> ApproverIdentity | None:
    """Return somebody of an identity source of an account; None where there is no such source, or nobody with this id in it."""
    if source_id == custodianship.SOURCE:
        row = custodians.with_id(db, identity_id)
        if row is None:
            return None
        identity = custodianship.identity_of(row.custodian_id)
        return ApproverIdentity(identity, source_id, identity_id, row.name, row.email, None)
    source = identity_sources.with_id(db, source_id)
    instance = instances.with_id(db, source.instance_id) if source is not None and source.account_id == account_id else None
    user = directory_users.with_id(db, instance.identity_store_id, identity_id) if instance is not None else None
    if instance is None or user is None:
        return None
    attributes = json.loads(user.attributes)
    emails = attributes.get("Emails") or []
    return ApproverIdentity(
        custodianship.identity_of_person(instance.identity_store_id, user.user_id),
        source_id,
        user.user_id,
        str(attributes.get("DisplayName") or user.user_name),
        str(emails[0].get("Value", "")) if emails else "",
        instance.account_id,
    )


def of_approver(db: Transaction, row: ApproverRow) -> ApproverIdentity | None:
    """Return who an approver is; None for somebody who is gone."""
    return find(db, row.account_id, row.source_id, row.identity_id)


def with_identity(db: Transaction, identity: str) -> ApproverIdentity | None:
    """Return who is kept by an identity: a custodian, or somebody of single sign-on who is in a team; None for nobody."""
    if identity.startswith(approval_standing.CUSTODIAN):
        return find(db, "", custodianship.SOURCE, identity.removeprefix(approval_standing.CUSTODIAN))
    found = (of_approver(db, each) for each in approvers.of_identity(db, identity))
    return next((each for each in found if each is not None), None)
