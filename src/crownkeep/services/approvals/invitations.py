"""Invitations, for whoever holds the link: they see the team, enrol a key, and accept or refuse. No account is needed.

No policy is asked: the link proves the mailbox, and the key proves the person. Whoever holds no link learns nothing.
"""

from __future__ import annotations

import binascii
import hashlib
import json
from datetime import timedelta

from crownkeep import base64url, clock, errors
from crownkeep.credentials import sealing
from crownkeep.credentials.one_time_links import InvalidLink
from crownkeep.credentials.sealing import Purpose, Unsealable
from crownkeep.domain.approvals import approver_invitations, arns, enrolment, key_changes, team_changes
from crownkeep.domain.approvals.approver_invitations import Invitation
from crownkeep.domain.approvals.key_changes import KeyChange
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Permission, no_resource
from crownkeep.principals import FederatedIdentity
from crownkeep.services.approvals.service import approvals
from crownkeep.storage.accounts import accounts
from crownkeep.storage.approvals import approver_keys

ANSWERED_WITHIN = timedelta(minutes=15)
_CONTEXT = sealing.context_of("approver invitation")


@approvals.operation("GetInvitation", resource=no_resource, permission=Permission.NONE)
def get_invitation(call: Call, *, invitation_token: str) -> Result:
    """Return what an invitation is for, and what a browser is asked for: a first key, or an acceptance by one."""
    found = _found(call, invitation_token)
    account = accounts.with_id(call.db, found.approver.account_id)
    keys = approver_keys.of_identity(call.db, found.who.identity)
    # The challenge is kept by the browser, sealed, and not by a row: whoever holds a link could fill a table.
    plain = json.dumps({"until": (call.now + ANSWERED_WITHIN).timestamp(), "of": found.digest.hex()}).encode()
    nonce = clock.token_bytes(sealing.NONCE_SIZE)
    blob = sealing.seal(call.keyring, plain, purpose=Purpose.SIGN_IN_FLOW, context=_CONTEXT, nonce=nonce)
    random = hashlib.sha256(blob).digest()
    if keys:
        challenge = enrolment.acceptance_challenge(found, random)
        options = enrolment.acceptance_options(call.settings, keys, challenge)
    else:
        options = enrolment.registration_options(call.db, call.settings, found.who, random)
    return {
        "AccountId": found.approver.account_id,
        "AccountName": account.name if account is not None else "",
        "TeamArn": arns.team(found.approver.account_id, found.approver.team_id),
        "TeamName": found.state.row.name,
        "Description": found.version.description,
        "MinApprovalsRequired": found.version.min_approvals,
        "Name": found.who.name,
        "Email": found.who.email,
        "ExpiresAt": found.expires_at,
        "HasKey": bool(keys),
        "IsForKey": found.is_for_key,
        "Ceremony": base64url.encode(blob),
        "Options": json.dumps(dict(options)),
    }


@approvals.operation("EnrolKey", resource=no_resource, permission=Permission.NONE, effect=Effect.STATE)
def enrol_key(call: Call, *, invitation_token: str, ceremony: str, credential: str, nickname: str = "Security key") -> Result:
    """Enrol the first key of whoever holds the link, or the first after all were taken; user verification is required."""
    found = _held(call, invitation_token)
    challenge = _random(call, ceremony, found)
    answer = enrolment.read(credential)
    row = enrolment.enrol(call.db, call.settings, found.who, answer, challenge=challenge, nickname=nickname[:64], now=call.now)
    if found.is_for_key:
        # The link has done what it is for; an invitation is answered yet.
        approver_invitations.withdraw(call.db, found.approver)
    key_changes.record_change(call, found.who, KeyChange.ADDED, [row])
    return {"KeyId": row.key_id}


@approvals.operation("AcceptInvitation", resource=no_resource, permission=Permission.NONE, effect=Effect.STATE)
def accept_invitation(call: Call, *, invitation_token: str, ceremony: str, assertion: str) -> Result:
    """Accept, by the assertion of one's own key over exactly this team; the link is spent."""
    found = _invited(call, invitation_token)
    challenge = enrolment.acceptance_challenge(found, _random(call, ceremony, found))
    answer = enrolment.read(assertion)
    used = enrolment.prove(call.db, call.settings, found.who.identity, answer, challenge=challenge, now=call.now)
    call.notes.additional["approvalKeyId"] = used.key_id
    team_changes.accept(call.db, found, now=call.now)
    return NOTHING


@approvals.operation("RefuseInvitation", resource=no_resource, permission=Permission.NONE, effect=Effect.STATE)
def refuse_invitation(call: Call, *, invitation_token: str) -> Result:
    """Refuse: what the invitation is for never comes into force."""
    team_changes.refuse(call.db, _invited(call, invitation_token), now=call.now)
    return NOTHING


def _found(call: Call, token: str) -> Invitation:
    """Return what a link is for, and name in the record who holds it; raises AccessDenied."""
    try:
        found = approver_invitations.find(call.db, token, now=call.now)
    except InvalidLink as error:
        raise errors.AccessDenied("The link is not valid: it was answered, has expired, or was never one.") from error
    row = found.approver
    source = arns.identity_source(row.account_id, row.source_id)
    call.notes.account_id = row.account_id
    call.notes.federated = FederatedIdentity("Approver", row.identity, found.who.email, source)
    call.notes.additional |= {"approvalTeam": arns.team(row.account_id, row.team_id), "approver": row.approver_id}
    return found


def _held(call: Call, token: str) -> Invitation:
    """Return the same while the team's account is held: nobody answers at the same time on another node."""
    accounts.hold(call.db, _found(call, token).approver.account_id)
    return _found(call, token)


def _invited(call: Call, token: str) -> Invitation:
    """Return the same of a link that is an invitation."""
    found = _held(call, token)
    if found.is_for_key:
        raise errors.AccessDenied("The link lets you enrol a key, and is no invitation.")
    return found


def _random(call: Call, ceremony: str, found: Invitation) -> bytes:
    """Return what a challenge was made of, for this link and within its time; raises AccessDenied."""
    try:
        blob = base64url.decode(ceremony)
        plain = json.loads(sealing.unseal(call.keyring, blob, purpose=Purpose.SIGN_IN_FLOW, context=_CONTEXT))
    except (Unsealable, binascii.Error, ValueError) as error:
        raise errors.AccessDenied("The page has expired: open the link again.") from error
    # Bound to this link: what was begun by one invitation can't be finished by another.
    if plain["of"] != found.digest.hex() or call.now.timestamp() >= plain["until"]:
        raise errors.AccessDenied("The page has expired: open the link again.")
    return hashlib.sha256(blob).digest()
