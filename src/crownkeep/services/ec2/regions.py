"""DescribeRegions: the Regions that the account has switched on, or all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crownkeep import errors
from crownkeep.domain.accounts import enabled_regions
from crownkeep.operations.call import Call, Result
from crownkeep.services.ec2 import describing
from crownkeep.services.ec2.service import ec2

_OPT_IN = {"ENABLED_BY_DEFAULT": "opt-in-not-required", "ENABLED": "opted-in", "DISABLED": "not-opted-in"}
_FILTERS = {"endpoint": "Endpoint", "opt-in-status": "OptInStatus", "region-name": "RegionName"}


@ec2.operation("DescribeRegions", resource=describing.in_region)
def describe_regions(
    call: Call,
    *,
    region_names: Sequence[str] = (),
    all_regions: bool = False,
    dry_run: bool = False,
    filters: Sequence[Mapping[str, Any]] = (),
) -> Result:
    """Return the Regions that the account has switched on, those that are named, or all; each with its status."""
    describing.refuse_dry_run(dry_run)
    known = {name: _region(name, status) for name, status in enabled_regions.statuses(call.db, call.account_id).items()}
    unknown = [name for name in region_names if name not in known]
    if unknown:
        raise errors.InvalidParameterValue(f"Invalid region names: {', '.join(unknown[:10])}")
    if region_names:
        chosen = [known[name] for name in dict.fromkeys(region_names)]
    else:
        chosen = [region for region in known.values() if all_regions or region["OptInStatus"] != "not-opted-in"]
    return {"Regions": describing.filtered(chosen, filters, _FILTERS)}


def _region(name: str, status: str) -> dict[str, str]:
    return {"RegionName": name, "Endpoint": f"ec2.{name}.amazonaws.com", "OptInStatus": _OPT_IN[status]}
