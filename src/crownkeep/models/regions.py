"""AWS's Regions as botocore's packaged data names them; botocore itself is not imported."""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import msgspec

from crownkeep.arn import PARTITION

# Regions launched before 20 March 2019 are on from the start and can't be switched off; all later ones are opted into (Account
# Management reference, "Enable or disable AWS Regions in your account"). History doesn't change; no published data says it.
ENABLED_BY_DEFAULT = frozenset(
    {
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-northeast-3",
        "ap-south-1",
        "ap-southeast-1",
        "ap-southeast-2",
        "ca-central-1",
        "eu-central-1",
        "eu-north-1",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "sa-east-1",
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
    }
)

PSEUDO = "aws-global"
"""What some SDKs sign for where a service is global and its address was given to them; it stands for us-east-1."""


class _Partition(msgspec.Struct, rename="camel"):
    id: str
    region_regex: str
    regions: dict[str, object]


class _Partitions(msgspec.Struct):
    partitions: list[_Partition]


@cache
def names() -> tuple[str, ...]:
    """Return the names of the partition's Regions, sorted; read once per process."""
    document = msgspec.json.decode(_path().read_bytes(), type=_Partitions)
    partition = next(partition for partition in document.partitions if partition.id == PARTITION)
    # The pseudo Region `aws-global` stands among them, and does not look like one.
    pattern = re.compile(partition.region_regex)
    return tuple(sorted(name for name in partition.regions if pattern.match(name)))


@cache
def _existing() -> frozenset[str]:
    return frozenset(names())


def exists(name: str) -> bool:
    """Tell whether a signature may be scoped to this name: a Region, opted into or not, or what SDKs call all of them."""
    return name in _existing() or name == PSEUDO


def _path() -> Path:
    spec = find_spec("botocore")
    if spec is None or not spec.submodule_search_locations:
        raise LookupError("the `botocore` package is not installed: install it, for it holds AWS's Regions")
    return Path(spec.submodule_search_locations[0]) / "data" / "partitions.json"
