"""Root users as the operator sees them: what they have to sign in with, and the recoveries that wait to be confirmed."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.credentials.secret import Secret
from crownkeep.domain.approvals import custodianship
from crownkeep.operations import registry
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.services.operator import known_accounts
from crownkeep.services.operator.service import operator
from crownkeep.signin import mfa_recovery
from crownkeep.signin.mfa_recovery import RecoveryOutcome
from crownkeep.storage.approvals import custodians
from crownkeep.storage.credentials import access_keys, mfa_devices
from crownkeep.storage.sign_in import browser_sessions, recovery_codes, root_recoveries
from crownkeep.storage.sign_in.root_recoveries import RootCustodianRow


@operator.operation("GetRoot", resource=registry.everything)
def get_root(call: Call, *, account_id: str) -> Result:
    """Return what an account's root user has to sign in with, and its recovery where one waits."""
    account = known_accounts.required(call, account_id)
    call.notes.account_id = account_id
    devices = mfa_devices.of_owner(call.db, account_id, account_id)
    keys = access_keys.of_owner(call.db, account_id, account_id)
    described: dict[str, object] = {
        "account_id": account_id,
        "root_email": account.email,
        "has_password": account.root_password_hash is not None,
        "mfa_devices": [
            {"serial_number": each.serial, "kind": each.kind.value, "enabled_at": each.enabled_at} for each in devices
        ],
        "access_keys": [
            {"access_key_id": each.access_key_id, "status": each.status, "created_at": each.created_at} for each in keys
        ],
        "recovery_codes": recovery_codes.count(call.db, account_id, account_id),
        "sessions": len(browser_sessions.of_owner(call.db, account_id, account_id, now=call.now)),
    }
    moments = {"password_changed_at": account.root_password_changed_at, "password_used_at": account.root_password_used_at}
    described |= {name: moment for name, moment in moments.items() if moment is not None}
    custodian = root_recoveries.custodian(call.db, account_id)
    if custodian is not None:
        described["custodian"] = custodian.email
    recovery = _recovery(call, account_id)
    if recovery is not None:
        described["recovery"] = recovery
    return described


@operator.operation("ConfirmRootRecovery", resource=registry.everything, effect=Effect.STATE, holds="account_id")
def confirm_root_recovery(call: Call, *, account_id: str, code: str) -> Result:
    """Confirm that whoever told this code has lost root's MFA devices; they remove them then, within an hour."""
    known_accounts.required(call, account_id)
    match mfa_recovery.confirm(call.db, call.wiring, account_id, Secret(code), by=mfa_recovery.OPERATOR, now=call.now):
        case RecoveryOutcome.NONE_WAITS:
            raise errors.Conflict(
                f"no recovery of root waits in account `{account_id}`: the person signs in and follows the mailed link first"
            )
        case RecoveryOutcome.WRONG_CODE:
            # Counted although the call is refused and undone, or the code could be guessed without end.
            call.notes.lasting.append(lambda db: mfa_recovery.count_wrong(db, account_id))
            raise errors.Conflict(
                f"that is not the code of the recovery that waits in account `{account_id}`; ask the person again"
            )
        case RecoveryOutcome.CONFIRMED:
            call.notes.account_id = account_id
            return _recovery(call, account_id) or NOTHING


@operator.operation("SetRootCustodian", resource=registry.everything, effect=Effect.STATE)
def set_root_custodian(call: Call, *, account_id: str, email: str) -> Result:
    """Name who may confirm the recoveries of a root user beside the operator: somebody who doesn't read root's mail."""
    account = known_accounts.required(call, account_id)
    if email.lower() == account.email_key:
        raise errors.Conflict("that is root's own address: a custodian is a second person with a mailbox of their own")
    custodian = custodians.with_email(call.db, email) or custodianship.add(call, name=email.partition("@")[0], email=email)
    root_recoveries.put_custodian(call.db, RootCustodianRow(account_id, custodian.custodian_id, call.now))
    call.notes.account_id = account_id
    return NOTHING


@operator.operation("RemoveRootCustodian", resource=registry.everything, effect=Effect.STATE)
def remove_root_custodian(call: Call, *, account_id: str) -> Result:
    """Let nobody but the operator confirm the recoveries of an account's root user."""
    known_accounts.required(call, account_id)
    if not root_recoveries.remove_custodian(call.db, account_id):
        raise errors.ResourceNotFound(f"the root user of account `{account_id}` has no custodian")
    call.notes.account_id = account_id
    return NOTHING


def _recovery(call: Call, account_id: str) -> dict[str, object] | None:
    row = root_recoveries.of_account(call.db, account_id)
    if row is None or not mfa_recovery.stands(call.db, row, call.now):
        return None
    described: dict[str, object] = {
        "stage": mfa_recovery.stage_of(row).value,
        "requested_at": row.requested_at,
        "address": row.address,
        "expires_at": row.expires_at,
    }
    if row.confirmed_by is not None:
        described["confirmed_by"] = row.confirmed_by
    return described
