"""Whose token is this? Another directory shows one instead of a signature, and it is good for one identity store alone."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.domain.single_sign_on import scim_bearers, scim_rates
from crownkeep.operations.call import Call
from crownkeep.principals import FederatedIdentity
from crownkeep.storage.accounts import accounts
from crownkeep.storage.single_sign_on import instances
from crownkeep.storage.single_sign_on.instances import InstanceRow
from crownkeep.storage.single_sign_on.scim_tokens import ScimTokenRow


def reading(call: Call, tenant_id: str, bearer_token: str | None) -> InstanceRow:
    """Return the instance that a token opens; raises UnauthorizedException for a token that is missing, unknown, over, or
    another instance's: which of these it is shows to nobody. Raises ThrottlingException for one that is used too often,
    before its account is known: such a flood fills no account's trail.
    """
    row = scim_bearers.find(call.db, bearer_token or "")
    if row is not None:
        scim_rates.require(row.token_id, per_second=call.settings.requests_per_second_of_principal)
    return _opened(call, tenant_id, row)


def _opened(call: Call, tenant_id: str, row: ScimTokenRow | None) -> InstanceRow:
    instance = None if row is None else instances.with_store(call.db, row.identity_store_id)
    if row is None or instance is None or row.identity_store_id != tenant_id or call.now >= row.expires_at:
        raise _unauthorized()
    # A closed account is provisioned by nobody, whatever token of it is still about.
    standing = call.wiring.standings.of_account(call.db, instance.account_id)
    if standing is None or not standing.is_active(call.db):
        raise _unauthorized()
    call.notes.account_id = instance.account_id
    call.notes.federated = FederatedIdentity("WebIdentityUser", "", "", "", instance.account_id, row.token_id)
    return instance


def writing(call: Call, tenant_id: str, bearer_token: str | None) -> InstanceRow:
    """Return the same for a change, with its account held: nobody takes the token away meanwhile."""
    # Read, held and read again: only the token tells whose row is to be held, and it may be deleted before it is.
    accounts.hold(call.db, reading(call, tenant_id, bearer_token).account_id)
    return _opened(call, tenant_id, scim_bearers.find(call.db, bearer_token or ""))


def by(instance: InstanceRow) -> str:
    """Return who made or changed what another directory provisions."""
    return f"arn:aws:identitystore::{instance.account_id}:identitystore/{instance.identity_store_id}"


def _unauthorized() -> errors.Unauthorized:
    return errors.Unauthorized("Authorization header is invalid or missing.")
