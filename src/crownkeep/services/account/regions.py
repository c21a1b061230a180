"""Regions: which of them the account has opted into.

The statuses are kept and answered, and policies may speak of them. They bar nobody: this server is the same in every Region.
What takes AWS minutes (ENABLING, DISABLING) is done at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from crownkeep import errors
from crownkeep.domain import page_tokens
from crownkeep.domain.accounts import enabled_regions
from crownkeep.models import regions as published_regions
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.services.account import refusals, subject
from crownkeep.services.account.service import account
from crownkeep.storage.accounts import region_choices

_PAGE = 50


@account.operation("ListRegions", resource=subject.own_account)
def list_regions(
    call: Call,
    *,
    account_id: str | None = None,
    max_results: int = _PAGE,
    next_token: str | None = None,
    region_opt_status_contains: Sequence[str] = (),
) -> Result:
    """Return the Regions by name, each with its status; only those with one of the given statuses, if any are given."""
    owner = subject.account_of(call, account_id, operation="ListRegions")
    filters = sorted(set(region_opt_status_contains))
    after = "" if next_token is None else _after(call, next_token, filters)
    statuses = enabled_regions.statuses(call.db, owner)
    found = [name for name in statuses if name > after and (not filters or statuses[name] in filters)]
    result: dict[str, object] = {
        "Regions": [{"RegionName": name, "RegionOptStatus": statuses[name]} for name in found[:max_results]]
    }
    if len(found) > max_results:
        result["NextToken"] = page_tokens.write(call, found[max_results - 1], list_name="ListRegions", filters=filters)
    return result


@account.operation("GetRegionOptStatus", resource=subject.region)
def get_region_opt_status(call: Call, *, region_name: str, account_id: str | None = None) -> Result:
    """Return the status of one Region."""
    owner = subject.account_of(call, account_id, operation="GetRegionOptStatus")
    status = enabled_regions.statuses(call.db, owner).get(region_name)
    if status is None:
        raise refusals.field("regionName", _unknown(region_name))
    return {"RegionName": region_name, "RegionOptStatus": status}


@account.operation("EnableRegion", resource=subject.region, effect=Effect.STATE)
def enable_region(call: Call, *, region_name: str, account_id: str | None = None) -> Result:
    """Opt into a Region."""
    _choose(call, subject.account_of(call, account_id, operation="EnableRegion"), region_name, "ENABLED")
    return NOTHING


@account.operation("DisableRegion", resource=subject.region, effect=Effect.STATE)
def disable_region(call: Call, *, region_name: str, account_id: str | None = None) -> Result:
    """Opt out of a Region."""
    _choose(call, subject.account_of(call, account_id, operation="DisableRegion"), region_name, "DISABLED")
    return NOTHING


def _choose(call: Call, account_id: str, region_name: str, status: str) -> None:
    if region_name in published_regions.ENABLED_BY_DEFAULT:
        raise refusals.region(f"The Region {region_name} is enabled by default and can't be enabled or disabled.")
    if region_name not in published_regions.names():
        raise refusals.region(_unknown(region_name))
    if enabled_regions.statuses(call.db, account_id)[region_name] == status:
        raise refusals.region("Unable to switch region status because of its current opt-in status.")
    if not region_choices.change(call.db, account_id, region_name, status):
        region_choices.add(call.db, account_id, region_name, status)


def _after(call: Call, token: str, filters: Sequence[str]) -> str:
    try:
        return page_tokens.read(call, token, list_name="ListRegions", filters=filters)
    except errors.ValidationError as error:
        raise refusals.field("nextToken", "The token is not valid for this list.") from error


def _unknown(region_name: str) -> str:
    return f"The Region {region_name} does not exist."
