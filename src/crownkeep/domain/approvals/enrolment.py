"""Keys of approvers: the first enrolled by a link, others by a key that is there, each by one person alone; used to accept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

from crownkeep import canonical_json, clock, errors
from crownkeep.credentials import webauthn
from crownkeep.credentials.webauthn import Json, Passkey, Person, RelyingParty, WebauthnRefused
from crownkeep.domain.approvals.approver_invitations import Invitation
from crownkeep.domain.approvals.people import ApproverIdentity
from crownkeep.domain.credentials import key_policies, passkeys
from crownkeep.settings import Settings
from crownkeep.storage import holds
from crownkeep.storage.approvals import approver_keys, approvers
from crownkeep.storage.approvals.approver_keys import ApproverKeyRow
from crownkeep.storage.credentials import passkeys as passkey_rows
from crownkeep.storage.database import Transaction
from crownkeep.storage.holds import Hold

FORMAT = "crownkeep-approver-acceptance/1"
MOST_KEYS = 5
"""That somebody may have: one to carry, one in a safe, and some to spare."""


def party(settings: Settings) -> RelyingParty:
    """Return in whose name approvers' keys sign: that of the server's own address and no other.

    A server that is reached by an address alone is asked as `localhost`, since no key can be bound to an address.
    """
    parts = urlsplit(settings.url)
    if settings.public_url:
        return RelyingParty(parts.hostname or "", "Crownkeep", frozenset({f"{parts.scheme}://{parts.netloc}"}))
    port = f":{parts.port}" if parts.port is not None else ""
    return RelyingParty("localhost", "Crownkeep", frozenset({f"{parts.scheme}://localhost{port}"}))


def registration_options(db: Transaction, settings: Settings, who: ApproverIdentity, challenge: bytes) -> Json:
    """Return what a browser is asked for; a device that holds a key of anybody else in a team refuses (excludeCredentials).

    The key must be discoverable: custodians show it where nobody has said who they are.
    """
    seats = [(each.team_id, each.version_id) for each in approvers.of_identity(db, who.identity)]
    others = approvers.of_versions(db, [team_id for team_id, _ in seats], [version_id for _, version_id in seats])
    everybody = {who.identity, *(each.identity for each in others)}
    registered = [passkey_of(row) for row in approver_keys.of_identities(db, sorted(everybody))]
    person = Person(handle_of(who.identity), who.email, who.name)
    return webauthn.discoverable_creation_options(party(settings), person, challenge=challenge, registered=registered)


def enrol(
    db: Transaction, settings: Settings, who: ApproverIdentity, answer: Json, *, challenge: bytes, nickname: str, now: datetime
) -> ApproverKeyRow:
    """Give somebody who has none their first key.

    Raises AccessDenied for an answer without user verification or of a kind that the operator does not want, and
    ConflictException where they have a key, or anybody has this one.
    """
    # There is no row to hold yet, and somebody may have a link for each of several accounts' teams.
    holds.take(db, Hold.CUSTODY)
    if approver_keys.of_identity(db, who.identity):
        # Whoever reads somebody's mail must not add a key of their own to those that they have.
        raise errors.Conflict("You have a key already, and accept with that.")
    return _keep(db, settings, who, answer, challenge=challenge, nickname=nickname, now=now)


def enrol_another(
    db: Transaction, settings: Settings, who: ApproverIdentity, answer: Json, *, challenge: bytes, nickname: str, now: datetime
) -> ApproverKeyRow:
    """Give somebody who has just proved to be there by a key of theirs one more; raises the same."""
    if len(approver_keys.of_identity(db, who.identity)) >= MOST_KEYS:
        raise errors.Conflict(f"You have {MOST_KEYS} keys, and can have no more: remove one first.")
    return _keep(db, settings, who, answer, challenge=challenge, nickname=nickname, now=now)


def _keep(
    db: Transaction, settings: Settings, who: ApproverIdentity, answer: Json, *, challenge: bytes, nickname: str, now: datetime
) -> ApproverKeyRow:
    try:
        passkey = passkeys.registered(settings, party(settings), answer, challenge, key_policies.of_custodians(settings))
    except WebauthnRefused as error:
        raise errors.AccessDenied(f"The key was not accepted: {error}") from error
    # Nor one that somebody signs in with: a key that is at hand every day guards no seal.
    taken = approver_keys.with_credential(db, passkey.credential_id) is not None
    if taken or passkey_rows.is_registered(db, passkey.credential_id):
        raise errors.Conflict("This key is somebody's already.")
    row = ApproverKeyRow(
        key_id=clock.token_bytes(16).hex(),
        identity=who.identity,
        account_id=who.account_id,
        credential_id=passkey.credential_id,
        public_key=passkey.public_key,
        signature_count=passkey.sign_count,
        aaguid=passkey.aaguid,
        is_synced=passkey.is_synced,
        transports=" ".join(passkey.transports),
        attestation_format=passkey.attestation_format,
        attestation=passkey.attestation,
        certifications="\n".join(f"{name} {level}" for name, level in passkey.certifications),
        nickname=nickname,
        enrolled_at=now,
    )
    approver_keys.add(db, row)
    return row


def acceptance_challenge(found: Invitation, nonce: bytes) -> bytes:
    """Return what a key signs to accept: a nonce, and the digest of exactly this team in exactly this version."""
    document = {
        "format": FORMAT,
        "account_id": found.approver.account_id,
        "team": found.approver.team_id,
        "version": found.approver.version_id,
        "approver": found.approver.approver_id,
        "identity": found.approver.identity,
        "min_approvals": found.version.min_approvals,
        "groups": found.version.groups or "",
        "alone_after_hours": found.version.alone_after_hours or 0,
        "description": found.version.description,
    }
    return nonce + hashlib.sha256(canonical_json.write(document)).digest()


def acceptance_options(settings: Settings, keys: Sequence[ApproverKeyRow], challenge: bytes) -> Json:
    """Return what a browser is asked for to accept."""
    return webauthn.request_options(party(settings), challenge=challenge, passkeys=[passkey_of(row) for row in keys])


def prove(db: Transaction, settings: Settings, identity: str, answer: Json, *, challenge: bytes, now: datetime) -> ApproverKeyRow:
    """Return with which of somebody's keys an answer was signed; raises AccessDenied."""
    rows = approver_keys.of_identity(db, identity)
    if not rows:
        raise errors.AccessDenied("Enrol a security key or a passkey first.")
    known = [passkey_of(row) for row in rows]
    try:
        used = webauthn.authenticate(party(settings), answer, known, challenge=challenge, handle=handle_of(identity))
    except WebauthnRefused as error:
        raise errors.AccessDenied(f"The key was not accepted: {error}") from error
    row = next(row for row in rows if row.credential_id == used.credential_id)
    # Kept, as a count that falls tells of a copied key (WebAuthn, 6.1.1).
    approver_keys.change(db, row.key_id, signature_count=used.sign_count, last_used_at=now)
    return row


def read(answer: str) -> Json:
    """Read a browser's answer; raises AccessDenied for what is no JSON object."""
    try:
        found = json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise errors.AccessDenied("The key was not accepted: the browser's answer can't be read") from error
    if not isinstance(found, dict):
        raise errors.AccessDenied("The key was not accepted: the browser's answer can't be read")
    return found


def handle_of(identity: str) -> bytes:
    """Return by which handle devices know somebody; it tells nothing about them."""
    # WebAuthn asks for a handle without personal data (section 14.6.1), as devices show it to whoever has them.
    return hashlib.sha256(f"crownkeep approver {identity}".encode()).digest()


def passkey_of(row: ApproverKeyRow) -> Passkey:
    """Return a kept key as WebAuthn verifies with it."""
    return Passkey(
        row.credential_id, row.public_key, row.signature_count, row.aaguid, tuple(row.transports.split()), row.is_synced
    )
