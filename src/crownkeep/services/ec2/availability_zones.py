"""DescribeAvailabilityZones: three in every Region. AWS publishes no list of them, and nothing here lies in any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crownkeep import errors
from crownkeep.operations.call import Call, Result
from crownkeep.services.ec2 import describing
from crownkeep.services.ec2.service import ec2

_LETTERS = "abc"
_DIRECTIONS = {"southeast": "se", "northeast": "ne", "southwest": "sw", "northwest": "nw"}
_FILTERS = {
    "group-name": "GroupName",
    "message": "",
    "opt-in-status": "OptInStatus",
    "parent-zone-id": "",
    "parent-zone-name": "",
    "region-name": "RegionName",
    "state": "State",
    "zone-id": "ZoneId",
    "zone-name": "ZoneName",
    "zone-type": "ZoneType",
}
"""By the filter's name; zones here have no messages and no parents."""


@ec2.operation("DescribeAvailabilityZones", resource=describing.in_region)
def describe_availability_zones(
    call: Call,
    *,
    zone_names: Sequence[str] = (),
    zone_ids: Sequence[str] = (),
    all_availability_zones: bool = False,
    dry_run: bool = False,
    filters: Sequence[Mapping[str, Any]] = (),
) -> Result:
    """Return the zones of the Region that is asked; there are no local ones that one would have to opt into."""
    describing.refuse_dry_run(dry_run)
    zones = [_zone(call.origin.region, number) for number in range(len(_LETTERS))]
    _require(zone_names, {zone["ZoneName"] for zone in zones})
    _require(zone_ids, {zone["ZoneId"] for zone in zones})
    chosen = [
        zone
        for zone in zones
        if (not zone_names or zone["ZoneName"] in zone_names) and (not zone_ids or zone["ZoneId"] in zone_ids)
    ]
    return {"AvailabilityZones": describing.filtered(chosen, filters, _FILTERS)}


def _require(named: Sequence[str], known: set[str]) -> None:
    for name in named:
        if name not in known:
            raise errors.InvalidParameterValue(f"Invalid availability zone: [{name}]")


def _zone(region: str, number: int) -> dict[str, str]:
    return {
        "State": "available",
        "OptInStatus": "opt-in-not-required",
        "RegionName": region,
        "ZoneName": f"{region}{_LETTERS[number]}",
        "ZoneId": f"{_short(region)}-az{number + 1}",
        "GroupName": f"{region}-zg-1",
        "NetworkBorderGroup": region,
        "ZoneType": "availability-zone",
    }


def _short(region: str) -> str:
    """Return a Region as the ids of its zones begin: `use1` for us-east-1, `apse2` for ap-southeast-2."""
    # Three parts, as every Region of the partition `aws` has; those of others (us-gov-west-1) are refused with the signature.
    area, direction, number = region.split("-")
    return f"{area}{_DIRECTIONS.get(direction, direction[0])}{number}"
