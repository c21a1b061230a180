"""Asking accounts: to join the organization, and those that were invited once to let it have all features."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta

from crownkeep import clock, ids
from crownkeep.audit.event import moment
from crownkeep.operations import registry
from crownkeep.operations.call import Call, Result
from crownkeep.operations.notices import Notice
from crownkeep.operations.registry import Effect, Tagging, Target
from crownkeep.services.organizations import entities, organization, quotas, refusals
from crownkeep.services.organizations import handshakes as agreeing
from crownkeep.services.organizations import tags as tagging
from crownkeep.services.organizations.callers import AllowedCaller
from crownkeep.services.organizations.service import organizations
from crownkeep.storage.accounts import accounts
from crownkeep.storage.accounts.accounts import AccountRow
from crownkeep.storage.organizations import handshakes, organization_accounts
from crownkeep.storage.organizations.handshakes import HandshakeRow
from crownkeep.storage.organizations.organizations import OrganizationRow

_ID_LENGTH = 32
_ID_CHANCE = 24
_A_DAY = timedelta(days=1)
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


def invited_account(call: Call, *, target: Mapping[str, str], **_: object) -> Target:
    """The account that is invited; an address that nobody looks up names none in particular."""
    account_id = target.get("Id", "")
    return entities.account(call, account_id=account_id if ids.is_account_id(account_id) else "*")


@organizations.operation(
    "InviteAccountToOrganization",
    resource=invited_account,
    effect=Effect.STATE,
    tagging=Tagging(tagging.ACTION),
    caller=AllowedCaller.MANAGEMENT,
)
def invite_account_to_organization(
    call: Call,
    row: OrganizationRow,
    *,
    target: Mapping[str, str],
    notes: str | None = None,
    tags: Sequence[Mapping[str, str]] = (),
) -> Result:
    """Invite an account by its id or by root's address; whether there is such an account, the answer doesn't tell."""
    wanted = tagging.checked(tags)
    kind, recipient = _recipient(target)
    key = recipient.lower()
    if _is_inside(call, row, key):
        raise refusals.handshake("ALREADY_IN_AN_ORGANIZATION")
    _require_room(call, row)
    handshakes.remove_before(call.db, row.organization_id, call.now - quotas.HANDSHAKES_KEPT)
    if handshakes.open_to(call.db, row.organization_id, key, agreeing.INVITE, now=call.now) is not None:
        raise agreeing.duplicate()
    made = HandshakeRow(
        handshake_id=_new_id(),
        account_id=call.account_id,
        organization_id=row.organization_id,
        action=agreeing.INVITE,
        state=agreeing.OPEN,
        recipient_type=kind,
        recipient=recipient,
        recipient_key=key,
        parent_id=None,
        requested_at=call.now,
        expires_at=call.now + quotas.INVITATION_STANDS,
        ended_at=None,
        notes=notes or None,
        tags=json.dumps(wanted) if wanted else None,
    )
    handshakes.add(call.db, made)
    _tell(call, made)
    return {"Handshake": agreeing.describe(call, row, made)}


@organizations.operation("EnableAllFeatures", resource=registry.everything, effect=Effect.STATE, caller=AllowedCaller.MANAGEMENT)
def enable_all_features(call: Call, row: OrganizationRow) -> Result:
    """Ask every account that was invited to agree to all features; the management account finishes it when all have."""
    if row.feature_set == organization.ALL_FEATURES:
        raise refusals.handshake("ORGANIZATION_ALREADY_HAS_ALL_FEATURES")
    if handshakes.open_of(call.db, row.organization_id, agreeing.ENABLE_ALL_FEATURES, now=call.now) is not None:
        raise refusals.handshake("ORGANIZATION_IS_ALREADY_PENDING_ALL_FEATURES_MIGRATION")
    asked = [each for each in organization_accounts.invited(call.db, row.organization_id) if each != call.account_id]
    state = agreeing.REQUESTED if asked else agreeing.OPEN
    whole = _request(call, row, agreeing.ENABLE_ALL_FEATURES, call.account_id, state=state)
    parts = [
        _request(call, row, agreeing.APPROVE_ALL_FEATURES, each, state=agreeing.OPEN, parent_id=whole.handshake_id)
        for each in asked
    ]
    handshakes.add_all(call.db, [whole, *parts])
    return {"Handshake": agreeing.describe(call, row, whole)}


def _recipient(target: Mapping[str, str]) -> tuple[str, str]:
    kind, recipient = target["Type"], target["Id"]
    match kind:
        case "ACCOUNT":
            if not ids.is_account_id(recipient):
                raise refusals.value("INVALID_PATTERN_TARGET_ID")
        case "EMAIL":
            if _EMAIL.fullmatch(recipient) is None:
                raise refusals.value("INVALID_EMAIL_ADDRESS_TARGET")
        case _:
            raise refusals.value("INVALID_PARTY_TYPE_TARGET")
    return kind, recipient


def _is_inside(call: Call, row: OrganizationRow, key: str) -> bool:
    """Tell whether this is an account of the organization already; of others nothing is told."""
    account = _account(call, key)
    if account is None:
        return False
    return organization_accounts.within(call.db, row.organization_id, account.account_id) is not None


def _account(call: Call, key: str) -> AccountRow | None:
    return accounts.with_id(call.db, key) if ids.is_account_id(key) else accounts.with_email(call.db, key)


def _tell(call: Call, made: HandshakeRow) -> None:
    """Write to the root user of the account that is invited; where there is none, to nobody, so that nothing differs."""
    account = _account(call, made.recipient_key)
    values = {
        "account_id": account.account_id if account is not None else "",
        "organization_id": made.organization_id,
        "owner_account_id": made.account_id,
        "handshake_id": made.handshake_id,
        "ends_at": moment(made.expires_at),
    }
    recipient, account_id = (account.email, account.account_id) if account is not None else ("", "")
    call.wiring.outbox.send(call.db, Notice("organization-invitation", recipient, account_id, call.now, values))


def _require_room(call: Call, row: OrganizationRow) -> None:
    place = (call.db, row.organization_id)
    if handshakes.open_of(*place, agreeing.ENABLE_ALL_FEATURES, now=call.now) is not None:
        raise refusals.handshake("INVITE_DISABLED_DURING_ENABLE_ALL_FEATURES")
    invited = handshakes.count_open(*place, agreeing.INVITE, now=call.now)
    if organization_accounts.count(*place) + invited >= quotas.accounts(call):
        raise refusals.handshake("ACCOUNT_NUMBER_LIMIT_EXCEEDED")
    if handshakes.count_since(*place, agreeing.INVITE, call.now - _A_DAY) >= quotas.invitations_a_day(call):
        raise refusals.handshake("HANDSHAKE_RATE_LIMIT_EXCEEDED")


def _request(
    call: Call, row: OrganizationRow, action: str, account_id: str, *, state: str, parent_id: str | None = None
) -> HandshakeRow:
    return HandshakeRow(
        handshake_id=_new_id(),
        account_id=call.account_id,
        organization_id=row.organization_id,
        action=action,
        state=state,
        recipient_type="ACCOUNT",
        recipient=account_id,
        recipient_key=account_id,
        parent_id=parent_id,
        requested_at=call.now,
        expires_at=call.now + quotas.ALL_FEATURES_STANDS,
        ended_at=None,
        notes=None,
        tags=None,
    )


def _new_id() -> str:
    # Whoever is invited sees it and nobody else, so it must not be guessed: 165 bits of chance.
    return ids.organizations_id("h", clock.token_bytes(_ID_CHANCE), _ID_LENGTH)
