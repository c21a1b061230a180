"""Snapshots: every credential of an account as an audit finds it, and what is different from the audit before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from crownkeep import arn
from crownkeep.operations.call import Call
from crownkeep.storage.audits import audited_credentials, credential_audits
from crownkeep.storage.audits.audited_credentials import AuditedCredentialRow
from crownkeep.storage.identities import users
from crownkeep.storage.identities.users import UserRow
from crownkeep.storage.reports import held_credentials
from crownkeep.storage.reports.held_credentials import HeldCredential

NEW = "NEW"
CHANGED = "CHANGED"
UNCHANGED = "UNCHANGED"
GONE = "GONE"

_FOLDERS = {kind: kind.lower().replace("_", "-") for kind in held_credentials.KINDS}
"""How the ids of credentials begin, such as `access-key/AKIA...`."""


def working(call: Call) -> set[str]:
    """Return the ids of the credentials that work now."""
    held = held_credentials.of_account(call.db, call.account_id)
    return {_id_of(each) for each in held if each.status == held_credentials.ACTIVE}


def take(call: Call) -> tuple[list[AuditedCredentialRow], str | None]:
    """Return the snapshot, root's credentials first and then by user, and the id of the audit that it was compared with.

    What was there at the last audit and is no more comes at the end, as GONE.
    """
    before = credential_audits.latest(call.db, call.account_id, status=credential_audits.SIGNED_OFF)
    known: dict[str, AuditedCredentialRow] = {}
    if before is not None:
        found = audited_credentials.of_audit(call.db, call.account_id, before.audit_id)
        # What was gone at the last audit already is told no second time.
        known = {row.credential_id: row for row in found if row.change != GONE}
    owners = {user.user_id: (number, user) for number, user in enumerate(users.of_account(call.db, call.account_id), start=1)}
    held = list(held_credentials.of_account(call.db, call.account_id))
    with_mfa = {each.owner_id for each in held if each.kind == held_credentials.MFA_DEVICE}
    ordered = sorted(held, key=lambda each: _place(each, call.account_id, owners))
    rows = [_row(call, each, owners, with_mfa=with_mfa) for each in ordered]
    rows = [replace(row, change=_change(row, known.get(row.credential_id), is_first=before is None)) for row in rows]
    here = {row.credential_id for row in rows}
    gone = [_gone(row) for row in known.values() if row.credential_id not in here]
    numbered = [replace(row, number=number) for number, row in enumerate([*rows, *gone], start=1)]
    return numbered, before.audit_id if before is not None else None


def _id_of(held: HeldCredential) -> str:
    return f"{_FOLDERS[held.kind]}/{held.key}"


def _place(held: HeldCredential, account_id: str, owners: Mapping[str, tuple[int, UserRow]]) -> tuple[int, int, str]:
    owner = 0 if held.owner_id == account_id else owners[held.owner_id][0]
    return owner, held_credentials.KINDS.index(held.kind), held.key


def _row(
    call: Call, held: HeldCredential, owners: Mapping[str, tuple[int, UserRow]], *, with_mfa: set[str]
) -> AuditedCredentialRow:
    user = owners[held.owner_id][1] if held.owner_id in owners else None
    return AuditedCredentialRow(
        account_id=call.account_id,
        audit_id="",
        number=0,
        credential_id=_id_of(held),
        kind=held.kind,
        owner_id=held.owner_id,
        owner_arn=arn.root(call.account_id) if user is None else arn.user(call.account_id, user.path, user.name),
        user_name="" if user is None else user.name,
        identifier=held.identifier,
        status=held.status,
        owner_has_mfa=held.owner_id in with_mfa,
        created_at=held.created_at,
        changed_at=held.changed_at,
        used_at=held.used_at,
        change=UNCHANGED,
        state=audited_credentials.UNDECIDED,
    )


def _change(row: AuditedCredentialRow, before: AuditedCredentialRow | None, *, is_first: bool) -> str:
    if before is None:
        return UNCHANGED if is_first else NEW
    # Not the last use: a key that is used as before has not changed.
    same = (row.status, row.created_at, row.changed_at, row.user_name, row.owner_has_mfa)
    was = (before.status, before.created_at, before.changed_at, before.user_name, before.owner_has_mfa)
    return UNCHANGED if same == was else CHANGED


def _gone(row: AuditedCredentialRow) -> AuditedCredentialRow:
    """Carry over what the last audit had and this account has no more: there is nothing to decide of it."""
    return AuditedCredentialRow(
        account_id=row.account_id,
        audit_id="",
        number=0,
        credential_id=row.credential_id,
        kind=row.kind,
        owner_id=row.owner_id,
        owner_arn=row.owner_arn,
        user_name=row.user_name,
        identifier=row.identifier,
        status=row.status,
        owner_has_mfa=row.owner_has_mfa,
        created_at=row.created_at,
        changed_at=row.changed_at,
        used_at=row.used_at,
        change=GONE,
        state=audited_credentials.GONE,
    )
