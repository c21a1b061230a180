"""Whether a team can act: enough of its people have a security key that is theirs alone."""

from __future__ import annotations

from collections.abc import Sequence

from crownkeep.credentials import approval_proofs
from crownkeep.credentials.approval_proofs import CustodianKey
from crownkeep.operations import approvals
from crownkeep.storage.approvals import approver_keys
from crownkeep.storage.approvals.approvers import ApproverRow
from crownkeep.storage.approvals.teams import TeamVersionRow
from crownkeep.storage.database import Transaction


def able(db: Transaction, members: Sequence[ApproverRow]) -> frozenset[str]:
    """Return the ids of the approvers who have accepted and have a key of their own."""
    accepted = {each.identity: each.approver_id for each in members if each.status == "ACCEPTED"}
    keys = approver_keys.of_identities(db, list(accepted))
    # One key stands for one person, whoever holds it: two people who share a key are one approval.
    return approval_proofs.distinct(
        (accepted[key.identity], CustodianKey(key.credential_id, key.public_key).fingerprint) for key in keys
    )


def can_act(db: Transaction, version: TeamVersionRow, members: Sequence[ApproverRow]) -> bool:
    """Tell whether a version could approve something now."""
    accepted = tuple(each.approver_id for each in members if each.status == "ACCEPTED")
    return approvals.quorum_of(version, accepted).is_met(able(db, members))


def could_act(db: Transaction, version: TeamVersionRow, members: Sequence[ApproverRow]) -> bool:
    """Tell the same of a version as it will be once everybody who is invited has accepted by a key of their own."""
    invited = {each.approver_id for each in members if each.status == "PENDING"}
    quorum = approvals.quorum_of(version, tuple(each.approver_id for each in members))
    # Whoever accepts does so by a key of their own, so that the invited count as able.
    return quorum.is_met(able(db, members) | invited)
