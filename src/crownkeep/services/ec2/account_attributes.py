"""DescribeAccountAttributes: what an account may have of EC2, which is nothing here."""

from __future__ import annotations

from collections.abc import Sequence

from crownkeep.operations.call import Call, Result
from crownkeep.services.ec2 import describing
from crownkeep.services.ec2.service import ec2

_VALUES = {
    "supported-platforms": "VPC",
    "default-vpc": "none",
    "max-instances": "0",
    "vpc-max-security-groups-per-interface": "0",
    "max-elastic-ips": "0",
    "vpc-max-elastic-ips": "0",
}


@ec2.operation("DescribeAccountAttributes", resource=describing.in_region)
def describe_account_attributes(call: Call, *, dry_run: bool = False, attribute_names: Sequence[str] = ()) -> Result:
    """Return the attributes that are asked for, or all: no default VPC, and room for nothing."""
    describing.refuse_dry_run(dry_run)
    chosen = {name: value for name, value in _VALUES.items() if not attribute_names or name in attribute_names}
    return {
        "AccountAttributes": [
            {"AttributeName": name, "AttributeValues": [{"AttributeValue": value}]} for name, value in chosen.items()
        ]
    }
