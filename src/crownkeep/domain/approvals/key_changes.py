"""The keys that an approver has: one more added, one removed, or all taken; their owner and accounts hear of it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from crownkeep import errors
from crownkeep.audit.event import EventFacts
from crownkeep.credentials.approval_proofs import CustodianKey
from crownkeep.domain.approvals import approver_invitations, people, teams
from crownkeep.domain.approvals.people import ApproverIdentity
from crownkeep.operations import approval_standing, approvals, record
from crownkeep.operations.call import Call
from crownkeep.operations.notices import Notice
from crownkeep.storage.approvals import approver_keys, approvers
from crownkeep.storage.approvals import teams as team_rows
from crownkeep.storage.approvals.approver_keys import ApproverKeyRow
from crownkeep.storage.approvals.approvers import ApproverRow


class KeyChange(Enum):
    """What has become of somebody's keys."""

    ADDED = "added"
    REMOVED = "removed"
    RESET = "reset"


_SAYS = {
    KeyChange.ADDED: "A security key was added to those that you approve with",
    KeyChange.REMOVED: "A security key was removed from those that you approve with",
}


def remove(call: Call, who: ApproverIdentity, key_id: str) -> ApproverKeyRow:
    """Take one of their keys from somebody; raises ConflictException for the last one, which only a reset replaces."""
    held = {each.key_id: each for each in approver_keys.of_identity(call.db, who.identity)}
    if key_id not in held:
        raise errors.ResourceNotFound(f"you have no key `{key_id}`")
    if len(held) == 1:
        raise errors.Conflict("this is your last key: add another one before you remove it")
    approver_keys.remove(call.db, who.identity, key_id)
    return held[key_id]


def reset(call: Call, who: ApproverIdentity) -> None:
    """Take all keys from somebody, and mail them a link to enrol a new one where they sit in an active team.

    What they have approved counts no more, and no key that they enrol decides on what was asked before.
    """
    # Held first: a vote by one of these keys that is under way is counted before, or refused after.
    approver_keys.held(call.db, who.identity)
    approver_keys.remove_all(call.db, who.identity)
    seat = next(iter(_seats(call, who.identity)), None)
    if seat is not None:
        approver_invitations.send_for_key(call.db, call.wiring, seat, now=call.now)


def record_change(call: Call, who: ApproverIdentity, change: KeyChange, keys: Iterable[ApproverKeyRow]) -> None:
    """Record what has become of keys in the trail of every account whose teams or seal rest on them, and tell their owner."""
    fingerprints = [CustodianKey(each.credential_id, each.public_key).fingerprint for each in keys]
    seats = {each.account_id for each in _seats(call, who.identity)}
    # A key change may be how somebody takes a seal over, so every account that rests on these keys hears of it.
    concerned = sorted(seats | set(approval_standing.sealed_by(call.db, who.identity)))
    for account_id in concerned:
        call.notes.further.append(record.row_of(_facts(call, account_id, who, change, fingerprints)))
    says = _SAYS.get(change)
    if says is not None and who.email:
        values = {
            "says": says,
            "account_id": ", ".join(concerned) or "none yet",
            "when": f"{call.now:%Y-%m-%d %H:%M} UTC",
            "source": call.origin.source_ip,
            "key": ", ".join(fingerprints),
        }
        call.wiring.outbox.send(call.db, Notice("approver-keys-changed", who.email, record.NOBODY, call.now, values))


def required(call: Call, identity: str) -> ApproverIdentity:
    """Return who is kept by an identity; raises ResourceNotFoundException."""
    who = people.with_identity(call.db, identity) if identity else None
    if who is None:
        raise errors.ResourceNotFound("there is no such approver; `crownkeep custodian list` shows the custodians")
    return who


def _seats(call: Call, identity: str) -> list[ApproverRow]:
    """Return the places that somebody has in active teams as they are in force."""
    found = [each for each in approvers.of_identity(call.db, identity) if each.status == teams.ACCEPTED]
    rows = {row.team_id: row for row in team_rows.with_ids(call.db, list({each.team_id for each in found}))}
    return [
        each
        for each in found
        if each.team_id in rows and (rows[each.team_id].status, rows[each.team_id].version_id) == (teams.ACTIVE, each.version_id)
    ]


def _facts(call: Call, account_id: str, who: ApproverIdentity, change: KeyChange, fingerprints: list[str]) -> EventFacts:
    return EventFacts(
        event_id="",
        happened_at=call.now,
        event_type="AwsServiceEvent",
        source=approvals.SOURCE,
        name="ApproverKeysChanged",
        caller=None,
        identity={"accountId": account_id, "invokedBy": approvals.SOURCE},
        account_id=account_id,
        region=call.origin.region,
        source_ip=call.origin.source_ip,
        user_agent=approvals.SOURCE,
        request_id=call.origin.request_id,
        read_only=False,
        service_details={"approver": who.identity, "change": change.value, "keys": fingerprints},
    )
