"""SSH public keys of users: RSA keys, taken in either encoding and answered in the one that is asked for."""

from __future__ import annotations

from crownkeep import clock, errors, ids
from crownkeep.credentials import ssh_keys
from crownkeep.credentials.ssh_keys import SshKey
from crownkeep.domain import page_tokens
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.services.iam import quotas
from crownkeep.services.iam.identities import owners, statuses, users
from crownkeep.services.iam.service import iam
from crownkeep.storage.credentials import ssh_public_keys
from crownkeep.storage.credentials.ssh_public_keys import SshPublicKeyRow
from crownkeep.storage.identities.users import UserRow

RESOURCE_TYPE = "AWS::IAM::SSHPublicKey"


@iam.operation("UploadSSHPublicKey", resource=users.named_user, effect=Effect.STATE)
def upload_ssh_public_key(call: Call, *, user_name: str, ssh_public_key_body: str) -> Result:
    """Keep a public key of a user; it is `Active` at once."""
    user = users.targeted(call, user_name)
    key = _read(ssh_public_key_body)
    if key.fingerprint in ssh_public_keys.fingerprints(call.db, call.account_id, user.user_id):
        raise errors.DuplicateSshPublicKey("The SSH public key is already associated with this user.")
    count = ssh_public_keys.count(call.db, call.account_id, user.user_id)
    quotas.require_room(call, count, quotas.SSH_PUBLIC_KEYS_PER_USER, name="SSHPublicKeysPerUser")
    row = SshPublicKeyRow(
        key_id=ids.unique_id(ids.Prefix.SSH_PUBLIC_KEY, clock.token_bytes(16)),
        account_id=call.account_id,
        user_id=user.user_id,
        ssh=key.ssh,
        fingerprint=key.fingerprint,
        status=statuses.ACTIVE,
        uploaded_at=call.now,
    )
    ssh_public_keys.add(call.db, row)
    _note(call, user, row)
    return {"SSHPublicKey": _describe(user, row, ssh_public_key_body.strip())}


@iam.operation("GetSSHPublicKey", resource=users.named_user)
def get_ssh_public_key(call: Call, *, user_name: str, ssh_public_key_id: str, encoding: str) -> Result:
    """Return a key with its body in the encoding that is asked for, whichever it came in."""
    user = users.targeted(call, user_name)
    row = _required(call, user, ssh_public_key_id)
    body = row.ssh if encoding == "SSH" else _read(row.ssh).pem.strip()
    return {"SSHPublicKey": _describe(user, row, body)}


@iam.operation("ListSSHPublicKeys", resource=owners.target)
def list_ssh_public_keys(
    call: Call, *, user_name: str | None = None, marker: str | None = None, max_items: int | None = None
) -> Result:
    """List the keys of a user, or of the caller, without their bodies; root has none."""
    owner = owners.targeted(call, user_name)
    found, more = page_tokens.page(
        call,
        list_name="ListSSHPublicKeys",
        filters=(owner.owner_id,),
        marker=marker,
        max_items=max_items,
        fetch=lambda after, limit: ssh_public_keys.page(call.db, call.account_id, owner.owner_id, after=after, limit=limit),
        key=lambda row: row.key_id,
    )
    listed = [
        {**owner.members, "SSHPublicKeyId": row.key_id, "Status": row.status, "UploadDate": row.uploaded_at} for row in found
    ]
    return {"SSHPublicKeys": listed, **more}


@iam.operation("UpdateSSHPublicKey", resource=users.named_user, effect=Effect.STATE)
def update_ssh_public_key(call: Call, *, user_name: str, ssh_public_key_id: str, status: str) -> Result:
    """Let a key be used, or no longer."""
    user = users.targeted(call, user_name)
    row = _required(call, user, ssh_public_key_id)
    ssh_public_keys.set_status(call.db, call.account_id, row.key_id, statuses.checked(status))
    _note(call, user, row)
    return NOTHING


@iam.operation("DeleteSSHPublicKey", resource=users.named_user, effect=Effect.STATE)
def delete_ssh_public_key(call: Call, *, user_name: str, ssh_public_key_id: str) -> Result:
    """Forget a key."""
    user = users.targeted(call, user_name)
    row = _required(call, user, ssh_public_key_id)
    ssh_public_keys.remove(call.db, call.account_id, row.key_id)
    _note(call, user, row)
    return NOTHING


def _read(body: str) -> SshKey:
    try:
        return ssh_keys.read(body)
    except ssh_keys.UnknownEncoding as error:
        raise errors.UnrecognizedPublicKeyEncoding("The public key encoding format is unsupported or unrecognized.") from error
    except ssh_keys.InvalidKey as error:
        raise errors.InvalidPublicKey("The public key is malformed or otherwise invalid.") from error


def _required(call: Call, user: UserRow, key_id: str) -> SshPublicKeyRow:
    row = ssh_public_keys.with_id(call.db, call.account_id, user.user_id, key_id)
    if row is None:
        raise errors.NoSuchEntity(f"The Public Key with id {key_id} cannot be found.")
    return row


def _describe(user: UserRow, row: SshPublicKeyRow, body: str) -> dict[str, object]:
    return {
        "UserName": user.name,
        "SSHPublicKeyId": row.key_id,
        "Fingerprint": row.fingerprint,
        "SSHPublicKeyBody": body,
        "Status": row.status,
        "UploadDate": row.uploaded_at,
    }


def _note(call: Call, user: UserRow, row: SshPublicKeyRow) -> None:
    call.notes.resources += [(RESOURCE_TYPE, row.key_id), (users.RESOURCE_TYPE, user.name)]
