"""Signing certificates: X.509 certificates of users and of root, at most two for each, read for real."""

from __future__ import annotations

from crownkeep import clock, errors, ids
from crownkeep.credentials import certificates
from crownkeep.domain import page_tokens
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.services.iam import quotas
from crownkeep.services.iam.identities import owners, statuses, users
from crownkeep.services.iam.identities.owners import Owner
from crownkeep.services.iam.service import iam
from crownkeep.storage.credentials import signing_certificates
from crownkeep.storage.credentials.signing_certificates import SigningCertificateRow

RESOURCE_TYPE = "AWS::IAM::SigningCertificate"


@iam.operation("UploadSigningCertificate", resource=owners.target, effect=Effect.STATE)
def upload_signing_certificate(call: Call, *, certificate_body: str, user_name: str | None = None) -> Result:
    """Keep a certificate of a user, or of the caller; it is `Active` at once."""
    owner = owners.targeted(call, user_name)
    try:
        certificate = certificates.read(certificate_body)
    except certificates.UnreadableCertificate as error:
        raise errors.MalformedCertificate(f"Certificate {certificate_body} is malformed.") from error
    if not certificate.is_valid_at(call.now):
        raise errors.InvalidCertificate("The certificate is not valid at this time: its validity has ended or not yet begun.")
    # A certificate has one owner in the account, so that a signature by it says who has signed.
    if signing_certificates.is_known(call.db, call.account_id, certificate.fingerprint):
        raise errors.DuplicateCertificate("The same certificate is already associated with an IAM user in the account.")
    count = len(signing_certificates.of_owner(call.db, call.account_id, owner.owner_id))
    quotas.require_room(call, count, quotas.SIGNING_CERTIFICATES_PER_USER, name="CertificatesPerUser")
    row = SigningCertificateRow(
        certificate_id=ids.certificate_id(clock.token_bytes(24)),
        account_id=call.account_id,
        owner_id=owner.owner_id,
        fingerprint=certificate.fingerprint,
        body=certificate_body.strip(),
        status=statuses.ACTIVE,
        uploaded_at=call.now,
        expires_at=certificate.expires_at,
    )
    signing_certificates.add(call.db, row)
    _note(call, owner, row)
    return {"Certificate": _describe(owner, row)}


@iam.operation("ListSigningCertificates", resource=owners.target)
def list_signing_certificates(
    call: Call, *, user_name: str | None = None, marker: str | None = None, max_items: int | None = None
) -> Result:
    """List the certificates of a user, or of the caller, the oldest first."""
    owner = owners.targeted(call, user_name)
    rows = signing_certificates.of_owner(call.db, call.account_id, owner.owner_id)
    found, more = page_tokens.page(
        call,
        list_name="ListSigningCertificates",
        filters=(owner.owner_id,),
        marker=marker,
        max_items=max_items,
        fetch=lambda after, limit: [row for row in rows if _position(row) > after][:limit],
        key=_position,
    )
    return {"Certificates": [_describe(owner, row) for row in found], **more}


@iam.operation("UpdateSigningCertificate", resource=owners.target, effect=Effect.STATE)
def update_signing_certificate(call: Call, *, certificate_id: str, status: str, user_name: str | None = None) -> Result:
    """Let a certificate be used, or no longer."""
    owner = owners.targeted(call, user_name)
    row = _required(call, owner, certificate_id)
    signing_certificates.set_status(call.db, call.account_id, row.certificate_id, statuses.checked(status))
    _note(call, owner, row)
    return NOTHING


@iam.operation("DeleteSigningCertificate", resource=owners.target, effect=Effect.STATE)
def delete_signing_certificate(call: Call, *, certificate_id: str, user_name: str | None = None) -> Result:
    """Forget a certificate."""
    owner = owners.targeted(call, user_name)
    row = _required(call, owner, certificate_id)
    signing_certificates.remove(call.db, call.account_id, row.certificate_id)
    _note(call, owner, row)
    return NOTHING


def _required(call: Call, owner: Owner, certificate_id: str) -> SigningCertificateRow:
    row = signing_certificates.with_id(call.db, call.account_id, certificate_id)
    if row is None or row.owner_id != owner.owner_id:
        raise errors.NoSuchEntity(f"The Certificate with id {certificate_id} cannot be found.")
    return row


def _describe(owner: Owner, row: SigningCertificateRow) -> dict[str, object]:
    return {
        **owner.members,
        "CertificateId": row.certificate_id,
        "CertificateBody": row.body,
        "Status": row.status,
        "UploadDate": row.uploaded_at,
    }


def _position(row: SigningCertificateRow) -> str:
    return f"{row.uploaded_at.isoformat(timespec='microseconds')} {row.certificate_id}"


def _note(call: Call, owner: Owner, row: SigningCertificateRow) -> None:
    call.notes.resources.append((RESOURCE_TYPE, row.certificate_id))
    if owner.user is not None:
        call.notes.resources.append((users.RESOURCE_TYPE, owner.user.name))
