"""Server certificates: read for real, matched with their private key and chain, and listed with when they expire.

The private key is only held against the certificate and then forgotten: no service here ends TLS with it, no operation ever
answers it, and what is not kept can't be stolen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crownkeep import arn, clock, errors, ids
from crownkeep.credentials import certificates
from crownkeep.credentials.certificates import Certificate
from crownkeep.credentials.secret import Secret
from crownkeep.domain import page_tokens
from crownkeep.operations import authorize
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Tagging, Target
from crownkeep.services.iam import quotas
from crownkeep.services.iam.identities import reserved
from crownkeep.services.iam.identities import tags as tagging
from crownkeep.services.iam.service import iam
from crownkeep.storage.credentials import server_certificates
from crownkeep.storage.credentials.server_certificates import ListedCertificate, ServerCertificateRow
from crownkeep.storage.identities import tags

Tags = Sequence[Mapping[str, str]]
RESOURCE_TYPE = "AWS::IAM::ServerCertificate"
_UNREADABLE = "Unable to parse certificate. Please ensure the certificate is in PEM format."
_BROKEN_CHAIN = (
    "Unable to validate certificate chain. The certificate chain must start with the immediate signing certificate, followed by "
    "any intermediaries in order. The index within the chain of the invalid certificate is: {}"
)


def new_certificate(call: Call, *, server_certificate_name: str, path: str = "/", **_: object) -> Target:
    """The certificate to be uploaded."""
    return Target(_arn(call, path, server_certificate_name))


def named_certificate(call: Call, *, server_certificate_name: str, **_: object) -> Target:
    """The certificate with this name; the path is the real one where it exists."""
    row = server_certificates.named(call.db, call.account_id, server_certificate_name)
    shown = f"server certificate {server_certificate_name}"
    if row is None:
        return Target(_arn(call, "/", server_certificate_name), shown=shown, row=None)
    return Target(_arn(call, row.path, row.name), tags=lambda: tagging.of(call, row.certificate_id), shown=shown, row=row)


def certificates_under_path(call: Call, *, path_prefix: str = "/", **_: object) -> Target:
    """The certificates that a list may name, as AWS's refusals write it."""
    return Target(_arn(call, path_prefix, ""))


@iam.operation(
    "UploadServerCertificate", resource=new_certificate, effect=Effect.STATE, tagging=Tagging("iam:TagServerCertificate")
)
def upload_server_certificate(
    call: Call,
    *,
    server_certificate_name: str,
    certificate_body: str,
    private_key: str,
    path: str = "/",
    certificate_chain: str | None = None,
    tags: Tags = (),
) -> Result:
    """Keep a certificate whose private key and chain belong to it."""
    reserved.require_free_path(path)
    if server_certificates.named(call.db, call.account_id, server_certificate_name) is not None:
        raise _exists(server_certificate_name)
    count = server_certificates.count(call.db, call.account_id)
    quotas.require_room(call, count, quotas.SERVER_CERTIFICATES, name="ServerCertificatesPerAccount")
    certificate = _checked(call, certificate_body, Secret(private_key), certificate_chain)
    row = ServerCertificateRow(
        certificate_id=ids.unique_id(ids.Prefix.CERTIFICATE, clock.token_bytes(16)),
        account_id=call.account_id,
        name=server_certificate_name,
        name_key=server_certificate_name.lower(),
        path=path,
        # As AWS answers them: a newline at the end would be a difference to every tool that compares.
        body=certificate_body.strip(),
        chain=None if certificate_chain is None else certificate_chain.strip(),
        uploaded_at=call.now,
        expires_at=certificate.expires_at,
    )
    server_certificates.add(call.db, row)
    tagged = tagging.put(call, row.certificate_id, tags)
    call.notes.resources.append((RESOURCE_TYPE, row.name))
    return {"ServerCertificateMetadata": _describe(call, row), **tagging.members(tagged)}


@iam.operation("GetServerCertificate", resource=named_certificate)
def get_server_certificate(call: Call, *, server_certificate_name: str) -> Result:
    """Return a certificate and its chain as they were uploaded; the private key is answered to nobody."""
    row = _targeted(call, server_certificate_name)
    described: dict[str, object] = {"ServerCertificateMetadata": _describe(call, row), "CertificateBody": row.body}
    if row.chain is not None:
        described["CertificateChain"] = row.chain
    return {"ServerCertificate": {**described, **tagging.members(tagging.of(call, row.certificate_id))}}


@iam.operation("ListServerCertificates", resource=certificates_under_path)
def list_server_certificates(
    call: Call, *, path_prefix: str = "/", marker: str | None = None, max_items: int | None = None
) -> Result:
    """List certificates by name, without their texts and tags."""
    found, more = page_tokens.page(
        call,
        list_name="ListServerCertificates",
        filters=(path_prefix,),
        marker=marker,
        max_items=max_items,
        fetch=lambda after, limit: server_certificates.page(
            call.db, call.account_id, path_prefix=path_prefix, after=after, limit=limit
        ),
        key=lambda row: row.name_key,
    )
    return {"ServerCertificateMetadataList": [_describe(call, row) for row in found], **more}


@iam.operation("UpdateServerCertificate", resource=named_certificate, effect=Effect.STATE)
def update_server_certificate(
    call: Call, *, server_certificate_name: str, new_path: str | None = None, new_server_certificate_name: str | None = None
) -> Result:
    """Give a certificate another name or path."""
    row = _targeted(call, server_certificate_name)
    reserved.require_free_path(new_path)
    name, path = new_server_certificate_name or row.name, new_path or row.path
    new_target = Target(_arn(call, path, name), tags=lambda: tagging.of(call, row.certificate_id))
    # Under its new ARN, too (API_UpdateServerCertificate): or it could move where policies forbid its mover to act.
    authorize.require_action(call, "iam:UpdateServerCertificate", new_target)
    if name.lower() != row.name_key and server_certificates.named(call.db, call.account_id, name) is not None:
        raise _exists(name)
    server_certificates.rename(call.db, call.account_id, row.certificate_id, name=name, path=path)
    call.notes.resources += [(RESOURCE_TYPE, row.name), (RESOURCE_TYPE, name)]
    return NOTHING


@iam.operation("DeleteServerCertificate", resource=named_certificate, effect=Effect.STATE)
def delete_server_certificate(call: Call, *, server_certificate_name: str) -> Result:
    """Forget a certificate."""
    row = _targeted(call, server_certificate_name)
    tags.remove_all(call.db, call.account_id, row.certificate_id)
    server_certificates.remove(call.db, call.account_id, row.certificate_id)
    call.notes.resources.append((RESOURCE_TYPE, row.name))
    return NOTHING


@iam.operation("TagServerCertificate", resource=named_certificate, effect=Effect.STATE)
def tag_server_certificate(call: Call, *, server_certificate_name: str, tags: Tags) -> Result:
    """Add tags to a certificate, or change them."""
    row = _targeted(call, server_certificate_name)
    tagging.put(call, row.certificate_id, tags)
    call.notes.resources.append((RESOURCE_TYPE, row.name))
    return NOTHING


@iam.operation("UntagServerCertificate", resource=named_certificate, effect=Effect.STATE)
def untag_server_certificate(call: Call, *, server_certificate_name: str, tag_keys: Sequence[str]) -> Result:
    """Take tags from a certificate."""
    row = _targeted(call, server_certificate_name)
    tagging.take(call, row.certificate_id, tag_keys)
    call.notes.resources.append((RESOURCE_TYPE, row.name))
    return NOTHING


@iam.operation("ListServerCertificateTags", resource=named_certificate)
def list_server_certificate_tags(
    call: Call, *, server_certificate_name: str, marker: str | None = None, max_items: int | None = None
) -> Result:
    """List a certificate's tags by key."""
    row = _targeted(call, server_certificate_name)
    return tagging.page(call, row.certificate_id, list_name="ListServerCertificateTags", marker=marker, max_items=max_items)


def _checked(call: Call, body: str, private_key: Secret, chain: str | None) -> Certificate:
    try:
        certificate = certificates.read(body)
    except certificates.UnreadableCertificate as error:
        raise errors.MalformedCertificate(_UNREADABLE) from error
    if not certificate.is_valid_at(call.now):
        # A certificate is valid when it is uploaded (IAM user guide, "Manage server certificates in IAM").
        raise errors.MalformedCertificate("The certificate is not valid at this time: its validity has ended or not yet begun.")
    try:
        is_key = certificates.is_key_of(certificate, private_key)
    except certificates.UnreadableKey as error:
        raise errors.MalformedCertificate("Invalid Private Key.") from error
    if not is_key:
        raise errors.KeyPairMismatch("Public key certificate and private key doesn't match.")
    if chain is not None:
        _check_chain(certificate, chain)
    return certificate


def _check_chain(certificate: Certificate, chain: str) -> None:
    try:
        certificates.check_chain(certificate, certificates.read_chain(chain))
    except certificates.UnreadableCertificate as error:
        raise errors.MalformedCertificate(_BROKEN_CHAIN.format(0)) from error
    except certificates.BrokenChain as error:
        raise errors.MalformedCertificate(_BROKEN_CHAIN.format(error.index)) from error


def _arn(call: Call, path: str, name: str) -> str:
    return arn.iam(call.account_id, f"server-certificate{path}{name}")


def _targeted(call: Call, name: str) -> ServerCertificateRow:
    row = call.target_row(ServerCertificateRow)
    if row is None:
        raise errors.NoSuchEntity(f"The Server Certificate with name {name} cannot be found.")
    return row


def _exists(name: str) -> errors.EntityAlreadyExists:
    return errors.EntityAlreadyExists(f"The Server Certificate with name {name} already exists.")


def _describe(call: Call, row: ServerCertificateRow | ListedCertificate) -> dict[str, object]:
    return {
        "Path": row.path,
        "ServerCertificateName": row.name,
        "ServerCertificateId": row.certificate_id,
        "Arn": _arn(call, row.path, row.name),
        "UploadDate": row.uploaded_at,
        "Expiration": row.expires_at,
    }
