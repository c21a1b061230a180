"""Renewal of root's MFA after use: where a seal asks for it, devices from before root's last use must go before the next."""

from __future__ import annotations

from collections.abc import Mapping

from crownkeep.principals import APPROVED_BY, Caller, Principal, PrincipalKind
from crownkeep.storage.approvals import seals
from crownkeep.storage.approvals.seals import SealRow
from crownkeep.storage.credentials import mfa_devices
from crownkeep.storage.credentials.mfa_devices import MfaDeviceRow
from crownkeep.storage.database import Transaction


def outdated(db: Transaction, seal: SealRow) -> list[MfaDeviceRow]:
    """Return the devices of root that its last use began with; none where the seal doesn't ask for new ones."""
    used_at = seal.last_used_at
    if not seal.renews_mfa or used_at is None:
        return []
    held = mfa_devices.of_owner(db, seal.account_id, seal.account_id)
    return [each for each in held if each.enabled_at is None or each.enabled_at <= used_at]


def is_renewal(db: Transaction, caller: Caller, parameters: Mapping[str, object]) -> bool:
    """Tell whether root, in the very session that its custodians approved, removes an outdated device and has a new one."""
    if not isinstance(caller, Principal) or caller.kind is not PrincipalKind.ROOT or caller.session is None:
        return False
    seal = seals.of_account(db, caller.account_id)
    if seal is None or caller.session.context.get(APPROVED_BY) != seal.last_session_id:
        return False
    old = outdated(db, seal)
    has_new = mfa_devices.count_of_owner(db, seal.account_id, seal.account_id) > len(old)
    return has_new and any(each.serial == parameters.get("SerialNumber") for each in old)
