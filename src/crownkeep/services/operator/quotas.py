"""Quotas of accounts, as the operator sets them: in place of the defaults, from the next request on."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.domain import quotas
from crownkeep.domain.quotas import Quota
from crownkeep.operations import registry
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.services.operator import known_accounts
from crownkeep.services.operator.service import operator
from crownkeep.storage.accounts import account_quotas, accounts


@operator.operation("ListQuotas", resource=registry.everything)
def list_quotas(call: Call, *, account_id: str) -> Result:
    """Return every quota of an account, by name."""
    _require(call, account_id)
    settled = account_quotas.of_account(call.db, account_id)
    return {"quotas": [_describe(each, settled.get(each.name)) for each in quotas.defined()]}


@operator.operation("SetQuota", resource=registry.everything, effect=Effect.STATE)
def set_quota(call: Call, *, account_id: str, name: str, value: int) -> Result:
    """Set a quota of an account; what there is more of stays."""
    accounts.hold(call.db, account_id)
    _require(call, account_id)
    quota = _named(name)
    if not quota.least <= value <= quota.most:
        raise errors.Conflict(f"quota `{name}` can't be `{value}`; give a number from {quota.least} to {quota.most}")
    account_quotas.put(call.db, account_id, name, value)
    return _describe(quota, value)


@operator.operation("ResetQuota", resource=registry.everything, effect=Effect.STATE)
def reset_quota(call: Call, *, account_id: str, name: str) -> Result:
    """Give a quota of an account its default again."""
    accounts.hold(call.db, account_id)
    _require(call, account_id)
    quota = _named(name)
    account_quotas.remove(call.db, account_id, name)
    return _describe(quota, None)


def _require(call: Call, account_id: str) -> None:
    known_accounts.recorded(call, account_id)
    # A service defines its quotas when it is loaded, and nobody may have asked for it yet.
    registry.services()


def _named(name: str) -> Quota:
    quota = quotas.named(name)
    if quota is None:
        raise errors.ResourceNotFound(f"there is no quota `{name}`; `crownkeep account quota ID` shows them all")
    return quota


def _describe(quota: Quota, value: int | None) -> dict[str, object]:
    return {
        "name": quota.name,
        "value": quota.default if value is None else value,
        "default": quota.default,
        "least": quota.least,
        "most": quota.most,
        "is_set": value is not None,
    }
